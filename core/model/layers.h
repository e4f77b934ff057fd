/* layers.h -- what a network consists of, for people: one row per computed value. */
#ifndef LUC_MODEL_LAYERS_H
#define LUC_MODEL_LAYERS_H

#include "core/model/model.h"
#include "core/model/receptive.h"

struct luc_layer {
    const char *name, *alias; /* alias "": none; several are separated by a space */
    const char *op;
    size_t value;
    struct luc_shape shape; /* for one picture of the size asked for */
    size_t n_parameters;    /* weights that this layer is the first to use */
    struct luc_field field;
};

struct luc_layers {
    struct luc_layer *rows;
    size_t n;
    size_t height, width; /* the picture's size */
    size_t n_parameters;  /* in all, batch normalisation folded into the convolutions */
    double flops;         /* one forward pass by direct convolution; multiply and add are two */
};

/* Height and width 0: the network's own size, or 224 when it takes any. Arithmetic on shapes and
 * values that are known beforehand are left out. Everything lives in `arena`. */
LUC_MUST_USE enum luc_status luc_model_layers(const struct luc_model *m, size_t height,
                                              size_t width, struct luc_arena *arena,
                                              struct luc_layers *layers, struct luc_error *err);

#endif
