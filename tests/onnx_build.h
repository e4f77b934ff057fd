/* onnx_build.h -- small ONNX networks, written by tests. */
#ifndef TESTS_ONNX_BUILD_H
#define TESTS_ONNX_BUILD_H

#include "core/graph/graph.h"

#include <onnx.pb-c.h>

#define OB_MAX 8

/* A network under construction; everything it points at lives in `arena`. */
struct onnx_build {
    struct luc_arena *arena;
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    Onnx__OperatorSetIdProto opset, *opsets[1];
    Onnx__NodeProto *nodes[OB_MAX];
    Onnx__TensorProto *weights[OB_MAX];
    Onnx__ValueInfoProto *inputs[OB_MAX], *outputs[OB_MAX];
};

void ob_init(struct onnx_build *b, int opset);
void ob_done(struct onnx_build *b);

/* Names are borrowed; `in` and `out` are lists of up to OB_MAX names that NULL ends. */
Onnx__NodeProto *ob_node(struct onnx_build *b, const char *op, const char *name,
                         const char *const *in, const char *const *out);
Onnx__AttributeProto *ob_attribute(struct onnx_build *b, Onnx__NodeProto *n, const char *name);
Onnx__TensorProto *ob_tensor(struct onnx_build *b, const char *name, int type, size_t rank,
                             const int64_t *dims);
void ob_raw(struct onnx_build *b, Onnx__TensorProto *t, const void *bytes, size_t size);
void ob_weight(struct onnx_build *b, Onnx__TensorProto *t);
/* dims: -1 is a named dimension. */
void ob_input(struct onnx_build *b, const char *name, size_t rank, const int64_t *dims);
void ob_output(struct onnx_build *b, const char *name);

/* The file's bytes, in the arena. */
const unsigned char *ob_pack(struct onnx_build *b, size_t *size);
/* Packs and reads into a new graph, finished when both succeed. */
enum luc_status ob_read(struct onnx_build *b, struct luc_graph **g, struct luc_error *err);

#endif
