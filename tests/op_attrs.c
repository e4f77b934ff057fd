#include "tests/op_attrs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

const void *op_attrs(const struct luc_op *op, const struct op_setting *s)
{
    static _Alignas(16) char space[4096];
    assert_true(op->attrs_size <= sizeof(space));
    luc_params_default(op->attrs, space);
    for (; s->key; s++)
        assert_int_equal(luc_param_set(op->attrs, s->key, s->value, space, NULL), LUC_OK);
    return space;
}
