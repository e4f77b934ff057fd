/* common.h -- what several operators share: checks for infer(), and forward() and backward() of
 * element-wise operators in terms of core/kernels.
 */
#ifndef LUC_OPS_COMMON_H
#define LUC_OPS_COMMON_H

#include "core/kernels/binary.h"
#include "core/kernels/map.h"
#include "core/kernels/softmax.h"
#include "core/ops/op.h"

/* --- infer() --- */

/* LUC_INVALID when one of the first n inputs was left out. */
LUC_MUST_USE enum luc_status luc_infer_need(const struct luc_infer *x, size_t n,
                                            struct luc_error *err);
/* out[0] has in[0]'s shape and dtype. */
enum luc_status luc_infer_same(struct luc_infer *x, struct luc_error *err);
/* The same; LUC_UNSUPPORTED when in[0] holds integers. */
enum luc_status luc_infer_same_float(struct luc_infer *x, struct luc_error *err);
/* out[0] is all inputs broadcast together; integers only when all are. */
enum luc_status luc_infer_broadcast(struct luc_infer *x, struct luc_error *err);
/* The same, holding truth values. */
enum luc_status luc_infer_truth(struct luc_infer *x, struct luc_error *err);

/* Is input i given? */
static inline bool luc_infer_has(const struct luc_infer *x, size_t i)
{
    return i < x->n_in && x->in[i] != NULL;
}
static inline bool luc_call_has(const struct luc_op_call *c, size_t i)
{
    return i < c->n_in && c->in[i] != NULL;
}

/* `axis` of something of `rank` dimensions, negative counted from the end. LUC_SHAPE. */
LUC_MUST_USE enum luc_status luc_infer_axis(int64_t axis, size_t rank, size_t *to,
                                            struct luc_error *err);
/* The same for several; LUC_SHAPE also when one comes twice. chosen[] is true for those named. */
LUC_MUST_USE enum luc_status luc_infer_axes(const struct luc_ints *axes, size_t rank,
                                            bool chosen[LUC_MAX_RANK], struct luc_error *err);
/* The integers that input i, of rank 0 or 1, holds. LUC_UNSUPPORTED when they are not known while
 * planning; the message calls them `what`. */
LUC_MUST_USE enum luc_status luc_infer_ints(const struct luc_infer *x, size_t i, const char *what,
                                            struct luc_ints *to, struct luc_error *err);
/* The axes of Squeeze and Unsqueeze: input 1 where it is given, else the attribute. */
LUC_MUST_USE enum luc_status luc_infer_axes_given(const struct luc_infer *x,
                                                  const struct luc_ints *attribute,
                                                  struct luc_ints *to, struct luc_error *err);
/* Input i as the reals it holds; the same errors. */
LUC_MUST_USE enum luc_status luc_infer_reals(const struct luc_infer *x, size_t i, const char *what,
                                             struct luc_reals *to, struct luc_error *err);

/* A shape from its sizes. LUC_SHAPE when one is negative, LUC_TOO_LARGE, LUC_UNSUPPORTED rank. */
LUC_MUST_USE enum luc_status luc_infer_sizes(const struct luc_ints *sizes, const char *what,
                                             struct luc_shape *to, struct luc_error *err);

#define LUC_NO_AXIS (-9) /* default of an axis attribute that must be given, or depends */

/* Attributes of Softmax and LogSoftmax. */
struct luc_softmax_attrs {
    int64_t axis;
};
extern const struct luc_param luc_softmax_attrs[];
enum luc_status luc_infer_softmax(struct luc_infer *x, struct luc_error *err);
/* Their forward and backward; `log`: LogSoftmax. */
void luc_call_softmax(const struct luc_op_call *c, bool log);
void luc_call_softmax_backward(const struct luc_op_call *c, bool log);

/* What infer() read, again in forward(): empty when the input is absent. */
struct luc_ints luc_call_ints(const struct luc_op_call *c, size_t i);
struct luc_reals luc_call_reals(const struct luc_op_call *c, size_t i);

/* A whole float as an integer; far away ones become INT64_MIN and INT64_MAX. */
int64_t luc_to_int(float v);
/* v as an integer of `type` would hold it: 8 and 16 bits wrap. Other types: unchanged. */
void luc_wrap_ints(enum luc_dtype type, float *v, size_t n);

/* Where an index from a tensor points among n elements, n at least 1: negative from the end, outside
 * the nearest. */
size_t luc_index_at(float v, size_t n);
/* Indices in [-n, n) where they are known while planning. LUC_RANGE, LUC_SHAPE. */
LUC_MUST_USE enum luc_status luc_infer_indices(const struct luc_info *list, size_t n,
                                               struct luc_error *err);

/* A shape seen from one of its axes; `axis` as in an attribute that infer() has checked. */
struct luc_along {
    size_t axis, outer, n, inner;
};
struct luc_along luc_along(const struct luc_shape *s, int64_t axis);

/* --- forward() and backward() --- */

static inline bool luc_call_fresh(const struct luc_op_call *c, size_t i)
{
    return c->din_fresh && c->din_fresh[i];
}
/* Zeroes din[i] where it holds garbage, for a backward that only adds. */
void luc_call_clear(const struct luc_op_call *c, size_t i);

void luc_call_map(const struct luc_op_call *c, luc_map_fn *f);
void luc_call_map_backward(const struct luc_op_call *c, luc_map_grad *g);
void luc_call_binary(const struct luc_op_call *c, luc_binary_fn *f);
/* The gradient of in[i], one of the operator's two inputs; nothing when it is not wanted. */
void luc_call_binary_backward(const struct luc_op_call *c, size_t i, luc_binary_grad *g);
/* out[0] = f(f(in[0], in[1]), in[2]) ..., broadcast. */
void luc_call_fold(const struct luc_op_call *c, luc_binary_fn *f);
/* din[k] += factor * dout[0], summed over what was broadcast; nothing when it is not wanted. */
void luc_call_fold_backward(const struct luc_op_call *c, size_t k, float factor);
/* Backward of Max and Min: the first input that equals out[0] gets the gradient. */
void luc_call_extreme_backward(const struct luc_op_call *c);
size_t luc_scratch_extreme(const struct luc_infer *x, bool backward, size_t lanes);
void luc_call_copy(const struct luc_op_call *c); /* out[0] = in[0], the same bytes */
/* out[0] = in[0] as out[0]'s type holds it, and its gradient: between real numbers only. */
void luc_call_cast(const struct luc_op_call *c);
void luc_call_cast_backward(const struct luc_op_call *c);
void luc_call_copy_backward(const struct luc_op_call *c);

/* reads() of those whose backward needs no input and no output. */
uint32_t luc_reads_nothing(const void *attrs, uint32_t wanted);
uint32_t luc_reads_out(const void *attrs, uint32_t wanted);
uint32_t luc_reads_in0(const void *attrs, uint32_t wanted);

#endif
