/* model.h -- a network ready to be asked: graph, weights, preprocessing, labels, layer names.
 *
 * Immutable after load and shared by all jobs. Described by a JSON document, the same for a catalog
 * entry and for the file that a user puts beside an ONNX network:
 *
 *   { "name": "squeezenet1_1", "title": "SqueezeNet 1.1", "task": "classify", "licence": "...",
 *     "format": "onnx" | "tfjs", "file": "squeezenet1_1.onnx",
 *     "input": { "channels": "RGB" | "BGR" | "gray", "mean": [..], "scale": [..],
 *                "size": [224, 224] | null, "fit": "resize" | "crop" | "native" },
 *     "output": { "mean": [..], "scale": [..] },      tasks that make pictures
 *     "labels": "imagenet" | "labels.txt" | "labels.json" | [..], "label_offset": 0,
 *     "aliases": { "relu4_2": "VALUE", "fc7": { "op": "Relu", "nth": 6 } }, "sources": [..] }
 *
 * An alias is a value's name in the file, or what the nth node (from 0) of an operator puts out. A
 * classifier gets "last_conv" by itself: the last value that is still a picture, before pooling.
 * Preprocessing is x = (pixel - mean) * scale per channel in the network's channel order, pixel in
 * 0..255; output pictures are pixel = y / scale + mean.
 */
#ifndef LUC_MODEL_MODEL_H
#define LUC_MODEL_MODEL_H

#include "core/graph/graph.h"
#include "core/tensor/image.h"

enum luc_fit { LUC_FIT_RESIZE, LUC_FIT_CROP, LUC_FIT_NATIVE };
enum luc_channels { LUC_RGB, LUC_BGR, LUC_GRAY };
enum luc_task { LUC_TASK_CLASSIFY, LUC_TASK_FEATURES, LUC_TASK_STYLE };

struct luc_pixels {
    enum luc_channels channels;
    float mean[3], scale[3]; /* per channel of the network's own order */
    size_t width, height;    /* 0: any size */
    enum luc_fit fit;        /* the default */
};

struct luc_alias {
    const char *name;
    size_t value;
};

struct luc_model {
    const char *name, *title, *licence;
    enum luc_task task;
    const char *hash; /* SHA-256 of the weight file(s), hex */
    struct luc_graph *graph;
    struct luc_pixels in, out; /* out: LUC_TASK_STYLE only */
    size_t input;              /* value index of the picture input, [N, C, H, W] */
    size_t logits;             /* value before the final Softmax; LUC_NONE when not a classifier */
    size_t n_classes, n_labels, n_aliases;
    const char *const *labels; /* by class index; several names are separated by ", " */
    const struct luc_alias *aliases;
    size_t bytes; /* memory held when it was loaded, weights included; see luc_model_bytes() */
    struct luc_arena *arena;
};

/* Reads the description in `json` (NUL-terminated) and the files it names, relative to `dir`.
 * `limit_bytes` bounds the memory of weights and graph. LUC_FORMAT, LUC_UNSUPPORTED, LUC_TOO_LARGE,
 * LUC_IO: the message names the file and what to change. */
LUC_MUST_USE enum luc_status luc_model_load(const char *dir, const char *json, size_t limit_bytes,
                                            struct luc_model **model, struct luc_error *err);
struct luc_model *luc_model_destroy(struct luc_model *m); /* NULL is fine; returns NULL */
/* Memory held now: weights that fast plans pack late are counted once they were packed. */
size_t luc_model_bytes(const struct luc_model *m);

/* A value by alias or by name. LUC_NOT_FOUND suggests the nearest names. */
LUC_MUST_USE enum luc_status luc_model_layer(const struct luc_model *m, const char *name,
                                             size_t *value, struct luc_error *err);
/* A class by index ("281"), exact name or one of its names, case-insensitive, '_' equals ' '.
 * LUC_NOT_FOUND suggests near names; LUC_INVALID when several classes share the name. */
LUC_MUST_USE enum luc_status luc_model_class(const struct luc_model *m, const char *name,
                                             size_t *index, struct luc_error *err);
/* The label, or "class N" where there is none; never NULL. buf is used only for the latter. */
const char *luc_model_label(const struct luc_model *m, size_t index, char buf[32]);

/* The part of an upload that a network input shows, in upload pixels. */
struct luc_frame {
    double x, y, width, height;
    size_t in_width, in_height; /* the network's input size */
};

/* Size that an upload takes at the network's input, and the part it shows. LUC_INVALID: native on
 * a network of fixed size; LUC_RANGE: a side too small for the network. */
LUC_MUST_USE enum luc_status luc_model_frame(const struct luc_model *m, size_t width, size_t height,
                                             enum luc_fit fit, struct luc_frame *frame,
                                             struct luc_error *err);
/* Resizes (antialiased bicubic) and normalises `image` into out[C * in_height * in_width]. */
LUC_MUST_USE enum luc_status luc_model_preprocess(const struct luc_model *m,
                                                  const struct luc_image *image,
                                                  const struct luc_frame *frame, float *out,
                                                  struct luc_error *err);

#endif
