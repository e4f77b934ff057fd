/* explainer.h -- a method asks another one for its map.
 *
 *     struct luc_explainer e;
 *     luc_explainer_find(run, "smoothgrad", "samples=10 noise=0.2", &e, err);
 *     luc_explainer_set(&e, "target", "281", err);
 *     luc_explainer_run(run, &e, &(struct luc_question){ .to = 0.5 }, &found, err);
 *     luc_explained_on(&found, &box, width, height, pixels, err);   luc_explained_done(&found);
 *
 * Methods never include one another: they find each other by name in luc_run.methods. The other one
 * runs as if it had been asked directly, with the same seed each time; it reports its progress and
 * is cancelled through this run, shows its previews, and leaves nothing in this run's result.
 */
#ifndef LUC_JUDGE_EXPLAINER_H
#define LUC_JUDGE_EXPLAINER_H

#include "core/run/method.h"
#include "core/tensor/resize.h"

#define LUC_SETTINGS_DOC "Parameters of that method, as KEY=VALUE with spaces between them"

struct luc_explainer {
    const struct luc_method *method;
    void *params;       /* in the run's arena */
    struct luc_rng rng; /* what every run of it starts with */
};

/* The method called `name`, which must give a map of one picture, with its defaults but for
 * `settings` ("": none), read by its own rows. Ask before drawing from run->rng. LUC_NOT_FOUND and
 * LUC_INVALID name the parameter "method", errors of the settings "params". */
LUC_MUST_USE enum luc_status luc_explainer_find(struct luc_run *run, const char *name,
                                                const char *settings, struct luc_explainer *e,
                                                struct luc_error *err);

/* Whether it has such a parameter. */
bool luc_explainer_takes(const struct luc_explainer *e, const char *key);
/* Errors of luc_param_set(). */
LUC_MUST_USE enum luc_status luc_explainer_set(struct luc_explainer *e, const char *key,
                                               const char *text, struct luc_error *err);

/* Every run of it explains this class, whatever the picture's likeliest is. */
LUC_MUST_USE enum luc_status luc_explainer_pin(struct luc_explainer *e, size_t class_index,
                                               struct luc_error *err);

struct luc_question {
    double from, to;                /* progress of this run that the other one's 0..1 becomes */
    const struct luc_model *model;  /* NULL: the run's own */
    const struct luc_tensor *given; /* as luc_run.given; NULL: the run's */
};

/* What it found, in memory of its own. */
struct luc_explained {
    struct luc_arena *arena;
    struct luc_result result;
    const struct luc_item *map; /* its first map */
    double passes;              /* what it cost, as luc_run.passes; this run's count has it too */
};

/* Everything but *found is given back before this returns. Errors of the method; those about a
 * parameter that this run's method may lack name "params". LUC_INVALID a map that is not finite. */
LUC_MUST_USE enum luc_status luc_explainer_run(struct luc_run *run, const struct luc_explainer *e,
                                               const struct luc_question *q,
                                               struct luc_explained *found, struct luc_error *err);
void luc_explained_done(struct luc_explained *found); /* fine on a zeroed one, and twice */

/* The map on a grid of width x height pixels over `part` of the upload (in its pixels), bilinear,
 * zero where the network saw nothing: out[height * width]. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_explained_on(const struct luc_explained *found,
                                              const struct luc_box *part, size_t width,
                                              size_t height, float *out, struct luc_error *err);
/* The same on the pixels of the network's input: out[in_height * in_width]. */
LUC_MUST_USE enum luc_status luc_explained_on_input(const struct luc_explained *found,
                                                    const struct luc_frame *frame, float *out,
                                                    struct luc_error *err);
/* A number it found, or `otherwise` where there is none. */
double luc_explained_number(const struct luc_explained *found, const char *key, double otherwise);

#endif
