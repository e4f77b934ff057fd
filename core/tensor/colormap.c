#include "core/tensor/colormap.h"

#include <string.h>

#define LAST 255

const char *const luc_colormap_names[] = {
    "viridis", "inferno", "turbo", "gray", "coolwarm", NULL
};

const struct luc_colormap *luc_colormap_get(enum luc_colormap_id id)
{
    return &luc_colormap_tables[id < LUC_N_COLORMAPS ? id : LUC_INFERNO];
}

const struct luc_colormap *luc_colormap_find(const char *name)
{
    for (size_t i = 0; i < LUC_N_COLORMAPS; i++)
        if (strcmp(luc_colormap_tables[i].name, name) == 0)
            return &luc_colormap_tables[i];
    return NULL;
}

static float part(uint32_t rgb, int c)
{
    return (float)(rgb >> (16 - 8 * c) & 0xff);
}

void luc_colormap_at(const struct luc_colormap *map, float t, float rgb[3])
{
    const float at = t > 0 ? (t < 1 ? t * LAST : LAST) : 0; /* NaN is 0 */
    const size_t i = (size_t)at, next = i < LAST ? i + 1 : LAST;
    const float f = at - (float)i;
    for (int c = 0; c < 3; c++)
        rgb[c] = (1 - f) * part(map->rgb[i], c) + f * part(map->rgb[next], c);
}
