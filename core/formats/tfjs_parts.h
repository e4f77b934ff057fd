/* tfjs_parts.h -- the pieces of the TensorFlow.js reader; private to it.
 *
 * Two front ends (Keras layers, graph nodes) walk the JSON and make nodes through luc_tfjs_emit() and
 * the helpers below. A value knows its rank and whether it is held as a picture, that is, whether a
 * tensor that TensorFlow calls [N, H, W, C] lies here as [N, C, H, W].
 */
#ifndef LUC_FORMATS_TFJS_PARTS_H
#define LUC_FORMATS_TFJS_PARTS_H

#include "core/formats/raw_data.h"
#include "core/formats/tfjs.h"

#include <jansson.h>

/* One tensor of the weights manifest, still as the file has it. */
struct tfjs_weight {
    const char *name; /* borrowed from the JSON */
    struct luc_shape shape;
    enum luc_dtype dtype;
    enum luc_raw_type raw;
    bool affine; /* value = raw * scale + min */
    double scale, min;
    const unsigned char *bytes;
};

struct tfjs_weights {
    struct tfjs_weight *list;
    size_t n;
    json_t *index; /* name -> position */
    struct luc_file *files;
    size_t n_files;
    struct luc_arena *copies; /* of tensors that lie in two files */
    const struct luc_tfjs_source *source;
};

/* luc_tfjs_weights_done() is due in any case. */
LUC_MUST_USE enum luc_status luc_tfjs_weights_read(const struct luc_tfjs_source *source,
                                                   const json_t *manifest, size_t limit,
                                                   struct tfjs_weights *w, struct luc_error *err);
void luc_tfjs_weights_done(struct tfjs_weights *w);
const struct tfjs_weight *luc_tfjs_weight_find(const struct tfjs_weights *w, const char *name);
double luc_tfjs_weight_at(const struct tfjs_weight *w, size_t i);

struct tfjs_value {
    size_t value;                     /* LUC_NONE: a constant that nothing has needed as it is */
    const struct tfjs_weight *weight; /* constants only */
    size_t rank;
    size_t length; /* of a vector that is computed; 0: not known */
    bool picture;
};

struct tfjs_build {
    struct luc_graph *g;
    struct tfjs_weights weights;
    size_t n_made; /* makes names unique */
};

struct tfjs_attr {
    const char *key; /* NULL ends a list */
    size_t n;        /* 0: text */
    double v[LUC_LIST_MAX];
    const char *text;
};

/* A new value called "base" or "base/suffix" (suffix may be NULL), with a number when taken. */
LUC_MUST_USE enum luc_status luc_tfjs_name(struct tfjs_build *b, const char *base,
                                           const char *suffix, size_t *value,
                                           struct luc_error *err);
/* A node that makes the new value "base[/suffix]". attrs may be NULL. */
LUC_MUST_USE enum luc_status luc_tfjs_emit(struct tfjs_build *b, const char *op, const char *base,
                                           const char *suffix, const size_t *in, size_t n_in,
                                           const struct tfjs_attr *attrs, size_t *out,
                                           struct luc_error *err);
/* Constants. rank 0: a scalar (n is 1); else a vector. */
LUC_MUST_USE enum luc_status luc_tfjs_numbers(struct tfjs_build *b, const char *base,
                                              const char *suffix, enum luc_dtype dtype,
                                              const double *v, size_t n, size_t rank, size_t *value,
                                              struct luc_error *err);
/* A weight with its axes reordered, `shape` being what comes out: out[i0, i1, ..] has the weight's
 * axis perm[k] at place k. */
LUC_MUST_USE enum luc_status luc_tfjs_constant(struct tfjs_build *b, const struct tfjs_weight *w,
                                               const size_t *perm, const struct luc_shape *shape,
                                               size_t *value, struct luc_error *err);

/* The value as it is, as TensorFlow orders it (a transposition when it is a picture), or as a
 * picture (from rank 4 and below; missing axes are added in front). `name` is for new values. */
LUC_MUST_USE enum luc_status luc_tfjs_as_plain(struct tfjs_build *b, const char *name,
                                               struct tfjs_value *v, size_t *value,
                                               struct luc_error *err);
LUC_MUST_USE enum luc_status luc_tfjs_as_picture(struct tfjs_build *b, const char *name,
                                                 struct tfjs_value *v, size_t *value,
                                                 struct luc_error *err);

/* Convolutions, pooling and the like, shared by both front ends. */
enum tfjs_padding { TFJS_VALID, TFJS_SAME, TFJS_EXPLICIT };
struct tfjs_window {
    enum tfjs_padding padding;
    double kernel[2], strides[2], dilations[2]; /* [y, x] */
    double pads[4];                             /* TFJS_EXPLICIT: top, left, bottom, right */
};
enum tfjs_kernel { TFJS_CONV, TFJS_DEPTHWISE, TFJS_TRANSPOSED };
/* bias may be NULL. x becomes a picture. The kernel's size is written to win->kernel. */
LUC_MUST_USE enum luc_status luc_tfjs_conv(struct tfjs_build *b, const char *name,
                                           const char *suffix, enum tfjs_kernel kind,
                                           struct tfjs_value *x, const struct tfjs_weight *kernel,
                                           const struct tfjs_weight *bias, struct tfjs_window *win,
                                           size_t *out, struct luc_error *err);
LUC_MUST_USE enum luc_status luc_tfjs_pool(struct tfjs_build *b, const char *op, const char *name,
                                           struct tfjs_value *x, const struct tfjs_window *win,
                                           size_t *out, struct luc_error *err);
/* Pads pictures or plain values; v[axis][0..1] in TensorFlow's axes. mode "constant", "reflect". */
LUC_MUST_USE enum luc_status luc_tfjs_pad(struct tfjs_build *b, const char *name, const char *mode,
                                          double fill, struct tfjs_value *x, double pads[][2],
                                          size_t *out, struct luc_error *err);
/* "linear", "relu", "relu6", "sigmoid", "tanh", "softmax", "leaky_relu"; v is the input, and *out
 * is called `name`. */
LUC_MUST_USE enum luc_status luc_tfjs_activation(struct tfjs_build *b, const char *kind,
                                                 double alpha, const char *name,
                                                 const struct tfjs_value *v, size_t *out,
                                                 struct luc_error *err);
bool luc_tfjs_is_activation(const char *kind);
/* 0 -> 0, 1 -> 2, 2 -> 3, 3 -> 1: where a picture has TensorFlow's axis. */
size_t luc_tfjs_picture_axis(size_t axis);

/* The front ends. `topology` is modelTopology. */
LUC_MUST_USE enum luc_status luc_tfjs_read_layers(struct tfjs_build *b, const json_t *topology,
                                                  struct luc_error *err);
LUC_MUST_USE enum luc_status luc_tfjs_read_graph(struct tfjs_build *b, const json_t *root,
                                                 const json_t *topology, struct luc_error *err);

/* JSON members that may be missing. */
const char *luc_tfjs_text(const json_t *object, const char *key, const char *otherwise);
double luc_tfjs_number(const json_t *object, const char *key, double otherwise);
bool luc_tfjs_flag(const json_t *object, const char *key, bool otherwise);

#endif
