/* receptive-field: which pixels a layer's unit can see at all, computed from the graph.
 *
 * Input:  one picture, for its size and to draw on.
 * Output: map `field`: one where the unit sees, zero elsewhere; size, stride and start of the field
 *         in pixels of the network's input (unit i sees start + i * stride up to start + i * stride
 *         + size); `inside`, the part of the field that lies in the picture; table `layers`, the
 *         same of every layer.
 * Cost:   none to speak of.
 * Errors: LUC_NOT_FOUND, LUC_SHAPE the layer; LUC_RANGE the position.
 * Source: Araujo, Norris & Sim, "Computing Receptive Fields of Convolutional Neural Networks", 2019,
 *         doi:10.23915/distill.00021. How much of the field counts (Luo 2016) is not measured.
 */
#include "core/model/layers.h"
#include "core/show/show.h"

#include <math.h>
#include <string.h>

struct params {
    char layer[LUC_TEXT_MAX];
    struct luc_auto_int row, column;
};

static const struct luc_param rows[] = {
    LUC_TEXT(struct params, layer, "last_conv", "Layer whose unit is asked"),
    LUC_AUTO_INT(struct params, row, -1, 0, 65536, "", "The unit's row; auto: the middle one"),
    LUC_AUTO_INT(struct params, column, -1, 0, 65536, "",
                 "The unit's column; auto: the middle one"),
    LUC_PARAM_END,
};

struct field {
    struct luc_run *run;
    struct luc_frame frame;
    struct luc_layers layers;
    const struct luc_layer *layer;
    size_t at[2];          /* the unit */
    size_t from[2], to[2]; /* pixels of the network's input, cut at its border */
    double inside;
};

static enum luc_status find_layer(struct field *f, const struct params *p, struct luc_error *err)
{
    size_t value = LUC_NONE;
    char text[LUC_SHAPE_TEXT];
    const struct luc_image *upload = NULL;
    enum luc_status st = luc_model_layer(f->run->model, p->layer, &value, err);
    if (st && err)
        memcpy(err->param, "layer", sizeof("layer"));
    if (!st)
        st = luc_run_image(f->run, 0, &upload, err);
    if (!st)
        st = luc_run_frame(f->run, upload, &f->frame, err);
    if (!st)
        st = luc_model_layers(f->run->model, f->frame.in_height, f->frame.in_width, f->run->arena,
                              &f->layers, err);
    if (st)
        return st;
    for (size_t i = 0; i < f->layers.n; i++)
        if (f->layers.rows[i].value == value)
            f->layer = &f->layers.rows[i];
    if (!f->layer || !f->layer->field.known)
        return luc_fail_param(err, LUC_SHAPE, "layer",
                              "layer: '%.60s' is not computed from the picture", p->layer);
    if (f->layer->shape.rank != 4 && !f->layer->field.whole)
        return luc_fail_param(err, LUC_SHAPE, "layer", "layer: '%.60s' is %s, not maps", p->layer,
                              luc_shape_print(&f->layer->shape, text));
    return LUC_OK;
}

static enum luc_status place_unit(struct field *f, const struct params *p, struct luc_error *err)
{
    static const char *const names[] = { "row", "column" };
    const struct luc_auto_int asked[] = { p->row, p->column };
    const size_t side[] = { f->frame.in_height, f->frame.in_width };
    const struct luc_field *own = &f->layer->field;
    f->inside = 1;
    for (size_t a = 0; a < 2; a++) {
        const size_t n = f->layer->shape.rank == 4 ? f->layer->shape.dim[2 + a] : 1;
        if (asked[a].v >= (int64_t)n)
            return luc_fail_param(err, LUC_RANGE, names[a], "%s: %lld, but the layer has %zu",
                                  names[a], (long long)asked[a].v, n);
        f->at[a] = (size_t)luc_int_or(asked[a], (int64_t)(n / 2));
        f->to[a] = side[a];
        if (own->whole)
            continue;
        const double start = own->start[a] + (double)f->at[a] * own->stride[a];
        const double end = start + own->size[a];
        const double low = fmin(fmax(floor(start), 0), (double)side[a]);
        const double high = fmin(fmax(ceil(end), low), (double)side[a]);
        f->from[a] = (size_t)low;
        f->to[a] = (size_t)high;
        f->inside *= (fmin(end, (double)side[a]) - fmax(start, 0)) / own->size[a];
    }
    return LUC_OK;
}

static enum luc_status list_layers(struct field *f, struct luc_error *err)
{
    static const char *const columns[] = {
        "layer", "alias", "operator", "size", "stride", "start"
    };
    struct luc_table *t = NULL;
    struct luc_result *r = f->run->result;
    enum luc_status st = luc_result_table(r, "layers", columns, 6, f->layers.n, &t, err);
    for (size_t i = 0; !st && i < f->layers.n; i++) {
        const struct luc_layer *l = &f->layers.rows[i];
        struct luc_cell *row = t->cells + 6 * i;
        const bool plain = l->field.known && !l->field.whole;
        row[0].text = luc_arena_strdup(r->arena, l->name);
        row[1].text = luc_arena_strdup(r->arena, l->alias);
        row[2].text = l->op; /* static */
        if (!row[0].text || !row[1].text)
            return luc_fail_nomem(err, "layers", 64);
        row[3].number = plain ? l->field.size[0] : 0;
        row[4].number = plain ? l->field.stride[0] : 0;
        row[5].number = plain ? l->field.start[0] : 0;
        if (l->field.whole)
            row[3].text = "whole picture";
    }
    return st;
}

static enum luc_status report(struct field *f, struct luc_error *err)
{
    const struct luc_field *own = &f->layer->field;
    const struct {
        const char *key;
        double value;
    } all[] = { { "row", (double)f->at[0] },
                { "column", (double)f->at[1] },
                { "height", own->whole ? (double)f->frame.in_height : own->size[0] },
                { "width", own->whole ? (double)f->frame.in_width : own->size[1] },
                { "stride", own->whole ? 0 : own->stride[0] },
                { "start", own->whole ? 0 : own->start[0] },
                { "inside", f->inside } };
    struct luc_result *r = f->run->result;
    const size_t h = f->frame.in_height, w = f->frame.in_width;
    struct luc_tensor map = { .shape = luc_shape4(1, 1, h, w) };
    map.data = luc_arena_alloc(f->run->arena, h * w, sizeof(float));
    if (!map.data)
        return luc_fail_nomem(err, "field", h * w * sizeof(float));
    for (size_t y = f->from[0]; y < f->to[0]; y++)
        for (size_t x = f->from[1]; x < f->to[1]; x++)
            map.data[y * w + x] = 1;
    enum luc_status st = luc_result_text(r, "layer", f->layer->name, err);
    for (size_t i = 0; !st && i < sizeof(all) / sizeof(all[0]); i++)
        st = luc_result_number(r, all[i].key, all[i].value, err);
    if (!st)
        st = luc_show_map(f->run, "field", &map, false, &f->frame,
                          "the unit sees the whole picture", err);
    return st ? st : list_layers(f, err);
}

static enum luc_status run_receptive_field(struct luc_run *run, const void *params,
                                           struct luc_error *err)
{
    struct field f = { .run = run };
    enum luc_status st = find_layer(&f, params, err);
    if (!st)
        st = place_unit(&f, params, err);
    if (!st)
        st = report(&f, err);
    return st ? st : luc_run_tick(run, 1.0, err);
}

const struct luc_method luc_method_receptive_field = {
    .name = "receptive-field",
    .title = "Receptive field",
    .summary = "Which part of the picture a layer's unit can see at all, and the same for every "
               "layer as a table.",
    .paper = "Araujo et al. 2019, doi:10.23915/distill.00021",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_VIEW,
    .images_min = 1,
    .images_max = 1,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_receptive_field,
};
