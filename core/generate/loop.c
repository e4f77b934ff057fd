#include "core/generate/loop.h"

#include <math.h>
#include <string.h>

/* torch's L-BFGS takes a first step of min(1, 1/|g|_1); losses relative to their targets have
 * gradients far below 1, so they are scaled up for it. */
#define LBFGS_SCALE 1e4

struct luc_loop {
    struct luc_loop_spec spec;
    struct luc_optimiser optimiser;
    struct luc_exec *exec, *reference; /* reference: NULL without one */
    size_t height, width;
    float *picture, *d_picture; /* [3, H, W] */
    float *d_variable;
    double l1, l2; /* norms of the latest gradient */
};

/* Rolls: out[y][x] = in[(y + dy) mod H][(x + dx) mod W], plane by plane. */
static void roll(const float *in, size_t height, size_t width, size_t dy, size_t dx, float *out)
{
    for (size_t line = 0; line < 3 * height; line++) {
        const size_t plane = line / height, y = line % height;
        const float *from = in + (plane * height + (y + dy) % height) * width;
        float *to = out + line * width;
        memcpy(to, from + dx, (width - dx) * sizeof(*to));
        memcpy(to + width - dx, from, dx * sizeof(*to));
    }
}

static size_t channel_of(const struct luc_model *m, size_t c)
{
    return m->in.channels == LUC_BGR ? 2 - c : c;
}

/* Picture [3, H, W], RGB 0..255 -> the network's channels and scale, in place. */
static void normalise(const struct luc_model *m, float *x, size_t pixels)
{
    if (m->in.channels == LUC_BGR)
        for (size_t i = 0; i < pixels; i++) {
            const float red = x[i];
            x[i] = x[2 * pixels + i];
            x[2 * pixels + i] = red;
        }
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < pixels; i++)
            x[c * pixels + i] = (x[c * pixels + i] - m->in.mean[c]) * m->in.scale[c];
}

static enum luc_status check_model(const struct luc_model *m, struct luc_error *err)
{
    if (m->in.channels == LUC_GRAY)
        return luc_fail_param(err, LUC_INVALID, "model", "model: '%.60s' takes gray pictures only",
                              m->name);
    return LUC_OK;
}

static enum luc_status make_exec(const struct luc_model *m, const struct luc_threads *threads,
                                 size_t height, size_t width, struct luc_plan_spec ask,
                                 struct luc_arena *arena, struct luc_exec **exec,
                                 struct luc_error *err)
{
    const struct luc_shape shape = luc_shape4(1, 3, height, width);
    const struct luc_plan *plan = NULL;
    ask.graph = m->graph;
    ask.inputs = &shape;
    ask.lanes = luc_lanes(threads);
    ask.fast = true; /* hundreds of passes; no single gradient matters to the last digit */
    enum luc_status st = check_model(m, err);
    if (!st)
        st = luc_plan_create(&ask, arena, &plan, err);
    return st ? st : luc_exec_create(plan, arena, threads, exec, err);
}

enum luc_status luc_features(const struct luc_model *model, const struct luc_threads *threads,
                             const float *picture, size_t height, size_t width,
                             const size_t *layers, size_t n_layers, struct luc_arena *arena,
                             struct luc_exec **exec, struct luc_error *err)
{
    const struct luc_plan_spec ask = { .taps = layers, .n_taps = n_layers };
    const enum luc_status st = make_exec(model, threads, height, width, ask, arena, exec, err);
    if (st)
        return st;
    if (luc_exec_is_dry(*exec))
        return LUC_OK;
    float *x = luc_exec_input(*exec, 0)->data;
    memcpy(x, picture, 3 * height * width * sizeof(*x));
    normalise(model, x, height * width);
    luc_exec_forward(*exec);
    return LUC_OK;
}

static enum luc_status make_execs(struct luc_loop *l, struct luc_arena *arena,
                                  struct luc_error *err)
{
    const struct luc_loop_spec *s = &l->spec;
    size_t *layers = luc_arena_alloc(arena, 2 * s->n_losses, sizeof(*layers));
    size_t n_features = 0;
    if (!layers)
        return luc_fail_nomem(err, "losses", 2 * s->n_losses * sizeof(*layers));
    size_t *features = layers + s->n_losses;
    for (size_t i = 0; i < s->n_losses; i++) {
        layers[i] = s->losses[i].value;
        if (s->losses[i].kind == LUC_LOSS_FEATURE)
            features[n_features++] = layers[i];
    }
    const struct luc_plan_spec ask = { .taps = layers,
                                       .n_taps = s->n_losses,
                                       .seeds = layers,
                                       .n_seeds = s->n_losses,
                                       .wrt = &s->model->input,
                                       .n_wrt = 1 };
    enum luc_status st =
        make_exec(s->model, s->threads, l->height, l->width, ask, arena, &l->exec, err);
    if (!st && s->reference && n_features)
        st = luc_features(s->model, s->threads, s->reference, l->height, l->width, features,
                          n_features, arena, &l->reference, err);
    return st;
}

/* The reference's features under this roll become the FEATURE losses' targets. */
static void refresh_targets(struct luc_loop *l, size_t dy, size_t dx)
{
    const struct luc_loop_spec *s = &l->spec;
    if (luc_exec_is_dry(l->reference))
        return;
    float *x = luc_exec_input(l->reference, 0)->data;
    roll(s->reference, l->height, l->width, dy, dx, x);
    normalise(s->model, x, l->height * l->width);
    luc_exec_forward(l->reference);
    for (size_t i = 0; i < s->n_losses; i++)
        if (s->losses[i].kind == LUC_LOSS_FEATURE)
            luc_loss_feature(&s->losses[i], s->losses[i].value, s->losses[i].weight,
                             luc_exec_value(l->reference, s->losses[i].value));
}

enum luc_status luc_loop_create(const struct luc_loop_spec *spec, struct luc_arena *arena,
                                struct luc_loop **loop, struct luc_error *err)
{
    struct luc_loop *l = luc_arena_alloc(arena, 1, sizeof(*l));
    if (!l)
        return luc_fail_nomem(err, "optimisation", sizeof(*l));
    l->spec = *spec;
    l->height = spec->paint->height;
    l->width = spec->paint->width;
    const size_t n = 3 * l->height * l->width;
    l->picture = luc_arena_alloc(arena, n, sizeof(float));
    l->d_picture = luc_arena_alloc(arena, n, sizeof(float));
    l->d_variable = luc_arena_alloc(arena, spec->paint->n, sizeof(float));
    if (!l->picture || !l->d_picture || !l->d_variable)
        return luc_fail_nomem(err, "optimisation", 3 * n * sizeof(float));
    enum luc_status st =
        luc_optimiser_init(&l->optimiser, &spec->optimiser, spec->paint->n, arena, err);
    if (!st)
        st = make_execs(l, arena, err);
    if (st)
        return st;
    if (l->reference)
        refresh_targets(l, 0, 0);
    *loop = l;
    return LUC_OK;
}

/* Network, losses and back: d_picture receives the gradient under the roll undone. */
static double evaluate(struct luc_loop *l, size_t dy, size_t dx)
{
    const struct luc_loop_spec *s = &l->spec;
    const size_t h = l->height, w = l->width, pixels = h * w;
    float *x = luc_exec_input(l->exec, 0)->data;
    double total = 0;
    roll(l->picture, h, w, dy, dx, x);
    normalise(s->model, x, pixels);
    luc_exec_forward(l->exec);
    for (size_t i = 0; i < s->n_losses; i++)
        total +=
            luc_loss_eval(&s->losses[i], s->threads, luc_exec_value(l->exec, s->losses[i].value),
                          luc_exec_seed(l->exec, s->losses[i].value));
    luc_exec_backward(l->exec, LUC_RELU_PLAIN);

    const float *d = luc_exec_grad(l->exec, s->model->input)->data;
    for (size_t c = 0; c < 3; c++) {
        const size_t from = channel_of(s->model, c);
        for (size_t y = 0; y < h; y++)
            for (size_t at = 0; at < w; at++)
                l->d_picture[c * pixels + (y + dy) % h * w + (at + dx) % w] =
                    d[from * pixels + y * w + at] * s->model->in.scale[from];
    }
    return total;
}

static size_t draw_roll(struct luc_loop *l, size_t side)
{
    const uint64_t j = l->spec.jitter;
    if (j == 0)
        return 0;
    const uint64_t shift = luc_rng_below(&l->spec.rng, 2 * j + 1); /* 0..2j stands for -j..j */
    return (size_t)((shift + side * (j / side + 1) - j) % side);
}

double luc_loop_step(struct luc_loop *l)
{
    struct luc_paint *paint = l->spec.paint;
    if (luc_exec_is_dry(l->exec)) {
        l->optimiser.step++;
        return 0;
    }
    const size_t dy = draw_roll(l, l->height), dx = draw_roll(l, l->width);
    if (l->reference && l->spec.jitter)
        refresh_targets(l, dy, dx);
    luc_paint_get(paint, l->picture);
    double total = evaluate(l, dy, dx);
    total += luc_total_variation(l->spec.tv, l->picture, l->height, l->width, l->d_picture);
    luc_paint_backward(paint, l->picture, l->d_picture, l->d_variable);

    double sum = 0, squares = 0;
    for (size_t i = 0; i < paint->n; i++) {
        sum += fabs((double)l->d_variable[i]);
        squares += (double)l->d_variable[i] * (double)l->d_variable[i];
    }
    l->l1 = sum;
    l->l2 = sqrt(squares);
    if (l->spec.optimiser.kind == LUC_LBFGS)
        for (size_t i = 0; i < paint->n; i++)
            l->d_variable[i] *= (float)LBFGS_SCALE;
    luc_optimiser_step(&l->optimiser, paint->variable, l->d_variable);
    if (l->spec.optimiser.kind != LUC_LBFGS) /* its pairs tell of steps as they were taken */
        luc_paint_clamp(paint);
    return total;
}

uint64_t luc_loop_steps(const struct luc_loop *l)
{
    return l->optimiser.step;
}

void luc_loop_gradient_norms(const struct luc_loop *l, double *l1, double *l2)
{
    *l1 = l->l1;
    *l2 = l->l2;
}

/* ---- checkpoints: a head that says what follows, the variables, the optimiser's floats ---- */

#define MAGIC 0x316f6f6c63756cu /* "luclool" and a version */

struct head {
    uint64_t magic, n_variables, n_state, step, count;
    double scale, ys[LUC_LBFGS_PAIRS];
    struct luc_rng rng;
};

void luc_loop_save(const struct luc_loop *l, struct luc_str *out)
{
    const struct luc_optimiser *o = &l->optimiser;
    struct head head = { .magic = MAGIC,
                         .n_variables = l->spec.paint->n,
                         .n_state = o->state_n,
                         .step = o->step,
                         .count = o->count,
                         .scale = o->scale,
                         .rng = l->spec.rng };
    memcpy(head.ys, o->ys, sizeof(head.ys));
    luc_str_put(out, &head, sizeof(head));
    luc_str_put(out, l->spec.paint->variable, l->spec.paint->n * sizeof(float));
    luc_str_put(out, o->state, o->state_n * sizeof(float));
}

enum luc_status luc_loop_restore(struct luc_loop *l, const void *bytes, size_t size,
                                 struct luc_error *err)
{
    struct luc_optimiser *o = &l->optimiser;
    const size_t variables = l->spec.paint->n * sizeof(float), state = o->state_n * sizeof(float);
    struct head head;
    if (size != sizeof(head) + variables + state)
        return luc_fail(err, LUC_FORMAT, "checkpoint: %zu bytes, %zu expected", size,
                        sizeof(head) + variables + state);
    memcpy(&head, bytes, sizeof(head));
    if (head.magic != MAGIC || head.n_variables != l->spec.paint->n || head.n_state != o->state_n ||
        head.count > o->spec.pairs)
        return luc_fail(err, LUC_FORMAT, "checkpoint: not from this optimisation");
    const unsigned char *at = (const unsigned char *)bytes + sizeof(head);
    memcpy(l->spec.paint->variable, at, variables);
    memcpy(o->state, at + variables, state);
    o->step = head.step;
    o->count = head.count;
    o->scale = head.scale;
    memcpy(o->ys, head.ys, sizeof(head.ys));
    l->spec.rng = head.rng;
    return LUC_OK;
}
