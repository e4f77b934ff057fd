/* survey.h -- where the channels of a layer answer most, in each picture of a run.
 *
 *     luc_survey_open();   the layer, its channels: what can be wrong is found here
 *     luc_survey_run();    each() once per picture, in order
 *
 * Pictures go through the network several at once, are dropped as soon as they are in, and what was
 * found is kept (keep.h): a second survey of the same layer with as many peaks runs no network.
 */
#ifndef LUC_SURVEY_SURVEY_H
#define LUC_SURVEY_SURVEY_H

#include "core/model/layers.h"
#include "core/survey/keep.h"

struct luc_peak {
    float value;
    uint32_t at; /* row * width + column in the layer's map */
};

/* One picture. */
struct luc_seen {
    size_t image;
    struct luc_frame frame;
    const struct luc_field *field; /* of the layer, for the frame's size */
    size_t height, width;          /* of the layer's maps; 1, 1 where it has none */
    size_t n_peaks;                /* of each channel: as many as asked, or all units it has */
    const struct luc_peak *peaks;  /* [n_channels][n_peaks], strongest first; of equals the first */
};

struct luc_survey {
    struct luc_run *run;
    size_t layer, n_channels;
    size_t n_peaks; /* per channel and picture */
    char name[LUC_KEEP_NAME];
    struct luc_field field;
    size_t in_width, in_height; /* that `field` is for */
    size_t n_computed, n_kept;  /* pictures that went through the network, or were known */
};

/* LUC_NOT_FOUND the layer; LUC_SHAPE: it is not made of channels of one picture. Both name the
 * parameter "layer". */
LUC_MUST_USE enum luc_status luc_survey_open(struct luc_run *run, const char *layer, size_t n_peaks,
                                             struct luc_survey *survey, struct luc_error *err);

typedef enum luc_status luc_survey_each(void *ctx, const struct luc_seen *seen,
                                        struct luc_error *err);
/* Progress goes from 0 to `to`. LUC_INVALID an answer that is not finite; LUC_CANCELLED; errors of
 * each(). */
LUC_MUST_USE enum luc_status luc_survey_run(struct luc_survey *survey, double to,
                                            luc_survey_each *each, void *ctx,
                                            struct luc_error *err);

#endif
