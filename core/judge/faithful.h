/* faithful.h -- does the score follow the map? Pixels are taken away, or given back, in the order
 * that a map gives them, and the score is watched.
 *
 *   deletion    the most important pixels become `fill`, step by step: a good map's score falls at
 *               once. insertion: they replace a blurred picture: it rises at once. Both as the area
 *               under the curve of the score over the part of pixels, 0..1 for probabilities.
 *   ROAD        the most (morf) or the least (lerf) important part of the pixels is replaced by what
 *               its neighbours say (impute.h); road = mean of lerf - morf over the parts, higher is
 *               better, and no filling betrays the mask's shape.
 *
 * Signed maps go by their sign: what raises the score first, what lowers it last. For maps of
 * single pixels that costs insertion: integrated gradients on SqueezeNet, ten photographs, 0.16
 * signed, 0.22 by magnitude; the gradient's magnitude 0.26. PyTorch's, judged there, the same.
 *
 * Sources: Petsiuk et al. 2018, arXiv:1806.07421, section 4; Rong et al. 2022, arXiv:2202.00449.
 * Differs: equal values are taken in a fixed random order, not in that of the pixels.
 */
#ifndef LUC_JUDGE_FAITHFUL_H
#define LUC_JUDGE_FAITHFUL_H

#include "core/ask/fill.h"
#include "core/ask/watch.h"

struct luc_faithful; /* opaque; in the run's arena */

struct luc_faithful_spec {
    const struct luc_tensor *input; /* borrowed, as watch */
    struct luc_watch *watch;
    size_t steps;       /* of deletion and insertion; 1 at least */
    size_t parts;       /* of ROAD: 1/(parts+1), 2/(parts+1), ... of the pixels; 0: none */
    enum luc_fill fill; /* what is deleted shows */
    double sigma;       /* px; how far insertion's picture is blurred */
};

struct luc_curves {
    const double *deletion, *insertion; /* [steps + 1], from no pixel to all of them */
    const double *morf, *lerf;          /* [parts] */
    double deletion_auc, insertion_auc, road;
};

/* Forward passes of one luc_faithful_measure(). */
size_t luc_faithful_passes(const struct luc_faithful_spec *spec);

/* Everything that does not depend on the map. Draws from run->rng. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_faithful_open(struct luc_run *run,
                                               const struct luc_faithful_spec *spec,
                                               struct luc_faithful **f, struct luc_error *err);

/* Measures map[H * W] on the input's pixels; the curves stay valid until the next one. Errors of
 * luc_perturb_run(). */
LUC_MUST_USE enum luc_status luc_faithful_measure(struct luc_faithful *f, const float *map,
                                                  double from, double to, struct luc_curves *curves,
                                                  struct luc_error *err);

#endif
