#include "api/job_models.h"

#include <string.h>

static enum luc_status get_one(const struct api_env *env, const char *name,
                               struct api_models *models, struct luc_error *err)
{
    const enum luc_status st = env->model_get(env->ctx, name, &models->at[models->n], err);
    if (st == LUC_NOT_FOUND && err && !*err->param) {
        char text[LUC_ERROR_TEXT];
        memcpy(text, err->text, sizeof(text));
        return luc_fail_param(err, st, "model", "%s", text);
    }
    models->n += !st;
    return st;
}

enum luc_status api_models_get(const struct api_env *env, const struct api_job *job,
                               struct api_models *models, struct luc_error *err)
{
    const struct luc_method *m = job->what->method;
    const size_t most = m->models_max ? m->models_max : 1;
    const char *at = job->params.input.model;
    enum luc_status st = LUC_OK;
    do {
        char name[LUC_TEXT_MAX];
        const size_t n = strcspn(at, ",");
        if (models->n == most)
            return luc_fail_param(err, LUC_INVALID, "model", "model: %s takes %s%zu network%s",
                                  m->name, most > 1 ? "at most " : "", most, most > 1 ? "s" : "");
        memcpy(name, at, n);
        name[n] = '\0';
        st = get_one(env, name, models, err);
        at += n + (at[n] == ',');
    } while (!st && *at);
    return st;
}

void api_models_put(const struct api_env *env, struct api_models *models)
{
    while (models->n > 0)
        env->model_put(env->ctx, models->at[--models->n]);
}
