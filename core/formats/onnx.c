#include "core/formats/onnx.h"
#include "core/formats/onnx_parts.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define IR_MIN 3
#define IR_MAX 13 /* later versions may mean something that this reader would not notice */

static enum luc_status check_header(const Onnx__ModelProto *m, struct luc_error *err)
{
    if (!m->graph || !m->has_ir_version)
        return luc_fail(err, LUC_FORMAT, "not an ONNX network: it has no %s",
                        m->graph ? "IR version" : "graph");
    if (m->ir_version < IR_MIN || m->ir_version > IR_MAX)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "IR version %" PRId64 " is not supported, only %d to %d", m->ir_version,
                        IR_MIN, IR_MAX);
    if (m->n_functions > 0)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "function '%.80s': networks with functions of their own are not "
                        "supported; inline them (onnx.inliner)",
                        m->functions[0]->name ? m->functions[0]->name : "");
    if (m->graph->n_sparse_initializer > 0)
        return luc_fail(err, LUC_UNSUPPORTED, "sparse weights are not supported");
    return LUC_OK;
}

static enum luc_status read_opset(const Onnx__ModelProto *m, int *opset, struct luc_error *err)
{
    int64_t version = 0;
    for (size_t i = 0; i < m->n_opset_import; i++) {
        const char *domain = m->opset_import[i]->domain;
        if (!domain || !*domain || strcmp(domain, "ai.onnx") == 0)
            version = m->opset_import[i]->version;
    }
    if (version < LUC_ONNX_OPSET_MIN || version > LUC_ONNX_OPSET_MAX)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "opset %" PRId64 " is not supported, only %d to %d; convert the network "
                        "with onnx.version_converter",
                        version, LUC_ONNX_OPSET_MIN, LUC_ONNX_OPSET_MAX);
    *opset = (int)version;
    return LUC_OK;
}

/* The file's copy is given back at once: weights are in memory twice only one at a time. */
static void drop_raw(struct onnx_reader *r, Onnx__TensorProto *p)
{
    if (p->has_raw_data && p->raw_data.data) {
        r->mem->allocator.free(r->mem->allocator.allocator_data, p->raw_data.data);
        p->raw_data = (ProtobufCBinaryData){ 0 };
    }
}

static enum luc_status read_initializers(struct onnx_reader *r, const Onnx__GraphProto *p,
                                         struct luc_error *err)
{
    for (size_t i = 0; i < p->n_initializer; i++) {
        Onnx__TensorProto *w = p->initializer[i];
        struct luc_tensor t = { 0 };
        size_t value = LUC_NONE;
        if (!w->name || !*w->name)
            return luc_fail(err, LUC_FORMAT, "weight number %zu has no name", i);
        enum luc_status st = luc_graph_value(r->g, w->name, &value, err);
        if (!st && r->g->values[value].constant.data)
            st = luc_fail(err, LUC_FORMAT, "weight '%.80s' is there twice", w->name);
        if (!st)
            st = luc_onnx_tensor(w, w->name, r->g->arena, &t, err);
        if (!st)
            st = luc_graph_set_constant(r->g, value, &t, err);
        if (st)
            return st;
        drop_raw(r, w);
    }
    return LUC_OK;
}

/* LUC_NONE rank when the file does not tell. */
static enum luc_status declared_shape(const Onnx__ValueInfoProto *v, struct luc_shape *s,
                                      struct luc_error *err)
{
    *s = (struct luc_shape){ .rank = LUC_NONE };
    if (!v->type)
        return LUC_OK;
    if (v->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
        return luc_fail(err, LUC_UNSUPPORTED, "input '%.80s' is not a tensor", v->name);
    const Onnx__TensorShapeProto *shape = v->type->tensor_type->shape;
    if (!shape)
        return LUC_OK;
    if (shape->n_dim > LUC_MAX_RANK)
        return luc_fail(err, LUC_UNSUPPORTED, "input '%.80s': rank %zu, at most %d are supported",
                        v->name, shape->n_dim, LUC_MAX_RANK);
    s->rank = shape->n_dim;
    for (size_t i = 0; i < shape->n_dim; i++) {
        const Onnx__TensorShapeProto__Dimension *d = shape->dim[i];
        const bool fixed = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        s->dim[i] = fixed && d->dim_value > 0 ? (size_t)d->dim_value : 0;
    }
    return LUC_OK;
}

/* Old files list their weights among the inputs; those are constants already. */
static enum luc_status read_inputs(struct onnx_reader *r, const Onnx__GraphProto *p,
                                   struct luc_error *err)
{
    for (size_t i = 0; i < p->n_input; i++) {
        const Onnx__ValueInfoProto *v = p->input[i];
        struct luc_shape decl;
        size_t value = LUC_NONE;
        if (!v->name || !*v->name)
            return luc_fail(err, LUC_FORMAT, "input number %zu has no name", i);
        enum luc_status st = luc_graph_value(r->g, v->name, &value, err);
        if (!st && r->g->values[value].constant.data)
            continue;
        if (!st && r->g->values[value].is_input)
            st = luc_fail(err, LUC_FORMAT, "input '%.80s' is there twice", v->name);
        if (!st)
            st = declared_shape(v, &decl, err);
        if (!st)
            st = luc_graph_add_input(r->g, value, decl.rank == LUC_NONE ? NULL : &decl, err);
        if (st)
            return st;
    }
    return LUC_OK;
}

static enum luc_status read_outputs(struct onnx_reader *r, const Onnx__GraphProto *p,
                                    struct luc_error *err)
{
    if (p->n_output == 0)
        return luc_fail(err, LUC_FORMAT, "the network has no output");
    for (size_t i = 0; i < p->n_output; i++) {
        size_t value = LUC_NONE;
        if (!p->output[i]->name || !*p->output[i]->name)
            return luc_fail(err, LUC_FORMAT, "output number %zu has no name", i);
        enum luc_status st = luc_graph_value(r->g, p->output[i]->name, &value, err);
        if (!st)
            st = luc_graph_add_output(r->g, value, err);
        if (st)
            return st;
    }
    return LUC_OK;
}

static enum luc_status read_nodes(struct onnx_reader *r, const Onnx__GraphProto *p,
                                  struct luc_error *err)
{
    size_t widest = 1;
    for (size_t i = 0; i < p->n_node; i++) {
        const size_t n = p->node[i]->n_input + p->node[i]->n_output;
        widest = n > widest ? n : widest;
    }
    r->slots = calloc(widest, sizeof(*r->slots));
    if (!r->slots)
        return luc_fail_nomem(err, "nodes", (unsigned long long)widest * sizeof(*r->slots));
    enum luc_status st = LUC_OK;
    for (size_t i = 0; !st && i < p->n_node; i++)
        st = luc_onnx_node(r, p->node[i], err);
    free(r->slots);
    return st;
}

static enum luc_status read_model(struct onnx_reader *r, const Onnx__ModelProto *m,
                                  struct luc_error *err)
{
    enum luc_status st = check_header(m, err);
    if (!st)
        st = read_opset(m, &r->g->opset, err);
    if (!st)
        st = read_initializers(r, m->graph, err);
    if (!st)
        st = read_inputs(r, m->graph, err);
    if (!st)
        st = read_nodes(r, m->graph, err);
    return st ? st : read_outputs(r, m->graph, err);
}

enum luc_status luc_onnx_read(const void *bytes, size_t size, struct luc_graph *g,
                              struct luc_error *err)
{
    struct onnx_memory mem;
    ProtobufCMessage *m = NULL;
    enum luc_status st =
        luc_onnx_unpack(&onnx__model_proto__descriptor, bytes, size, &mem, &m, err);
    if (st)
        return st;
    struct onnx_reader r = { .g = g, .mem = &mem };
    st = read_model(&r, (const Onnx__ModelProto *)m, err);
    luc_onnx_free(m, &mem);
    return st;
}
