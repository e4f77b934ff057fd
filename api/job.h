/* job.h -- one computation as plain data: the method, its parameters as understood, the pictures.
 *
 * Everything that can be wrong about a request without asking the network is found while the job
 * is made; what needs the network (the target class, the layer) is found by api_job_run().
 */
#ifndef API_JOB_H
#define API_JOB_H

#include "api/params.h"
#include "core/tensor/codec.h"

#define API_SHA256_MAX 65 /* hexadecimal, NUL included */

/* A picture whose bytes are kept by someone. */
struct api_ref {
    const char *sha256, *name, *label; /* name and label for people; "": none */
    size_t size, width, height;        /* bytes; upright pixels */
};

struct api_upload {
    void *bytes; /* heap; NULL: asked of api_services.picture when it is needed */
    size_t size;
    size_t width, height; /* upright */
    char sha256[API_SHA256_MAX];
    char *name, *label; /* heap */
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

/* Its header: LUC_FORMAT: not an image this server reads; LUC_TOO_LARGE: more than `max_pixels` (0:
 * no limit). */
LUC_MUST_USE enum luc_status api_image_check(const void *bytes, size_t size, size_t max_pixels,
                                             struct luc_image_info *info, struct luc_error *err);
LUC_MUST_USE enum luc_status api_sha256(const void *bytes, size_t size, char text[API_SHA256_MAX],
                                        struct luc_error *err);

/* Copies and hashes one picture; `name` is its file's, for people. Errors of api_image_check();
 * LUC_NOMEM. */
LUC_MUST_USE enum luc_status api_job_add_image(struct api_job *job, const char *name,
                                               const void *bytes, size_t size, size_t max_pixels,
                                               struct luc_error *err);
/* One that is kept elsewhere. LUC_FORMAT: not a hash. */
LUC_MUST_USE enum luc_status api_job_add_ref(struct api_job *job, const struct api_ref *ref,
                                             struct luc_error *err);
/* Picks job->format from the parameter `format`, else from the Accept header (NULL: none).
 * LUC_UNSUPPORTED: the method cannot answer that way. */
LUC_MUST_USE enum luc_status api_job_choose_format(struct api_job *job, const char *accept,
                                                   struct luc_error *err);
/* Whether it runs in the slow lane: its method is SLOW, or it looks at a collection. */
bool api_job_is_slow(const struct api_job *job);
/* What no single parameter shows: the number of pictures, colours. */
LUC_MUST_USE enum luc_status api_job_check(const struct api_job *job, struct luc_error *err);

/* All of it but the pictures' bytes, which are named by their hashes, as canonical JSON; the
 * parameters are text that api_params_set() reads back. */
void api_job_print(const struct api_job *job, struct luc_str *out);
/* The same without the pictures, and one of them: how jobs are stored, whose pictures are many. */
void api_job_print_bare(const struct api_job *job, struct luc_str *out);
void api_picture_print(const struct api_upload *u, struct luc_str *out);
/* "png" ... */
const char *api_format_name(enum api_format format);
/* Its pictures as that text has them: sha256, bytes, width, height, name and label. */
json_t *api_job_images_json(const struct api_job *job);

/* What a worker brings. */
struct api_services {
    /* The bytes (heap) of a picture that the job only refers to; NULL: no job does. */
    enum luc_status (*picture)(void *ctx, const struct api_upload *picture, char **bytes,
                               size_t *size, struct luc_error *err);
    void *picture_ctx;
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
