/* pictures.h -- the pictures of a job, decoded when a method or the answer asks for them. */
#ifndef API_PICTURES_H
#define API_PICTURES_H

#include "api/job.h"

struct api_pictures {
    const struct api_job *job;
    const struct api_services *services;
    struct luc_image *decoded; /* [job->n_images], heap; without data: not decoded */
    size_t bytes;              /* that they hold */
    uint8_t background[3];
};

/* Both are borrowed. LUC_NOMEM; LUC_INVALID the parameter background. */
LUC_MUST_USE enum luc_status api_pictures_init(struct api_pictures *p, const struct api_job *job,
                                               const struct api_services *services,
                                               struct luc_error *err);
void api_pictures_done(struct api_pictures *p); /* fine on a zeroed one */

/* As in struct luc_source, whose ctx is the struct api_pictures. */
LUC_MUST_USE enum luc_status
api_pictures_get(void *pictures, size_t i, const struct luc_image **image, struct luc_error *err);
void api_pictures_drop(void *pictures, size_t i);
struct luc_about api_pictures_about(void *pictures, size_t i);

#endif
