#include "core/model/receptive.h"

#include "core/base/param.h"

#include <math.h>
#include <string.h>

static const struct luc_field WHOLE = { .known = true, .whole = true };

/* One node while fields are followed through it. */
struct step {
    const struct luc_infos *x;
    const struct luc_node *node;
    const struct luc_shape *in, *out; /* of in[0] and out[0] */
};

/* An attribute by its ONNX name; NULL when the operator has none such. */
static const void *attr(const struct step *s, const char *key)
{
    const struct luc_param *row = luc_param_find(s->node->op->attrs, key);
    return row ? (const char *)s->node->attrs + row->offset : NULL;
}

static int64_t attr_int(const struct step *s, const char *key, int64_t otherwise)
{
    const int64_t *v = attr(s, key);
    return v ? *v : otherwise;
}

/* Member i of a list attribute; a list that is not given means `otherwise`. */
static double list_at(const struct step *s, const char *key, size_t i, double otherwise)
{
    const struct luc_param *row = luc_param_find(s->node->op->attrs, key);
    const struct luc_ints *v = row && row->type == LUC_PARAM_INTS ? attr(s, key) : NULL;
    return v && i < v->n ? (double)v->v[i] : otherwise;
}

/* Known contents of input i as numbers; NULL when there are none. */
static const float *known(const struct step *s, size_t i, size_t *n)
{
    if (i >= s->node->n_in || s->node->in[i] == LUC_NONE || !s->x->have[s->node->in[i]])
        return NULL;
    const struct luc_info *info = &s->x->info[s->node->in[i]];
    *n = luc_numel(&info->shape);
    return info->known;
}

static bool op_is(const struct step *s, const char *name)
{
    return !strcmp(s->node->op->name, name);
}

static bool same_maps(const struct luc_shape *a, const struct luc_shape *b)
{
    return a->rank == 4 && b->rank == 4 && a->dim[2] == b->dim[2] && a->dim[3] == b->dim[3];
}

/* Padding before the first pixel; auto_pad is known by what the shapes came to. */
static double pad_before(const struct step *s, size_t axis, double window, double stride)
{
    const struct luc_param *row = luc_param_find(s->node->op->attrs, "auto_pad");
    const char *mode = "NOTSET";
    if (row && row->type == LUC_PARAM_CHOICE)
        mode = row->choices[attr_int(s, "auto_pad", 0)];
    else if (row)
        mode = attr(s, "auto_pad");
    if (strncmp(mode, "SAME", 4))
        return strcmp(mode, "VALID") ? list_at(s, "pads", axis, 0) : 0;
    double total =
        ((double)s->out->dim[2 + axis] - 1) * stride + window - (double)s->in->dim[2 + axis];
    total = total > 0 ? total : 0;
    return strcmp(mode, "SAME_LOWER") ? floor(total / 2) : ceil(total / 2);
}

/* Conv, MaxPool, AveragePool: a window of `window` pixels that steps by `stride`. */
static void slide(struct luc_field *f, size_t axis, double window, double stride, double pad)
{
    f->start[axis] -= pad * f->stride[axis];
    f->size[axis] += (window - 1) * f->stride[axis];
    f->stride[axis] *= stride;
}

static struct luc_field windowed(const struct step *s, struct luc_field f)
{
    const struct luc_shape *kernel = NULL;
    if (op_is(s, "Conv") || op_is(s, "ConvTranspose"))
        kernel = &s->x->info[s->node->in[1]].shape;
    for (size_t axis = 0; axis < 2; axis++) {
        double k = kernel ? (double)kernel->dim[2 + axis] : list_at(s, "kernel_shape", axis, 1);
        double stride = list_at(s, "strides", axis, 1);
        double window = (k - 1) * list_at(s, "dilations", axis, 1) + 1;
        if (!op_is(s, "ConvTranspose")) {
            slide(&f, axis, window, stride, pad_before(s, axis, window, stride));
            continue;
        }
        /* Output o reads inputs (o + pad - window + 1) / stride to (o + pad) / stride. */
        f.start[axis] += f.stride[axis] * (list_at(s, "pads", axis, 0) - window + 1) / stride;
        f.size[axis] += f.stride[axis] * (window - 1) / stride;
        f.stride[axis] /= stride;
    }
    return f;
}

static struct luc_field padded(const struct step *s, struct luc_field f)
{
    size_t n = 0;
    const float *pads = known(s, 1, &n);
    for (size_t axis = 0; axis < 2; axis++) {
        double before = pads && n == 8 ? (double)pads[2 + axis] : list_at(s, "pads", 2 + axis, 0);
        f.start[axis] -= before * f.stride[axis];
    }
    return f;
}

/* Steps along an axis are the ratio of the sides; the first pixel is known from `starts`. */
static struct luc_field sliced(const struct step *s, struct luc_field f)
{
    size_t n = 0, n_axes = 0, n_steps = 0;
    const float *starts = known(s, 1, &n), *axes = known(s, 3, &n_axes);
    const float *steps = known(s, 4, &n_steps);
    if (!starts)
        return same_maps(s->in, s->out) ? f : WHOLE;
    for (size_t i = 0; i < n; i++) {
        double at = axes && i < n_axes ? (double)axes[i] : (double)i;
        double step = steps && i < n_steps ? (double)steps[i] : 1;
        size_t axis = (size_t)(at < 0 ? at + 4 : at) - 2; /* wraps for N and C */
        if (axis > 1)
            continue;
        double side = (double)s->in->dim[2 + axis], from = (double)starts[i];
        from = from < 0 ? fmax(from + side, 0) : fmin(from, side);
        f.start[axis] += from * f.stride[axis];
        f.stride[axis] *= step;
    }
    return f;
}

/* Nearest reads one pixel, somewhere in the enlarged one; linear reads two. */
static struct luc_field resized(const struct step *s, struct luc_field f)
{
    for (size_t axis = 0; axis < 2; axis++) {
        double ratio = (double)s->in->dim[2 + axis] / (double)s->out->dim[2 + axis];
        double reach = fabs(1 - ratio) * f.stride[axis];
        f.start[axis] -= reach;
        f.size[axis] += 2 * reach;
        f.stride[axis] *= ratio;
    }
    return f;
}

/* What a and b together cover. */
static struct luc_field both(const struct luc_field *a, const struct luc_field *b)
{
    if (!a->known || !b->known)
        return a->known ? *a : *b;
    if (a->whole || b->whole)
        return WHOLE;
    struct luc_field f = *a;
    for (size_t i = 0; i < 2; i++) {
        double end = fmax(a->start[i] + a->size[i], b->start[i] + b->size[i]);
        if (fabs(a->stride[i] - b->stride[i]) > 1e-6)
            return WHOLE;
        f.start[i] = fmin(a->start[i], b->start[i]);
        f.size[i] = end - f.start[i];
    }
    return f;
}

/* Operators that work on each position by itself, whatever their attributes. */
static struct luc_field pointwise(const struct step *s, const struct luc_field *fields)
{
    struct luc_field f = { 0 };
    for (size_t i = 0; i < s->node->n_in; i++) {
        size_t v = s->node->in[i];
        if (v == LUC_NONE || !fields[v].known)
            continue;
        /* A value of another size is spread over all positions, or cut up. */
        struct luc_field one = fields[v];
        if (!same_maps(&s->x->info[v].shape, s->out))
            one = WHOLE;
        f = both(&f, &one);
    }
    return f;
}

static bool mixes_positions(const struct step *s)
{
    static const char *const always[] = { "InstanceNormalization",
                                          "GlobalAveragePool",
                                          "GlobalMaxPool",
                                          "Gemm",
                                          "MatMul",
                                          "Transpose",
                                          "ReduceMean",
                                          NULL };
    for (size_t i = 0; always[i]; i++)
        if (op_is(s, always[i]))
            return true;
    if (!op_is(s, "Softmax"))
        return false;
    int64_t axis = attr_int(s, "axis", s->x->graph->opset < 13 ? 1 : -1);
    return s->x->graph->opset < 13 || (axis != 1 && axis != -3);
}

static struct luc_field through(const struct step *s, const struct luc_field *fields)
{
    struct luc_field f = { 0 }, first;
    for (size_t i = 0; i < s->node->n_in; i++)
        if (s->node->in[i] != LUC_NONE)
            f = both(&f, &fields[s->node->in[i]]);
    if (!f.known || f.whole)
        return f;
    first = s->node->in[0] == LUC_NONE ? f : fields[s->node->in[0]];
    bool maps = s->in->rank == 4 && s->out->rank == 4;
    if (!maps || mixes_positions(s))
        return WHOLE;
    if (!first.known)
        return pointwise(s, fields);
    if (op_is(s, "Conv") || op_is(s, "MaxPool") || op_is(s, "AveragePool") ||
        op_is(s, "ConvTranspose"))
        return windowed(s, first);
    if (op_is(s, "Pad"))
        return padded(s, first);
    if (op_is(s, "Slice"))
        return sliced(s, first);
    if (op_is(s, "Resize") || op_is(s, "Upsample"))
        return resized(s, first);
    return pointwise(s, fields);
}

void luc_receptive_fields(const struct luc_infos *x, size_t input, struct luc_field *fields)
{
    const struct luc_graph *g = x->graph;
    for (size_t i = 0; i < g->n_values; i++)
        fields[i] = (struct luc_field){ 0 };
    fields[input] = (struct luc_field){ .known = true, .size = { 1, 1 }, .stride = { 1, 1 } };
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct luc_node *node = &g->nodes[i];
        for (size_t k = 0; k < node->n_out; k++) {
            size_t in = node->n_in ? node->in[0] : LUC_NONE;
            if (node->out[k] == LUC_NONE || in == LUC_NONE || !x->have[in] ||
                !x->have[node->out[k]] || x->info[node->out[k]].known)
                continue; /* what is known, shapes among it, does not depend on the pixels */
            struct step s = { x, node, &x->info[in].shape, &x->info[node->out[k]].shape };
            fields[node->out[k]] = through(&s, fields);
        }
    }
}
