/* style.h -- the inside of the method style: its parameters, and what one run holds. For
 * method_style.c (runs), style_read.c (reads parameters) and style_state.c (checkpoints). */
#ifndef LUC_GENERATE_STYLE_H
#define LUC_GENERATE_STYLE_H

#include "core/ask/layer_list.h"
#include "core/generate/canvas.h"
#include "core/generate/loop.h"
#include "core/generate/schedule.h"
#include "core/run/method.h"

#define LUC_STYLES_MAX    8
#define LUC_STYLE_COLUMNS 5

enum luc_style_start { LUC_START_MOVED, LUC_START_CONTENT, LUC_START_NOISE };
enum luc_style_keep { LUC_KEEP_NONE, LUC_KEEP_LUMINANCE, LUC_KEEP_HISTOGRAM };

struct luc_style_params {
    char style_layers[LUC_TEXT_MAX], content_layer[LUC_TEXT_MAX];
    struct luc_reals layer_weights, style_weights;
    struct luc_ints sizes, steps;
    double beta, tv, rate, style_scale, time_budget_s;
    int64_t size, init, parametrisation, optimiser, preserve_color;
    struct luc_auto_int jitter;
};

extern const struct luc_param luc_style_rows[];

/* What was tried and looked at, by a layer name that tells the family of the network. */
struct luc_style_recipe {
    const char *probe, *style_layers, *content_layer;
    double beta;
    enum luc_paint_kind paint;
    enum luc_optimiser_kind optimiser;
    size_t jitter, steps;
};

/* One run, with everything that was "auto" decided. */
struct luc_style {
    struct luc_run *run;
    const struct luc_style_params *p;
    const struct luc_image *content;
    struct luc_style_recipe recipe;
    struct luc_layer_list layers; /* weights add up to 1 */
    size_t content_layer, n_styles;
    struct luc_schedule usual, plan; /* plan: usual, or as it fits time_budget_s */
    struct luc_optimiser_spec optimiser;
    double done; /* steps times pixels, for the progress */
    struct luc_table *table;
    double start_s, spent_s;     /* the clock at the start of this run; used by those before it */
    struct luc_rng size_rng;     /* as it was when the present size began */
    const unsigned char *resume; /* the loop's part of a checkpoint, for the first size that runs */
    size_t resume_size;
};

/* Fills in everything that follows from the parameters. Failures blame one of them. */
LUC_MUST_USE enum luc_status luc_style_read(struct luc_style *s, struct luc_error *err);
/* weights[i] as a share of all; 1/n where none are given. */
double luc_style_share(const double *weights, size_t given, size_t i, size_t n);

/* Saves where in the sizes the run is, the size before, and the loop's own state. */
void luc_style_save(const struct luc_style *s, size_t row, const struct luc_canvas *before,
                    const struct luc_loop *loop);
/* Where to go on: *row, and the picture before it. A checkpoint of another version or of other
 * parameters is left alone. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_style_restore(struct luc_style *s, size_t *row,
                                               struct luc_canvas *before, struct luc_error *err);

/* Seconds that this job has run, earlier runs of it included. */
double luc_style_seconds(const struct luc_style *s);

#endif
