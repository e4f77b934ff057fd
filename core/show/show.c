#include "core/show/show.h"

#include "core/model/layers.h"
#include "core/show/collapse.h"
#include "core/tensor/draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CLIP 0.995 /* of the magnitudes; the rest is drawn black or white */

static bool is_constant(const struct luc_tensor *map)
{
    for (size_t i = 1; i < luc_numel(&map->shape); i++)
        if (map->data[i] != map->data[0])
            return false;
    return true;
}

static enum luc_status put_map(struct luc_run *run, const char *key, const struct luc_tensor *map,
                               bool is_signed, const struct luc_place *place, const char *why,
                               struct luc_error *err)
{
    enum luc_status st = luc_result_map(run->result, key, map, is_signed, place, err);
    if (!st && is_constant(map)) {
        char text[256];
        snprintf(text, sizeof(text), "the map is %s everywhere%s%s",
                 map->data[0] == 0.0f ? "zero" : "the same", *why ? ": " : "", why);
        st = luc_result_text(run->result, "note", text, err);
    }
    return st;
}

enum luc_status luc_show_map(struct luc_run *run, const char *key, const struct luc_tensor *map,
                             bool is_signed, const struct luc_frame *frame, const char *why,
                             struct luc_error *err)
{
    const struct luc_place place = {
        .x = frame->x, .y = frame->y, .width = frame->width, .height = frame->height
    };
    return put_map(run, key, map, is_signed, &place, why, err);
}

void luc_show_preview(struct luc_run *run, const float *map, size_t width, size_t height,
                      bool is_signed, const struct luc_frame *frame)
{
    struct luc_view_params view;
    struct luc_image drawn = { 0 };
    const struct luc_image *photo = NULL;
    const struct luc_box at = { frame->x, frame->y, frame->width, frame->height };
    luc_params_default(luc_view_rows, &view);
    enum luc_status st = luc_run_image(run, 0, &photo, NULL);
    if (!st)
        st = luc_draw_map(map, width, height, is_signed, photo, &(struct luc_placing){ at, at },
                          &view, &drawn, NULL);
    if (!st)
        luc_run_preview(run, &drawn);
    luc_image_done(&drawn);
}

enum luc_status luc_layer_cells(struct luc_run *run, size_t layer, const struct luc_frame *frame,
                                const struct luc_shape *map, struct luc_box *cells,
                                struct luc_error *err)
{
    const struct luc_arena_mark mark = luc_arena_mark(run->arena);
    struct luc_layers all;
    struct luc_box b = { 0, 0, (double)frame->in_width, (double)frame->in_height };
    const enum luc_status st =
        luc_model_layers(run->model, frame->in_height, frame->in_width, run->arena, &all, err);
    for (size_t i = 0; !st && i < all.n; i++) {
        const struct luc_field *f = &all.rows[i].field;
        if (all.rows[i].value != layer || !f->known || f->whole)
            continue;
        b.y = f->start[0] + (f->size[0] - f->stride[0]) / 2;
        b.x = f->start[1] + (f->size[1] - f->stride[1]) / 2;
        b.height = f->stride[0] * (double)map->dim[2];
        b.width = f->stride[1] * (double)map->dim[3];
    }
    luc_arena_release(run->arena, mark);
    *cells = b;
    return st;
}

enum luc_status luc_show_layer_map(struct luc_run *run, const char *key,
                                   const struct luc_tensor *map, bool is_signed, size_t layer,
                                   const struct luc_frame *frame, const char *why,
                                   struct luc_error *err)
{
    struct luc_box cells;
    const enum luc_status st = luc_layer_cells(run, layer, frame, &map->shape, &cells, err);
    if (st)
        return st;
    const double sx = frame->width / (double)frame->in_width;
    const double sy = frame->height / (double)frame->in_height;
    const struct luc_place place = { .x = frame->x + cells.x * sx,
                                     .y = frame->y + cells.y * sy,
                                     .width = cells.width * sx,
                                     .height = cells.height * sy,
                                     .seen = { frame->x, frame->y, frame->width, frame->height } };
    return put_map(run, key, map, is_signed, &place, why, err);
}

enum luc_status luc_layer_enlarge(struct luc_run *run, size_t layer, const struct luc_frame *frame,
                                  const struct luc_tensor *map, float *out, struct luc_error *err)
{
    struct luc_box cells;
    const size_t h = map->shape.dim[2], w = map->shape.dim[3];
    const enum luc_status st = luc_layer_cells(run, layer, frame, &map->shape, &cells, err);
    if (st)
        return st;
    const double sx = (double)w / cells.width, sy = (double)h / cells.height;
    const struct luc_box input = { -cells.x * sx, -cells.y * sy, (double)frame->in_width * sx,
                                   (double)frame->in_height * sy };
    return luc_map_resize(map->data, w, h, &input, frame->in_width, frame->in_height, out, err);
}

static int by_size(const void *pa, const void *pb)
{
    const float a = *(const float *)pa, b = *(const float *)pb;
    return a < b ? -1 : a > b;
}

/* What is drawn at full strength, of the magnitudes inside a part of the map. */
static enum luc_status find_top(struct luc_run *run, const struct luc_tensor *g,
                                const struct luc_box *part, double *top, struct luc_error *err)
{
    const size_t w = g->shape.dim[3], h = g->shape.dim[2], room = luc_numel(&g->shape);
    const struct luc_arena_mark mark = luc_arena_mark(run->arena);
    float *size = luc_arena_raw(run->arena, room, sizeof(*size));
    size_t n = 0;
    if (!size)
        return luc_fail_nomem(err, "colours", room * sizeof(*size));
    for (size_t i = 0; i < room; i++) {
        const double x = (double)(i % w) + 0.5, y = (double)(i / w % h) + 0.5;
        if (x > part->x && x < part->x + part->width && y > part->y && y < part->y + part->height)
            size[n++] = fabsf(g->data[i]);
    }
    *top = 0;
    if (n > 0) {
        qsort(size, n, sizeof(*size), by_size);
        *top = (double)size[(size_t)(CLIP * (double)(n - 1))];
        if (!(*top > 0))
            *top = (double)size[n - 1];
    }
    luc_arena_release(run->arena, mark);
    return LUC_OK;
}

static uint8_t around_gray(double v)
{
    const double byte = 127.5 + 127.5 * v;
    return byte <= 0 ? 0 : byte >= 255 ? 255 : (uint8_t)lround(byte);
}

enum luc_status luc_gradient_picture(struct luc_run *run, const struct luc_tensor *g,
                                     const struct luc_box *part, struct luc_image *picture,
                                     struct luc_error *err)
{
    const struct luc_shape *s = &g->shape;
    const size_t plane = s->dim[2] * s->dim[3], channels = s->dim[1];
    const bool bgr = run->model->in.channels == LUC_BGR;
    struct luc_image made = { 0 };
    double top = 0;
    enum luc_status st = find_top(run, g, part, &top, err);
    if (!st)
        st = luc_image_create(s->dim[3], s->dim[2], 3, &made, err);
    if (st)
        return st;
    for (size_t i = 0; i < plane; i++)
        for (size_t c = 0; c < 3; c++) {
            const size_t from = channels < 3 ? 0 : bgr ? 2 - c : c;
            const double v = (double)g->data[from * plane + i];
            made.data[3 * i + c] = around_gray(top > 0 ? v / top : 0);
        }
    *picture = made;
    return LUC_OK;
}

enum luc_status luc_show_colours(struct luc_run *run, const char *key, const struct luc_tensor *g,
                                 struct luc_error *err)
{
    const struct luc_box all = { 0, 0, (double)g->shape.dim[3], (double)g->shape.dim[2] };
    struct luc_image made = { 0 };
    enum luc_status st = luc_gradient_picture(run, g, &all, &made, err);
    if (!st)
        st = luc_result_picture(run->result, key, &made, err);
    luc_image_done(&made);
    return st;
}

enum luc_status luc_show_gradient(struct luc_run *run, const char *key, const struct luc_tensor *g,
                                  const struct luc_frame *frame, enum luc_show first,
                                  struct luc_error *err)
{
    const size_t n = g->shape.dim[2] * g->shape.dim[3];
    struct luc_tensor map = { .shape = luc_shape4(1, 1, g->shape.dim[2], g->shape.dim[3]) };
    map.data = luc_arena_raw(run->arena, n, sizeof(float));
    if (!map.data)
        return luc_fail_nomem(err, key, n * sizeof(float));
    luc_collapse_channels(g, LUC_COLLAPSE_MAX, false, map.data);
    enum luc_status st = LUC_OK;
    if (first == LUC_SHOW_COLOUR)
        st = luc_show_colours(run, "colours", g, err);
    if (!st)
        st = luc_show_map(run, key, &map, false, frame, "no gradient reaches the picture", err);
    if (!st && first != LUC_SHOW_COLOUR)
        st = luc_show_colours(run, "colours", g, err);
    return st;
}
