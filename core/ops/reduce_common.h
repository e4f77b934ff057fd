/* reduce_common.h -- what the Reduce* operators share: attributes, shapes, calls into core/kernels.
 *
 *   in   x     any shape
 *   in   axes  optional: which axes to fold; must be known before the run
 *   out  y     x's shape, those axes of size 1 or gone
 *   attr axes  in earlier opsets, instead of the input
 *   attr keepdims              1: folded axes stay, of size 1
 *   attr noop_with_empty_axes  1: without axes nothing is folded; else everything is
 */
#ifndef LUC_OPS_REDUCE_COMMON_H
#define LUC_OPS_REDUCE_COMMON_H

#include "core/kernels/reduce.h"
#include "core/ops/common.h"

struct luc_reduce_attrs {
    struct luc_ints axes;
    int64_t keepdims, noop_with_empty_axes;
};
extern const struct luc_param luc_reduce_attrs[];

enum luc_status luc_infer_reduce(struct luc_infer *x, struct luc_error *err);
/* Of a kind that picks: needs elements to pick from. */
enum luc_status luc_infer_reduce_some(struct luc_infer *x, struct luc_error *err);
size_t luc_scratch_reduce(const struct luc_infer *x, bool backward, size_t lanes);
uint32_t luc_reads_reduce_linear(const void *attrs, uint32_t wanted); /* the axes alone */
void luc_call_reduce(const struct luc_op_call *c, const struct luc_reduction *kind);
void luc_call_reduce_backward(const struct luc_op_call *c, const struct luc_reduction *kind);

#endif
