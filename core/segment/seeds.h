/* seeds.h -- where an explanation says the object is, as seeds for GrabCut.
 *
 * Pixels at or above one percentile of the map are foreground, at or below another background, those
 * between are left open (Simonyan, Vedaldi & Zisserman 2013, arXiv:1312.6034, section 3.2: 95 and 30).
 * A map that gives one of them too few pixels, or is the same everywhere, is no error: the seeds are
 * widened, and the report says what was done.
 */
#ifndef LUC_SEGMENT_SEEDS_H
#define LUC_SEGMENT_SEEDS_H

#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/segment/grabcut.h"

struct luc_seeding {
    double fore_percentile, back_percentile; /* 0..100, the first above the second */
    bool fore_stays, back_stays;             /* seeds that GrabCut may not change */
};

#define LUC_SEEDING_TEXT 320
struct luc_seeding_report {
    size_t fore, back;           /* pixels seeded */
    char text[LUC_SEEDING_TEXT]; /* what was widened; "": nothing */
};

/* seeds[height * width] from map[height * width], finite: enum luc_seed. Both sides get a pixel at
 * least where the picture has two. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_seeds_from_map(const float *map, size_t width, size_t height,
                                                const struct luc_seeding *how, uint8_t *seeds,
                                                struct luc_arena *arena,
                                                struct luc_seeding_report *report,
                                                struct luc_error *err);

#endif
