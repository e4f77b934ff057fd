/* TensorFlow graph operators that know pictures, and what may be fused behind a product. */
#include "core/formats/tfjs_node.h"

#include <math.h>
#include <string.h>

static enum luc_status check_layout(const struct tfjs_op *o, struct luc_error *err)
{
    char text[16];
    return luc_tfjs_attr_text(o->attr, "data_format", text, sizeof(text)) &&
                   strcmp(text, "NHWC") != 0
               ? luc_tfjs_refuse(o, "data_format must be NHWC", err)
               : LUC_OK;
}

/* The middle two of a list like [1, y, x, 1]. */
static enum luc_status middle(const struct tfjs_op *o, const char *key, double v[2],
                              struct luc_error *err)
{
    double list[4] = { 1, 1, 1, 1 };
    const size_t n = luc_tfjs_attr_ints(o->attr, key, list, 4);
    if ((n != 4 && n != 0) || list[0] != 1 || list[3] != 1 ||
        !(list[1] >= 1 && list[1] <= 65536 && list[2] >= 1 && list[2] <= 65536))
        return luc_fail(err, LUC_UNSUPPORTED, "node '%.80s': %s must be like [1, y, x, 1]", o->name,
                        key);
    v[0] = list[1];
    v[1] = list[2];
    return LUC_OK;
}

static enum luc_status read_window(const struct tfjs_op *o, struct tfjs_window *win,
                                   struct luc_error *err)
{
    char padding[16] = "";
    double pads[8] = { 0 };
    *win = (struct tfjs_window){ .dilations = { 1, 1 }, .kernel = { 1, 1 } };
    luc_tfjs_attr_text(o->attr, "padding", padding, sizeof(padding));
    if (strcmp(padding, "SAME") == 0)
        win->padding = TFJS_SAME;
    else if (strcmp(padding, "EXPLICIT") == 0)
        win->padding = TFJS_EXPLICIT;
    else if (strcmp(padding, "VALID") != 0)
        return luc_tfjs_refuse(o, "padding must be SAME, VALID or EXPLICIT", err);
    if (win->padding == TFJS_EXPLICIT &&
        luc_tfjs_attr_ints(o->attr, "explicit_paddings", pads, 8) != 8)
        return luc_tfjs_refuse(o, "explicit_paddings must hold 8 numbers", err);
    win->pads[0] = pads[2], win->pads[1] = pads[4];
    win->pads[2] = pads[3], win->pads[3] = pads[5];
    enum luc_status st = check_layout(o, err);
    if (!st)
        st = middle(o, "strides", win->strides, err);
    if (!st)
        st = middle(o, "dilations", win->dilations, err);
    return st ? st : middle(o, "ksize", win->kernel, err);
}

/* What _FusedConv2D does after the convolution. */
struct fused {
    bool bias;
    const char *activation; /* "linear" when there is none, "prelu" */
};

static enum luc_status read_fused(const struct tfjs_op *o, struct fused *f, struct luc_error *err)
{
    static const struct {
        const char *name, *kind;
    } kinds[] = { { "Relu", "relu" },       { "Relu6", "relu6" }, { "LeakyRelu", "leaky_relu" },
                  { "Sigmoid", "sigmoid" }, { "Tanh", "tanh" },   { "Prelu", "prelu" } };
    const json_t *list =
        json_object_get(json_object_get(json_object_get(o->attr, "fused_ops"), "list"), "s");
    *f = (struct fused){ .activation = "linear" };
    for (size_t i = 0; i < json_array_size(list); i++) {
        char name[32] = "";
        luc_tfjs_decode_text(json_array_get(list, i), name, sizeof(name));
        bool known = strcmp(name, "BiasAdd") == 0 && i == 0;
        f->bias = f->bias || known;
        for (size_t k = 0; !known && k < sizeof(kinds) / sizeof(kinds[0]); k++)
            if (strcmp(kinds[k].name, name) == 0 && i + 1 == json_array_size(list)) {
                f->activation = kinds[k].kind;
                known = true;
            }
        if (!known)
            return luc_fail(err, LUC_UNSUPPORTED, "node '%.80s': fused operator '%.30s'", o->name,
                            name);
    }
    const size_t wanted = 2u + f->bias + (strcmp(f->activation, "prelu") == 0);
    return o->n_in == wanted
               ? LUC_OK
               : luc_fail(err, LUC_FORMAT, "node '%.80s': %zu inputs", o->name, o->n_in);
}

/* The activation of a fused node over `v`, called by the node's name. */
static enum luc_status finish_fused(struct tfjs_op *o, const struct fused *f,
                                    const struct tfjs_value *v, struct luc_error *err)
{
    o->out = *v;
    if (strcmp(f->activation, "linear") == 0)
        return LUC_OK;
    o->out.value = LUC_NONE;
    if (strcmp(f->activation, "prelu") == 0) {
        size_t in[2] = { v->value, LUC_NONE };
        const size_t last = o->n_in - 1;
        const enum luc_status st = v->picture ? luc_tfjs_picture(o, last, &in[1], err)
                                              : luc_tfjs_plain(o, last, &in[1], err);
        return st ? st : luc_tfjs_op_emit(o, "PRelu", NULL, in, 2, NULL, &o->out.value, err);
    }
    const double alpha = luc_tfjs_number(json_object_get(o->attr, "leakyrelu_alpha"), "f", 0.2);
    return luc_tfjs_activation(o->b, f->activation, alpha, o->name, v, &o->out.value, err);
}

/* arg: "c" Conv2D, "d" depthwise. */
static enum luc_status conv(struct tfjs_op *o, struct luc_error *err)
{
    struct tfjs_window win;
    struct fused f;
    enum luc_status st = read_window(o, &win, err);
    if (!st)
        st = read_fused(o, &f, err);
    if (!st && (!o->in[1]->weight || (f.bias && !o->in[2]->weight)))
        st = luc_tfjs_refuse(o, "its kernel and bias must be constants", err);
    struct tfjs_value v = { .value = LUC_NONE, .rank = 4, .picture = true };
    if (!st)
        st = luc_tfjs_conv(o->b, o->name, strcmp(f.activation, "linear") == 0 ? NULL : "linear",
                           *o->arg == 'd' ? TFJS_DEPTHWISE : TFJS_CONV, o->in[0], o->in[1]->weight,
                           f.bias ? o->in[2]->weight : NULL, &win, &v.value, err);
    return st ? st : finish_fused(o, &f, &v, err);
}

/* The output's shape is an input. The reshape after the convolution makes a plan fail where it is
 * not what the convolution gives; otherwise it costs nothing. */
static enum luc_status check_transposed(struct tfjs_op *o, size_t full, struct luc_error *err)
{
    static const double nchw[] = { 0, 3, 1, 2 };
    double v[4];
    size_t n = 0, gather[2] = { LUC_NONE, LUC_NONE }, in[2] = { full, LUC_NONE };
    enum luc_status st = LUC_OK;
    if (o->in[0]->weight) {
        st = luc_tfjs_known(o, 0, v, 4, &n, err);
        const double shape[] = { 0, v[3], v[1], v[2] }; /* 0: any batch */
        if (!st && n != 4)
            st = luc_tfjs_refuse(o, "its output shape must hold 4 numbers", err);
        if (!st)
            st = luc_tfjs_ints(o, "shape", shape, 4, &in[1], err);
    } else {
        st = luc_tfjs_plain(o, 0, &gather[0], err);
        if (!st)
            st = luc_tfjs_ints(o, "nchw", nchw, 4, &gather[1], err);
        if (!st)
            st = luc_tfjs_op_emit(o, "Gather", "shape", gather, 2, NULL, &in[1], err);
    }
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = 4, .picture = true };
    return st ? st : luc_tfjs_op_emit(o, "Reshape", NULL, in, 2, NULL, &o->out.value, err);
}

static enum luc_status conv_transposed(struct tfjs_op *o, struct luc_error *err)
{
    struct tfjs_window win;
    size_t full = LUC_NONE;
    enum luc_status st = read_window(o, &win, err);
    if (!st && win.padding == TFJS_EXPLICIT)
        st = luc_tfjs_refuse(o, "explicit padding is not supported", err);
    if (!st && !o->in[1]->weight)
        st = luc_tfjs_refuse(o, "its kernel must be a constant", err);
    if (!st)
        st = luc_tfjs_conv(o->b, o->name, "full", TFJS_TRANSPOSED, o->in[2], o->in[1]->weight, NULL,
                           &win, &full, err);
    return st ? st : check_transposed(o, full, err);
}

static enum luc_status pool(struct tfjs_op *o, struct luc_error *err)
{
    struct tfjs_window win;
    enum luc_status st = read_window(o, &win, err);
    if (!st && win.padding == TFJS_EXPLICIT)
        st = luc_tfjs_refuse(o, "explicit padding is not supported", err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = 4, .picture = true };
    return st ? st : luc_tfjs_pool(o->b, o->arg, o->name, o->in[0], &win, &o->out.value, err);
}

static enum luc_status batch_norm(struct tfjs_op *o, struct luc_error *err)
{
    const struct tfjs_attr attrs[] = {
        { "epsilon", 1, { luc_tfjs_number(json_object_get(o->attr, "epsilon"), "f", 1e-4) }, NULL },
        { 0 },
    };
    size_t in[5];
    if (luc_tfjs_attr_bool(o->attr, "is_training", true))
        return luc_tfjs_refuse(o, "batch normalisation in training mode is not supported", err);
    enum luc_status st = check_layout(o, err);
    if (!st)
        st = luc_tfjs_picture(o, 0, &in[0], err);
    for (size_t i = 1; !st && i < 5; i++)
        st = luc_tfjs_plain(o, i, &in[i], err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = 4, .picture = true };
    return st ? st
              : luc_tfjs_op_emit(o, "BatchNormalization", NULL, in, 5, attrs, &o->out.value, err);
}

enum luc_status luc_tfjs_instance_norm(struct tfjs_op *o, const struct tfjs_norm *n,
                                       struct luc_error *err)
{
    const struct tfjs_attr attrs[] = { { "epsilon", 1, { n->epsilon }, NULL }, { 0 } };
    const struct luc_shape flat = { 1, { luc_numel(&n->scale->shape) } };
    struct tfjs_weight scale = *n->scale, offset = *n->offset;
    static const size_t first[] = { 0 };
    size_t in[3];
    if (o->in[0]->rank != 4)
        return luc_tfjs_refuse(o, "instance normalisation wants a picture", err);
    scale.shape = offset.shape = flat;
    enum luc_status st = luc_tfjs_picture(o, 0, &in[0], err);
    if (!st)
        st = luc_tfjs_constant(o->b, &scale, first, &flat, &in[1], err);
    if (!st)
        st = luc_tfjs_constant(o->b, &offset, first, &flat, &in[2], err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = 4, .picture = true };
    return st ? st
              : luc_tfjs_op_emit(o, "InstanceNormalization", NULL, in, 3, attrs, &o->out.value,
                                 err);
}

static enum luc_status global_average(struct tfjs_op *o, bool keep, struct luc_error *err)
{
    static const struct tfjs_attr flat[] = { { "axis", 1, { 1 }, NULL }, { 0 } };
    size_t x = LUC_NONE, pooled = LUC_NONE;
    enum luc_status st = luc_tfjs_picture(o, 0, &x, err);
    if (!st)
        st = luc_tfjs_op_emit(o, "GlobalAveragePool", keep ? NULL : "pooled", &x, 1, NULL, &pooled,
                              err);
    o->out = (struct tfjs_value){ .value = pooled, .rank = keep ? 4 : 2, .picture = keep };
    return st || keep ? st
                      : luc_tfjs_op_emit(o, "Flatten", NULL, &pooled, 1, flat, &o->out.value, err);
}

static enum luc_status mean(struct tfjs_op *o, struct luc_error *err)
{
    double axes[LUC_MAX_RANK];
    size_t n = 0, x = LUC_NONE;
    const bool keep = luc_tfjs_attr_bool(o->attr, "keep_dims", false);
    enum luc_status st = luc_tfjs_known(o, 1, axes, LUC_MAX_RANK, &n, err);
    if (!st)
        st = luc_tfjs_axes(o, axes, n, err);
    if (st)
        return st;
    if (o->in[0]->picture && luc_tfjs_over_picture(axes, n))
        return global_average(o, keep, err);
    if (n == 0 || (!keep && n > o->in[0]->rank))
        return luc_tfjs_refuse(o, "its axes are missing or repeated", err);
    st = luc_tfjs_plain(o, 0, &x, err);
    struct tfjs_attr attrs[] = { { "axes", n, { 0 }, NULL },
                                 { "keepdims", 1, { keep ? 1 : 0 }, NULL },
                                 { 0 } };
    memcpy(attrs[0].v, axes, n * sizeof(*axes));
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = o->in[0]->rank - (keep ? 0 : n) };
    return st ? st : luc_tfjs_op_emit(o, "ReduceMean", NULL, &x, 1, attrs, &o->out.value, err);
}

/* arg: "constant", or "" for MirrorPad. */
static enum luc_status pad(struct tfjs_op *o, struct luc_error *err)
{
    double v[2 * LUC_MAX_RANK], pads[LUC_MAX_RANK][2], fill = 0;
    size_t n = 0, n_fill = 1;
    char mode[16] = "CONSTANT";
    enum luc_status st = luc_tfjs_known(o, 1, v, 2 * LUC_MAX_RANK, &n, err);
    if (!st && o->n_in > 2)
        st = luc_tfjs_known(o, 2, &fill, 1, &n_fill, err);
    if (!st && *o->arg == '\0' &&
        (!luc_tfjs_attr_text(o->attr, "mode", mode, sizeof(mode)) || strcmp(mode, "REFLECT") != 0))
        st = luc_tfjs_refuse(o, "only the mode REFLECT is supported", err);
    if (!st && (n != 2 * o->in[0]->rank || n == 0))
        st = luc_tfjs_refuse(o, "its paddings do not fit its input", err);
    if (st)
        return st;
    memcpy(pads, v, n * sizeof(*v));
    struct tfjs_value x = *o->in[0];
    st = luc_tfjs_as_it_is(o, 0, &x.value, err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = x.rank, .picture = x.picture };
    return st ? st
              : luc_tfjs_pad(o->b, o->name, *o->arg ? o->arg : "reflect", fill, &x, pads,
                             &o->out.value, err);
}

static enum luc_status matmul(struct tfjs_op *o, struct luc_error *err)
{
    const struct tfjs_attr attrs[] = {
        { "transA", 1, { luc_tfjs_attr_bool(o->attr, "transpose_a", false) }, NULL },
        { "transB", 1, { luc_tfjs_attr_bool(o->attr, "transpose_b", false) }, NULL },
        { 0 },
    };
    struct fused f;
    size_t in[3] = { LUC_NONE, LUC_NONE, LUC_NONE };
    struct tfjs_value v = { .value = LUC_NONE, .rank = 2 };
    enum luc_status st = read_fused(o, &f, err);
    if (!st && (o->in[0]->rank != 2 || o->in[1]->rank != 2))
        st = luc_tfjs_refuse(o, "only products of two matrices are supported", err);
    for (size_t i = 0; !st && i < 2u + f.bias; i++)
        st = luc_tfjs_plain(o, i, &in[i], err);
    if (!st)
        st = luc_tfjs_op_emit(o, "Gemm", strcmp(f.activation, "linear") == 0 ? NULL : "linear", in,
                              f.bias ? 3 : 2, attrs, &v.value, err);
    return st ? st : finish_fused(o, &f, &v, err);
}

/* The size [H, W] after [N, C]. */
static enum luc_status resized_shape(struct tfjs_op *o, size_t x, size_t *sizes,
                                     struct luc_error *err)
{
    static const double first[] = { 0, 1 };
    static const struct tfjs_attr axis[] = { { "axis", 1, { 0 }, NULL }, { 0 } };
    size_t gather[2] = { LUC_NONE, LUC_NONE }, both[2] = { LUC_NONE, LUC_NONE };
    enum luc_status st = luc_tfjs_op_emit(o, "Shape", "nchw", &x, 1, NULL, &gather[0], err);
    if (!st)
        st = luc_tfjs_ints(o, "first", first, 2, &gather[1], err);
    if (!st)
        st = luc_tfjs_op_emit(o, "Gather", "nc", gather, 2, NULL, &both[0], err);
    if (!st)
        st = luc_tfjs_plain(o, 1, &both[1], err);
    return st ? st : luc_tfjs_op_emit(o, "Concat", "sizes", both, 2, axis, sizes, err);
}

/* arg: "nearest" or "linear". */
static enum luc_status resize(struct tfjs_op *o, struct luc_error *err)
{
    const bool corners = luc_tfjs_attr_bool(o->attr, "align_corners", false);
    const bool half = luc_tfjs_attr_bool(o->attr, "half_pixel_centers", false);
    const bool nearest = *o->arg == 'n';
    const struct tfjs_attr attrs[] = {
        { "mode", 0, { 0 }, o->arg },
        { "coordinate_transformation_mode",
          0,
          { 0 },
          corners ? "align_corners" : (half ? "half_pixel" : "asymmetric") },
        { nearest ? "nearest_mode" : NULL,
          0,
          { 0 },
          corners || half ? "round_prefer_ceil" : "floor" },
        { 0 },
    };
    size_t in[4] = { LUC_NONE, LUC_NONE, LUC_NONE, LUC_NONE };
    enum luc_status st = luc_tfjs_picture(o, 0, &in[0], err);
    if (!st)
        st = resized_shape(o, in[0], &in[3], err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = 4, .picture = true };
    return st ? st : luc_tfjs_op_emit(o, "Resize", NULL, in, 4, attrs, &o->out.value, err);
}

const struct tfjs_op_row luc_tfjs_picture_rows[] = {
    { "AvgPool", 1, 1, pool, "AveragePool" },
    { "Conv2D", 2, 2, conv, "c" },
    { "Conv2DBackpropInput", 3, 3, conv_transposed, NULL },
    { "DepthwiseConv2dNative", 2, 2, conv, "d" },
    { "FusedBatchNorm", 5, 5, batch_norm, NULL },
    { "FusedBatchNormV2", 5, 5, batch_norm, NULL },
    { "FusedBatchNormV3", 5, 5, batch_norm, NULL },
    { "FusedDepthwiseConv2dNative", 2, 4, conv, "d" },
    { "MatMul", 2, 2, matmul, NULL },
    { "MaxPool", 1, 1, pool, "MaxPool" },
    { "Mean", 2, 2, mean, NULL },
    { "MirrorPad", 2, 2, pad, "" },
    { "Pad", 2, 2, pad, "constant" },
    { "PadV2", 3, 3, pad, "constant" },
    { "ResizeBilinear", 2, 2, resize, "linear" },
    { "ResizeNearestNeighbor", 2, 2, resize, "nearest" },
    { "_FusedConv2D", 2, 4, conv, "c" },
    { "_FusedMatMul", 2, 4, matmul, NULL },
    { 0 },
};
