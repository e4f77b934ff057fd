/* op_attrs.h -- attributes by name in tests, as a model reader would set them. */
#ifndef TESTS_OP_ATTRS_H
#define TESTS_OP_ATTRS_H

#include "core/ops/op.h"

struct op_setting {
    const char *key, *value;
};

/* SET({ "group", "2" }, { "pads", "1,1" }, ) */
#define SET(...) ((const struct op_setting[]){ __VA_ARGS__{ NULL, NULL } })

/* The operator's defaults, changed by s. One at a time: the next call overwrites. */
const void *op_attrs(const struct luc_op *op, const struct op_setting *s);

#endif
