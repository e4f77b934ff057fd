#include "core/show/panel.h"

#include "core/tensor/draw.h"
#include "core/tensor/label.h"
#include "core/tensor/resize.h"

#include <math.h>
#include <string.h>

#define SCALE ((size_t)2) /* of the words */
#define LINE  ((size_t)LUC_LABEL_HEIGHT * SCALE + 2)
#define GAP   ((size_t)8)

enum luc_status luc_panel_open(struct luc_run *run, size_t n, size_t columns, size_t side,
                               size_t n_lines, struct luc_panel *panel, struct luc_error *err)
{
    const struct luc_image *photo = NULL;
    enum luc_status st = luc_run_image(run, 0, &photo, err);
    if (st)
        return st;
    const size_t longer = photo->width > photo->height ? photo->width : photo->height;
    const double scale = (double)side / (double)longer;
    struct luc_panel p = { .photo_width = (double)photo->width,
                           .photo_height = (double)photo->height,
                           .columns = columns < n ? columns : n,
                           .n_lines = n_lines };
    const size_t w = (size_t)fmax(round((double)photo->width * scale), 1);
    const size_t h = (size_t)fmax(round((double)photo->height * scale), 1);
    st = luc_image_resize(photo, NULL, w, h, LUC_BICUBIC, &p.small, err);
    if (st)
        return st;
    p.tile_width = (w > side * 3 / 4 ? w : side * 3 / 4) + GAP; /* words need some room */
    p.tile_height = h + 4 + n_lines * LINE + GAP;
    st = luc_image_create(p.columns * p.tile_width + GAP,
                          ((n - 1) / p.columns + 1) * p.tile_height + GAP, 3, &p.sheet, err);
    if (st) {
        luc_image_done(&p.small);
        return st;
    }
    memset(p.sheet.data, 255, p.sheet.width * p.sheet.height * 3);
    *panel = p;
    return LUC_OK;
}

void luc_panel_done(struct luc_panel *panel)
{
    luc_image_done(&panel->small);
    luc_image_done(&panel->sheet);
}

static size_t left_of(const struct luc_panel *p, size_t i)
{
    return GAP + i % p->columns * p->tile_width;
}

static size_t top_of(const struct luc_panel *p, size_t i)
{
    return GAP + i / p->columns * p->tile_height;
}

enum luc_status luc_panel_map(struct luc_panel *p, size_t i, const struct luc_item *map,
                              struct luc_error *err)
{
    if (!map) {
        luc_image_paste(&p->sheet, &p->small, left_of(p, i), top_of(p, i));
        return LUC_OK;
    }
    const double scale = (double)p->small.width / p->photo_width;
    const double tall = (double)p->small.height / p->photo_height;
    const struct luc_place *at = &map->place;
    struct luc_placing place = { .map = { at->x * scale, at->y * tall, at->width * scale,
                                          at->height * tall } };
    struct luc_view_params view;
    struct luc_image drawn = { 0 };
    luc_params_default(luc_view_rows, &view);
    place.seen = place.map;
    if (at->seen.width > 0)
        place.seen = (struct luc_box){ at->seen.x * scale, at->seen.y * tall,
                                       at->seen.width * scale, at->seen.height * tall };
    const enum luc_status st =
        luc_draw_map(map->map.data, map->map.shape.dim[3], map->map.shape.dim[2], map->is_signed,
                     &p->small, &place, &view, &drawn, err);
    if (!st)
        luc_image_paste(&p->sheet, &drawn, left_of(p, i), top_of(p, i));
    luc_image_done(&drawn);
    return st;
}

static void dot(struct luc_image *image, double x, double y, const uint8_t rgb[3])
{
    const size_t u = (size_t)fmax(x, 0), v = (size_t)fmax(y, 0);
    for (size_t dy = 0; dy < 2; dy++)
        for (size_t dx = 0; dx < 2; dx++)
            if (u + dx < image->width && v + dy < image->height)
                memcpy(image->data + ((v + dy) * image->width + u + dx) * 3, rgb, 3);
}

static void stroke(struct luc_image *image, const double a[2], const double b[2],
                   const uint8_t rgb[3])
{
    const double length = fmax(fabs(b[0] - a[0]), fabs(b[1] - a[1]));
    const size_t steps = (size_t)ceil(length) + 1;
    for (size_t i = 0; i <= steps; i++) {
        const double t = (double)i / (double)steps;
        dot(image, a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, rgb);
    }
}

void luc_panel_chart(struct luc_panel *p, size_t i, const struct luc_curve *curves, size_t n_curves,
                     double low, double high)
{
    static const uint8_t frame[3] = { 150, 150, 150 }, faint[3] = { 225, 225, 225 };
    const double x0 = (double)left_of(p, i), y0 = (double)top_of(p, i);
    const double w = (double)p->small.width - 2, h = (double)p->small.height - 2;
    for (int k = 0; k <= 4; k++) {
        const uint8_t *rgb = k % 4 ? faint : frame;
        stroke(&p->sheet, (double[]){ x0, y0 + h * k / 4 }, (double[]){ x0 + w, y0 + h * k / 4 },
               rgb);
        stroke(&p->sheet, (double[]){ x0 + w * k / 4, y0 }, (double[]){ x0 + w * k / 4, y0 + h },
               rgb);
    }
    for (size_t c = 0; c < n_curves; c++)
        for (size_t k = 0; k + 1 < curves[c].n; k++) {
            double at[2][2];
            for (size_t e = 0; e < 2; e++) {
                const double v = (curves[c].values[k + e] - low) / (high - low);
                at[e][0] = x0 + w * (curves[c].x0 + curves[c].dx * (double)(k + e));
                at[e][1] = y0 + h * (1 - fmin(fmax(v, 0), 1));
            }
            stroke(&p->sheet, at[0], at[1], curves[c].rgb);
        }
}

void luc_panel_text(struct luc_panel *p, size_t i, size_t line, const uint8_t rgb[3],
                    const char *text)
{
    luc_label_draw(&p->sheet, left_of(p, i), top_of(p, i) + p->small.height + 4 + line * LINE,
                   SCALE, rgb, text, luc_label_fit(text, SCALE, p->tile_width - 2));
}
