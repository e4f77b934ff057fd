/* guided-backprop: the gradient, but a ReLU passes only what is positive on both ways.
 *
 *   dL/dx = dL/dy * [y > 0] * [dL/dy > 0]   at every ReLU; elsewhere the derivative
 *
 * Input:  one picture.
 * Output: map `guided_backprop` [1, 1, h, w], max over colours of the magnitude; picture `colours`,
 *         the signed gradient around gray; a text `warning`.
 * Cost:   one forward and one backward pass.
 * Errors: those of core/ask/gradient.h.
 * Source: Springenberg, Dosovitskiy, Brox & Riedmiller, "Striving for Simplicity: The All
 *         Convolutional Net", 2014, arXiv:1412.6806, section 3.4.
 */
#include "core/ask/rectified.h"

static enum luc_status run_guided_backprop(struct luc_run *run, const void *params,
                                           struct luc_error *err)
{
    return luc_rectified_run(run, params, LUC_RELU_GUIDED, "guided_backprop", err);
}

const struct luc_method luc_method_guided_backprop = {
    .name = "guided-backprop",
    .title = "Guided backpropagation",
    .summary = "Which parts of the picture drive a class or a neuron, in colour: a gradient that "
               "passes each ReLU only where both the activation and the gradient are positive.",
    .paper = "Springenberg et al. 2014, arXiv:1412.6806",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_VIEW,
    .images_min = 1,
    .images_max = 1,
    .makes_picture = true,
    .params_size = sizeof(struct luc_rectified_params),
    .params = luc_rectified_rows,
    .run = run_guided_backprop,
};
