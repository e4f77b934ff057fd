#include "core/graph/spatial.h"

#include <string.h>

bool luc_node_is(const struct luc_node *node, const char *op)
{
    return strcmp(node->op->name, op) == 0;
}

const void *luc_node_attr(const struct luc_node *node, const char *key)
{
    const struct luc_param *row = luc_param_find(node->op->attrs, key);
    return row ? (const char *)node->attrs + row->offset : NULL;
}

bool luc_node_chose(const struct luc_node *node, const char *key, const char *value)
{
    const struct luc_param *row = luc_param_find(node->op->attrs, key);
    int64_t chosen = 0;
    if (!row || row->type != LUC_PARAM_CHOICE)
        return false;
    memcpy(&chosen, (const char *)node->attrs + row->offset, sizeof(chosen));
    return strcmp(row->choices[chosen], value) == 0;
}

const float *luc_node_known(const struct luc_infos *x, const struct luc_node *node, size_t i,
                            size_t *n)
{
    if (i >= node->n_in || node->in[i] == LUC_NONE || !x->have[node->in[i]])
        return NULL;
    const struct luc_info *info = &x->info[node->in[i]];
    *n = luc_numel(&info->shape);
    return info->known;
}

bool luc_is_pointwise(const struct luc_node *node)
{
    static const char *const names[] = { "Relu",      "LeakyRelu", "PRelu",
                                         "Clip",      "Sigmoid",   "Tanh",
                                         "Sqrt",      "Elu",       "Exp",
                                         "Neg",       "Abs",       "Softplus",
                                         "Dropout",   "Identity",  "HardSigmoid",
                                         "HardSwish", "LRN",       "Pow",
                                         "Add",       "Sub",       "Mul",
                                         "Div",       "Max",       "Min",
                                         "Sum",       "Concat",    "BatchNormalization" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (luc_node_is(node, names[i]))
            return node->n_out == 1;
    return false;
}

bool luc_slides(const struct luc_node *node)
{
    return (luc_node_is(node, "Conv") || luc_node_is(node, "MaxPool")) && node->n_out == 1;
}

enum luc_status luc_node_window(const struct luc_infos *x, const struct luc_node *node,
                                struct luc_window *win, struct luc_error *err)
{
    const struct luc_shape *in = &x->info[node->in[0]].shape, *y = &x->info[node->out[0]].shape;
    size_t kernel[2];
    const bool conv = luc_node_is(node, "Conv");
    if (in->rank != 4 || y->rank != 4)
        return luc_fail(err, LUC_UNSUPPORTED, "not a picture");
    if (conv) {
        const struct luc_shape *w = &x->info[node->in[1]].shape;
        kernel[0] = w->dim[2];
        kernel[1] = w->dim[3];
    }
    /* both operators begin their attributes with the shared ones */
    const enum luc_status st =
        luc_window_resolve(node->attrs, in, conv ? kernel : NULL, false, win, err);
    win->oh = y->dim[2]; /* ceil_mode may have added one */
    win->ow = y->dim[3];
    return st;
}

enum luc_status luc_unpad(const struct luc_node *node, void *attrs, struct luc_error *err)
{
    static const double zeros[4] = { 0 };
    enum luc_status st = luc_param_set_numbers(node->op->attrs, "pads", zeros, 4, attrs, err);
    if (!st)
        st = luc_param_set(node->op->attrs, "auto_pad", "NOTSET", attrs, err);
    if (!st && luc_param_find(node->op->attrs, "ceil_mode"))
        st = luc_param_set_numbers(node->op->attrs, "ceil_mode", zeros, 1, attrs, err);
    return st;
}

/* The input of opset 11, or the attribute before it: before each axis, then after each. */
bool luc_node_pads(const struct luc_infos *x, const struct luc_node *node, ptrdiff_t before[2])
{
    size_t n = 0;
    const bool is_input = node->n_in > 1 && node->in[1] != LUC_NONE;
    const float *given = luc_node_known(x, node, 1, &n);
    const struct luc_ints *list = luc_node_attr(node, "pads");
    if (node->n_in > 3 && node->in[3] != LUC_NONE) /* axes */
        return false;
    if (is_input ? !given || n != 8 : !list || list->n != 8)
        return false;
    for (size_t k = 0; k < 2; k++)
        before[k] = is_input ? (ptrdiff_t)given[2 + k] : (ptrdiff_t)list->v[2 + k];
    return before[0] >= 0 && before[1] >= 0;
}
