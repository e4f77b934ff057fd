/* colormap.h -- colour scales of 256 entries. */
#ifndef LUC_TENSOR_COLORMAP_H
#define LUC_TENSOR_COLORMAP_H

#include <stddef.h>
#include <stdint.h>

enum luc_colormap_id {
    LUC_VIRIDIS,
    LUC_INFERNO,
    LUC_TURBO,
    LUC_GRAY_SCALE,
    LUC_COOLWARM, /* diverging: 0 blue, 0.5 light gray, 1 red */
    LUC_N_COLORMAPS,
};

struct luc_colormap {
    const char *name;
    uint32_t rgb[256]; /* 0xRRGGBB */
};

extern const struct luc_colormap luc_colormap_tables[LUC_N_COLORMAPS]; /* by id */

/* In the order of the enum; NULL-terminated, for parameter tables. */
extern const char *const luc_colormap_names[];

const struct luc_colormap *luc_colormap_get(enum luc_colormap_id id); /* never NULL */
const struct luc_colormap *luc_colormap_find(const char *name);       /* NULL if absent */

/* The colour at t in [0, 1], clamped, interpolated between entries; rgb in 0..255. */
void luc_colormap_at(const struct luc_colormap *map, float t, float rgb[3]);

#endif
