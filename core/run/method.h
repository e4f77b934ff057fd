/* method.h -- what it takes to be a method, and the services one run offers it.
 *
 * A method is one file and one row in api/methods.def. It reads its parameters, asks the model, and
 * puts what it found into a result: maps, pictures, numbers, tables. How a map is drawn, encoded or
 * turned into JSON, where parameters come from, and who waits for the answer is not its business.
 */
#ifndef LUC_RUN_METHOD_H
#define LUC_RUN_METHOD_H

#include "core/base/rng.h"
#include "core/graph/exec.h"
#include "core/model/model.h"
#include "core/run/result.h"

/* Parameters that several methods share; a method lists the groups it uses. */
enum luc_group {
    LUC_GROUP_INPUT = 1, /* model, fit, background: methods that look at an upload */
    LUC_GROUP_VIEW = 2,  /* view, colormap, alpha, clip_percentile: methods that return a map */
    LUC_GROUP_SEED = 4,  /* seed: methods that use luc_run.rng */
    LUC_GROUP_COLLECTION = 8, /* collection: methods that take one in place of uploads */
};

struct luc_input_params { /* rows: luc_input_rows */
    char model[LUC_TEXT_MAX], background[LUC_TEXT_MAX];
    int64_t fit; /* 0: the model's own, else 1 + enum luc_fit */
};

extern const struct luc_param luc_input_rows[];

/* "#rrggbb", "white", "black" or "gray" into rgb. LUC_INVALID. */
LUC_MUST_USE enum luc_status luc_colour_parse(const char *text, uint8_t rgb[3],
                                              struct luc_error *err);

#define LUC_MODELS_MAX 16

struct luc_method;

/* What whoever runs a long job offers it. Any function may be NULL; what a run finds does not depend
 * on them. A loop of steps uses them so, after each step:
 *
 *     luc_run_report(run, step, n_steps, loss);
 *     if (luc_run_wants_preview(run))     make a picture;  luc_run_preview(run, &picture);
 *     if (luc_run_wants_checkpoint(run))  luc_loop_save(); luc_run_save(run, bytes, size);
 *     st = luc_run_tick(run, progress, err);
 *
 * and before the first one goes on from luc_run_checkpoint(), when there is one. */
struct luc_run_hooks {
    void *ctx;
    double (*now)(void *ctx); /* seconds; NULL: a clock that nobody sets */
    void (*report)(void *ctx, size_t step, size_t n_steps, double loss);
    bool (*wants_preview)(void *ctx); /* pictures and checkpoints cost time: ask first */
    void (*preview)(void *ctx, const struct luc_image *picture); /* borrows */
    bool (*wants_checkpoint)(void *ctx);
    void (*save)(void *ctx, const void *bytes, size_t size); /* borrows */
    const void *checkpoint; /* the newest that an earlier run of this job saved, or NULL */
    size_t checkpoint_size;
    /* What earlier runs of any job kept of a picture: core/survey/keep.h. */
    void *(*recall)(void *ctx, size_t i, const char *name, size_t *size); /* heap; NULL: nothing */
    void (*keep)(void *ctx, size_t i, const char *name, const void *bytes, size_t size);
};

/* What is known of a picture besides its pixels; any may be "". */
struct luc_about {
    const char *sha256, *name, *label;
};

/* Where the pictures of a run come from: decoded when they are asked for, so that a run over many
 * needs the memory of a few. */
struct luc_source {
    void *ctx;
    /* Picture i, RGB; it stays until it is dropped or the run has ended. */
    enum luc_status (*get)(void *ctx, size_t i, const struct luc_image **image,
                           struct luc_error *err);
    void (*drop)(void *ctx, size_t i);              /* may be NULL */
    struct luc_about (*about)(void *ctx, size_t i); /* may be NULL */
};

/* A source of pictures that are decoded already and outlive the run: images[i]. */
struct luc_source luc_source_of(const struct luc_image *images);

/* One run of one method. Filled by the caller of luc_method_run(), read by the method. */
struct luc_run {
    const struct luc_model *model;
    /* All networks that were named, of which `model` is the first; n_models 0: only that one. */
    const struct luc_model *const *models;
    size_t n_models;
    struct luc_source pictures; /* the uploads, in the order they came */
    size_t n_images;
    const struct luc_input_params *input;
    struct luc_arena *arena; /* bounded; everything the run allocates */
    const struct luc_threads *threads;
    struct luc_rng rng;
    struct luc_result *result;
    /* May be NULL. False: the job was cancelled. */
    bool (*tick)(void *ctx, double progress);
    void *tick_ctx;
    const struct luc_run_hooks *hooks; /* may be NULL */
    /* Every method there is, ended by NULL: core/judge/explainer.h. May be NULL: none. */
    const struct luc_method *const *methods;
    /* What luc_run_input() answers for image 0 in place of the image itself, of the size that the
     * image would have there; NULL: nothing. */
    const struct luc_tensor *given;
    double passes; /* of the network so far: one forward, two backward; what the services count */
};

/* Reports progress in [0, 1]; LUC_CANCELLED when the job was cancelled. Every loop whose body runs
 * the network calls this once per turn. */
LUC_MUST_USE enum luc_status luc_run_tick(struct luc_run *run, double progress,
                                          struct luc_error *err);

/* A dry run finds out how much memory a run will need: its arenas are dry (arena.h), its pictures
 * are zeros, executors compute nothing. It takes the same way as the real one, so that it allocates
 * the same; a loop whose turns all need the same memory takes one turn only:
 *
 *     for (size_t i = 0; !st && i < luc_run_turns(run, n); i++)
 *
 * What a dry run finds means nothing, and so do its failures but for LUC_NOMEM and names that the
 * model does not have. */
bool luc_run_is_dry(const struct luc_run *run);
size_t luc_run_turns(const struct luc_run *run, size_t n);

/* The hooks of `run`, or nothing where it has none. */
double luc_run_now(const struct luc_run *run);
void luc_run_report(const struct luc_run *run, size_t step, size_t n_steps, double loss);
bool luc_run_wants_preview(const struct luc_run *run);
void luc_run_preview(const struct luc_run *run, const struct luc_image *picture);
bool luc_run_wants_checkpoint(const struct luc_run *run);
void luc_run_save(const struct luc_run *run, const void *bytes, size_t size);
/* The checkpoint to go on from, or NULL. It may be of another version of the program: one that
 * cannot be restored is ignored, and the run starts from the beginning. */
const void *luc_run_checkpoint(const struct luc_run *run, size_t *size);

/* Picture i < n_images, borrowed; it stays until luc_run_drop() or the end of the run. LUC_FORMAT,
 * LUC_NOMEM; LUC_TOO_LARGE: with those that were not dropped it is more than the job may hold. */
LUC_MUST_USE enum luc_status luc_run_image(struct luc_run *run, size_t i,
                                           const struct luc_image **image, struct luc_error *err);
/* Picture i is not needed now; asked for again, it is decoded again. A method that takes more than a
 * handful of pictures drops each when it has done with it. */
void luc_run_drop(struct luc_run *run, size_t i);
struct luc_about luc_run_about(const struct luc_run *run, size_t i);

/* What the network sees of a picture of this size, by the run's fit. */
LUC_MUST_USE enum luc_status luc_run_frame(const struct luc_run *run, const struct luc_image *image,
                                           struct luc_frame *frame, struct luc_error *err);
/* Picture `i` as the network wants it, by the run's fit. *input lives in the run's arena. */
LUC_MUST_USE enum luc_status luc_run_input(struct luc_run *run, size_t i, struct luc_frame *frame,
                                           struct luc_tensor *input, struct luc_error *err);

/* A question to the network: what is read, where gradients come in, with respect to what. */
struct luc_ask {
    const size_t *taps, *seeds, *wrt;
    size_t n_taps, n_seeds, n_wrt;
    bool backward_again;
    bool fast; /* luc_plan_spec.fast: for pictures, not for explanations */
};
/* The plan of a question to pictures of the shape `input`, in the run's arena. */
LUC_MUST_USE enum luc_status luc_run_plan(struct luc_run *run, const struct luc_shape *input,
                                          const struct luc_ask *ask, const struct luc_plan **plan,
                                          struct luc_error *err);
/* One picture: plans, allocates, copies the input in and runs forward. */
LUC_MUST_USE enum luc_status luc_run_forward(struct luc_run *run, const struct luc_tensor *input,
                                             const struct luc_ask *ask, struct luc_exec **exec,
                                             struct luc_error *err);

struct luc_method {
    const char *name;    /* [a-z0-9-]+; URL segment and CLI subcommand */
    const char *title;   /* for people */
    const char *summary; /* what the picture shows, one or two sentences */
    const char *paper;   /* authors, year, arXiv id or DOI; "" */
    unsigned groups;     /* enum luc_group */
    size_t images_min, images_max;
    size_t models_max;  /* networks in one request, at most LUC_MODELS_MAX; 0 means 1 */
    bool needs_classes; /* the model must be a classifier */
    bool makes_picture; /* the main result is a picture; those of LUC_GROUP_VIEW make a map */
    bool asks_others;   /* it runs a method of the user's choice, so none may run it */
    const char *model;  /* the network asked by default; NULL: the server's default */
    size_t params_size;
    const struct luc_param *params; /* own rows; NULL: none */

    /* LUC_CANCELLED, LUC_NOMEM and what the method's comment lists. */
    enum luc_status (*run)(struct luc_run *run, const void *params, struct luc_error *err);
};

/* Checks what the method asks of the run (number of images, a classifier), then runs it. `params`
 * points to method->params_size bytes. */
LUC_MUST_USE enum luc_status luc_method_run(const struct luc_method *method, struct luc_run *run,
                                            const void *params, struct luc_error *err);

#endif
