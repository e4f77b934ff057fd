#include "core/ask/layer_list.h"

#include <string.h>

enum luc_status luc_layer_find(const struct luc_model *model, const char *param, const char *name,
                               size_t *value, struct luc_error *err)
{
    const enum luc_status st = luc_model_layer(model, name, value, err);
    if (st && err && strlen(param) < sizeof(err->param))
        memcpy(err->param, param, strlen(param) + 1);
    return st;
}

enum luc_status luc_layers_read(const struct luc_model *model, const char *param, const char *names,
                                const char *weights_param, const struct luc_reals *weights,
                                struct luc_layer_list *list, struct luc_error *err)
{
    struct luc_layer_list l = { 0 };
    for (const char *at = names; *at;) {
        char name[LUC_TEXT_MAX];
        const size_t n = strcspn(at, ",");
        if (l.n == LUC_LIST_MAX)
            return luc_fail_param(err, LUC_INVALID, param, "%s: more than %d layers", param,
                                  LUC_LIST_MAX);
        memcpy(name, at, n);
        name[n] = '\0';
        const enum luc_status st = luc_layer_find(model, param, name, &l.value[l.n], err);
        if (st)
            return st;
        l.weight[l.n] = l.n < weights->n ? weights->v[l.n] : 1;
        l.n++;
        at += n + (at[n] == ',');
    }
    if (l.n == 0)
        return luc_fail_param(err, LUC_INVALID, param, "%s: no layer is named", param);
    if (weights->n && weights->n != l.n)
        return luc_fail_param(err, LUC_INVALID, weights_param, "%s: %zu weights for %zu layers",
                              weights_param, weights->n, l.n);
    *list = l;
    return LUC_OK;
}
