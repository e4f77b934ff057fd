#include "core/generate/loop.h"

#include "core/generate/vector.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* torch's L-BFGS takes a first step of min(1, 1/|g|_1); losses relative to their targets have
 * gradients far below 1, so they are scaled up for it. */
#define LBFGS_SCALE 1e4

struct luc_loop {
    struct luc_loop_spec spec;
    struct luc_optimiser optimiser;
    struct luc_exec *exec, *reference; /* reference: NULL without one */
    size_t height, width, count;
    struct luc_view *views;                /* [count], of the present step */
    float *pictures, *d_pictures, *d_loss; /* [count, 3, H, W]; d_loss: without penalties */
    float *d_variable, *scratch;           /* scratch: for projections */
    double l1, l2;                         /* norms of the latest gradient */
};

static size_t size_of_picture(const struct luc_loop *l)
{
    return 3 * l->height * l->width;
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
                                       .n_wrt = 1,
                                       .softplus = s->softplus };
    enum luc_status st = luc_feed_exec(s->model, s->threads, l->count, l->height, l->width, ask,
                                       arena, &l->exec, err);
    if (!st && s->reference && n_features)
        st = luc_features(s->model, s->threads, s->reference, l->height, l->width, features,
                          n_features, arena, &l->reference, err);
    return st;
}

/* The reference's features under this view become the FEATURE losses' targets. */
static void refresh_targets(struct luc_loop *l, const struct luc_view *view)
{
    const struct luc_loop_spec *s = &l->spec;
    if (luc_exec_is_dry(l->reference))
        return;
    float *x = luc_exec_input(l->reference, 0)->data;
    luc_view_apply(view, s->threads, 3, l->height, l->width, s->reference, x);
    luc_feed_in(s->model, 1, l->height * l->width, x);
    luc_exec_forward(l->reference);
    for (size_t i = 0; i < s->n_losses; i++)
        if (s->losses[i].kind == LUC_LOSS_FEATURE)
            luc_loss_feature(&s->losses[i], s->losses[i].value, s->losses[i].weight,
                             luc_exec_value(l->reference, s->losses[i].value));
}

static enum luc_status take_memory(struct luc_loop *l, struct luc_arena *arena,
                                   struct luc_error *err)
{
    const size_t n = l->count * size_of_picture(l), variables = l->spec.paint->n;
    l->views = luc_arena_alloc(arena, l->count, sizeof(*l->views));
    l->pictures = luc_arena_alloc(arena, n, sizeof(float));
    l->d_pictures = luc_arena_alloc(arena, n, sizeof(float));
    l->d_loss = luc_arena_alloc(arena, n, sizeof(float));
    l->d_variable = luc_arena_alloc(arena, variables, sizeof(float));
    l->scratch = luc_arena_alloc(arena, n + l->height + l->width, sizeof(float));
    if (!l->views || !l->pictures || !l->d_pictures || !l->d_loss || !l->d_variable || !l->scratch)
        return luc_fail_nomem(err, "optimisation", (4 * n + variables) * sizeof(float));
    return LUC_OK;
}

enum luc_status luc_loop_create(const struct luc_loop_spec *spec, struct luc_arena *arena,
                                struct luc_loop **loop, struct luc_error *err)
{
    struct luc_loop *l = luc_arena_alloc(arena, 1, sizeof(*l));
    if (!l)
        return luc_fail_nomem(err, "optimisation", sizeof(*l));
    assert(spec->optimiser.kind != LUC_LBFGS_SEARCH || !luc_views_move(&spec->views));
    assert(!spec->reference || spec->paint->count == 1);
    l->spec = *spec;
    l->height = spec->paint->height;
    l->width = spec->paint->width;
    l->count = spec->paint->count;
    luc_feed_centre(spec->model, l->spec.regular.centre);
    enum luc_status st = take_memory(l, arena, err);
    l->spec.optimiser.threads = spec->threads;
    if (!st)
        st = luc_optimiser_init(&l->optimiser, &l->spec.optimiser, spec->paint->n, arena, err);
    if (!st)
        st = make_execs(l, arena, err);
    if (st)
        return st;
    if (l->reference)
        refresh_targets(l, &(struct luc_view){ .along = 1 });
    *loop = l;
    return LUC_OK;
}

/* Views, network, losses and back: d_loss receives the gradient with respect to the pictures. */
static double evaluate(struct luc_loop *l)
{
    const struct luc_loop_spec *s = &l->spec;
    const size_t h = l->height, w = l->width, n = size_of_picture(l);
    float *x = luc_exec_input(l->exec, 0)->data, *d = l->d_pictures;
    for (size_t p = 0; p < l->count; p++)
        luc_view_apply(&l->views[p], s->threads, 3, h, w, l->pictures + p * n, x + p * n);
    luc_feed_in(s->model, l->count, h * w, x);
    luc_exec_forward(l->exec);
    const double total = luc_losses_eval(s->losses, s->n_losses, s->threads, l->exec);
    luc_exec_backward(l->exec, LUC_RELU_PLAIN);
    memcpy(d, luc_exec_grad(l->exec, s->model->input)->data, l->count * n * sizeof(*d));
    luc_feed_out(s->model, l->count, h * w, d);
    for (size_t p = 0; p < l->count; p++)
        luc_view_adjoint(&l->views[p], s->threads, 3, h, w, d + p * n, l->d_loss + p * n);
    return total;
}

static double add_penalties(struct luc_loop *l)
{
    const size_t n = size_of_picture(l);
    double total = 0;
    memcpy(l->d_pictures, l->d_loss, l->count * n * sizeof(float));
    for (size_t p = 0; p < l->count; p++)
        total += luc_regular_loss(&l->spec.regular, l->pictures + p * n, l->height, l->width,
                                  l->d_pictures + p * n);
    return total;
}

static void measure_gradient(struct luc_loop *l)
{
    double squares = 0;
    luc_vector_norms(l->spec.threads, l->d_variable, l->spec.paint->n, &l->l1, &squares);
    l->l2 = sqrt(squares);
}

/* The pictures as they are now, projected, become the variables. */
static void project(struct luc_loop *l)
{
    const struct luc_regular *r = &l->spec.regular;
    const size_t n = size_of_picture(l);
    if (!luc_regular_projects(r, l->optimiser.at.step))
        return;
    luc_paint_get(l->spec.paint, l->pictures);
    for (size_t p = 0; p < l->count; p++)
        luc_regular_project(r, l->optimiser.at.step, l->pictures + p * n, l->height, l->width,
                            l->d_loss + p * n, l->scratch);
    luc_paint_set(l->spec.paint, l->pictures);
}

double luc_loop_step(struct luc_loop *l)
{
    struct luc_paint *paint = l->spec.paint;
    const bool lbfgs = luc_optimiser_is_lbfgs(&l->spec.optimiser);
    const bool search = l->spec.optimiser.kind == LUC_LBFGS_SEARCH;
    if (luc_exec_is_dry(l->exec)) {
        l->optimiser.at.step++;
        return 0;
    }
    for (size_t p = 0; p < l->count; p++)
        l->views[p] = luc_view_draw(&l->spec.views, &l->spec.rng);
    if (l->reference && luc_views_move(&l->spec.views))
        refresh_targets(l, &l->views[0]);
    luc_paint_get(paint, l->pictures);
    double total = evaluate(l);
    total += add_penalties(l);
    luc_paint_backward(paint, l->pictures, l->d_pictures, l->d_variable);
    measure_gradient(l);
    if (lbfgs)
        (void)luc_vector_step(l->spec.threads, (float)LBFGS_SCALE, l->d_variable, 0, NULL, NULL,
                              paint->n);
    luc_optimiser_step(&l->optimiser, paint->variable, total * LBFGS_SCALE, l->d_variable);
    if (l->spec.optimiser.kind != LUC_LBFGS) /* its pairs tell of steps as they were taken */
        luc_paint_clamp(paint);
    project(l);
    return search ? l->optimiser.at.loss / LBFGS_SCALE : total;
}

void luc_loop_finish(struct luc_loop *l)
{
    luc_optimiser_best(&l->optimiser, l->spec.paint->variable);
}

uint64_t luc_loop_steps(const struct luc_loop *l)
{
    return l->optimiser.at.step;
}

void luc_loop_gradient_norms(const struct luc_loop *l, double *l1, double *l2)
{
    *l1 = l->l1;
    *l2 = l->l2;
}

/* ---- checkpoints: a head that says what follows, the variables, the optimiser's floats ---- */

#define MAGIC 0x336f6f6c63756cu /* "luclool" and a version */

struct head {
    uint64_t magic, n_variables, n_state;
    struct luc_optimiser_marks optimiser;
    struct luc_rng rng;
};

void luc_loop_save(const struct luc_loop *l, struct luc_str *out)
{
    const struct luc_optimiser *o = &l->optimiser;
    const struct head head = { .magic = MAGIC,
                               .n_variables = l->spec.paint->n,
                               .n_state = o->state_n,
                               .optimiser = o->at,
                               .rng = l->spec.rng };
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
    const struct luc_rng none = { { 0 } }; /* a state that never leaves itself */
    if (head.magic != MAGIC || memcmp(&head.rng, &none, sizeof(none)) == 0 ||
        head.n_variables != l->spec.paint->n || head.n_state != o->state_n ||
        head.optimiser.count > o->spec.pairs || head.optimiser.first >= o->spec.pairs)
        return luc_fail(err, LUC_FORMAT, "checkpoint: not from this optimisation");
    const unsigned char *at = (const unsigned char *)bytes + sizeof(head);
    memcpy(l->spec.paint->variable, at, variables);
    memcpy(o->state, at + variables, state);
    o->at = head.optimiser;
    l->spec.rng = head.rng;
    return LUC_OK;
}
