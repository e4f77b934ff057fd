/* Convolutions, pooling, padding and activations, for both front ends of the reader. */
#include "core/formats/tfjs_parts.h"

#include <string.h>

static enum luc_status kernel_constant(struct tfjs_build *b, enum tfjs_kernel kind,
                                       const struct tfjs_weight *k, size_t *value,
                                       struct luc_error *err)
{
    static const size_t last_first[] = { 3, 2, 0, 1 }, depthwise[] = { 2, 3, 0, 1 };
    const size_t *d = k->shape.dim;
    const struct luc_shape shape = kind == TFJS_DEPTHWISE ? luc_shape4(d[2] * d[3], 1, d[0], d[1])
                                                          : luc_shape4(d[3], d[2], d[0], d[1]);
    return luc_tfjs_constant(b, k, kind == TFJS_DEPTHWISE ? depthwise : last_first, &shape, value,
                             err);
}

static struct tfjs_attr pair(const char *key, const double v[2])
{
    return (struct tfjs_attr){ key, 2, { v[0], v[1] }, NULL };
}

static struct tfjs_attr padding_attr(const struct tfjs_window *win)
{
    if (win->padding == TFJS_EXPLICIT)
        return (struct tfjs_attr){
            "pads", 4, { win->pads[0], win->pads[1], win->pads[2], win->pads[3] }, NULL
        };
    return (struct tfjs_attr){
        "auto_pad", 0, { 0 }, win->padding == TFJS_SAME ? "SAME_UPPER" : "VALID"
    };
}

/* TensorFlow's transposed convolution puts out in * stride (SAME) or as much more as the kernel is
 * longer than the stride (VALID): pads cut what is too much, output_padding adds what is missing. */
static void transposed_padding(const struct tfjs_window *win, struct tfjs_attr *pads,
                               struct tfjs_attr *extra)
{
    *pads = (struct tfjs_attr){ "pads", 4, { 0 }, NULL };
    *extra = (struct tfjs_attr){ "output_padding", 2, { 0 }, NULL };
    for (size_t i = 0; i < 2; i++) {
        const double over = win->dilations[i] * (win->kernel[i] - 1) + 1 - win->strides[i];
        if (over < 0)
            extra->v[i] = -over;
        if (over > 0 && win->padding == TFJS_SAME) {
            const double before = (double)(size_t)(over / 2);
            pads->v[i] = before;
            pads->v[i + 2] = over - before;
        }
    }
}

enum luc_status luc_tfjs_conv(struct tfjs_build *b, const char *name, const char *suffix,
                              enum tfjs_kernel kind, struct tfjs_value *x,
                              const struct tfjs_weight *kernel, const struct tfjs_weight *bias,
                              struct tfjs_window *win, size_t *out, struct luc_error *err)
{
    if (kernel->shape.rank != 4 || luc_numel(&kernel->shape) == 0)
        return luc_fail(err, LUC_FORMAT, "'%.80s': the kernel must have 4 dimensions", name);
    const struct tfjs_weight *w = kernel;
    win->kernel[0] = (double)w->shape.dim[0];
    win->kernel[1] = (double)w->shape.dim[1];
    struct tfjs_value vector = { .value = LUC_NONE, .weight = bias, .rank = 1 };
    size_t in[3] = { LUC_NONE, LUC_NONE, LUC_NONE };
    enum luc_status st = luc_tfjs_as_picture(b, name, x, &in[0], err);
    if (!st)
        st = kernel_constant(b, kind, w, &in[1], err);
    if (!st && bias)
        st = luc_tfjs_as_plain(b, name, &vector, &in[2], err);
    if (st)
        return st;
    struct tfjs_attr attrs[] = {
        pair("strides", win->strides),
        pair("dilations", win->dilations),
        pair("kernel_shape", win->kernel),
        { "group", 1, { kind == TFJS_DEPTHWISE ? (double)w->shape.dim[2] : 1 }, NULL },
        padding_attr(win),
        { 0 },
        { 0 },
    };
    if (kind == TFJS_TRANSPOSED)
        transposed_padding(win, &attrs[4], &attrs[5]);
    return luc_tfjs_emit(b, kind == TFJS_TRANSPOSED ? "ConvTranspose" : "Conv", name, suffix, in,
                         bias ? 3 : 2, attrs, out, err);
}

enum luc_status luc_tfjs_pool(struct tfjs_build *b, const char *op, const char *name,
                              struct tfjs_value *x, const struct tfjs_window *win, size_t *out,
                              struct luc_error *err)
{
    const struct tfjs_attr attrs[] = {
        pair("kernel_shape", win->kernel),
        pair("strides", win->strides),
        padding_attr(win),
        { 0 },
    };
    size_t in = LUC_NONE;
    const enum luc_status st = luc_tfjs_as_picture(b, name, x, &in, err);
    return st ? st : luc_tfjs_emit(b, op, name, NULL, &in, 1, attrs, out, err);
}

enum luc_status luc_tfjs_pad(struct tfjs_build *b, const char *name, const char *mode, double fill,
                             struct tfjs_value *x, double pads[][2], size_t *out,
                             struct luc_error *err)
{
    double v[2 * LUC_MAX_RANK];
    for (size_t i = 0; i < x->rank; i++) {
        const size_t axis = x->picture ? luc_tfjs_picture_axis(i) : i;
        v[axis] = pads[i][0];
        v[axis + x->rank] = pads[i][1];
    }
    const struct tfjs_attr attrs[] = { { "mode", 0, { 0 }, mode }, { 0 } };
    size_t in[3] = { x->value, LUC_NONE, LUC_NONE };
    enum luc_status st = luc_tfjs_numbers(b, name, "pads", LUC_I64, v, 2 * x->rank, 1, &in[1], err);
    if (!st && fill != 0)
        st = luc_tfjs_numbers(b, name, "fill", LUC_F32, &fill, 1, 0, &in[2], err);
    return st ? st : luc_tfjs_emit(b, "Pad", name, NULL, in, fill != 0 ? 3 : 2, attrs, out, err);
}

bool luc_tfjs_is_activation(const char *kind)
{
    static const char *const known[] = { "linear", "relu",    "relu6",     "sigmoid",
                                         "tanh",   "softmax", "leaky_relu" };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i], kind) == 0)
            return true;
    return false;
}

static enum luc_status clip_06(struct tfjs_build *b, const char *name, size_t in, size_t *out,
                               struct luc_error *err)
{
    static const double zero = 0, six = 6;
    size_t ins[3] = { in, LUC_NONE, LUC_NONE };
    enum luc_status st = luc_tfjs_numbers(b, name, "min", LUC_F32, &zero, 1, 0, &ins[1], err);
    if (!st)
        st = luc_tfjs_numbers(b, name, "max", LUC_F32, &six, 1, 0, &ins[2], err);
    return st ? st : luc_tfjs_emit(b, "Clip", name, NULL, ins, 3, NULL, out, err);
}

enum luc_status luc_tfjs_activation(struct tfjs_build *b, const char *kind, double alpha,
                                    const char *name, const struct tfjs_value *v, size_t *out,
                                    struct luc_error *err)
{
    const struct tfjs_attr axis[] = { { "axis", 1, { v->picture ? 1 : -1 }, NULL }, { 0 } };
    const struct tfjs_attr slope[] = { { "alpha", 1, { alpha }, NULL }, { 0 } };
    static const struct {
        const char *kind, *op;
    } plain[] = {
        { "linear", "Identity" }, { "relu", "Relu" }, { "sigmoid", "Sigmoid" }, { "tanh", "Tanh" }
    };
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (strcmp(kind, plain[i].kind) == 0)
            return luc_tfjs_emit(b, plain[i].op, name, NULL, &v->value, 1, NULL, out, err);
    if (strcmp(kind, "relu6") == 0)
        return clip_06(b, name, v->value, out, err);
    if (strcmp(kind, "softmax") == 0)
        return luc_tfjs_emit(b, "Softmax", name, NULL, &v->value, 1, axis, out, err);
    if (strcmp(kind, "leaky_relu") == 0)
        return luc_tfjs_emit(b, "LeakyRelu", name, NULL, &v->value, 1, slope, out, err);
    return luc_fail(err, LUC_UNSUPPORTED, "'%.80s': activation '%.40s' is not supported", name,
                    kind);
}
