/* filters: a convolution's weights as pictures.
 *
 * Input:  none; the network's own weights.
 * Output: picture `filters`, zero mid-gray. A convolution that reads the picture: one tile in colour
 *         for each filter, its largest magnitude at full strength. A deeper one: one row for each
 *         filter, one gray tile for each of its input channels, scaled together.
 *         Table `norms`: each shown filter's number and Euclidean norm.
 * Cost:   none to speak of.
 * Errors: LUC_NOT_FOUND the layer; LUC_UNSUPPORTED a layer without a convolution.
 * Source: Krizhevsky, Sutskever & Hinton, "ImageNet Classification with Deep Convolutional Neural
 *         Networks", 2012, figure 3. Batch normalisation that follows a convolution is part of its
 *         weights here.
 */
#include "core/run/method.h"
#include "core/tensor/sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct params {
    char layer[LUC_TEXT_MAX];
    int64_t filters, inputs, columns, scale, sort;
};

static const char *const sort_names[] = { "none", "norm", NULL };

static const struct luc_param rows[] = {
    LUC_TEXT(struct params, layer, "",
             "Convolution to show, or a layer after it; empty: the first"),
    LUC_INT(struct params, filters, 64, 1, 4096, "", "Most filters to show"),
    LUC_INT(struct params, inputs, 16, 1, 1024, "", "Deeper layers: most input channels to show"),
    LUC_INT(struct params, columns, 0, 0, 256, "",
            "First layer: tiles in a row; 0: about a square"),
    LUC_INT(struct params, scale, 0, 0, 64, "px", "Side of one weight; 0: by itself"),
    LUC_CHOICE(struct params, sort, 0, 2, sort_names,
               "Order: the network's own, or strongest first"),
    LUC_PARAM_END,
};

struct filter {
    size_t index;
    double norm;
};

struct bank {
    struct luc_run *run;
    const struct params *p;
    const struct luc_node *node;
    const struct luc_tensor *w; /* [filters, inputs, h, w] */
    struct filter *filter;
    size_t n;  /* shown */
    size_t in; /* input channels shown */
    bool colour;
};

static int by_falling_norm(const void *pa, const void *pb)
{
    const struct filter *a = pa, *b = pb;
    if (a->norm != b->norm)
        return a->norm < b->norm ? 1 : -1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static bool is_conv(const struct luc_graph *g, const struct luc_node *node)
{
    return strcmp(node->op->name, "Conv") == 0 && node->n_in > 1 &&
           g->values[node->in[1]].constant.data && g->values[node->in[1]].constant.shape.rank == 4;
}

/* The convolution that makes `value`, or the one before it with only one-input steps between. */
static const struct luc_node *conv_before(const struct luc_graph *g, size_t value)
{
    while (value != LUC_NONE && g->values[value].producer != LUC_NONE) {
        const struct luc_node *node = &g->nodes[g->values[value].producer];
        if (is_conv(g, node))
            return node;
        size_t computed = 0;
        for (size_t i = 0; i < node->n_in; i++)
            computed += node->in[i] != LUC_NONE && !g->values[node->in[i]].constant.data;
        value = computed == 1 ? node->in[0] : LUC_NONE;
    }
    return NULL;
}

static enum luc_status find_conv(struct bank *b, struct luc_error *err)
{
    const struct luc_model *m = b->run->model;
    const struct luc_graph *g = m->graph;
    size_t value = LUC_NONE;
    if (*b->p->layer) {
        const enum luc_status st = luc_model_layer(m, b->p->layer, &value, err);
        if (st) {
            if (err)
                memcpy(err->param, "layer", sizeof("layer"));
            return st;
        }
        b->node = conv_before(g, value);
    }
    for (size_t i = 0; !*b->p->layer && !b->node && i < g->n_nodes; i++)
        b->node = is_conv(g, &g->nodes[i]) ? &g->nodes[i] : NULL;
    if (!b->node)
        return luc_fail_param(err, LUC_UNSUPPORTED, "layer",
                              "layer: no convolution of '%.60s' leads straight to '%.60s'", m->name,
                              *b->p->layer ? b->p->layer : "any layer");
    b->w = &g->values[b->node->in[1]].constant;
    b->colour = b->w->shape.dim[1] == 3 && m->in.channels != LUC_GRAY;
    return LUC_OK;
}

static enum luc_status rank(struct bank *b, struct luc_error *err)
{
    const size_t filters = b->w->shape.dim[0], per = luc_dims(&b->w->shape, 1, 4);
    b->filter = luc_arena_alloc(b->run->arena, filters, sizeof(*b->filter));
    if (!b->filter)
        return luc_fail_nomem(err, "filters", filters * sizeof(*b->filter));
    for (size_t k = 0; k < filters; k++) {
        double squares = 0;
        for (size_t i = 0; i < per; i++)
            squares += (double)b->w->data[k * per + i] * (double)b->w->data[k * per + i];
        b->filter[k] = (struct filter){ k, sqrt(squares) };
    }
    if (b->p->sort)
        qsort(b->filter, filters, sizeof(*b->filter), by_falling_norm);
    b->n = (size_t)b->p->filters < filters ? (size_t)b->p->filters : filters;
    b->in = (size_t)b->p->inputs < b->w->shape.dim[1] ? (size_t)b->p->inputs : b->w->shape.dim[1];
    return LUC_OK;
}

static uint8_t around_gray(float v, float top)
{
    return (uint8_t)lroundf(127.5f + (top > 0 ? 127.5f * v / top : 0.5f));
}

static float largest(const float *v, size_t n)
{
    float top = 0;
    for (size_t i = 0; i < n; i++)
        top = fmaxf(top, fabsf(v[i]));
    return top;
}

/* Tile of filter w: in colour, or of its input channel `from` in gray. */
static void paint(const struct bank *b, const float *w, size_t from, uint8_t *rgb)
{
    const size_t n = b->w->shape.dim[2] * b->w->shape.dim[3];
    const bool bgr = b->run->model->in.channels == LUC_BGR;
    const float top = largest(w, luc_dims(&b->w->shape, 1, 4));
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++) {
            const size_t channel = !b->colour ? from : bgr ? 2 - c : c;
            rgb[3 * i + c] = around_gray(w[channel * n + i], top);
        }
}

static enum luc_status draw(struct bank *b, struct luc_error *err)
{
    const size_t *d = b->w->shape.dim, per = luc_dims(&b->w->shape, 1, 4);
    const size_t across = b->colour ? 1 : b->in;
    const size_t columns = b->colour ? (size_t)b->p->columns : b->in;
    size_t scale = (size_t)b->p->scale;
    struct luc_sheet sheet = { 0 };
    uint8_t *tile = luc_arena_raw(b->run->arena, d[2] * d[3], 3);
    if (!tile)
        return luc_fail_nomem(err, "filters", d[2] * d[3] * 3);
    if (!scale && !b->colour) /* many tiles: smaller ones */
        scale = d[2] > 4 ? 4 : 8;
    enum luc_status st = luc_sheet_create(d[3], d[2], b->n * across, columns, scale, &sheet, err);
    for (size_t k = 0; !st && k < b->n * across; k++) {
        paint(b, b->w->data + b->filter[k / across].index * per, k % across, tile);
        luc_sheet_put(&sheet, k, tile);
    }
    if (!st)
        st = luc_result_picture(b->run->result, "filters", &sheet.image, err);
    luc_sheet_done(&sheet);
    return st;
}

static enum luc_status report(struct bank *b, struct luc_error *err)
{
    static const char *const columns[] = { "filter", "norm" };
    static const char *const names[] = { "filters_in_all", "input_channels", "height", "width" };
    struct luc_result *r = b->run->result;
    struct luc_table *t = NULL;
    enum luc_status st =
        luc_result_text(r, "layer", b->run->model->graph->values[b->node->out[0]].name, err);
    for (size_t i = 0; !st && i < 4; i++)
        st = luc_result_number(r, names[i], (double)b->w->shape.dim[i], err);
    if (!st)
        st = luc_result_table(r, "norms", columns, 2, b->n, &t, err);
    for (size_t k = 0; !st && k < b->n; k++) {
        t->cells[2 * k].number = (double)b->filter[k].index;
        t->cells[2 * k + 1].number = b->filter[k].norm;
    }
    return st;
}

static enum luc_status run_filters(struct luc_run *run, const void *params, struct luc_error *err)
{
    struct bank b = { .run = run, .p = params };
    enum luc_status st = find_conv(&b, err);
    if (!st)
        st = rank(&b, err);
    if (!st)
        st = report(&b, err);
    if (!st)
        st = draw(&b, err);
    return st ? st : luc_run_tick(run, 1.0, err);
}

const struct luc_method luc_method_filters = {
    .name = "filters",
    .title = "Filters",
    .summary = "A convolution's weights as pictures: in colour where it reads the picture itself, "
               "in gray deeper.",
    .paper = "Krizhevsky et al. 2012",
    .groups = LUC_GROUP_INPUT,
    .images_min = 0,
    .images_max = 0,
    .makes_picture = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_filters,
};
