/* view.h -- what the network is shown of a picture: moved, scaled and turned at random, so that
 * what is made of it holds for more than one exact place.
 *
 *   out[y][x] = in at  centre + shift + R(angle) (x, y) / zoom,   bilinear
 *
 * Coordinates are pixel centres. Beyond the border the picture is either continued by itself (WRAP:
 * with whole shifts a plain roll) or mirrored (REFLECT). Rotation and scale as in Olah et al.,
 * "Feature Visualization", Distill 2017.
 */
#ifndef LUC_GENERATE_VIEW_H
#define LUC_GENERATE_VIEW_H

#include "core/base/parallel.h"
#include "core/base/rng.h"

#include <stdbool.h>
#include <stddef.h>

enum luc_border { LUC_BORDER_WRAP, LUC_BORDER_REFLECT };

/* What views are drawn from; all zero: the picture as it is. */
struct luc_views {
    size_t jitter; /* pixels: shifts -jitter .. jitter down and to the right, whole */
    double zoom;   /* scales 1 - zoom .. 1 + zoom; below 1 */
    double rotate; /* degrees: -rotate .. rotate */
    enum luc_border border;
};

struct luc_view {
    double shift_y, shift_x;
    double along, across; /* cos and sin of the angle, divided by the scale */
    enum luc_border border;
};

/* The picture as it is. */
struct luc_view luc_view_plain(enum luc_border border);
/* Draws only what `views` varies. */
struct luc_view luc_view_draw(const struct luc_views *views, struct luc_rng *rng);
static inline bool luc_views_move(const struct luc_views *v)
{
    return v->jitter > 0 || v->zoom > 0 || v->rotate > 0;
}

/* `planes` planes [height, width] of `in` as the view shows them, into `out`. */
void luc_view_apply(const struct luc_view *v, const struct luc_threads *threads, size_t planes,
                    size_t height, size_t width, const float *in, float *out);
/* The adjoint: d_out = dL/d(out) -> d_in = dL/d(in), written. */
void luc_view_adjoint(const struct luc_view *v, const struct luc_threads *threads, size_t planes,
                      size_t height, size_t width, const float *d_out, float *d_in);

#endif
