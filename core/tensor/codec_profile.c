#include "core/tensor/codec_profile.h"

#include <stdbool.h>
#include <stdlib.h>

#include <lcms2.h>

#define LEVELS 256

struct luc_profile {
    cmsHTRANSFORM way; /* NULL: of gray, by its table */
    size_t channels;
    uint8_t gray[LEVELS][3];
};

static const struct {
    cmsColorSpaceSignature space;
    cmsUInt32Number from, to;
    size_t channels;
} kinds[] = {
    [LUC_SAMPLES_RGB] = { cmsSigRgbData, TYPE_RGB_8, TYPE_RGB_8, 3 },
    [LUC_SAMPLES_RGBA] = { cmsSigRgbData, TYPE_RGBA_8, TYPE_RGBA_8, 4 },
    [LUC_SAMPLES_CMYK] = { cmsSigCmykData, TYPE_CMYK_8, TYPE_RGB_8, 4 },
    [LUC_SAMPLES_CMYK_INVERTED] = { cmsSigCmykData, TYPE_CMYK_8_REV, TYPE_RGB_8, 4 },
};

static bool tabulate(struct luc_profile *p, cmsHPROFILE from, cmsHPROFILE srgb)
{
    uint8_t levels[LEVELS];
    cmsHTRANSFORM way =
        cmsCreateTransform(from, TYPE_GRAY_8, srgb, TYPE_RGB_8, INTENT_PERCEPTUAL, 0);
    if (!way)
        return false;
    for (size_t i = 0; i < LEVELS; i++)
        levels[i] = (uint8_t)i;
    cmsDoTransform(way, levels, p->gray, LEVELS);
    cmsDeleteTransform(way);
    return true;
}

static bool find_way(struct luc_profile *p, cmsHPROFILE from, cmsHPROFILE srgb,
                     enum luc_samples samples)
{
    const cmsColorSpaceSignature space = cmsGetColorSpace(from);
    p->channels = kinds[samples].channels;
    if (space == cmsSigGrayData && kinds[samples].space == cmsSigRgbData)
        return tabulate(p, from, srgb);
    if (space != kinds[samples].space)
        return false;
    p->way = cmsCreateTransform(from, kinds[samples].from, srgb, kinds[samples].to,
                                INTENT_PERCEPTUAL, cmsFLAGS_COPY_ALPHA);
    return p->way != NULL;
}

struct luc_profile *luc_profile_open(const void *bytes, size_t size, enum luc_samples samples)
{
    struct luc_profile *p = calloc(1, sizeof(*p));
    cmsHPROFILE from =
        size <= UINT32_MAX ? cmsOpenProfileFromMem(bytes, (cmsUInt32Number)size) : NULL;
    cmsHPROFILE srgb = cmsCreate_sRGBProfile();
    const bool found = p && from && srgb && find_way(p, from, srgb, samples);
    if (from)
        cmsCloseProfile(from);
    if (srgb)
        cmsCloseProfile(srgb);
    return found ? p : luc_profile_close(p);
}

struct luc_profile *luc_profile_close(struct luc_profile *profile)
{
    if (profile && profile->way)
        cmsDeleteTransform(profile->way);
    free(profile);
    return NULL;
}

void luc_profile_apply(const struct luc_profile *profile, const uint8_t *from, size_t n,
                       uint8_t *to)
{
    if (profile->way) {
        cmsDoTransform(profile->way, from, to, (cmsUInt32Number)n);
        return;
    }
    for (size_t i = 0; i < n; i++, from += profile->channels, to += profile->channels) {
        const uint8_t *gray = profile->gray[from[0]];
        for (size_t c = 0; c < profile->channels; c++)
            to[c] = c < 3 ? gray[c] : from[c];
    }
}
