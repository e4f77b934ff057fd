#include "tests/onnx_build.h"

#include "core/formats/onnx.h"

#include <assert.h>
#include <string.h>

static char *copy(struct onnx_build *b, const char *text)
{
    char *p = luc_arena_strdup(b->arena, text);
    assert(p);
    return p;
}

static void *make(struct onnx_build *b, size_t size)
{
    void *p = luc_arena_alloc(b->arena, 1, size);
    assert(p);
    return p;
}

void ob_init(struct onnx_build *b, int opset)
{
    memset(b, 0, sizeof(*b));
    b->arena = luc_arena_create((size_t)16 << 20);
    onnx__model_proto__init(&b->model);
    onnx__graph_proto__init(&b->graph);
    onnx__operator_set_id_proto__init(&b->opset);
    b->model.has_ir_version = 1;
    b->model.ir_version = 7;
    b->model.graph = &b->graph;
    b->opset.has_version = 1;
    b->opset.version = opset;
    b->opsets[0] = &b->opset;
    b->model.opset_import = b->opsets;
    b->model.n_opset_import = 1;
    b->graph.node = b->nodes;
    b->graph.initializer = b->weights;
    b->graph.input = b->inputs;
    b->graph.output = b->outputs;
}

void ob_done(struct onnx_build *b)
{
    b->arena = luc_arena_destroy(b->arena);
}

static char **names(struct onnx_build *b, const char *const *list, size_t *n)
{
    char **out = make(b, OB_MAX * sizeof(*out));
    for (*n = 0; list[*n]; ++*n)
        out[*n] = copy(b, list[*n]);
    return out;
}

Onnx__NodeProto *ob_node(struct onnx_build *b, const char *op, const char *name,
                         const char *const *in, const char *const *out)
{
    Onnx__NodeProto *n = make(b, sizeof(*n));
    onnx__node_proto__init(n);
    n->op_type = copy(b, op);
    n->name = copy(b, name);
    n->input = names(b, in, &n->n_input);
    n->output = names(b, out, &n->n_output);
    n->attribute = make(b, OB_MAX * sizeof(*n->attribute));
    b->nodes[b->graph.n_node++] = n;
    return n;
}

Onnx__AttributeProto *ob_attribute(struct onnx_build *b, Onnx__NodeProto *n, const char *name)
{
    Onnx__AttributeProto *a = make(b, sizeof(*a));
    onnx__attribute_proto__init(a);
    a->name = copy(b, name);
    n->attribute[n->n_attribute++] = a;
    return a;
}

Onnx__TensorProto *ob_tensor(struct onnx_build *b, const char *name, int type, size_t rank,
                             const int64_t *dims)
{
    Onnx__TensorProto *t = make(b, sizeof(*t));
    onnx__tensor_proto__init(t);
    t->name = copy(b, name);
    t->has_data_type = 1;
    t->data_type = type;
    t->n_dims = rank;
    t->dims = make(b, (rank + 1) * sizeof(*dims));
    if (rank > 0)
        memcpy(t->dims, dims, rank * sizeof(*dims));
    return t;
}

void ob_raw(struct onnx_build *b, Onnx__TensorProto *t, const void *bytes, size_t size)
{
    t->has_raw_data = 1;
    t->raw_data.len = size;
    t->raw_data.data = make(b, size + 1);
    memcpy(t->raw_data.data, bytes, size);
}

void ob_weight(struct onnx_build *b, Onnx__TensorProto *t)
{
    b->weights[b->graph.n_initializer++] = t;
}

static Onnx__TensorShapeProto *shape(struct onnx_build *b, size_t rank, const int64_t *dims)
{
    Onnx__TensorShapeProto *s = make(b, sizeof(*s));
    onnx__tensor_shape_proto__init(s);
    s->dim = make(b, (rank + 1) * sizeof(*s->dim));
    s->n_dim = rank;
    for (size_t i = 0; i < rank; i++) {
        Onnx__TensorShapeProto__Dimension *d = make(b, sizeof(*d));
        onnx__tensor_shape_proto__dimension__init(d);
        d->value_case = dims[i] < 0 ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                                    : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (dims[i] < 0)
            d->dim_param = copy(b, "height");
        else
            d->dim_value = dims[i];
        s->dim[i] = d;
    }
    return s;
}

void ob_input(struct onnx_build *b, const char *name, size_t rank, const int64_t *dims)
{
    Onnx__ValueInfoProto *v = make(b, sizeof(*v));
    onnx__value_info_proto__init(v);
    v->name = copy(b, name);
    v->type = make(b, sizeof(*v->type));
    onnx__type_proto__init(v->type);
    v->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    v->type->tensor_type = make(b, sizeof(*v->type->tensor_type));
    onnx__type_proto__tensor__init(v->type->tensor_type);
    v->type->tensor_type->shape = shape(b, rank, dims);
    b->inputs[b->graph.n_input++] = v;
}

void ob_output(struct onnx_build *b, const char *name)
{
    Onnx__ValueInfoProto *v = make(b, sizeof(*v));
    onnx__value_info_proto__init(v);
    v->name = copy(b, name);
    b->outputs[b->graph.n_output++] = v;
}

const unsigned char *ob_pack(struct onnx_build *b, size_t *size)
{
    *size = onnx__model_proto__get_packed_size(&b->model);
    unsigned char *bytes = make(b, *size + 1);
    onnx__model_proto__pack(&b->model, bytes);
    return bytes;
}

enum luc_status ob_read(struct onnx_build *b, struct luc_graph **g, struct luc_error *err)
{
    size_t size = 0;
    const unsigned char *bytes = ob_pack(b, &size);
    *g = luc_graph_create((size_t)16 << 20);
    assert(*g);
    const enum luc_status st = luc_onnx_read(bytes, size, *g, err);
    return st ? st : luc_graph_finish(*g, err);
}
