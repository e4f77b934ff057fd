/* onnx.h -- reads ONNX networks and tensors.
 *
 * Opsets 7 to 21 of the default domain. Everything lives in the one file: external data, functions
 * and subgraphs are refused with a sentence. No size in the file is believed before it is checked
 * against the bytes that are there.
 */
#ifndef LUC_FORMATS_ONNX_H
#define LUC_FORMATS_ONNX_H

#include "core/graph/graph.h"

#define LUC_ONNX_OPSET_MIN 7
#define LUC_ONNX_OPSET_MAX 25

/* Fills the empty graph `g`, which stays unfinished: the caller calls luc_graph_finish(). `bytes`
 * are not needed afterwards. On failure `g` is fit only for luc_graph_destroy().
 * LUC_FORMAT: not an ONNX file, or a damaged one. LUC_UNSUPPORTED: names the node and what about
 * it. LUC_NOMEM, LUC_TOO_LARGE: the graph's limit. */
LUC_MUST_USE enum luc_status luc_onnx_read(const void *bytes, size_t size, struct luc_graph *g,
                                           struct luc_error *err);

/* Reads one serialised TensorProto (a test vector's file). *name (may be NULL) and the contents
 * live in `arena`. Fails as luc_onnx_read(). */
LUC_MUST_USE enum luc_status luc_onnx_tensor_read(const void *bytes, size_t size,
                                                  struct luc_arena *arena, struct luc_tensor *t,
                                                  const char **name, struct luc_error *err);

#endif
