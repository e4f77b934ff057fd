/* resize.h -- antialiased resizing of pictures and maps.
 *
 * Separable; a sample sits in the middle of its pixel. When shrinking, the filter is widened by the
 * scale, so every source pixel counts. For 8-bit pictures the definition is Pillow's
 * Image.resize(size, filter, box), rounding between the passes included.
 */
#ifndef LUC_TENSOR_RESIZE_H
#define LUC_TENSOR_RESIZE_H

#include "core/tensor/image.h"

enum luc_filter { LUC_BILINEAR, LUC_BICUBIC /* a = -0.5 */ };

/* A rectangle in pixels, fractions allowed. */
struct luc_box {
    double x, y, width, height;
};

/* The part `box` of `src` (NULL: all of it), `width` x `height` pixels large. LUC_RANGE: the box is
 * empty or leaves the picture. LUC_TOO_LARGE, LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_image_resize(const struct luc_image *src,
                                              const struct luc_box *box, size_t width,
                                              size_t height, enum luc_filter filter,
                                              struct luc_image *out, struct luc_error *err);

/* The same picture as floats, plane after plane: out[channels * height * width], 0..255, not
 * rounded at the end. */
LUC_MUST_USE enum luc_status luc_image_resize_planar(const struct luc_image *src,
                                                     const struct luc_box *box, size_t width,
                                                     size_t height, enum luc_filter filter,
                                                     float *out, struct luc_error *err);

/* A map [height, width] at another size, bilinear: out[out_height * out_width]. Exact copy when the
 * sizes agree. `box` as above, but it may reach past the edges, where the map's rim goes on. */
LUC_MUST_USE enum luc_status luc_map_resize(const float *map, size_t width, size_t height,
                                            const struct luc_box *box, size_t out_width,
                                            size_t out_height, float *out, struct luc_error *err);

/* The same, bicubic and kept within the map's range: for coarse maps that are to be looked at, where
 * bilinear draws stars. */
LUC_MUST_USE enum luc_status luc_map_resize_smooth(const float *map, size_t width, size_t height,
                                                   const struct luc_box *box, size_t out_width,
                                                   size_t out_height, float *out,
                                                   struct luc_error *err);

/* Whole pixels x..x+width, y..y+height of `src`. LUC_RANGE. */
LUC_MUST_USE enum luc_status luc_image_crop(const struct luc_image *src, size_t x, size_t y,
                                            size_t width, size_t height, struct luc_image *out,
                                            struct luc_error *err);

/* Copies `src` onto `dst` with its corner at x, y; what leaves `dst` is cut. Same channel count. */
void luc_image_paste(struct luc_image *dst, const struct luc_image *src, size_t x, size_t y);

#endif
