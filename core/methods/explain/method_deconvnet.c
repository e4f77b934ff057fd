/* deconvnet: the gradient, but a ReLU passes whatever gradient is positive.
 *
 *   dL/dx = dL/dy * [dL/dy > 0]   at every ReLU; elsewhere the derivative
 *
 * Input:  one picture.
 * Output: map `deconvnet` [1, 1, h, w], max over colours of the magnitude; picture `colours`, the
 *         signed gradient around gray; a text `warning`.
 * Cost:   one forward and one backward pass.
 * Errors: those of core/ask/gradient.h.
 * Source: Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", 2013,
 *         arXiv:1311.2901, section 2.1. Unpooling by switches is the derivative of max-pooling.
 */
#include "core/ask/rectified.h"

static enum luc_status run_deconvnet(struct luc_run *run, const void *params, struct luc_error *err)
{
    return luc_rectified_run(run, params, LUC_RELU_DECONV, "deconvnet", err);
}

const struct luc_method luc_method_deconvnet = {
    .name = "deconvnet",
    .title = "Deconvnet",
    .summary = "Which parts of the picture drive a class or a neuron, in colour: a gradient that "
               "passes each ReLU only where it is positive itself.",
    .paper = "Zeiler & Fergus 2013, arXiv:1311.2901",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_VIEW,
    .images_min = 1,
    .images_max = 1,
    .makes_picture = true,
    .params_size = sizeof(struct luc_rectified_params),
    .params = luc_rectified_rows,
    .run = run_deconvnet,
};
