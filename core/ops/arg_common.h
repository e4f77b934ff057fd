/* arg_common.h -- what ArgMax and ArgMin share. */
#ifndef LUC_OPS_ARG_COMMON_H
#define LUC_OPS_ARG_COMMON_H

#include "core/ops/common.h"

struct luc_arg_attrs {
    int64_t axis, keepdims, select_last_index;
};
extern const struct luc_param luc_arg_attrs[];

enum luc_status luc_infer_arg(struct luc_infer *x, struct luc_error *err);
/* sign 1: of the largest number, -1: of the smallest. */
void luc_call_arg(const struct luc_op_call *c, float sign);

#endif
