/* TensorFlow graph operators, one handler each; tfjs_graph.c walks the graph. */
#include "core/formats/tfjs_node.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

static enum luc_status refuse(const struct tfjs_op *o, const char *what, struct luc_error *err)
{
    return luc_fail(err, LUC_UNSUPPORTED, "node '%.80s': %s", o->name, what);
}

static enum luc_status plain(struct tfjs_op *o, size_t i, size_t *value, struct luc_error *err)
{
    return luc_tfjs_as_plain(o->b, o->name, o->in[i], value, err);
}

static enum luc_status picture(struct tfjs_op *o, size_t i, size_t *value, struct luc_error *err)
{
    return luc_tfjs_as_picture(o->b, o->name, o->in[i], value, err);
}

/* In whichever layout it is. */
static enum luc_status as_it_is(struct tfjs_op *o, size_t i, size_t *value, struct luc_error *err)
{
    return o->in[i]->picture ? picture(o, i, value, err) : plain(o, i, value, err);
}

static enum luc_status emit(struct tfjs_op *o, const char *op, const char *suffix, const size_t *in,
                            size_t n_in, const struct tfjs_attr *attrs, size_t *out,
                            struct luc_error *err)
{
    return luc_tfjs_emit(o->b, op, o->name, suffix, in, n_in, attrs, out, err);
}

static enum luc_status ints(struct tfjs_op *o, const char *suffix, const double *v, size_t n,
                            size_t *value, struct luc_error *err)
{
    return luc_tfjs_numbers(o->b, o->name, suffix, LUC_I64, v, n, 1, value, err);
}

/* The numbers of a constant input. */
static enum luc_status numbers(const struct tfjs_op *o, size_t i, double *v, size_t max, size_t *n,
                               struct luc_error *err)
{
    const struct tfjs_weight *w = o->in[i]->weight;
    if (!w || luc_numel(&w->shape) > max)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "node '%.80s': input %zu must be a constant of at most %zu numbers",
                        o->name, i, max);
    *n = luc_numel(&w->shape);
    for (size_t k = 0; k < *n; k++)
        v[k] = luc_tfjs_weight_at(w, k);
    return LUC_OK;
}

/* Axes of input 0, none negative, each inside. */
static enum luc_status axes_of(const struct tfjs_op *o, double *v, size_t n, struct luc_error *err)
{
    const double rank = (double)o->in[0]->rank;
    for (size_t i = 0; i < n; i++) {
        v[i] = v[i] < 0 ? v[i] + rank : v[i];
        if (!(v[i] >= 0 && v[i] < rank && v[i] == floor(v[i])))
            return refuse(o, "an axis is outside its input", err);
    }
    return LUC_OK;
}

static enum luc_status unary(struct tfjs_op *o, struct luc_error *err)
{
    size_t in = LUC_NONE;
    const enum luc_status st = as_it_is(o, 0, &in, err);
    o->out = (struct tfjs_value){
        .value = LUC_NONE,
        .rank = o->in[0]->rank,
        .length = o->in[0]->length,
        .picture = o->in[0]->picture,
    };
    return st ? st : emit(o, o->arg, NULL, &in, 1, NULL, &o->out.value, err);
}

static enum luc_status activation(struct tfjs_op *o, struct luc_error *err)
{
    const double alpha = luc_tfjs_number(json_object_get(o->attr, "alpha"), "f", 0.2);
    struct tfjs_value v = *o->in[0];
    const enum luc_status st = as_it_is(o, 0, &v.value, err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = v.rank, .picture = v.picture };
    return st ? st : luc_tfjs_activation(o->b, o->arg, alpha, o->name, &v, &o->out.value, err);
}

/* Brings the inputs from..to into one layout, out's. */
static enum luc_status together(struct tfjs_op *o, size_t to, size_t *values, struct luc_error *err)
{
    bool any = false;
    size_t rank = 0;
    for (size_t i = 0; i < to; i++) {
        any = any || o->in[i]->picture;
        rank = o->in[i]->rank > rank ? o->in[i]->rank : rank;
    }
    enum luc_status st = LUC_OK;
    for (size_t i = 0; !st && i < to; i++)
        st = any ? picture(o, i, &values[i], err) : plain(o, i, &values[i], err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = any ? 4 : rank, .picture = any };
    return st;
}

static enum luc_status binary(struct tfjs_op *o, struct luc_error *err)
{
    size_t in[2];
    const enum luc_status st = together(o, 2, in, err);
    return st ? st : emit(o, o->arg, NULL, in, 2, NULL, &o->out.value, err);
}

static enum luc_status squared_difference(struct tfjs_op *o, struct luc_error *err)
{
    size_t in[2], d[2] = { LUC_NONE, LUC_NONE };
    enum luc_status st = together(o, 2, in, err);
    if (!st)
        st = emit(o, "Sub", "difference", in, 2, NULL, &d[0], err);
    d[1] = d[0];
    return st ? st : emit(o, "Mul", NULL, d, 2, NULL, &o->out.value, err);
}

static enum luc_status square(struct tfjs_op *o, struct luc_error *err)
{
    size_t in[2];
    const enum luc_status st = together(o, 1, in, err);
    in[1] = in[0];
    return st ? st : emit(o, "Mul", NULL, in, 2, NULL, &o->out.value, err);
}

static enum luc_status rsqrt(struct tfjs_op *o, struct luc_error *err)
{
    static const double one = 1;
    size_t x = LUC_NONE, in[2] = { LUC_NONE, LUC_NONE };
    enum luc_status st = together(o, 1, &x, err);
    if (!st)
        st = emit(o, "Sqrt", "root", &x, 1, NULL, &in[1], err);
    if (!st)
        st = luc_tfjs_numbers(o->b, o->name, "one", LUC_F32, &one, 1, 0, &in[0], err);
    return st ? st : emit(o, "Div", NULL, in, 2, NULL, &o->out.value, err);
}

static enum luc_status negate(struct tfjs_op *o, struct luc_error *err)
{
    static const double minus_one = -1;
    size_t in[2] = { LUC_NONE, LUC_NONE };
    enum luc_status st = together(o, 1, in, err);
    if (!st)
        st = luc_tfjs_numbers(o->b, o->name, "minus_one", LUC_F32, &minus_one, 1, 0, &in[1], err);
    return st ? st : emit(o, "Mul", NULL, in, 2, NULL, &o->out.value, err);
}

/* Against a constant scalar; arg is the place of the bound among Clip's inputs. */
static enum luc_status bound(struct tfjs_op *o, struct luc_error *err)
{
    double v = 0;
    size_t n = 0, in[3] = { LUC_NONE, LUC_NONE, LUC_NONE };
    const size_t at = *o->arg == '1' ? 1 : 2;
    enum luc_status st = numbers(o, 1, &v, 1, &n, err);
    if (!st && n != 1)
        st = refuse(o, "its second input must be one number", err);
    if (!st)
        st = together(o, 1, in, err);
    if (!st)
        st = luc_tfjs_numbers(o->b, o->name, "bound", LUC_F32, &v, 1, 0, &in[at], err);
    return st ? st : emit(o, "Clip", NULL, in, at + 1, NULL, &o->out.value, err);
}

static enum luc_status prelu(struct tfjs_op *o, struct luc_error *err)
{
    return binary(o, err);
}

static enum luc_status check_layout(const struct tfjs_op *o, struct luc_error *err)
{
    char text[16];
    return luc_tfjs_attr_text(o->attr, "data_format", text, sizeof(text)) &&
                   strcmp(text, "NHWC") != 0
               ? refuse(o, "data_format must be NHWC", err)
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
        return refuse(o, "padding must be SAME, VALID or EXPLICIT", err);
    if (win->padding == TFJS_EXPLICIT &&
        luc_tfjs_attr_ints(o->attr, "explicit_paddings", pads, 8) != 8)
        return refuse(o, "explicit_paddings must hold 8 numbers", err);
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
        const enum luc_status st =
            v->picture ? picture(o, last, &in[1], err) : plain(o, last, &in[1], err);
        return st ? st : emit(o, "PRelu", NULL, in, 2, NULL, &o->out.value, err);
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
        st = refuse(o, "its kernel and bias must be constants", err);
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
        st = numbers(o, 0, v, 4, &n, err);
        const double shape[] = { 0, v[3], v[1], v[2] }; /* 0: any batch */
        if (!st && n != 4)
            st = refuse(o, "its output shape must hold 4 numbers", err);
        if (!st)
            st = ints(o, "shape", shape, 4, &in[1], err);
    } else {
        st = plain(o, 0, &gather[0], err);
        if (!st)
            st = ints(o, "nchw", nchw, 4, &gather[1], err);
        if (!st)
            st = emit(o, "Gather", "shape", gather, 2, NULL, &in[1], err);
    }
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = 4, .picture = true };
    return st ? st : emit(o, "Reshape", NULL, in, 2, NULL, &o->out.value, err);
}

static enum luc_status conv_transposed(struct tfjs_op *o, struct luc_error *err)
{
    struct tfjs_window win;
    size_t full = LUC_NONE;
    enum luc_status st = read_window(o, &win, err);
    if (!st && win.padding == TFJS_EXPLICIT)
        st = refuse(o, "explicit padding is not supported", err);
    if (!st && !o->in[1]->weight)
        st = refuse(o, "its kernel must be a constant", err);
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
        st = refuse(o, "explicit padding is not supported", err);
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
        return refuse(o, "batch normalisation in training mode is not supported", err);
    enum luc_status st = check_layout(o, err);
    if (!st)
        st = picture(o, 0, &in[0], err);
    for (size_t i = 1; !st && i < 5; i++)
        st = plain(o, i, &in[i], err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = 4, .picture = true };
    return st ? st : emit(o, "BatchNormalization", NULL, in, 5, attrs, &o->out.value, err);
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
        return refuse(o, "instance normalisation wants a picture", err);
    scale.shape = offset.shape = flat;
    enum luc_status st = picture(o, 0, &in[0], err);
    if (!st)
        st = luc_tfjs_constant(o->b, &scale, first, &flat, &in[1], err);
    if (!st)
        st = luc_tfjs_constant(o->b, &offset, first, &flat, &in[2], err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = 4, .picture = true };
    return st ? st : emit(o, "InstanceNormalization", NULL, in, 3, attrs, &o->out.value, err);
}

static bool over_height_and_width(const double *axes, size_t n)
{
    return n == 2 && ((axes[0] == 1 && axes[1] == 2) || (axes[0] == 2 && axes[1] == 1));
}

static enum luc_status global_average(struct tfjs_op *o, bool keep, struct luc_error *err)
{
    static const struct tfjs_attr flat[] = { { "axis", 1, { 1 }, NULL }, { 0 } };
    size_t x = LUC_NONE, pooled = LUC_NONE;
    enum luc_status st = picture(o, 0, &x, err);
    if (!st)
        st = emit(o, "GlobalAveragePool", keep ? NULL : "pooled", &x, 1, NULL, &pooled, err);
    o->out = (struct tfjs_value){ .value = pooled, .rank = keep ? 4 : 2, .picture = keep };
    return st || keep ? st : emit(o, "Flatten", NULL, &pooled, 1, flat, &o->out.value, err);
}

static enum luc_status mean(struct tfjs_op *o, struct luc_error *err)
{
    double axes[LUC_MAX_RANK];
    size_t n = 0, x = LUC_NONE;
    const bool keep = luc_tfjs_attr_bool(o->attr, "keep_dims", false);
    enum luc_status st = numbers(o, 1, axes, LUC_MAX_RANK, &n, err);
    if (!st)
        st = axes_of(o, axes, n, err);
    if (st)
        return st;
    if (o->in[0]->picture && over_height_and_width(axes, n))
        return global_average(o, keep, err);
    if (n == 0 || (!keep && n > o->in[0]->rank))
        return refuse(o, "its axes are missing or repeated", err);
    st = plain(o, 0, &x, err);
    struct tfjs_attr attrs[] = { { "axes", n, { 0 }, NULL },
                                 { "keepdims", 1, { keep ? 1 : 0 }, NULL },
                                 { 0 } };
    memcpy(attrs[0].v, axes, n * sizeof(*axes));
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = o->in[0]->rank - (keep ? 0 : n) };
    return st ? st : emit(o, "ReduceMean", NULL, &x, 1, attrs, &o->out.value, err);
}

/* arg: "constant", or "" for MirrorPad. */
static enum luc_status pad(struct tfjs_op *o, struct luc_error *err)
{
    double v[2 * LUC_MAX_RANK], pads[LUC_MAX_RANK][2], fill = 0;
    size_t n = 0, n_fill = 1;
    char mode[16] = "CONSTANT";
    enum luc_status st = numbers(o, 1, v, 2 * LUC_MAX_RANK, &n, err);
    if (!st && o->n_in > 2)
        st = numbers(o, 2, &fill, 1, &n_fill, err);
    if (!st && *o->arg == '\0' &&
        (!luc_tfjs_attr_text(o->attr, "mode", mode, sizeof(mode)) || strcmp(mode, "REFLECT") != 0))
        st = refuse(o, "only the mode REFLECT is supported", err);
    if (!st && (n != 2 * o->in[0]->rank || n == 0))
        st = refuse(o, "its paddings do not fit its input", err);
    if (st)
        return st;
    memcpy(pads, v, n * sizeof(*v));
    struct tfjs_value x = *o->in[0];
    st = as_it_is(o, 0, &x.value, err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = x.rank, .picture = x.picture };
    return st ? st
              : luc_tfjs_pad(o->b, o->name, *o->arg ? o->arg : "reflect", fill, &x, pads,
                             &o->out.value, err);
}

static enum luc_status shape_of(struct tfjs_op *o, struct luc_error *err)
{
    static const double nhwc[] = { 0, 2, 3, 1 };
    size_t x = LUC_NONE, in[2] = { LUC_NONE, LUC_NONE };
    const bool turned = o->in[0]->picture;
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = 1, .length = o->in[0]->rank };
    enum luc_status st = as_it_is(o, 0, &x, err);
    if (!st)
        st = emit(o, "Shape", turned ? "nchw" : NULL, &x, 1, NULL, &in[0], err);
    o->out.value = in[0];
    if (st || !turned)
        return st;
    st = ints(o, "nhwc", nhwc, 4, &in[1], err);
    return st ? st : emit(o, "Gather", NULL, in, 2, NULL, &o->out.value, err);
}

struct cut {
    double from[LUC_MAX_RANK], to[LUC_MAX_RANK], step[LUC_MAX_RANK], axes[LUC_MAX_RANK];
    double gone[LUC_MAX_RANK]; /* axes that a single index removes */
    size_t n, n_gone;
};

static unsigned mask(const struct tfjs_op *o, const char *key)
{
    const double v = luc_tfjs_attr_int(o->attr, key, 0);
    return v >= 0 && v < 65536 ? (unsigned)v : UINT_MAX;
}

static enum luc_status read_cut(const struct tfjs_op *o, struct cut *c, struct luc_error *err)
{
    size_t n_to = 0, n_step = 0;
    *c = (struct cut){ 0 };
    enum luc_status st = numbers(o, 1, c->from, LUC_MAX_RANK, &c->n, err);
    if (!st)
        st = numbers(o, 2, c->to, LUC_MAX_RANK, &n_to, err);
    if (!st)
        st = numbers(o, 3, c->step, LUC_MAX_RANK, &n_step, err);
    if (st)
        return st;
    if (c->n == 0 || c->n != n_to || c->n != n_step || c->n > o->in[0]->rank)
        return refuse(o, "begin, end and strides do not fit its input", err);
    if (mask(o, "ellipsis_mask") || mask(o, "new_axis_mask"))
        return refuse(o, "an ellipsis or a new axis is not supported", err);
    for (size_t i = 0; i < c->n; i++) {
        const unsigned bit = 1u << i;
        c->axes[i] = (double)i;
        if (!(c->step[i] >= 1))
            return refuse(o, "strides must be positive", err);
        if (mask(o, "shrink_axis_mask") & bit) {
            c->to[i] = c->from[i] == -1 ? (double)INT32_MAX : c->from[i] + 1;
            c->gone[c->n_gone++] = (double)i;
            continue;
        }
        if (mask(o, "begin_mask") & bit)
            c->from[i] = 0;
        if (mask(o, "end_mask") & bit)
            c->to[i] = (double)INT32_MAX;
    }
    return LUC_OK;
}

static enum luc_status strided_slice(struct tfjs_op *o, struct luc_error *err)
{
    struct cut c;
    size_t in[5] = { LUC_NONE, LUC_NONE, LUC_NONE, LUC_NONE, LUC_NONE };
    enum luc_status st = read_cut(o, &c, err);
    const bool turned = !st && o->in[0]->picture && c.n_gone == 0;
    for (size_t i = 0; turned && i < c.n; i++)
        c.axes[i] = (double)luc_tfjs_picture_axis(i);
    if (!st)
        st = turned ? picture(o, 0, &in[0], err) : plain(o, 0, &in[0], err);
    if (!st)
        st = ints(o, "starts", c.from, c.n, &in[1], err);
    if (!st)
        st = ints(o, "ends", c.to, c.n, &in[2], err);
    if (!st)
        st = ints(o, "axes", c.axes, c.n, &in[3], err);
    if (!st)
        st = ints(o, "steps", c.step, c.n, &in[4], err);
    size_t squeeze[2] = { LUC_NONE, LUC_NONE };
    if (!st)
        st = emit(o, "Slice", c.n_gone ? "slice" : NULL, in, 5, NULL, &squeeze[0], err);
    if (st)
        return st;
    o->out = (struct tfjs_value){ .value = squeeze[0],
                                  .rank = o->in[0]->rank - c.n_gone,
                                  .picture = turned };
    if (c.n_gone == 0)
        return LUC_OK;
    st = ints(o, "gone", c.gone, c.n_gone, &squeeze[1], err);
    return st ? st : emit(o, "Squeeze", NULL, squeeze, 2, NULL, &o->out.value, err);
}

#define INPUTS_MAX 256

static enum luc_status pack(struct tfjs_op *o, struct luc_error *err)
{
    const double axis = luc_tfjs_attr_int(o->attr, "axis", 0);
    const struct tfjs_attr attrs[] = { { "axis", 1, { axis }, NULL }, { 0 } };
    size_t parts[INPUTS_MAX], in[2] = { LUC_NONE, LUC_NONE };
    enum luc_status st = ints(o, "axis", &axis, 1, &in[1], err);
    for (size_t i = 0; !st && i < o->n_in; i++) {
        st = plain(o, i, &in[0], err);
        if (!st)
            st = emit(o, "Unsqueeze", "part", in, 2, NULL, &parts[i], err);
    }
    o->out = (struct tfjs_value){ .value = LUC_NONE,
                                  .rank = o->in[0]->rank + 1,
                                  .length = o->in[0]->rank == 0 ? o->n_in : 0 };
    return st ? st : emit(o, "Concat", NULL, parts, o->n_in, attrs, &o->out.value, err);
}

static enum luc_status concat(struct tfjs_op *o, struct luc_error *err)
{
    double axis = 0;
    size_t parts[INPUTS_MAX], n = 0;
    enum luc_status st = numbers(o, o->n_in - 1, &axis, 1, &n, err);
    if (!st && n != 1)
        st = refuse(o, "its axis must be one number", err);
    if (!st)
        st = axes_of(o, &axis, 1, err);
    if (!st)
        st = together(o, o->n_in - 1, parts, err);
    if (st)
        return st;
    const size_t at = o->out.picture ? luc_tfjs_picture_axis((size_t)axis) : (size_t)axis;
    const struct tfjs_attr attrs[] = { { "axis", 1, { (double)at }, NULL }, { 0 } };
    return emit(o, "Concat", NULL, parts, o->n_in - 1, attrs, &o->out.value, err);
}

static enum luc_status reshape(struct tfjs_op *o, struct luc_error *err)
{
    size_t in[2];
    const struct tfjs_weight *w = o->in[1]->weight;
    const size_t rank = w ? luc_numel(&w->shape) : o->in[1]->length;
    if (rank > LUC_MAX_RANK || (!w && rank == 0))
        return refuse(o, "the number of dimensions of its result is not known", err);
    enum luc_status st = plain(o, 0, &in[0], err);
    if (!st)
        st = plain(o, 1, &in[1], err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = rank };
    return st ? st : emit(o, "Reshape", NULL, in, 2, NULL, &o->out.value, err);
}

static enum luc_status expand_dims(struct tfjs_op *o, struct luc_error *err)
{
    double axis = 0;
    size_t n = 0, in[2];
    enum luc_status st = numbers(o, 1, &axis, 1, &n, err);
    if (!st && n != 1)
        st = refuse(o, "its axis must be one number", err);
    if (!st)
        st = plain(o, 0, &in[0], err);
    if (!st)
        st = ints(o, "axis", &axis, 1, &in[1], err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = o->in[0]->rank + 1 };
    return st ? st : emit(o, "Unsqueeze", NULL, in, 2, NULL, &o->out.value, err);
}

static enum luc_status squeeze(struct tfjs_op *o, struct luc_error *err)
{
    static const double hw[] = { 2, 3 };
    double axes[LUC_MAX_RANK];
    size_t n = luc_tfjs_attr_ints(o->attr, "squeeze_dims", axes, LUC_MAX_RANK), in[2];
    if (n == 0)
        n = luc_tfjs_attr_ints(o->attr, "axis", axes, LUC_MAX_RANK);
    if (n == 0 || n > o->in[0]->rank)
        return refuse(o, "its axes must be given", err);
    enum luc_status st = axes_of(o, axes, n, err);
    const bool turned = !st && o->in[0]->picture && over_height_and_width(axes, n);
    if (!st)
        st = turned ? picture(o, 0, &in[0], err) : plain(o, 0, &in[0], err);
    if (!st)
        st = ints(o, "axes", turned ? hw : axes, n, &in[1], err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = o->in[0]->rank - n };
    return st ? st : emit(o, "Squeeze", NULL, in, 2, NULL, &o->out.value, err);
}

static enum luc_status transpose(struct tfjs_op *o, struct luc_error *err)
{
    struct tfjs_attr attrs[] = { { "perm", 0, { 0 }, NULL }, { 0 } };
    size_t n = 0, in = LUC_NONE;
    enum luc_status st = numbers(o, 1, attrs[0].v, LUC_MAX_RANK, &n, err);
    if (!st && (n != o->in[0]->rank || n == 0))
        st = refuse(o, "its permutation does not fit its input", err);
    attrs[0].n = n;
    if (!st)
        st = plain(o, 0, &in, err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = n };
    return st ? st : emit(o, "Transpose", NULL, &in, 1, attrs, &o->out.value, err);
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
        st = refuse(o, "only products of two matrices are supported", err);
    for (size_t i = 0; !st && i < 2u + f.bias; i++)
        st = plain(o, i, &in[i], err);
    if (!st)
        st = emit(o, "Gemm", strcmp(f.activation, "linear") == 0 ? NULL : "linear", in,
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
    enum luc_status st = emit(o, "Shape", "nchw", &x, 1, NULL, &gather[0], err);
    if (!st)
        st = ints(o, "first", first, 2, &gather[1], err);
    if (!st)
        st = emit(o, "Gather", "nc", gather, 2, NULL, &both[0], err);
    if (!st)
        st = plain(o, 1, &both[1], err);
    return st ? st : emit(o, "Concat", "sizes", both, 2, axis, sizes, err);
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
    enum luc_status st = picture(o, 0, &in[0], err);
    if (!st)
        st = resized_shape(o, in[0], &in[3], err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = 4, .picture = true };
    return st ? st : emit(o, "Resize", NULL, in, 4, attrs, &o->out.value, err);
}

static const struct tfjs_op_row rows[] = {
    { "Add", 2, 2, binary, "Add" },
    { "AddV2", 2, 2, binary, "Add" },
    { "AvgPool", 1, 1, pool, "AveragePool" },
    { "BiasAdd", 2, 2, binary, "Add" },
    { "ConcatV2", 2, INPUTS_MAX, concat, NULL },
    { "Conv2D", 2, 2, conv, "c" },
    { "Conv2DBackpropInput", 3, 3, conv_transposed, NULL },
    { "DepthwiseConv2dNative", 2, 2, conv, "d" },
    { "Div", 2, 2, binary, "Div" },
    { "ExpandDims", 2, 2, expand_dims, NULL },
    { "FusedBatchNorm", 5, 5, batch_norm, NULL },
    { "FusedBatchNormV2", 5, 5, batch_norm, NULL },
    { "FusedBatchNormV3", 5, 5, batch_norm, NULL },
    { "FusedDepthwiseConv2dNative", 2, 4, conv, "d" },
    { "Identity", 1, 1, unary, "Identity" },
    { "LeakyRelu", 1, 1, activation, "leaky_relu" },
    { "MatMul", 2, 2, matmul, NULL },
    { "MaxPool", 1, 1, pool, "MaxPool" },
    { "Maximum", 2, 2, bound, "1" },
    { "Mean", 2, 2, mean, NULL },
    { "Minimum", 2, 2, bound, "2" },
    { "MirrorPad", 2, 2, pad, "" },
    { "Mul", 2, 2, binary, "Mul" },
    { "Neg", 1, 1, negate, NULL },
    { "Pack", 1, INPUTS_MAX, pack, NULL },
    { "Pad", 2, 2, pad, "constant" },
    { "PadV2", 3, 3, pad, "constant" },
    { "Pow", 2, 2, binary, "Pow" },
    { "Prelu", 2, 2, prelu, "PRelu" },
    { "RealDiv", 2, 2, binary, "Div" },
    { "Relu", 1, 1, activation, "relu" },
    { "Relu6", 1, 1, activation, "relu6" },
    { "Reshape", 2, 2, reshape, NULL },
    { "ResizeBilinear", 2, 2, resize, "linear" },
    { "ResizeNearestNeighbor", 2, 2, resize, "nearest" },
    { "Rsqrt", 1, 1, rsqrt, NULL },
    { "Shape", 1, 1, shape_of, NULL },
    { "Sigmoid", 1, 1, activation, "sigmoid" },
    { "Softmax", 1, 1, activation, "softmax" },
    { "Sqrt", 1, 1, unary, "Sqrt" },
    { "Square", 1, 1, square, NULL },
    { "SquaredDifference", 2, 2, squared_difference, NULL },
    { "Squeeze", 1, 1, squeeze, NULL },
    { "StopGradient", 1, 1, unary, "Identity" },
    { "StridedSlice", 4, 4, strided_slice, NULL },
    { "Sub", 2, 2, binary, "Sub" },
    { "Tanh", 1, 1, activation, "tanh" },
    { "Transpose", 2, 2, transpose, NULL },
    { "_FusedConv2D", 2, 4, conv, "c" },
    { "_FusedMatMul", 2, 4, matmul, NULL },
};

const struct tfjs_op_row *luc_tfjs_op_find(const char *name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}
