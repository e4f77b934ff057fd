/* job.h -- one computation as plain data: the method, its parameters as understood, the pictures.
 *
 * Everything that can be wrong about a request without asking the network is found while the job
 * is made; what needs the network (the target class, the layer) is found by api_job_run().
 */
#ifndef API_JOB_H
#define API_JOB_H

#include "api/params.h"

#define API_SHA256_MAX 65 /* hexadecimal, NUL included */

struct api_upload {
    void *bytes; /* heap */
    size_t size;
    size_t width, height; /* upright */
    char sha256[API_SHA256_MAX];
};

struct api_job {
    char id[API_ID_MAX];
    const struct api_method *what;
    struct api_params params;
    enum api_format format; /* chosen, never AUTO */
    struct api_upload *images;
    size_t n_images;
};

/* LUC_NOMEM. */
LUC_MUST_USE enum luc_status api_job_create(const struct api_method *what, const char *id,
                                            struct api_job **job, struct luc_error *err);
struct api_job *api_job_destroy(struct api_job *job); /* NULL is fine; returns NULL */

/* Copies and hashes one picture. LUC_FORMAT: not an image this server reads, by its header.
 * LUC_TOO_LARGE: more than `max_pixels`. LUC_NOMEM. */
LUC_MUST_USE enum luc_status api_job_add_image(struct api_job *job, const void *bytes, size_t size,
                                               size_t max_pixels, struct luc_error *err);
/* Picks job->format from the parameter `format`, else from the Accept header (NULL: none).
 * LUC_UNSUPPORTED: the method cannot answer that way. */
LUC_MUST_USE enum luc_status api_job_choose_format(struct api_job *job, const char *accept,
                                                   struct luc_error *err);
/* What no single parameter shows: the number of pictures, colours. */
LUC_MUST_USE enum luc_status api_job_check(const struct api_job *job, struct luc_error *err);

/* All of it but the pictures' bytes, which are named by their hashes, as canonical JSON; the
 * parameters are text that api_params_set() reads back. */
void api_job_print(const struct api_job *job, struct luc_str *out);

/* What a worker brings. */
struct api_services {
    const struct api_env *env; /* model_get, model_put, limits, version */
    const struct luc_threads *threads;
    bool (*tick)(void *ctx, double progress); /* false: give up; may be NULL */
    void *tick_ctx;
    const struct luc_run_hooks *hooks; /* may be NULL */
    /* Told once, before anything is decoded, how many bytes the run will hold; a failure is the
     * answer. NULL: whoever runs the job has planned it before. */
    enum luc_status (*admit)(void *ctx, size_t bytes, struct luc_error *err);
    void *admit_ctx;
};

/* The network that a job asks, to be given back by env->model_put(). LUC_NOT_FOUND blames the
 * parameter `model`. */
LUC_MUST_USE enum luc_status api_job_model(const struct api_env *env, const struct api_job *job,
                                           const struct luc_model **model, struct luc_error *err);

/* How many bytes a job will hold while it runs, its pictures included, the network's weights not:
 * by a dry run (method.h), which costs some milliseconds, and loads the network. LUC_TOO_LARGE: more
 * than env->limits.job_bytes, with both numbers; LUC_NOT_FOUND: the network, or a name that it does
 * not have. Whatever else is wrong is found by the real run. */
LUC_MUST_USE enum luc_status api_job_plan(const struct api_job *job,
                                          const struct api_services *services, size_t *bytes,
                                          struct luc_error *err);

/* Decodes, loads, computes, draws and encodes; *res is the answer, whatever happens. */
void api_job_run(const struct api_job *job, const struct api_services *services,
                 struct api_response *res);

/* POST /{method}: api_job_create() and the rest from a request, then env->submit(). */
void api_post_method(const struct api_env *env, const struct api_request *req, const char *name,
                     struct api_response *res);

#endif
