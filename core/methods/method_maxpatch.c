/* maxpatch: the parts of the uploads that excite a channel most, one row of patches per channel.
 *
 *   for each channel k: the `top` largest A_k[i, j] over all uploads, at most `per_image` of each
 *
 * Input:  one or more pictures.
 * Output: picture `sheet`, a row per channel, strongest first; table `patches` with each one's
 *         upload, activation and place in upload pixels. A patch is the unit's receptive field, as
 *         the network saw it (fit resize makes it square), moved inside the picture at borders.
 * Cost:   one forward pass per upload; only the running lists are kept.
 * Errors: LUC_NOT_FOUND the layer; LUC_RANGE a channel; LUC_SHAPE a layer without channels.
 * Source: Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", 2013,
 *         arXiv:1311.2901, section 4. Differs: patches without the deconvnet's reconstruction.
 */
#include "core/methods/method.h"
#include "core/model/layers.h"
#include "core/tensor/resize.h"
#include "core/tensor/sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOP_MAX 64

struct params {
    char layer[LUC_TEXT_MAX];
    struct luc_ints channels;
    int64_t n_channels, top, per_image, tile;
};

static const struct luc_param rows[] = {
    LUC_TEXT(struct params, layer, "last_conv", "Layer whose channels are shown"),
    LUC_INTS(struct params, channels, "", 0, 1048575, "",
             "Channels to show, separated by commas; none: those that answer most"),
    LUC_INT(struct params, n_channels, 8, 1, TOP_MAX, "", "How many channels, when none are named"),
    LUC_INT(struct params, top, 9, 1, TOP_MAX, "", "Patches per channel"),
    LUC_INT(struct params, per_image, 1, 1, TOP_MAX, "", "Patches of one picture in a row at most"),
    LUC_INT(struct params, tile, 96, 16, 256, "px", "Side of a drawn patch"),
    LUC_PARAM_END,
};

struct hit {
    float activation;
    size_t image, row, column;
    struct luc_box box; /* upload pixels */
};

struct search {
    struct luc_run *run;
    const struct params *p;
    size_t layer, n_channels, top;
    struct hit *hits; /* [n_channels][top], strongest first */
    size_t *n_hits;   /* [n_channels] */
    struct luc_field field;
    size_t field_width, field_height; /* the input size that `field` is for */
};

/* Keeps `list` sorted and no longer than `max`; of equals the first stays in front. */
static void insert(struct hit *list, size_t *n, size_t max, const struct hit *h)
{
    size_t at = *n;
    while (at > 0 && h->activation > list[at - 1].activation)
        at--;
    if (at >= max)
        return;
    const size_t end = *n < max ? *n : max - 1;
    memmove(list + at + 1, list + at, (end - at) * sizeof(*list));
    list[at] = *h;
    *n = end + 1;
}

static enum luc_status find_field(struct search *s, const struct luc_frame *f,
                                  struct luc_error *err)
{
    struct luc_layers all;
    if (s->field_width == f->in_width && s->field_height == f->in_height)
        return LUC_OK;
    const struct luc_arena_mark mark = luc_arena_mark(s->run->arena);
    const enum luc_status st =
        luc_model_layers(s->run->model, f->in_height, f->in_width, s->run->arena, &all, err);
    s->field = (struct luc_field){ .whole = true };
    for (size_t i = 0; !st && i < all.n; i++)
        if (all.rows[i].value == s->layer && all.rows[i].field.known)
            s->field = all.rows[i].field;
    luc_arena_release(s->run->arena, mark);
    s->field_width = f->in_width;
    s->field_height = f->in_height;
    return st;
}

/* One axis: the field of unit i inside 0..side, moved rather than cut. */
static void inside(const struct luc_field *f, size_t axis, size_t i, double side, double *from,
                   double *extent)
{
    *extent = f->whole ? side : fmin(f->size[axis], side);
    *from = f->whole ? 0 : f->start[axis] + (double)i * f->stride[axis];
    *from = fmin(fmax(*from, 0), side - *extent);
}

static void place(const struct search *s, const struct luc_frame *f, struct hit *h)
{
    const double sx = f->width / (double)f->in_width, sy = f->height / (double)f->in_height;
    struct luc_box b;
    inside(&s->field, 0, h->row, (double)f->in_height, &b.y, &b.height);
    inside(&s->field, 1, h->column, (double)f->in_width, &b.x, &b.width);
    h->box = (struct luc_box){ f->x + b.x * sx, f->y + b.y * sy, b.width * sx, b.height * sy };
}

static enum luc_status prepare(struct search *s, const struct luc_tensor *a, struct luc_error *err)
{
    char text[LUC_SHAPE_TEXT];
    const struct luc_shape *d = &a->shape;
    if ((d->rank != 2 && d->rank != 4) || d->dim[0] != 1 || luc_numel(d) == 0)
        return luc_fail_param(err, LUC_SHAPE, "layer",
                              "layer: '%.60s' is %s, not channels of one picture", s->p->layer,
                              luc_shape_print(d, text));
    if (s->hits)
        return LUC_OK;
    for (size_t i = 0; i < s->p->channels.n; i++)
        if ((size_t)s->p->channels.v[i] >= d->dim[1])
            return luc_fail_param(err, LUC_RANGE, "channels",
                                  "channels: %lld, but the layer has %zu channels",
                                  (long long)s->p->channels.v[i], d->dim[1]);
    s->n_channels = d->dim[1];
    s->n_hits = luc_arena_alloc(s->run->arena, s->n_channels, sizeof(*s->n_hits));
    s->hits = luc_arena_alloc(s->run->arena, s->n_channels * s->top, sizeof(*s->hits));
    if (!s->hits || !s->n_hits)
        return luc_fail_nomem(err, "patches", s->n_channels * s->top * sizeof(*s->hits));
    return LUC_OK;
}

/* The strongest units of channel k in picture `image`, into the running list. */
static enum luc_status scan(struct search *s, size_t k, size_t image, const struct luc_tensor *a,
                            const struct luc_frame *frame, struct luc_error *err)
{
    struct hit best[TOP_MAX];
    const size_t w = a->shape.rank == 4 ? a->shape.dim[3] : 1;
    const size_t plane = luc_numel(&a->shape) / s->n_channels;
    size_t n = 0;
    for (size_t i = 0; i < plane; i++) {
        const struct hit h = { a->data[k * plane + i], image, i / w, i % w, { 0, 0, 0, 0 } };
        if (!isfinite(h.activation))
            return luc_fail(err, LUC_INVALID,
                            "the layer's answer is not finite: check the model's preprocessing");
        insert(best, &n, (size_t)s->p->per_image, &h);
    }
    for (size_t i = 0; i < n; i++) {
        place(s, frame, &best[i]);
        insert(s->hits + k * s->top, &s->n_hits[k], s->top, &best[i]);
    }
    return LUC_OK;
}

static enum luc_status look(struct search *s, size_t image, struct luc_error *err)
{
    struct luc_frame frame;
    struct luc_tensor input;
    struct luc_exec *x = NULL;
    const struct luc_tensor *a = NULL;
    enum luc_status st = luc_run_input(s->run, image, &frame, &input, err);
    if (!st)
        st = luc_run_forward(s->run, &input, &(struct luc_ask){ .taps = &s->layer, .n_taps = 1 },
                             &x, err);
    if (!st)
        st = find_field(s, &frame, err);
    if (!st) {
        a = luc_exec_value(x, s->layer);
        st = prepare(s, a, err);
    }
    if (!st && a->shape.dim[1] != s->n_channels)
        st = luc_fail_param(err, LUC_SHAPE, "layer", "layer: its channels vary with the picture");
    for (size_t k = 0; !st && k < s->n_channels; k++)
        st = scan(s, k, image, a, &frame, err);
    return st;
}

/* The channels to show, [*n]: those named, else the ones with the strongest answers. */
static enum luc_status choose(const struct search *s, size_t **shown, size_t *n,
                              struct luc_error *err)
{
    const struct luc_ints *named = &s->p->channels;
    const size_t most = (size_t)s->p->n_channels;
    size_t *list = luc_arena_alloc(s->run->arena, TOP_MAX, sizeof(*list));
    if (!list)
        return luc_fail_nomem(err, "channels", TOP_MAX * sizeof(*list));
    *n = named->n ? named->n : most < s->n_channels ? most : s->n_channels;
    *shown = list;
    for (size_t i = 0; i < named->n; i++)
        list[i] = (size_t)named->v[i];
    for (size_t k = 0, have = 0; !named->n && k < s->n_channels; k++) {
        size_t at = have;
        while (at > 0 && s->hits[k * s->top].activation > s->hits[list[at - 1] * s->top].activation)
            at--;
        if (at >= *n)
            continue;
        have = have < *n ? have + 1 : have;
        memmove(list + at + 1, list + at, (have - at - 1) * sizeof(*list));
        list[at] = k;
    }
    return LUC_OK;
}

static enum luc_status draw(const struct search *s, const size_t *shown, size_t n,
                            struct luc_error *err)
{
    const size_t tile = (size_t)s->p->tile;
    struct luc_sheet sheet = { 0 };
    enum luc_status st = luc_sheet_create(tile, tile, n * s->top, s->top, 1, &sheet, err);
    for (size_t i = 0; i < n * s->top && !st; i++) {
        const size_t k = shown[i / s->top];
        const struct hit *h = &s->hits[k * s->top + i % s->top];
        const struct luc_image *upload = NULL;
        struct luc_image patch = { 0 };
        if (i % s->top >= s->n_hits[k])
            continue;
        st = luc_run_image(s->run, h->image, &upload, err);
        if (!st)
            st = luc_image_resize(upload, &h->box, tile, tile, LUC_BICUBIC, &patch, err);
        if (!st)
            luc_sheet_put(&sheet, i, patch.data);
        luc_image_done(&patch);
    }
    if (!st)
        st = luc_result_picture(s->run->result, "sheet", &sheet.image, err);
    luc_sheet_done(&sheet);
    return st;
}

static enum luc_status report(const struct search *s, const size_t *shown, size_t n,
                              struct luc_error *err)
{
    static const char *const columns[] = { "channel", "rank", "image", "activation",
                                           "x",       "y",    "width", "height" };
    struct luc_table *t = NULL;
    size_t n_rows = 0, row = 0;
    for (size_t i = 0; i < n; i++)
        n_rows += s->n_hits[shown[i]];
    const enum luc_status st = luc_result_table(
        s->run->result, "patches", columns, sizeof(columns) / sizeof(columns[0]), n_rows, &t, err);
    for (size_t i = 0; !st && i < n; i++)
        for (size_t r = 0; r < s->n_hits[shown[i]]; r++, row++) {
            const struct hit *h = &s->hits[shown[i] * s->top + r];
            const double cells[] = { (double)shown[i],      (double)r,    (double)h->image,
                                     (double)h->activation, h->box.x,     h->box.y,
                                     h->box.width,          h->box.height };
            for (size_t c = 0; c < sizeof(cells) / sizeof(cells[0]); c++)
                t->cells[row * t->n_columns + c].number = cells[c];
        }
    return st;
}

static enum luc_status run_maxpatch(struct luc_run *run, const void *params, struct luc_error *err)
{
    const struct params *p = params;
    struct search s = { .run = run, .p = p, .top = (size_t)p->top };
    const size_t most = run->n_images * (size_t)p->per_image;
    s.top = s.top < most ? s.top : most; /* no empty columns */
    size_t *shown = NULL, n = 0;
    enum luc_status st = luc_model_layer(run->model, p->layer, &s.layer, err);
    if (st && err)
        memcpy(err->param, "layer", sizeof("layer"));
    for (size_t i = 0; i < run->n_images && !st; i++) {
        const struct luc_arena_mark mark = luc_arena_mark(run->arena);
        st = look(&s, i, err);
        if (i > 0) /* the lists are made with the first picture */
            luc_arena_release(run->arena, mark);
        if (!st)
            st = luc_run_tick(run, (double)(i + 1) / (double)(run->n_images + 1), err);
    }
    if (!st)
        st = choose(&s, &shown, &n, err);
    if (!st)
        st = luc_result_text(run->result, "layer", run->model->graph->values[s.layer].name, err);
    if (!st)
        st = report(&s, shown, n, err);
    if (!st)
        st = draw(&s, shown, n, err);
    return st ? st : luc_run_tick(run, 1.0, err);
}

const struct luc_method luc_method_maxpatch = {
    .name = "maxpatch",
    .title = "Strongest patches",
    .summary = "The parts of the pictures that excite a layer's channels most, one row per "
               "channel, cut from the uploads at each unit's receptive field.",
    .paper = "Zeiler & Fergus 2013, arXiv:1311.2901",
    .groups = LUC_GROUP_INPUT,
    .images_min = 1,
    .images_max = 16,
    .makes_picture = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_maxpatch,
};
