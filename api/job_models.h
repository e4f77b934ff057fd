/* job_models.h -- the networks of one job: `model` names one, or several separated by commas where the
 * method takes them. */
#ifndef API_JOB_MODELS_H
#define API_JOB_MODELS_H

#include "api/job.h"

struct api_models {
    const struct luc_model *at[LUC_MODELS_MAX];
    size_t n;
};

/* Loads each on first use. What was taken stays in *models on failure too; api_models_put() gives it
 * back. LUC_NOT_FOUND, LUC_INVALID: the parameter `model` is at fault. */
LUC_MUST_USE enum luc_status api_models_get(const struct api_env *env, const struct api_job *job,
                                            struct api_models *models, struct luc_error *err);
void api_models_put(const struct api_env *env, struct api_models *models);

#endif
