/* maps.h -- a layer's maps for one picture, and a unit's gradient with respect to them: what cam,
 * grad-cam and score-cam begin with. */
#ifndef LUC_ASK_MAPS_H
#define LUC_ASK_MAPS_H

#include "core/ask/unit.h"

struct luc_maps_spec {
    const struct luc_unit_params *unit;
    size_t layer;      /* tapped */
    const size_t *wrt; /* tapped too; the gradients that are wanted */
    size_t n_wrt;
    bool backward_again; /* luc_plan_spec.backward_again */
};

struct luc_maps {
    struct luc_run *run;
    struct luc_frame frame;
    struct luc_tensor input;
    struct luc_exec *exec;
    struct luc_unit unit;
    const struct luc_tensor *held; /* what the layer holds, [1, K, h, w] */
    size_t layer;
};

/* Errors of luc_run_input(), luc_unit_value() and luc_unit_find(); LUC_SHAPE, naming "layer": its
 * values are not maps. */
LUC_MUST_USE enum luc_status luc_maps_open(struct luc_run *run, const struct luc_maps_spec *spec,
                                           struct luc_maps *m, struct luc_error *err);

/* The unit's gradient; once, or as often as wanted with backward_again. */
void luc_maps_back(struct luc_maps *m, enum luc_relu_rule rule);

/* luc_unit_report(), and the name of the maps' layer: `layer`, or `maps_layer` beside a neuron's. */
LUC_MUST_USE enum luc_status luc_maps_report(const struct luc_maps *m, struct luc_error *err);

/* A layer by its name; the error names "layer". */
LUC_MUST_USE enum luc_status luc_maps_layer(const struct luc_run *run, const char *name,
                                            size_t *layer, struct luc_error *err);

#endif
