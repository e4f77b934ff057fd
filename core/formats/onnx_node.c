#include "core/formats/onnx_parts.h"
#include "core/formats/raw_data.h"

#include <stdio.h>
#include <string.h>

#define LABEL_MAX 96

static const char *text_or_empty(const char *s)
{
    return s ? s : "";
}

/* "node 'conv_3'": by its name, or by what it makes when it has none. */
static void label(const Onnx__NodeProto *n, char out[LABEL_MAX])
{
    if (n->name && *n->name)
        snprintf(out, LABEL_MAX, "node '%.70s'", n->name);
    else
        snprintf(out, LABEL_MAX, "node making '%.70s'",
                 n->n_output > 0 ? text_or_empty(n->output[0]) : "");
}

static bool default_domain(const char *domain)
{
    return !domain || !*domain || strcmp(domain, "ai.onnx") == 0;
}

static enum luc_status find_op(const Onnx__NodeProto *n, int opset, const struct luc_op **op,
                               struct luc_error *err)
{
    char who[LABEL_MAX];
    label(n, who);
    const char *type = text_or_empty(n->op_type);
    const struct luc_op *found = default_domain(n->domain) ? luc_op_find(type) : NULL;
    if (!found)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "%s: operator '%.40s%s%.40s' is not supported; supported operators are "
                        "listed in docs/operators.md",
                        who, default_domain(n->domain) ? "" : n->domain,
                        default_domain(n->domain) ? "" : ".", type);
    if (opset < found->since)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "%s: operator '%s' is supported from opset %d on, the network has %d", who,
                        type, found->since, opset);
    *op = found;
    return LUC_OK;
}

/* Old files leave the type out: then the field that is filled tells. */
static int attribute_type(const Onnx__AttributeProto *a)
{
    if (a->has_type && a->type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED)
        return (int)a->type;
    if (a->has_f)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
    if (a->has_i)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    if (a->has_s)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
    if (a->t)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
    if (a->n_floats > 0)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS;
    return a->n_ints > 0 ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS
                         : ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED;
}

static enum luc_status too_many(const char *key, size_t n, struct luc_error *err)
{
    return luc_fail(err, LUC_UNSUPPORTED, "%.40s has %zu values, at most %d are supported", key, n,
                    LUC_LIST_MAX);
}

static enum luc_status set_floats(const struct luc_op *op, const char *key, const float *v,
                                  size_t n, void *attrs, struct luc_error *err)
{
    double list[LUC_LIST_MAX];
    if (n > LUC_LIST_MAX)
        return too_many(key, n, err);
    for (size_t i = 0; i < n; i++)
        list[i] = (double)v[i];
    return luc_param_set_numbers(op->attrs, key, list, n, attrs, err);
}

static enum luc_status set_ints(const struct luc_op *op, const char *key, const int64_t *v,
                                size_t n, void *attrs, struct luc_error *err)
{
    double list[LUC_LIST_MAX];
    if (n > LUC_LIST_MAX)
        return too_many(key, n, err);
    for (size_t i = 0; i < n; i++)
        list[i] = (double)v[i];
    return luc_param_set_numbers(op->attrs, key, list, n, attrs, err);
}

static enum luc_status set_string(const struct luc_op *op, const char *key, ProtobufCBinaryData s,
                                  void *attrs, struct luc_error *err)
{
    char text[LUC_TEXT_MAX];
    const struct luc_param *row = luc_param_find(op->attrs, key);
    if (s.len >= sizeof(text) || (s.len > 0 && memchr(s.data, 0, s.len)))
        return luc_fail(err, LUC_UNSUPPORTED, "%.40s: its text is too long or not text", key);
    if (row && row->type != LUC_PARAM_TEXT && row->type != LUC_PARAM_CHOICE)
        return luc_fail(err, LUC_FORMAT, "%.40s: a text where a number is wanted", key);
    if (s.len > 0)
        memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    return luc_param_set(op->attrs, key, text, attrs, err);
}

/* A tensor of one element serves a numeric row (ConstantOfShape's value). */
static enum luc_status set_tensor(struct onnx_reader *r, const struct luc_op *op, const char *key,
                                  const Onnx__TensorProto *p, void *attrs, struct luc_error *err)
{
    struct luc_tensor t;
    if (!p)
        return luc_fail(err, LUC_FORMAT, "%.40s: no tensor there", key);
    const struct luc_arena_mark mark = luc_arena_mark(r->g->arena);
    enum luc_status st = luc_onnx_tensor(p, key, r->g->arena, &t, err);
    if (!st && luc_numel(&t.shape) != 1)
        st = luc_fail(err, LUC_UNSUPPORTED, "%.40s: a tensor of %zu elements, one is supported",
                      key, luc_numel(&t.shape));
    if (!st)
        st = set_floats(op, key, t.data, 1, attrs, err);
    luc_arena_release(r->g->arena, mark);
    return st;
}

static enum luc_status set_attribute(struct onnx_reader *r, const struct luc_op *op,
                                     const Onnx__AttributeProto *a, void *attrs,
                                     struct luc_error *err)
{
    const char *key = text_or_empty(a->name);
    if (!luc_param_find(op->attrs, key) || (a->ref_attr_name && *a->ref_attr_name))
        return luc_fail(err, LUC_UNSUPPORTED, "%.40s is not supported", key);
    switch (attribute_type(a)) {
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
        return set_floats(op, key, &a->f, 1, attrs, err);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT: return set_ints(op, key, &a->i, 1, attrs, err);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING:
        return set_string(op, key, a->s, attrs, err);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
        return set_floats(op, key, a->floats, a->n_floats, attrs, err);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
        return set_ints(op, key, a->ints, a->n_ints, attrs, err);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
        return set_tensor(r, op, key, a->t, attrs, err);
    default: return luc_fail(err, LUC_UNSUPPORTED, "%.40s: its type is not supported", key);
    }
}

static enum luc_status set_attributes(struct onnx_reader *r, const struct luc_op *op,
                                      const Onnx__NodeProto *n, void *attrs, struct luc_error *err)
{
    for (size_t i = 0; i < n->n_attribute; i++) {
        struct luc_error why = { 0 };
        const enum luc_status st = set_attribute(r, op, n->attribute[i], attrs, &why);
        if (st) {
            char who[LABEL_MAX];
            label(n, who);
            return luc_fail(err, st == LUC_NOT_FOUND ? LUC_UNSUPPORTED : st,
                            "%s (%s): attribute %.110s", who, op->name, why.text);
        }
    }
    return LUC_OK;
}

/* Indices of the named values into slots[]; "" is an absent one, dropped at the end of the list. */
static enum luc_status find_values(struct onnx_reader *r, char *const *names, size_t n,
                                   size_t *slots, size_t *count, struct luc_error *err)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        slots[i] = LUC_NONE;
        if (!names[i] || !*names[i])
            continue;
        const enum luc_status st = luc_graph_value(r->g, names[i], &slots[i], err);
        if (st)
            return st;
        used = i + 1;
    }
    *count = used;
    return LUC_OK;
}

static enum luc_status constant_floats(struct onnx_reader *r, const float *v, size_t n, bool scalar,
                                       struct luc_tensor *t, struct luc_error *err)
{
    float *data = luc_arena_raw(r->g->arena, n, sizeof(float));
    if (!data)
        return luc_fail_nomem(err, "constant", (unsigned long long)n * sizeof(float));
    if (n > 0)
        memcpy(data, v, n * sizeof(float));
    *t = (struct luc_tensor){ { .rank = scalar ? 0 : 1, .dim = { n } }, LUC_F32, data };
    return LUC_OK;
}

static enum luc_status constant_ints(struct onnx_reader *r, const int64_t *v, size_t n, bool scalar,
                                     struct luc_tensor *t, struct luc_error *err)
{
    float *data = luc_arena_raw(r->g->arena, n, sizeof(float));
    if (!data)
        return luc_fail_nomem(err, "constant", (unsigned long long)n * sizeof(float));
    *t = (struct luc_tensor){ { .rank = scalar ? 0 : 1, .dim = { n } }, LUC_I64, data };
    return luc_raw_read(LUC_RAW_I64, v, n, data, "constant", err);
}

static enum luc_status constant_tensor(struct onnx_reader *r, const Onnx__AttributeProto *a,
                                       const char *name, struct luc_tensor *t,
                                       struct luc_error *err)
{
    const char *key = text_or_empty(a->name);
    if (strcmp(key, "value") == 0 && a->t)
        return luc_onnx_tensor(a->t, name, r->g->arena, t, err);
    if (strcmp(key, "value_float") == 0)
        return constant_floats(r, &a->f, 1, true, t, err);
    if (strcmp(key, "value_floats") == 0)
        return constant_floats(r, a->floats, a->n_floats, false, t, err);
    if (strcmp(key, "value_int") == 0)
        return constant_ints(r, &a->i, 1, true, t, err);
    if (strcmp(key, "value_ints") == 0)
        return constant_ints(r, a->ints, a->n_ints, false, t, err);
    return luc_fail(err, LUC_UNSUPPORTED, "constant '%.80s': attribute '%.40s' is not supported",
                    name, key);
}

static enum luc_status constant_node(struct onnx_reader *r, const Onnx__NodeProto *n,
                                     struct luc_error *err)
{
    char who[LABEL_MAX];
    label(n, who);
    if (n->n_input != 0 || n->n_output != 1 || !n->output[0] || !*n->output[0] ||
        n->n_attribute != 1)
        return luc_fail(err, LUC_FORMAT, "%s: a Constant wants one value and one output", who);
    struct luc_tensor t = { 0 };
    size_t value = LUC_NONE;
    enum luc_status st = luc_graph_value(r->g, n->output[0], &value, err);
    if (!st)
        st = constant_tensor(r, n->attribute[0], n->output[0], &t, err);
    return st ? st : luc_graph_set_constant(r->g, value, &t, err);
}

enum luc_status luc_onnx_node(struct onnx_reader *r, const Onnx__NodeProto *n,
                              struct luc_error *err)
{
    if (n->op_type && strcmp(n->op_type, "Constant") == 0 && default_domain(n->domain))
        return constant_node(r, n, err);
    const struct luc_op *op = NULL;
    size_t n_in = 0, n_out = 0, *in = r->slots, *out = r->slots + n->n_input;
    enum luc_status st = find_op(n, r->g->opset, &op, err);
    if (!st)
        st = find_values(r, n->input, n->n_input, in, &n_in, err);
    if (!st)
        st = find_values(r, n->output, n->n_output, out, &n_out, err);
    void *attrs = NULL;
    if (!st)
        st =
            luc_graph_add_node(r->g, op, text_or_empty(n->name), in, n_in, out, n_out, &attrs, err);
    return st ? st : set_attributes(r, op, n, attrs, err);
}
