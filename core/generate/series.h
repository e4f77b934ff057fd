/* series.h -- pictures that one job makes one after another, each by its own loop, and shows
 * together on a sheet.
 *
 * Steps are reported, previews show the sheet as it fills, a checkpoint holds the pictures that are
 * done and the state of the one in work. Every picture draws its random numbers from a stream of its
 * own, so that none depends on those before it.
 */
#ifndef LUC_GENERATE_SERIES_H
#define LUC_GENERATE_SERIES_H

#include "core/generate/loop.h"
#include "core/run/method.h"

struct luc_series {
    struct luc_run *run;
    size_t n;             /* turns: one loop each */
    size_t each;          /* pictures that a turn makes at once */
    size_t height, width; /* of every picture */
    size_t steps;         /* of every turn */
    /* Makes a turn's variables and its loop, in run->arena, which is released after the turn. */
    enum luc_status (*begin)(void *ctx, size_t turn, struct luc_rng rng, struct luc_paint *paint,
                             struct luc_loop **loop, struct luc_error *err);
    void *ctx;
    double before;       /* progress of the job before it */
    double share;        /* of the job's progress; 0: all */
    const uint8_t *lead; /* a picture of the same size before the others on sheets; NULL: none */
    /* filled by luc_series_run(), in run->arena */
    uint8_t *pictures; /* [n * each][height][width][3] */
    double *losses;    /* [n]: the last of each turn */
};

/* LUC_INVALID, naming "rate": a loss is no longer finite. LUC_NOMEM, LUC_CANCELLED, and what
 * begin() fails with. */
LUC_MUST_USE enum luc_status luc_series_run(struct luc_series *s, struct luc_error *err);

/* One picture itself, several as a sheet of `columns` (0: about a square). The caller ends *image. */
LUC_MUST_USE enum luc_status luc_series_sheet(const struct luc_series *s, size_t columns,
                                              struct luc_image *image, struct luc_error *err);

#endif
