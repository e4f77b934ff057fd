#include "core/generate/ascent.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define OVERLAP_MOST 96 /* pixels on each side of a tile that another tile's middle covers */

/* Tiles along one axis: [i * apart - margin, + size), of which [i * apart, + apart) counts. */
struct axis {
    size_t side, n, apart, margin, size;
};

struct luc_ascent {
    struct luc_ascent_spec spec;
    struct axis axis[2];
    struct luc_exec *exec;
    float *gradient; /* [3, height, width], of the rolled picture */
};

static struct axis cut(size_t side, size_t tile)
{
    const size_t margin = tile / 8 < OVERLAP_MOST ? tile / 8 : OVERLAP_MOST;
    if (tile == 0 || side <= tile)
        return (struct axis){ side, 1, side, 0, side };
    const size_t n = (side + tile - 2 * margin - 1) / (tile - 2 * margin);
    const size_t apart = (side + n - 1) / n;
    assert((n - 1) * apart < side);
    return (struct axis){ side, n, apart, margin, apart + 2 * margin };
}

enum luc_status luc_ascent_create(const struct luc_ascent_spec *spec, struct luc_arena *arena,
                                  struct luc_ascent **ascent, struct luc_error *err)
{
    struct luc_ascent *a = luc_arena_alloc(arena, 1, sizeof(*a));
    size_t *layers = luc_arena_alloc(arena, spec->n_losses, sizeof(*layers));
    const size_t n = 3 * spec->height * spec->width;
    if (!a || !layers)
        return luc_fail_nomem(err, "ascent", sizeof(*a));
    a->spec = *spec;
    a->axis[0] = cut(spec->height, spec->tile);
    a->axis[1] = cut(spec->width, spec->tile);
    a->gradient = luc_arena_raw(arena, n, sizeof(float));
    if (!a->gradient)
        return luc_fail_nomem(err, "ascent", n * sizeof(float));
    for (size_t i = 0; i < spec->n_losses; i++)
        layers[i] = spec->losses[i].value;
    const struct luc_plan_spec ask = { .taps = layers,
                                       .n_taps = spec->n_losses,
                                       .seeds = layers,
                                       .n_seeds = spec->n_losses,
                                       .wrt = &spec->model->input,
                                       .n_wrt = 1 };
    const enum luc_status st = luc_feed_exec(spec->model, spec->threads, 1, a->axis[0].size,
                                             a->axis[1].size, ask, arena, &a->exec, err);
    if (!st)
        *ascent = a;
    return st;
}

size_t luc_ascent_tiles(const struct luc_ascent *a)
{
    return a->axis[0].n * a->axis[1].n;
}

/* Copies a line of `n` from place `at` on, which goes on at the beginning where it ends. */
static void copy_around(float *to, const float *line, size_t side, size_t at, size_t n)
{
    for (size_t done = 0; done < n;) {
        const size_t from = (at + done) % side, left = side - from;
        const size_t part = n - done < left ? n - done : left;
        memcpy(to + done, line + from, part * sizeof(*to));
        done += part;
    }
}

/* Tile (iy, ix) of the picture rolled by `roll`, as the network reads it. */
static void show(struct luc_ascent *a, const float *picture, const size_t roll[2], size_t iy,
                 size_t ix)
{
    const struct axis *y = &a->axis[0], *x = &a->axis[1];
    float *to = luc_exec_input(a->exec, 0)->data;
    const size_t left = roll[1] + ix * x->apart + x->side - x->margin;
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < y->size; i++) {
            const size_t row = (roll[0] + iy * y->apart + y->side - y->margin + i) % y->side;
            copy_around(to + (c * y->size + i) * x->size, picture + (c * y->side + row) * x->side,
                        x->side, left, x->size);
        }
    luc_feed_in(a->spec.model, 1, y->size * x->size, to);
}

/* The middle of tile (iy, ix)'s gradient, into its place. */
static void take(struct luc_ascent *a, const float *d, size_t iy, size_t ix)
{
    const struct axis *y = &a->axis[0], *x = &a->axis[1];
    const size_t top = iy * y->apart, left = ix * x->apart;
    const size_t rows = y->side - top < y->apart ? y->side - top : y->apart;
    const size_t columns = x->side - left < x->apart ? x->side - left : x->apart;
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < rows; i++)
            memcpy(a->gradient + (c * y->side + top + i) * x->side + left,
                   d + (c * y->size + y->margin + i) * x->size + x->margin, columns * sizeof(*d));
}

static double see_tile(struct luc_ascent *a, const float *picture, const size_t roll[2], size_t iy,
                       size_t ix)
{
    const struct luc_ascent_spec *s = &a->spec;
    show(a, picture, roll, iy, ix);
    luc_exec_forward(a->exec);
    const double total = luc_losses_eval(s->losses, s->n_losses, s->threads, a->exec);
    luc_exec_backward(a->exec, LUC_RELU_PLAIN);
    take(a, luc_exec_grad(a->exec, s->model->input)->data, iy, ix);
    return total;
}

/* x -= rate * g / mean |g|, the roll undone: losses are lower the higher the answers. */
static void climb(const struct luc_ascent *a, const size_t roll[2], float *picture)
{
    const size_t h = a->spec.height, w = a->spec.width;
    double sum = 0;
    for (size_t i = 0; i < 3 * h * w; i++)
        sum += fabs((double)a->gradient[i]);
    const float scale = (float)(sum > 0 ? a->spec.rate * 3.0 * (double)(h * w) / sum : 0);
    for (size_t line = 0; line < 3 * h; line++) {
        const size_t c = line / h, y = line % h;
        float *row = picture + (c * h + (y + roll[0]) % h) * w;
        const float *g = a->gradient + line * w;
        for (size_t i = 0; i < w; i++) {
            float *x = &row[(i + roll[1]) % w];
            *x = fminf(fmaxf(*x - scale * g[i], 0.0f), 255.0f);
        }
    }
}

/* One tile: -jitter .. jitter; several: anything, so that seams come to lie everywhere. */
static size_t draw_roll(const struct axis *x, size_t jitter, struct luc_rng *rng)
{
    const uint64_t j = jitter, side = x->side;
    if (x->n > 1)
        return (size_t)luc_rng_below(rng, side);
    if (j == 0)
        return 0;
    const uint64_t shift = luc_rng_below(rng, 2 * j + 1); /* 0..2j stands for -j..j */
    return (size_t)((shift + side * (j / side + 1) - j) % side);
}

enum luc_status luc_ascent_step(struct luc_ascent *a, float *picture, struct luc_rng *rng,
                                luc_ascent_tick *tick, void *ctx, double *loss,
                                struct luc_error *err)
{
    const size_t n = luc_ascent_tiles(a);
    size_t roll[2];
    double total = 0;
    enum luc_status st = LUC_OK;
    *loss = 0;
    if (luc_exec_is_dry(a->exec))
        return tick ? tick(ctx, 1.0, err) : LUC_OK;
    for (size_t k = 0; k < 2; k++)
        roll[k] = draw_roll(&a->axis[k], a->spec.jitter, rng);
    for (size_t i = 0; !st && i < n; i++) {
        total += see_tile(a, picture, roll, i / a->axis[1].n, i % a->axis[1].n);
        if (tick)
            st = tick(ctx, (double)(i + 1) / (double)n, err);
    }
    if (st)
        return st;
    luc_feed_out(a->spec.model, 1, a->spec.height * a->spec.width, a->gradient);
    climb(a, roll, picture);
    *loss = total / (double)n;
    return LUC_OK;
}
