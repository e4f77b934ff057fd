/* keep.h -- what a method found out about one picture, kept for later runs over the same picture.
 *
 *     luc_keep_name(run, "peaks 1", layer, name, err);
 *     for each picture:  bytes = luc_keep_find(run, i, name, &size);
 *                        if (!bytes) { compute;  luc_keep_put(run, i, name, bytes, size); }
 *
 * The bytes are the method's own: it checks what it gets back, since another version may have put
 * it, and goes on without it. Whoever runs the job keeps them by name and the picture's hash
 * (luc_run_hooks.recall and keep); without such hooks nothing is found.
 */
#ifndef LUC_SURVEY_KEEP_H
#define LUC_SURVEY_KEEP_H

#include "core/run/method.h"

#define LUC_KEEP_NAME 65 /* bytes, NUL included */

/* A name that depends on everything but the picture: what is computed (`kind`, with its version and
 * settings), the layer, the network's weights and preprocessing, fit and background. */
LUC_MUST_USE enum luc_status luc_keep_name(const struct luc_run *run, const char *kind,
                                           size_t layer, char name[LUC_KEEP_NAME],
                                           struct luc_error *err);

/* On the heap, to be freed; NULL: nothing is kept. */
void *luc_keep_find(const struct luc_run *run, size_t i, const char *name, size_t *size);
void luc_keep_put(const struct luc_run *run, size_t i, const char *name, const void *bytes,
                  size_t size);

#endif
