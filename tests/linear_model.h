/* linear_model.h -- a classifier whose every answer is known: logits = W x, nothing else.
 * Input [1, 3, 4, 4], five classes, pixels enter as they are (mean 0, scale 1). */
#ifndef TESTS_LINEAR_MODEL_H
#define TESTS_LINEAR_MODEL_H

#include "core/run/method.h"

#define LINEAR_CLASSES 5
#define LINEAR_SIZE    4
#define LINEAR_PIXELS  (3 * LINEAR_SIZE * LINEAR_SIZE)

struct linear_model {
    struct luc_model model;
    float *weights;         /* [LINEAR_CLASSES][LINEAR_PIXELS] */
    struct luc_image photo; /* LINEAR_SIZE square */
    struct luc_arena *arena;
    struct luc_result result;
    struct luc_input_params input;
    struct luc_run run; /* ready for luc_method_run(); serial, no tick */
};

void linear_model_init(struct linear_model *m);
void linear_model_done(struct linear_model *m);
/* A clean result and arena for another run. */
void linear_model_again(struct linear_model *m);

#endif
