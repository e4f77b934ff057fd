/* onnx_parts.h -- the pieces of the ONNX reader; private to it. */
#ifndef LUC_FORMATS_ONNX_PARTS_H
#define LUC_FORMATS_ONNX_PARTS_H

#include "core/formats/onnx_wire.h"
#include "core/graph/graph.h"

struct onnx_reader {
    struct luc_graph *g;
    struct onnx_memory *mem;
    size_t *slots; /* value indices of one node; as many as the widest node needs */
};

/* Turns a TensorProto into floats in `arena`. `name` is for messages. */
LUC_MUST_USE enum luc_status luc_onnx_tensor(const Onnx__TensorProto *p, const char *name,
                                             struct luc_arena *arena, struct luc_tensor *t,
                                             struct luc_error *err);

/* Appends one node, or a constant value for a Constant node. */
LUC_MUST_USE enum luc_status luc_onnx_node(struct onnx_reader *r, const Onnx__NodeProto *n,
                                           struct luc_error *err);

#endif
