/* tfjs_node.h -- what one TensorFlow graph node becomes; private to the TensorFlow.js reader. */
#ifndef LUC_FORMATS_TFJS_NODE_H
#define LUC_FORMATS_TFJS_NODE_H

#include "core/formats/tfjs_parts.h"

struct tfjs_op {
    struct tfjs_build *b;
    const char *name;
    const json_t *attr;
    const char *arg;        /* of its row */
    struct tfjs_value **in; /* n_in of them */
    size_t n_in;
    struct tfjs_value out; /* filled by the handler */
};

struct tfjs_op_row {
    const char *name; /* TensorFlow's */
    size_t n_in_min, n_in_max;
    enum luc_status (*convert)(struct tfjs_op *o, struct luc_error *err);
    const char *arg;
};

/* Each ends with a row without a name. */
extern const struct tfjs_op_row luc_tfjs_math_rows[], luc_tfjs_picture_rows[],
    luc_tfjs_shape_rows[];

/* NULL when the operator is not known. */
const struct tfjs_op_row *luc_tfjs_op_find(const char *name);

/* LUC_UNSUPPORTED, naming the node. */
enum luc_status luc_tfjs_refuse(const struct tfjs_op *o, const char *what, struct luc_error *err);
/* Input i in TensorFlow's order, as a picture [N, C, H, W], or in whichever layout it is. */
LUC_MUST_USE enum luc_status luc_tfjs_plain(struct tfjs_op *o, size_t i, size_t *value,
                                            struct luc_error *err);
LUC_MUST_USE enum luc_status luc_tfjs_picture(struct tfjs_op *o, size_t i, size_t *value,
                                              struct luc_error *err);
LUC_MUST_USE enum luc_status luc_tfjs_as_it_is(struct tfjs_op *o, size_t i, size_t *value,
                                               struct luc_error *err);
/* luc_tfjs_emit() under the node's name. */
LUC_MUST_USE enum luc_status luc_tfjs_op_emit(struct tfjs_op *o, const char *op, const char *suffix,
                                              const size_t *in, size_t n_in,
                                              const struct tfjs_attr *attrs, size_t *out,
                                              struct luc_error *err);
/* A constant list of n whole numbers. */
LUC_MUST_USE enum luc_status luc_tfjs_ints(struct tfjs_op *o, const char *suffix, const double *v,
                                           size_t n, size_t *value, struct luc_error *err);
/* The numbers of constant input i, at most `max`. LUC_UNSUPPORTED. */
LUC_MUST_USE enum luc_status luc_tfjs_known(const struct tfjs_op *o, size_t i, double *v,
                                            size_t max, size_t *n, struct luc_error *err);
/* Axes of input 0: none negative, each inside. LUC_UNSUPPORTED. */
LUC_MUST_USE enum luc_status luc_tfjs_axes(const struct tfjs_op *o, double *v, size_t n,
                                           struct luc_error *err);

/* Brings the inputs before `to` into one layout, out's. */
LUC_MUST_USE enum luc_status luc_tfjs_together(struct tfjs_op *o, size_t to, size_t *values,
                                               struct luc_error *err);
/* Are these axes height and width, [N, H, W, C]? */
bool luc_tfjs_over_picture(const double *axes, size_t n);

/* An instance normalisation that the graph spells out: y = (x - mean) * rsqrt(var + eps) * scale +
 * offset, mean and variance over height and width. */
struct tfjs_norm {
    const struct tfjs_weight *scale, *offset;
    double epsilon;
};
LUC_MUST_USE enum luc_status luc_tfjs_instance_norm(struct tfjs_op *o, const struct tfjs_norm *n,
                                                    struct luc_error *err);

/* Whole number of an attribute, as a number or as text. */
double luc_tfjs_attr_int(const json_t *attr, const char *key, double otherwise);
bool luc_tfjs_attr_bool(const json_t *attr, const char *key, bool otherwise);
/* A list of whole numbers; the count, at most `max`; SIZE_MAX when it is longer or no list. */
size_t luc_tfjs_attr_ints(const json_t *attr, const char *key, double *v, size_t max);
/* Text, which the file holds as base64 or as an array of bytes. False when absent or too long. */
bool luc_tfjs_attr_text(const json_t *attr, const char *key, char *buf, size_t size);
/* One element of "s" or "list.s". */
bool luc_tfjs_decode_text(const json_t *s, char *buf, size_t size);

#endif
