/* resolve.h -- from a description to the values of a graph: the picture input, the logits, aliases.
 * Internal to core/model. */
#ifndef LUC_MODEL_RESOLVE_H
#define LUC_MODEL_RESOLVE_H

#include "core/graph/infer.h"
#include "core/model/describe.h"

#define LUC_ANY_SIDE 224 /* pixels; stands for "any size" where shapes of an example are wanted */

/* Checks the graph's input against m->in (whose size it completes) and sets m->input. */
LUC_MUST_USE enum luc_status luc_resolve_input(struct luc_model *m, const struct luc_description *d,
                                               struct luc_error *err);
/* Sets m->logits. Call it before the graph is optimised. */
LUC_MUST_USE enum luc_status luc_resolve_logits(struct luc_model *m, struct luc_error *err);
/* Sets m->aliases from the description. Call it before the graph is optimised. */
LUC_MUST_USE enum luc_status
luc_resolve_aliases(struct luc_model *m, const struct luc_description *d, struct luc_error *err);
/* Counts a classifier's classes, and gives it the alias "last_conv" when the description did not:
 * going up from the logits, the first value that is still a picture, before any pooling. */
LUC_MUST_USE enum luc_status luc_resolve_classes(struct luc_model *m, const struct luc_infos *x,
                                                 struct luc_error *err);
/* Infers what can be inferred for one picture of this size; values it cannot are left out. */
LUC_MUST_USE enum luc_status luc_resolve_shapes(const struct luc_model *m, size_t height,
                                                size_t width, struct luc_arena *arena,
                                                struct luc_infos *x, struct luc_error *err);

#endif
