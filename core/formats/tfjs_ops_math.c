/* TensorFlow graph operators that work element by element. */
#include "core/formats/tfjs_node.h"

#include <string.h>

static enum luc_status unary(struct tfjs_op *o, struct luc_error *err)
{
    size_t in = LUC_NONE;
    const enum luc_status st = luc_tfjs_as_it_is(o, 0, &in, err);
    o->out = (struct tfjs_value){
        .value = LUC_NONE,
        .rank = o->in[0]->rank,
        .length = o->in[0]->length,
        .picture = o->in[0]->picture,
    };
    return st ? st : luc_tfjs_op_emit(o, o->arg, NULL, &in, 1, NULL, &o->out.value, err);
}

static enum luc_status activation(struct tfjs_op *o, struct luc_error *err)
{
    const double alpha = luc_tfjs_number(json_object_get(o->attr, "alpha"), "f", 0.2);
    struct tfjs_value v = *o->in[0];
    const enum luc_status st = luc_tfjs_as_it_is(o, 0, &v.value, err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = v.rank, .picture = v.picture };
    return st ? st : luc_tfjs_activation(o->b, o->arg, alpha, o->name, &v, &o->out.value, err);
}

static enum luc_status binary(struct tfjs_op *o, struct luc_error *err)
{
    size_t in[2];
    const enum luc_status st = luc_tfjs_together(o, 2, in, err);
    return st ? st : luc_tfjs_op_emit(o, o->arg, NULL, in, 2, NULL, &o->out.value, err);
}

static enum luc_status squared_difference(struct tfjs_op *o, struct luc_error *err)
{
    size_t in[2], d[2] = { LUC_NONE, LUC_NONE };
    enum luc_status st = luc_tfjs_together(o, 2, in, err);
    if (!st)
        st = luc_tfjs_op_emit(o, "Sub", "difference", in, 2, NULL, &d[0], err);
    d[1] = d[0];
    return st ? st : luc_tfjs_op_emit(o, "Mul", NULL, d, 2, NULL, &o->out.value, err);
}

static enum luc_status square(struct tfjs_op *o, struct luc_error *err)
{
    size_t in[2];
    const enum luc_status st = luc_tfjs_together(o, 1, in, err);
    in[1] = in[0];
    return st ? st : luc_tfjs_op_emit(o, "Mul", NULL, in, 2, NULL, &o->out.value, err);
}

static enum luc_status rsqrt(struct tfjs_op *o, struct luc_error *err)
{
    static const double one = 1;
    size_t x = LUC_NONE, in[2] = { LUC_NONE, LUC_NONE };
    enum luc_status st = luc_tfjs_together(o, 1, &x, err);
    if (!st)
        st = luc_tfjs_op_emit(o, "Sqrt", "root", &x, 1, NULL, &in[1], err);
    if (!st)
        st = luc_tfjs_numbers(o->b, o->name, "one", LUC_F32, &one, 1, 0, &in[0], err);
    return st ? st : luc_tfjs_op_emit(o, "Div", NULL, in, 2, NULL, &o->out.value, err);
}

static enum luc_status negate(struct tfjs_op *o, struct luc_error *err)
{
    static const double minus_one = -1;
    size_t in[2] = { LUC_NONE, LUC_NONE };
    enum luc_status st = luc_tfjs_together(o, 1, in, err);
    if (!st)
        st = luc_tfjs_numbers(o->b, o->name, "minus_one", LUC_F32, &minus_one, 1, 0, &in[1], err);
    return st ? st : luc_tfjs_op_emit(o, "Mul", NULL, in, 2, NULL, &o->out.value, err);
}

/* Against a constant scalar; arg is the place of the bound among Clip's inputs. */
static enum luc_status bound(struct tfjs_op *o, struct luc_error *err)
{
    double v = 0;
    size_t n = 0, in[3] = { LUC_NONE, LUC_NONE, LUC_NONE };
    const size_t at = *o->arg == '1' ? 1 : 2;
    enum luc_status st = luc_tfjs_known(o, 1, &v, 1, &n, err);
    if (!st && n != 1)
        st = luc_tfjs_refuse(o, "its second input must be one number", err);
    if (!st)
        st = luc_tfjs_together(o, 1, in, err);
    if (!st)
        st = luc_tfjs_numbers(o->b, o->name, "bound", LUC_F32, &v, 1, 0, &in[at], err);
    return st ? st : luc_tfjs_op_emit(o, "Clip", NULL, in, at + 1, NULL, &o->out.value, err);
}

static enum luc_status prelu(struct tfjs_op *o, struct luc_error *err)
{
    return binary(o, err);
}

const struct tfjs_op_row luc_tfjs_math_rows[] = {
    { "Add", 2, 2, binary, "Add" },
    { "AddV2", 2, 2, binary, "Add" },
    { "BiasAdd", 2, 2, binary, "Add" },
    { "Div", 2, 2, binary, "Div" },
    { "Identity", 1, 1, unary, "Identity" },
    { "LeakyRelu", 1, 1, activation, "leaky_relu" },
    { "Maximum", 2, 2, bound, "1" },
    { "Minimum", 2, 2, bound, "2" },
    { "Mul", 2, 2, binary, "Mul" },
    { "Neg", 1, 1, negate, NULL },
    { "Pow", 2, 2, binary, "Pow" },
    { "Prelu", 2, 2, prelu, "PRelu" },
    { "RealDiv", 2, 2, binary, "Div" },
    { "Relu", 1, 1, activation, "relu" },
    { "Relu6", 1, 1, activation, "relu6" },
    { "Rsqrt", 1, 1, rsqrt, NULL },
    { "Sigmoid", 1, 1, activation, "sigmoid" },
    { "Softmax", 1, 1, activation, "softmax" },
    { "Sqrt", 1, 1, unary, "Sqrt" },
    { "Square", 1, 1, square, NULL },
    { "SquaredDifference", 2, 2, squared_difference, NULL },
    { "StopGradient", 1, 1, unary, "Identity" },
    { "Sub", 2, 2, binary, "Sub" },
    { "Tanh", 1, 1, activation, "tanh" },
    { 0 },
};
