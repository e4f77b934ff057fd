/* scatter_common.h -- what operators share whose indices say where single elements or slices go.
 *
 * By element (ScatterElements, GatherElements): in[1] has x's rank, and each of its numbers takes the
 * place of the coordinate along `axis`. By slice (ScatterND, GatherND): the last axis of in[1] holds
 * the leading coordinates of a slice of x.
 */
#ifndef LUC_OPS_SCATTER_COMMON_H
#define LUC_OPS_SCATTER_COMMON_H

#include "core/ops/common.h"

struct luc_along_attrs {
    int64_t axis, reduction;
};
extern const struct luc_param luc_gather_elements_attrs[]; /* without reduction */
extern const struct luc_param luc_scatter_elements_attrs[];

/* What becomes of y's element where something is scattered to. */
enum luc_reduction_kind {
    LUC_SCATTER_NONE,
    LUC_SCATTER_ADD,
    LUC_SCATTER_MUL,
    LUC_SCATTER_MAX,
    LUC_SCATTER_MIN
};
extern const char *const luc_scatter_names[];

/* `indices` fits `x` and is in bounds where known. LUC_SHAPE, LUC_RANGE. */
LUC_MUST_USE enum luc_status luc_infer_along(const struct luc_infer *x, const struct luc_shape *in,
                                             const struct luc_shape *indices,
                                             struct luc_error *err);
/* Where element i of in[1] points in in[0]. */
size_t luc_place_along(const struct luc_op_call *c, size_t i);

/* ScatterElements, whole. */
enum luc_status luc_infer_scatter_elements(struct luc_infer *x, struct luc_error *err);
void luc_call_scatter_elements(const struct luc_op_call *c);
void luc_call_scatter_elements_backward(const struct luc_op_call *c);
uint32_t luc_reads_in1(const void *attrs, uint32_t wanted);

/* Slices: in[1]'s last axis names `depth` coordinates after `batch` shared leading axes. */
struct luc_slices {
    size_t batch, depth, n, size; /* slices in all, elements of one */
};
LUC_MUST_USE enum luc_status luc_infer_slices(const struct luc_infer *x, size_t batch,
                                              struct luc_slices *s, struct luc_error *err);
struct luc_slices luc_slices_of(const struct luc_op_call *c, size_t batch);
/* Where slice i begins in in[0]. */
size_t luc_place_slice(const struct luc_op_call *c, const struct luc_slices *s, size_t i);

/* y = y, v together as the reduction says. */
void luc_scatter_into(float *y, float v, int64_t reduction);

#endif
