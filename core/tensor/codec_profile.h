/* codec_profile.h -- embedded ICC profiles: a file's own colours become sRGB. Private to codec*.c,
 * of which codec_profile.c alone knows LittleCMS.
 */
#ifndef LUC_TENSOR_CODEC_PROFILE_H
#define LUC_TENSOR_CODEC_PROFILE_H

#include <stddef.h>
#include <stdint.h>

/* How the samples lie that a profile turns into sRGB. */
enum luc_samples {
    LUC_SAMPLES_RGB,
    LUC_SAMPLES_RGBA,
    LUC_SAMPLES_CMYK,         /* 255 is full ink */
    LUC_SAMPLES_CMYK_INVERTED /* 255 is no ink, as Adobe's programs write it */
};

struct luc_profile;

/* The way from an embedded profile's colours to sRGB, perceptual intent. NULL: there is none to go,
 * because the profile is damaged or made for other samples, so that the numbers mean sRGB, or
 * because memory ran out. A profile of gray serves RGB samples whose channels are equal. */
struct luc_profile *luc_profile_open(const void *bytes, size_t size, enum luc_samples samples);
struct luc_profile *luc_profile_close(struct luc_profile *profile); /* NULL is fine; returns NULL */

/* n pixels; `to` may be `from` where both have the same number of channels: CMYK becomes RGB. */
void luc_profile_apply(const struct luc_profile *profile, const uint8_t *from, size_t n,
                       uint8_t *to);

#endif
