/* render.h -- a result as the answer that was asked for. */
#ifndef API_RENDER_H
#define API_RENDER_H

#include "api/job_models.h"
#include "api/pictures.h"

struct api_shown {
    const struct api_job *job;
    const struct api_models *models;
    struct api_pictures *pictures;
    const struct luc_result *result;
    const char *version;
};

/* The method, parameters, network and pictures that a result follows from, as canonical JSON, and
 * the SHA-256 of that text: equal hashes mean equal results. */
LUC_MUST_USE enum luc_status api_manifest(const struct api_shown *s, struct luc_str *text,
                                          char sha256[API_SHA256_MAX], struct luc_error *err);

/* On LUC_OK *res is a complete 200. */
LUC_MUST_USE enum luc_status api_render(const struct api_shown *s, struct api_response *res,
                                        struct luc_error *err);

#endif
