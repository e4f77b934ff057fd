/* tfjs_keras.h -- what one Keras layer becomes; private to the TensorFlow.js reader. */
#ifndef LUC_FORMATS_TFJS_KERAS_H
#define LUC_FORMATS_TFJS_KERAS_H

#include "core/formats/tfjs_parts.h"

struct tfjs_layer {
    struct tfjs_build *b;
    const char *name;
    const json_t *config;
    struct tfjs_value *in; /* n_in of them */
    size_t n_in;
    struct tfjs_value out; /* filled by the handler */
};

struct tfjs_layer_row {
    const char *name; /* Keras class_name */
    size_t n_in_min, n_in_max;
    enum luc_status (*convert)(struct tfjs_layer *l, struct luc_error *err);
};

/* NULL when the class is not known. */
const struct tfjs_layer_row *luc_tfjs_layer_find(const char *class_name);

#endif
