/* describe.h -- the JSON description of a network (model.h shows it), checked and in plain structs.
 *
 * Text, lists and the structs themselves live in the arena given to luc_describe_parse(). Nothing
 * here opens a file. */
#ifndef LUC_MODEL_DESCRIBE_H
#define LUC_MODEL_DESCRIBE_H

#include "core/base/arena.h"
#include "core/model/model.h"

enum luc_format { LUC_FORMAT_ONNX, LUC_FORMAT_TFJS };

/* Where a layer name leads. Names inside a file are one way; the other, for files whose inner names
 * mean nothing, counts: "the 3rd Relu", in graph order. */
struct luc_alias_spec {
    const char *name;
    const char *value; /* a value's name; NULL: the next two */
    const char *op;    /* what the `nth` node (from 0) of this operator puts out */
    size_t nth;
};

struct luc_description {
    const char *name, *title, *licence, *file;
    enum luc_format format;
    enum luc_task task;
    struct luc_pixels in, out;
    bool fit_given;          /* else `in.fit` follows from the network */
    const char *labels_name; /* a file, or the name of an embedded list; NULL: labels[] */
    const char *const *labels;
    size_t n_labels;
    size_t label_offset; /* class of the first label */
    struct luc_alias_spec *aliases;
    size_t n_aliases;
};

/* LUC_FORMAT: the message says which member is wrong and what would be right. */
LUC_MUST_USE enum luc_status luc_describe_parse(const char *json, struct luc_arena *arena,
                                                struct luc_description *d, struct luc_error *err);

/* Labels from the text of a file: JSON (a list, or an object by class index) when it starts with
 * '[' or '{', else one per line. */
LUC_MUST_USE enum luc_status luc_labels_parse(const char *text, const char *what,
                                              struct luc_arena *arena, const char *const **labels,
                                              size_t *n_labels, struct luc_error *err);

#endif
