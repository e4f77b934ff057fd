/* score-cam: a layer's maps, each weighed by what the network says of the picture seen through it.
 *
 *   M = ReLU(sum_k a_k A_k),  a_k = exp(S_k) / sum_j exp(S_j),  S_k = s(x * H_k) - s(x0)
 *   increase:                 a_k = S_k
 *
 * H_k is channel k, enlarged so that each unit lies where it looks, and scaled to 0..1; x0 is the
 * picture wholly covered.
 *
 * Input:  one picture.
 * Output: map `score_cam` at the layer's size, non-negative.
 * Cost:   one forward pass for each channel used, and two.
 * Errors: those of core/ask/maps.h; LUC_NOT_FOUND, LUC_SHAPE the layer.
 * Source: Wang et al., "Score-CAM", 2020, arXiv:1910.01279, section 3 and algorithm 1: s is the
 *         class's logit, weights are made to sum to one by a softmax over channels. Differs: only
 *         the `channels` of most energy are asked unless 0 says all; what is covered shows `fill`
 *         (the paper: zero after normalisation). `increase` and `score=probability` are what the
 *         authors' first program computed.
 */
#include "core/ask/fill.h"
#include "core/ask/maps.h"
#include "core/ask/perturb.h"
#include "core/ask/watch.h"
#include "core/show/show.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum weights { SOFTMAX, INCREASE };

struct params {
    struct luc_unit_params unit;
    char layer[LUC_TEXT_MAX];
    int64_t channels, weights, fill, score;
};

static const char *const weight_names[] = { "softmax", "increase", NULL };

static const struct luc_param rows[] = {
    LUC_UNIT_OF_ROWS(struct params, unit),
    LUC_TEXT(struct params, layer, "last_conv", "Layer whose maps are the masks"),
    LUC_INT(struct params, channels, 128, 0, 65536, "",
            "How many channels to use, those of most energy first; 0: all"),
    LUC_CHOICE(struct params, fill, LUC_FILL_GRAY, LUC_N_FILLS, luc_fill_names, LUC_FILL_DOC),
    LUC_CHOICE(struct params, weights, SOFTMAX, 2, weight_names,
               "What a channel counts: the softmax over channels of the score's increases, or the "
               "increase itself"),
    LUC_SCORE_ROW(struct params, score, LUC_SCORE_LOGIT),
    LUC_PARAM_END,
};

struct channel {
    size_t index;
    double energy, weight;
};

struct score_cam {
    struct luc_run *run;
    const struct params *p;
    struct luc_maps maps;
    struct luc_tensor filled;
    struct luc_watch watch;
    size_t n_used;
    struct luc_box seen;     /* the network's input, in units of the maps */
    struct channel *channel; /* n_used, then the rest */
    float *mask;             /* [H * W] */
    double covered;
    bool failed; /* out of memory while enlarging */
};

static int by_falling_energy(const void *pa, const void *pb)
{
    const struct channel *a = pa, *b = pb;
    if (a->energy != b->energy)
        return a->energy < b->energy ? 1 : -1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* Channels by energy; those that are the same everywhere mask nothing and come last, unused. */
static enum luc_status rank(struct score_cam *c, struct luc_error *err)
{
    const struct luc_shape *s = &c->maps.held->shape;
    const size_t channels = s->dim[1], n = s->dim[2] * s->dim[3];
    size_t useful = 0;
    c->channel = luc_arena_alloc(c->run->arena, channels, sizeof(*c->channel));
    if (!c->channel)
        return luc_fail_nomem(err, "channels", channels * sizeof(*c->channel));
    for (size_t k = 0; k < channels; k++) {
        const float *a = c->maps.held->data + k * n;
        bool flat = true;
        c->channel[k].index = k;
        for (size_t i = 0; i < n; i++) {
            c->channel[k].energy += (double)a[i] * (double)a[i];
            flat = flat && a[i] == a[0];
        }
        c->channel[k].energy = flat ? -1 : c->channel[k].energy;
        useful += !flat || luc_run_is_dry(c->run);
    }
    qsort(c->channel, channels, sizeof(*c->channel), by_falling_energy);
    c->n_used =
        c->p->channels == 0 || (size_t)c->p->channels > useful ? useful : (size_t)c->p->channels;
    return LUC_OK;
}

/* Picture 0 is covered wholly, picture i + 1 seen through used channel i. */
static void make(void *ctx, size_t i, float *picture)
{
    struct score_cam *c = ctx;
    const struct luc_shape *s = &c->maps.input.shape, *small = &c->maps.held->shape;
    const size_t n = s->dim[2] * s->dim[3], h = small->dim[2], w = small->dim[3];
    memcpy(picture, c->filled.data, luc_numel(s) * sizeof(*picture));
    if (i == 0)
        return;
    const float *a = c->maps.held->data + c->channel[i - 1].index * h * w;
    if (luc_map_resize(a, w, h, &c->seen, s->dim[3], s->dim[2], c->mask, NULL))
        c->failed = true;
    float low = c->mask[0], high = low;
    for (size_t k = 1; k < n; k++) {
        low = fminf(low, c->mask[k]);
        high = fmaxf(high, c->mask[k]);
    }
    for (size_t k = 0; k < luc_numel(s) && high > low; k++)
        picture[k] += (c->mask[k % n] - low) / (high - low) * (c->maps.input.data[k] - picture[k]);
}

static void use(void *ctx, size_t i, const struct luc_tensor *held)
{
    struct score_cam *c = ctx;
    const double score = luc_watch_score(&c->watch, held);
    if (i == 0)
        c->covered = score;
    else
        c->channel[i - 1].weight = score - c->covered;
}

/* The increases' softmax over the channels used. */
static void normalise(struct score_cam *c)
{
    double peak = -HUGE_VAL, sum = 0;
    for (size_t k = 0; k < c->n_used; k++)
        peak = fmax(peak, c->channel[k].weight);
    for (size_t k = 0; k < c->n_used; k++)
        sum += c->channel[k].weight = exp(c->channel[k].weight - peak);
    for (size_t k = 0; k < c->n_used; k++)
        c->channel[k].weight /= sum;
}

static enum luc_status look(struct score_cam *c, struct luc_error *err)
{
    struct luc_box cells;
    size_t layer = LUC_NONE;
    enum luc_status st = luc_maps_layer(c->run, c->p->layer, &layer, err);
    if (!st)
        st = luc_maps_open(c->run, &(struct luc_maps_spec){ .unit = &c->p->unit, .layer = layer },
                           &c->maps, err);
    if (!st)
        st = luc_watch_unit(c->run, &c->maps.unit, c->p->score,
                            luc_exec_value(c->maps.exec, c->maps.unit.value), &c->watch, err);
    if (!st)
        st = luc_layer_cells(c->run, layer, &c->maps.frame, &c->maps.held->shape, &cells, err);
    if (st)
        return st;
    const struct luc_shape *s = &c->maps.held->shape;
    const struct luc_frame *f = &c->maps.frame;
    const double sx = (double)s->dim[3] / cells.width, sy = (double)s->dim[2] / cells.height;
    c->seen = (struct luc_box){ -cells.x * sx, -cells.y * sy, (double)f->in_width * sx,
                                (double)f->in_height * sy };
    return rank(c, err);
}

static enum luc_status open_cam(struct score_cam *c, struct luc_error *err)
{
    const struct luc_tensor *input = &c->maps.input;
    enum luc_status st = look(c, err);
    if (!st)
        st = luc_fill_picture(c->run, (enum luc_fill)c->p->fill, (double)input->shape.dim[3] / 7,
                              input, &c->filled, err);
    if (st)
        return st;
    const size_t n = input->shape.dim[2] * input->shape.dim[3];
    c->mask = luc_arena_raw(c->run->arena, n, sizeof(*c->mask));
    return c->mask ? LUC_OK : luc_fail_nomem(err, "masks", n * sizeof(*c->mask));
}

static enum luc_status report(struct score_cam *c, struct luc_error *err)
{
    const struct luc_shape *s = &c->maps.held->shape;
    const size_t n = s->dim[2] * s->dim[3];
    struct luc_tensor map = { .shape = luc_shape4(1, 1, s->dim[2], s->dim[3]) };
    map.data = luc_arena_alloc(c->run->arena, n, sizeof(float));
    if (!map.data || c->failed)
        return luc_fail_nomem(err, "score_cam", n * sizeof(float));
    if (c->p->weights == SOFTMAX)
        normalise(c);
    for (size_t k = 0; k < c->n_used; k++)
        for (size_t i = 0; i < n; i++)
            map.data[i] +=
                (float)c->channel[k].weight * c->maps.held->data[c->channel[k].index * n + i];
    for (size_t i = 0; i < n; i++)
        map.data[i] = fmaxf(map.data[i], 0);
    struct luc_result *r = c->run->result;
    enum luc_status st = luc_maps_report(&c->maps, err);
    if (!st)
        st = luc_result_number(r, "passes", (double)c->n_used + 1, err);
    if (!st)
        st = luc_result_number(r, "covered", c->covered, err);
    return st ? st
              : luc_show_layer_map(c->run, "score_cam", &map, false, c->maps.layer, &c->maps.frame,
                                   c->n_used == 0
                                       ? "no channel of this layer varies over the picture"
                                       : "nothing in this layer speaks for the class",
                                   err);
}

static enum luc_status run_score_cam(struct luc_run *run, const void *params, struct luc_error *err)
{
    struct score_cam c = { .run = run, .p = params };
    enum luc_status st = open_cam(&c, err);
    if (!st)
        st = luc_perturb_run(run,
                             &(struct luc_perturb){ .shape = &c.maps.input.shape,
                                                    .n = c.n_used + 1,
                                                    .value = c.maps.unit.value,
                                                    .to = 1,
                                                    .ctx = &c,
                                                    .make = make,
                                                    .use = use },
                             err);
    return st ? st : report(&c, err);
}

const struct luc_method luc_method_score_cam = {
    .name = "score-cam",
    .title = "Score-CAM",
    .summary = "A layer's maps, each weighed by what the network says of the picture seen through "
               "it: no gradients.",
    .paper = "Wang et al. 2020, arXiv:1910.01279",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_VIEW | LUC_GROUP_SEED,
    .images_min = 1,
    .images_max = 1,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_score_cam,
};
