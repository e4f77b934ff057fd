/* receptive.h -- which pixels of its input a unit can depend on, from the graph alone.
 *
 * Unit i of a value along one axis covers the input's pixels start + i * stride up to
 * start + i * stride + size, the end not included. Padding lets fields reach past the picture;
 * nothing is cut off. Where windows do not step evenly (transposed convolution, enlarging), the
 * field is the smallest evenly stepping one that covers them.
 */
#ifndef LUC_MODEL_RECEPTIVE_H
#define LUC_MODEL_RECEPTIVE_H

#include "core/graph/infer.h"

struct luc_field {
    bool known; /* false: not computed from the picture */
    bool whole; /* every unit may depend on the whole picture; the rest is then unused */
    double size[2], stride[2], start[2]; /* [0] vertical, [1] horizontal; input pixels */
};

/* fields[x->graph->n_values], for shapes and known contents in `x` and the picture input `input`. */
void luc_receptive_fields(const struct luc_infos *x, size_t input, struct luc_field *fields);

#endif
