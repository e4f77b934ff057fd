/* activations: what a layer answers to the picture, channel by channel.
 *
 * Input:  one picture.
 * Output: picture `grid`, the channels of most energy (sum of squares), strongest first; map
 *         `activation` of one channel (`channel`, else the strongest), over the photograph; table
 *         `channels`; `zeros`, the fraction of the layer that is exactly zero; `dead_channels`.
 * Cost:   one forward pass.
 * Errors: LUC_NOT_FOUND, LUC_SHAPE the layer; LUC_RANGE the channel.
 * Source: Zeiler & Fergus 2013, arXiv:1311.2901, and Yosinski et al., "Understanding Neural
 *         Networks Through Deep Visualization", 2015, arXiv:1506.06579, section 2: as they show it.
 */
#include "core/show/show.h"
#include "core/tensor/colormap.h"
#include "core/tensor/sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum normalise { PER_MAP, LAYER };

struct params {
    char layer[LUC_TEXT_MAX];
    int64_t channels, normalise, columns, scale;
    struct luc_auto_int channel;
};

static const char *const normalise_names[] = { "per-map", "layer", NULL };

static const struct luc_param rows[] = {
    LUC_TEXT(struct params, layer, "conv1", "Layer to look at"),
    LUC_INT(struct params, channels, 64, 1, 4096, "",
            "Most channels in the grid: those of most energy"),
    LUC_AUTO_INT(struct params, channel, -1, 0, 1048576, "",
                 "Show this one over the photograph; auto: show the grid"),
    LUC_CHOICE(struct params, normalise, PER_MAP, 2, normalise_names,
               "What is drawn brightest: each channel's largest value, or the layer's"),
    LUC_INT(struct params, columns, 0, 0, 256, "",
            "Channels in a row of the grid; 0: about a square"),
    LUC_INT(struct params, scale, 0, 0, 64, "", "Side of one value in the grid; 0: by itself"),
    LUC_PARAM_END,
};

struct channel {
    size_t index;
    double energy, mean, low, high, zeros;
};

struct look {
    struct luc_run *run;
    const struct params *p;
    struct luc_frame frame;
    const struct luc_tensor *maps; /* [1, C, h, w] */
    struct channel *channel;       /* by falling energy */
    size_t n_channels, plane, value;
};

static int by_falling_energy(const void *pa, const void *pb)
{
    const struct channel *a = pa, *b = pb;
    if (a->energy != b->energy)
        return a->energy < b->energy ? 1 : -1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static struct channel measure(const float *a, size_t n, size_t index)
{
    struct channel c = { .index = index, .low = (double)a[0], .high = (double)a[0] };
    for (size_t i = 0; i < n; i++) {
        const double v = (double)a[i];
        c.energy += v * v;
        c.mean += v / (double)n;
        c.zeros += v == 0 ? 1 / (double)n : 0;
        c.low = fmin(c.low, v);
        c.high = fmax(c.high, v);
    }
    return c;
}

static enum luc_status run_layer(struct look *l, struct luc_error *err)
{
    struct luc_tensor input;
    struct luc_exec *x = NULL;
    char text[LUC_SHAPE_TEXT];
    enum luc_status st = luc_model_layer(l->run->model, l->p->layer, &l->value, err);
    if (st && err)
        memcpy(err->param, "layer", sizeof("layer"));
    if (!st)
        st = luc_run_input(l->run, 0, &l->frame, &input, err);
    if (!st)
        st = luc_run_forward(l->run, &input, &(struct luc_ask){ .taps = &l->value, .n_taps = 1 },
                             &x, err);
    if (st)
        return st;
    l->maps = luc_exec_value(x, l->value);
    const struct luc_shape *s = &l->maps->shape;
    if (s->rank != 4 || s->dim[0] != 1 || luc_numel(s) == 0)
        return luc_fail_param(err, LUC_SHAPE, "layer",
                              "layer: '%.60s' is %s, not maps of one picture", l->p->layer,
                              luc_shape_print(s, text));
    l->n_channels = s->dim[1];
    l->plane = s->dim[2] * s->dim[3];
    if (l->p->channel.v >= (int64_t)l->n_channels)
        return luc_fail_param(err, LUC_RANGE, "channel",
                              "channel: %lld, but the layer has %zu channels",
                              (long long)l->p->channel.v, l->n_channels);
    for (size_t i = 0; i < luc_numel(s); i++)
        if (!isfinite(l->maps->data[i]))
            return luc_fail(err, LUC_INVALID,
                            "the layer's answer is not finite: check the model's preprocessing");
    l->channel = luc_arena_alloc(l->run->arena, l->n_channels, sizeof(*l->channel));
    if (!l->channel)
        return luc_fail_nomem(err, "channels", l->n_channels * sizeof(*l->channel));
    for (size_t k = 0; k < l->n_channels; k++)
        l->channel[k] = measure(l->maps->data + k * l->plane, l->plane, k);
    qsort(l->channel, l->n_channels, sizeof(*l->channel), by_falling_energy);
    return LUC_OK;
}

static void paint(const float *a, size_t n, double low, double high, uint8_t *rgb)
{
    const struct luc_colormap *colours = luc_colormap_get(LUC_VIRIDIS);
    for (size_t i = 0; i < n; i++) {
        float c[3];
        const double t = high > low ? ((double)a[i] - low) / (high - low) : 0;
        luc_colormap_at(colours, (float)t, c);
        for (int k = 0; k < 3; k++)
            rgb[3 * i + (size_t)k] = (uint8_t)lroundf(c[k]);
    }
}

/* Zero is always dark where nothing is negative: the scale starts there. */
static enum luc_status show_grid(struct look *l, struct luc_error *err)
{
    const size_t *d = l->maps->shape.dim;
    const size_t n =
        (size_t)l->p->channels < l->n_channels ? (size_t)l->p->channels : l->n_channels;
    double low = 0, high = 0;
    for (size_t k = 0; k < l->n_channels; k++) {
        low = fmin(low, l->channel[k].low);
        high = fmax(high, l->channel[k].high);
    }
    struct luc_sheet sheet = { 0 };
    uint8_t *tile = luc_arena_raw(l->run->arena, l->plane, 3);
    if (!tile)
        return luc_fail_nomem(err, "grid", l->plane * 3);
    enum luc_status st =
        luc_sheet_create(d[3], d[2], n, (size_t)l->p->columns, (size_t)l->p->scale, &sheet, err);
    for (size_t k = 0; !st && k < n; k++) {
        const struct channel *c = &l->channel[k];
        const bool own = l->p->normalise == PER_MAP;
        paint(l->maps->data + c->index * l->plane, l->plane, own ? fmin(c->low, 0) : low,
              own ? c->high : high, tile);
        luc_sheet_put(&sheet, k, tile);
    }
    if (!st)
        st = luc_result_picture(l->run->result, "grid", &sheet.image, err);
    luc_sheet_done(&sheet);
    return st;
}

static enum luc_status show_channel(struct look *l, struct luc_error *err)
{
    const size_t *d = l->maps->shape.dim;
    const size_t k = (size_t)luc_int_or(l->p->channel, (int64_t)l->channel[0].index);
    const struct luc_tensor map = { .shape = luc_shape4(1, 1, d[2], d[3]),
                                    .data = l->maps->data + k * l->plane };
    const struct channel c = measure(map.data, l->plane, k);
    const enum luc_status st = luc_result_number(l->run->result, "channel", (double)k, err);
    return st ? st
              : luc_show_layer_map(l->run, "activation", &map, c.low < 0, l->value, &l->frame,
                                   "this channel does not answer to the picture", err);
}

static enum luc_status list(struct look *l, struct luc_error *err)
{
    static const char *const columns[] = { "channel", "energy", "mean", "min", "max", "zeros" };
    const size_t n =
        (size_t)l->p->channels < l->n_channels ? (size_t)l->p->channels : l->n_channels;
    struct luc_table *t = NULL;
    double zeros = 0, dead = 0;
    for (size_t k = 0; k < l->n_channels; k++) {
        zeros += l->channel[k].zeros / (double)l->n_channels;
        dead += l->channel[k].energy == 0;
    }
    struct luc_result *r = l->run->result;
    enum luc_status st =
        luc_result_text(r, "layer", l->run->model->graph->values[l->value].name, err);
    if (!st)
        st = luc_result_number(r, "zeros", zeros, err);
    if (!st)
        st = luc_result_number(r, "dead_channels", dead, err);
    if (!st)
        st = luc_result_table(r, "channels", columns, 6, n, &t, err);
    for (size_t k = 0; !st && k < n; k++) {
        const struct channel *c = &l->channel[k];
        const double cells[] = { (double)c->index, c->energy, c->mean, c->low, c->high, c->zeros };
        for (size_t i = 0; i < 6; i++)
            t->cells[6 * k + i].number = cells[i];
    }
    return st;
}

static enum luc_status run_activations(struct luc_run *run, const void *params,
                                       struct luc_error *err)
{
    struct look l = { .run = run, .p = params };
    const bool grid_first = !l.p->channel.given;
    enum luc_status st = run_layer(&l, err);
    if (!st)
        st = luc_run_tick(run, 0.7, err);
    if (!st)
        st = list(&l, err);
    if (!st)
        st = grid_first ? show_grid(&l, err) : show_channel(&l, err);
    if (!st)
        st = grid_first ? show_channel(&l, err) : show_grid(&l, err);
    return st ? st : luc_run_tick(run, 1.0, err);
}

const struct luc_method luc_method_activations = {
    .name = "activations",
    .title = "Activations",
    .summary = "What a layer answers to the picture: its channels of most energy, side by side, or "
               "one of them over the photograph.",
    .paper = "Yosinski et al. 2015, arXiv:1506.06579",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_VIEW,
    .images_min = 1,
    .images_max = 1,
    .makes_picture = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_activations,
};
