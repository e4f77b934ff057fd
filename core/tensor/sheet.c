#include "core/tensor/sheet.h"

#include <assert.h>
#include <string.h>

#define SIDE_MAX ((size_t)16384) /* of the whole sheet, in pixels */

enum luc_status luc_sheet_create(size_t width, size_t height, size_t n, size_t columns,
                                 size_t scale, struct luc_sheet *sheet, struct luc_error *err)
{
    struct luc_sheet s = { .tile_width = width, .tile_height = height, .n = n };
    const size_t longer = width > height ? width : height;
    if (n == 0 || longer == 0 || longer > SIDE_MAX || n > SIDE_MAX * SIDE_MAX)
        return luc_fail(err, LUC_TOO_LARGE, "%zu tiles of %zu x %zu cannot be drawn", n, width,
                        height);
    s.scale = scale ? scale : longer >= LUC_SHEET_SIDE ? 1 : (LUC_SHEET_SIDE - 1) / longer + 1;
    while (columns * columns < n && columns == s.columns)
        s.columns = ++columns;
    s.columns = columns < n ? columns : n;
    s.gap = s.scale > 1 ? s.scale : 2;
    const size_t rows = (n - 1) / s.columns + 1;
    if (s.scale > SIDE_MAX || s.columns > SIDE_MAX || rows > SIDE_MAX ||
        s.columns * (width * s.scale + s.gap) > SIDE_MAX ||
        rows * (height * s.scale + s.gap) > SIDE_MAX)
        return luc_fail(
            err, LUC_TOO_LARGE,
            "%zu tiles of %zu x %zu, enlarged %zu times, pass %zu pixels on a side: ask "
            "for fewer, or a smaller scale",
            n, width, height, s.scale, SIDE_MAX);
    const enum luc_status st =
        luc_image_create(s.columns * (width * s.scale + s.gap) + s.gap,
                         rows * (height * s.scale + s.gap) + s.gap, 3, &s.image, err);
    if (st)
        return st;
    memset(s.image.data, 255, s.image.width * s.image.height * 3);
    *sheet = s;
    return LUC_OK;
}

void luc_sheet_done(struct luc_sheet *sheet)
{
    luc_image_done(&sheet->image);
}

void luc_sheet_put(struct luc_sheet *s, size_t i, const uint8_t *rgb)
{
    assert(i < s->n);
    const size_t x0 = s->gap + i % s->columns * (s->tile_width * s->scale + s->gap);
    const size_t y0 = s->gap + i / s->columns * (s->tile_height * s->scale + s->gap);
    for (size_t y = 0; y < s->tile_height * s->scale; y++) {
        uint8_t *to = s->image.data + ((y0 + y) * s->image.width + x0) * 3;
        const uint8_t *row = rgb + y / s->scale * s->tile_width * 3;
        for (size_t x = 0; x < s->tile_width * s->scale; x++)
            memcpy(to + 3 * x, row + x / s->scale * 3, 3);
    }
}
