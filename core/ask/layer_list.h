/* layer_list.h -- parameters that name layers, and one weight for each. */
#ifndef LUC_ASK_LAYER_LIST_H
#define LUC_ASK_LAYER_LIST_H

#include "core/base/param.h"
#include "core/model/model.h"

struct luc_layer_list {
    size_t n, value[LUC_LIST_MAX];
    double weight[LUC_LIST_MAX]; /* as given; 1 where none were */
};

/* A layer by name or alias; failures blame the parameter `param`. LUC_NOT_FOUND. */
LUC_MUST_USE enum luc_status luc_layer_find(const struct luc_model *model, const char *param,
                                            const char *name, size_t *value, struct luc_error *err);

/* `names`: separated by commas, at least one. `weights`: none, or one for each. Failures blame
 * `param` or `weights_param`. LUC_NOT_FOUND, LUC_INVALID. */
LUC_MUST_USE enum luc_status luc_layers_read(const struct luc_model *model, const char *param,
                                             const char *names, const char *weights_param,
                                             const struct luc_reals *weights,
                                             struct luc_layer_list *list, struct luc_error *err);

#endif
