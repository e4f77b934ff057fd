/* tfjs.h -- reads TensorFlow.js networks: Keras layers models and graph models.
 *
 * A network is a model.json and the weight shards it names. What comes out is an ordinary graph of
 * our ONNX-named operators (opset 13) with pictures in NCHW: TensorFlow's NHWC is turned around
 * here, once, kernels included. Value names are the file's own: the name of a Keras layer or of a
 * graph node is the name of what it puts out; a layer's part before its activation is "NAME/linear".
 *
 * Names of other files that the JSON holds must stay below its own directory.
 */
#ifndef LUC_FORMATS_TFJS_H
#define LUC_FORMATS_TFJS_H

#include "core/base/file.h"
#include "core/graph/graph.h"

#define LUC_TFJS_JSON_MAX ((size_t)16 << 20) /* bytes of a model.json */

/* Where the files come from. */
struct luc_tfjs_source {
    void *ctx;
    /* Opens the file `name`, at most `limit` bytes; close() gives it back. */
    enum luc_status (*open)(void *ctx, const char *name, size_t limit, struct luc_file *f,
                            struct luc_error *err);
    void (*close)(void *ctx, struct luc_file *f);
};

/* Fills the empty graph `g`, which stays unfinished: the caller calls luc_graph_finish(). The files
 * are not needed afterwards. On failure `g` is fit only for luc_graph_destroy().
 * `file` is the JSON's name, below `dir`. LUC_FORMAT, LUC_UNSUPPORTED (names the layer or node),
 * LUC_IO, LUC_NOT_FOUND, LUC_NOMEM, LUC_TOO_LARGE. */
LUC_MUST_USE enum luc_status luc_tfjs_read(const char *dir, const char *file, struct luc_graph *g,
                                           struct luc_error *err);
/* The same from anywhere. */
LUC_MUST_USE enum luc_status luc_tfjs_read_from(const struct luc_tfjs_source *source,
                                                const char *file, struct luc_graph *g,
                                                struct luc_error *err);

#endif
