#include "core/judge/faithful.h"

#include "core/ask/perturb.h"
#include "core/judge/impute.h"

#include <stdlib.h>
#include <string.h>

#define NOISE 0.01 /* of ROAD's imputation, as a part of the picture's range: the paper's */

struct place {
    float value;
    uint32_t lot; /* decides between equals */
    size_t pixel;
};

struct luc_faithful {
    struct luc_run *run;
    struct luc_faithful_spec spec;
    struct luc_tensor filled, blurred;
    struct luc_impute impute;
    struct place *order; /* [pixels], most important first once sorted */
    uint32_t *lots;      /* [pixels] */
    float *noise;        /* [pixels], the same for every channel and part */
    bool *missing;       /* [pixels] */
    double *scores;      /* deletion, insertion, morf, lerf */
    size_t pixels;
};

/* Where each curve begins in scores. */
static size_t insertion_at(const struct luc_faithful *f)
{
    return f->spec.steps + 1;
}

static size_t morf_at(const struct luc_faithful *f)
{
    return 2 * (f->spec.steps + 1);
}

size_t luc_faithful_passes(const struct luc_faithful_spec *spec)
{
    return 2 * (spec->steps + 1) + 2 * spec->parts;
}

static void draw(struct luc_faithful *f)
{
    const double sigma = NOISE * luc_range(f->spec.input);
    for (size_t i = 0; i < f->pixels; i++) {
        f->lots[i] = (uint32_t)(luc_rng_bits(&f->run->rng) >> 32);
        f->noise[i] = (float)(sigma * luc_rng_normal(&f->run->rng));
    }
}

enum luc_status luc_faithful_open(struct luc_run *run, const struct luc_faithful_spec *spec,
                                  struct luc_faithful **f, struct luc_error *err)
{
    const struct luc_shape *s = &spec->input->shape;
    const size_t n = s->dim[2] * s->dim[3];
    struct luc_faithful *made = luc_arena_alloc(run->arena, 1, sizeof(*made));
    if (!made)
        return luc_fail_nomem(err, "evaluation", sizeof(*made));
    *made = (struct luc_faithful){ .run = run, .spec = *spec, .pixels = n };
    made->order = luc_arena_raw(run->arena, n, sizeof(*made->order));
    made->lots = luc_arena_raw(run->arena, n, sizeof(*made->lots));
    made->noise = luc_arena_raw(run->arena, n, sizeof(*made->noise));
    made->missing = luc_arena_raw(run->arena, n, sizeof(*made->missing));
    made->scores = luc_arena_alloc(run->arena, luc_faithful_passes(spec), sizeof(double));
    if (!made->order || !made->lots || !made->noise || !made->missing || !made->scores)
        return luc_fail_nomem(err, "evaluation", n * sizeof(*made->order));
    enum luc_status st =
        luc_fill_picture(run, spec->fill, spec->sigma, spec->input, &made->filled, err);
    if (!st)
        st = luc_fill_picture(run, LUC_FILL_BLUR, spec->sigma, spec->input, &made->blurred, err);
    if (!st)
        st = luc_impute_open(s->dim[2], s->dim[3], run->arena, &made->impute, err);
    if (st)
        return st;
    if (!luc_run_is_dry(run))
        draw(made);
    *f = made;
    return LUC_OK;
}

static int by_importance(const void *pa, const void *pb)
{
    const struct place *a = pa, *b = pb;
    if (a->value != b->value)
        return a->value < b->value ? 1 : -1;
    if (a->lot != b->lot)
        return a->lot < b->lot ? -1 : 1;
    return a->pixel < b->pixel ? -1 : a->pixel > b->pixel;
}

/* The first `count` pixels of the order, from the most important or from the least, taken from
 * `from` into the picture. */
static void take(const struct luc_faithful *f, size_t count, const struct luc_tensor *from,
                 float *picture)
{
    for (size_t c = 0; c < from->shape.dim[1]; c++)
        for (size_t k = 0; k < count; k++) {
            const size_t i = c * f->pixels + f->order[k].pixel;
            picture[i] = from->data[i];
        }
}

static size_t part_of(const struct luc_faithful *f, size_t step, size_t steps)
{
    return (step * f->pixels + steps / 2) / steps;
}

/* ROAD: `count` pixels are missing, from the front or from the back of the order. */
static void impute(struct luc_faithful *f, size_t count, bool least, float *picture)
{
    memset(f->missing, 0, f->pixels * sizeof(*f->missing));
    for (size_t k = 0; k < count; k++)
        f->missing[f->order[least ? f->pixels - 1 - k : k].pixel] = true;
    for (size_t c = 0; c < f->spec.input->shape.dim[1]; c++) {
        float *plane = picture + c * f->pixels;
        luc_impute_plane(&f->impute, f->missing, plane);
        for (size_t i = 0; i < f->pixels; i++)
            plane[i] += f->missing[i] ? f->noise[i] : 0;
    }
}

static void make(void *ctx, size_t i, float *picture)
{
    struct luc_faithful *f = ctx;
    const struct luc_tensor *x = f->spec.input;
    const size_t steps = f->spec.steps, n = luc_numel(&x->shape);
    const bool inserts = i >= insertion_at(f) && i < morf_at(f);
    memcpy(picture, inserts ? f->blurred.data : x->data, n * sizeof(*picture));
    if (i < insertion_at(f)) {
        take(f, part_of(f, i, steps), &f->filled, picture);
    } else if (inserts) {
        take(f, part_of(f, i - insertion_at(f), steps), x, picture);
    } else {
        const size_t k = i - morf_at(f), parts = f->spec.parts;
        impute(f, part_of(f, k % parts + 1, parts + 1), k >= parts, picture);
    }
}

static void use(void *ctx, size_t i, const struct luc_tensor *held)
{
    struct luc_faithful *f = ctx;
    f->scores[i] = luc_watch_score(f->spec.watch, held);
}

static double area(const double *curve, size_t steps)
{
    double sum = (curve[0] + curve[steps]) / 2;
    for (size_t i = 1; i < steps; i++)
        sum += curve[i];
    return sum / (double)steps;
}

enum luc_status luc_faithful_measure(struct luc_faithful *f, const float *map, double from,
                                     double to, struct luc_curves *curves, struct luc_error *err)
{
    for (size_t i = 0; i < luc_run_turns(f->run, f->pixels); i++)
        f->order[i] = (struct place){ map[i], f->lots[i], i };
    if (!luc_run_is_dry(f->run))
        qsort(f->order, f->pixels, sizeof(*f->order), by_importance);
    const enum luc_status st =
        luc_perturb_run(f->run,
                        &(struct luc_perturb){ .shape = &f->spec.input->shape,
                                               .n = luc_faithful_passes(&f->spec),
                                               .value = f->spec.watch->unit.value,
                                               .from = from,
                                               .to = to,
                                               .ctx = f,
                                               .make = make,
                                               .use = use },
                        err);
    if (st)
        return st;
    struct luc_curves c = { .deletion = f->scores,
                            .insertion = f->scores + insertion_at(f),
                            .morf = f->scores + morf_at(f),
                            .lerf = f->scores + morf_at(f) + f->spec.parts };
    c.deletion_auc = area(c.deletion, f->spec.steps);
    c.insertion_auc = area(c.insertion, f->spec.steps);
    for (size_t i = 0; i < f->spec.parts; i++)
        c.road += (c.lerf[i] - c.morf[i]) / (double)f->spec.parts;
    *curves = c;
    return LUC_OK;
}
