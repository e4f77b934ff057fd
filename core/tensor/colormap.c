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

static const struct {
    const char *name;
    uint8_t rgb[3];
} named[] = { { "black", { 0, 0, 0 } },
              { "white", { 255, 255, 255 } },
              { "gray", { 128, 128, 128 } } };

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char lower = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
    const char *at = c ? strchr(digits, lower) : NULL;
    return at ? (int)(at - digits) : -1;
}

enum luc_status luc_color_parse(const char *text, uint8_t rgb[3], struct luc_error *err)
{
    for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++)
        if (strcmp(named[i].name, text) == 0) {
            memcpy(rgb, named[i].rgb, 3);
            return LUC_OK;
        }
    const size_t len = strlen(text);
    int digit[6] = { 0 };
    bool sound = text[0] == '#' && (len == 4 || len == 7);
    for (size_t i = 0; sound && i + 1 < len; i++)
        sound = (digit[i] = hex_digit(text[i + 1])) >= 0;
    if (!sound)
        return luc_fail(err, LUC_INVALID,
                        "'%.32s' is not a colour: write #rrggbb, black, white or gray", text);
    for (size_t c = 0; c < 3; c++)
        rgb[c] = (uint8_t)(len == 4 ? digit[c] * 17 : digit[2 * c] * 16 + digit[2 * c + 1]);
    return LUC_OK;
}
