#include "core/segment/regions.h"

#include <assert.h>
#include <string.h>

/* ---- connected parts ------------------------------------------------------------------------------ */

struct flood {
    uint8_t *left; /* what no region has taken yet */
    uint32_t *stack;
    size_t width, height, depth;
};

static void put(struct flood *f, size_t x, size_t y)
{
    if (!f->left[y * f->width + x])
        return;
    f->left[y * f->width + x] = 0;
    f->stack[f->depth++] = (uint32_t)(y * f->width + x);
}

static struct luc_region take_region(struct flood *f, size_t x, size_t y)
{
    size_t x0 = x, x1 = x, y1 = y, area = 0;
    const size_t y0 = y; /* the first pixel met is in the highest row */
    assert(f->width > 0);
    put(f, x, y);
    while (f->depth > 0) {
        const size_t i = f->stack[--f->depth], px = i % f->width, py = i / f->width;
        x0 = px < x0 ? px : x0;
        x1 = px > x1 ? px : x1;
        y1 = py > y1 ? py : y1;
        area++;
        for (size_t v = py > 0 ? py - 1 : 0; v <= py + 1 && v < f->height; v++)
            for (size_t u = px > 0 ? px - 1 : 0; u <= px + 1 && u < f->width; u++)
                put(f, u, v);
    }
    return (struct luc_region){ x0, y0, x1 - x0 + 1, y1 - y0 + 1, area };
}

/* Keeps regions[0..*n) sorted by area. */
static void insert(struct luc_region *regions, size_t room, size_t *n, const struct luc_region *r)
{
    size_t at = *n;
    while (at > 0 && regions[at - 1].area < r->area)
        at--;
    if (at >= room)
        return;
    *n += *n < room;
    memmove(regions + at + 1, regions + at, (*n - at - 1) * sizeof(*regions));
    regions[at] = *r;
}

enum luc_status luc_regions_find(const uint8_t *mask, size_t width, size_t height,
                                 struct luc_region *regions, size_t room, size_t *n, size_t *all,
                                 struct luc_arena *arena, struct luc_error *err)
{
    const struct luc_arena_mark mark = luc_arena_mark(arena);
    struct flood f = { .width = width, .height = height };
    f.left = luc_arena_raw(arena, width * height, 1);
    f.stack = luc_arena_raw(arena, width * height, sizeof(*f.stack));
    if (!f.left || !f.stack)
        return luc_fail_nomem(err, "regions", width * height * (1 + sizeof(*f.stack)));
    *n = *all = 0;
    assert(width > 0);
    if (!luc_arena_is_dry(arena))
        memcpy(f.left, mask, width * height);
    for (size_t i = 0; i < width * height && !luc_arena_is_dry(arena); i++)
        if (f.left[i]) {
            const struct luc_region r = take_region(&f, i % width, i / width);
            insert(regions, room, n, &r);
            *all += 1;
        }
    luc_arena_release(arena, mark);
    return LUC_OK;
}

/* ---- pictures ------------------------------------------------------------------------------------- */

static const uint8_t bright[3] = { 255, 220, 40 }, dark[3] = { 0, 0, 0 };

static size_t line_width(const struct luc_image *photo)
{
    const size_t side = photo->width > photo->height ? photo->width : photo->height;
    return 1 + side / 400;
}

/* A square brush of 2r + 1 pixels. */
static void dab(struct luc_image *out, size_t x, size_t y, size_t r, const uint8_t rgb[3])
{
    for (size_t v = y > r ? y - r : 0; v <= y + r && v < out->height; v++)
        for (size_t u = x > r ? x - r : 0; u <= x + r && u < out->width; u++)
            memcpy(out->data + 3 * (v * out->width + u), rgb, 3);
}

/* A pixel of the mask with one beside it that is not; the picture's edge does not count. */
static bool on_rim(const uint8_t *mask, size_t width, size_t height, size_t x, size_t y)
{
    const uint8_t *m = mask + y * width + x;
    return *m && ((x > 0 && !m[-1]) || (x + 1 < width && !m[1]) || (y > 0 && !*(m - width)) ||
                  (y + 1 < height && !m[width]));
}

static void draw_rim(struct luc_image *out, const uint8_t *mask, size_t r, const uint8_t rgb[3])
{
    for (size_t y = 0; y < out->height; y++)
        for (size_t x = 0; x < out->width; x++)
            if (on_rim(mask, out->width, out->height, x, y))
                dab(out, x, y, r, rgb);
}

static void draw_box(struct luc_image *out, const struct luc_region *b, size_t r,
                     const uint8_t rgb[3])
{
    for (size_t x = b->x; x < b->x + b->width; x++) {
        dab(out, x, b->y, r, rgb);
        dab(out, x, b->y + b->height - 1, r, rgb);
    }
    for (size_t y = b->y; y < b->y + b->height; y++) {
        dab(out, b->x, y, r, rgb);
        dab(out, b->x + b->width - 1, y, r, rgb);
    }
}

static void cut_out(struct luc_image *out, const uint8_t *mask, const struct luc_image *photo)
{
    for (size_t i = 0; i < photo->width * photo->height; i++) {
        memcpy(out->data + 4 * i, photo->data + 3 * i, 3);
        out->data[4 * i + 3] = mask[i] ? 255 : 0;
    }
}

enum luc_status luc_mask_draw(const uint8_t *mask, const struct luc_image *photo,
                              enum luc_mask_view view, const struct luc_region *regions, size_t n,
                              struct luc_image *out, struct luc_error *err)
{
    static const size_t channels[] = { 1, 4, 3, 3 };
    const size_t pixels = photo->width * photo->height, w = line_width(photo);
    const enum luc_status st =
        luc_image_create(photo->width, photo->height, channels[view], out, err);
    if (st)
        return st;
    switch (view) {
    case LUC_MASK_PLAIN:
        for (size_t i = 0; i < pixels; i++)
            out->data[i] = mask[i] ? 255 : 0;
        break;
    case LUC_MASK_CUTOUT: cut_out(out, mask, photo); break;
    case LUC_MASK_CONTOUR:
        memcpy(out->data, photo->data, 3 * pixels);
        draw_rim(out, mask, w + 1, dark);
        draw_rim(out, mask, w - 1, bright);
        break;
    case LUC_MASK_BOXES:
        memcpy(out->data, photo->data, 3 * pixels);
        for (size_t i = 0; i < n; i++)
            draw_box(out, &regions[i], w + 1, dark);
        for (size_t i = 0; i < n; i++)
            draw_box(out, &regions[i], w - 1, bright);
        break;
    }
    return LUC_OK;
}
