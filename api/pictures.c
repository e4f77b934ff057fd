#include "api/pictures.h"
#include "core/tensor/codec.h"

#include <stdlib.h>

enum luc_status api_pictures_init(struct api_pictures *p, const struct api_job *job,
                                  const struct api_services *services, struct luc_error *err)
{
    *p = (struct api_pictures){ .job = job, .services = services };
    p->decoded = calloc(job->n_images ? job->n_images : 1, sizeof(*p->decoded));
    if (!p->decoded)
        return luc_fail_nomem(err, "pictures", job->n_images * sizeof(*p->decoded));
    return job->what->method->groups & LUC_GROUP_INPUT
               ? luc_colour_parse(job->params.input.background, p->background, err)
               : LUC_OK;
}

void api_pictures_done(struct api_pictures *p)
{
    for (size_t i = 0; p->decoded && i < p->job->n_images; i++)
        luc_image_done(&p->decoded[i]);
    free(p->decoded);
    *p = (struct api_pictures){ 0 };
}

static size_t bytes_of(const struct luc_image *image)
{
    return image->width * image->height * image->channels;
}

/* That a picture cannot be got is no fault of who sent the request. */
static enum luc_status fetch(const struct api_pictures *p, const struct api_upload *u, char **bytes,
                             size_t *size, struct luc_error *err)
{
    const struct api_services *s = p->services;
    struct luc_error why = { 0 };
    if (!s->picture)
        return luc_fail(err, LUC_INTERNAL, "picture %.16s is nowhere", u->sha256);
    const enum luc_status st = s->picture(s->picture_ctx, u, bytes, size, &why);
    return st ? luc_fail(err, st == LUC_NOMEM ? st : LUC_INTERNAL, "%s", why.text) : LUC_OK;
}

enum luc_status api_pictures_get(void *pictures, size_t i, const struct luc_image **image,
                                 struct luc_error *err)
{
    struct api_pictures *p = pictures;
    const struct api_limits *limits = &p->services->env->limits;
    const struct api_upload *u = &p->job->images[i];
    struct luc_decode how = { .max_pixels = limits->image_pixels };
    if (p->decoded[i].data)
        return *image = &p->decoded[i], LUC_OK;
    for (size_t c = 0; c < 3; c++)
        how.background[c] = p->background[c];
    struct luc_image made = { 0 };
    char *fetched = NULL;
    size_t size = u->size;
    enum luc_status st = u->bytes ? LUC_OK : fetch(p, u, &fetched, &size, err);
    if (!st)
        st = luc_image_decode(u->bytes ? u->bytes : fetched, size, &how, &made, err);
    free(fetched);
    if (st)
        return st;
    if (bytes_of(&made) > limits->job_bytes - p->bytes) {
        luc_image_done(&made);
        return luc_fail(err, LUC_TOO_LARGE, "the decoded pictures need more than %zu bytes",
                        limits->job_bytes);
    }
    p->bytes += bytes_of(&made);
    p->decoded[i] = made;
    *image = &p->decoded[i];
    return LUC_OK;
}

struct luc_about api_pictures_about(void *pictures, size_t i)
{
    const struct api_upload *u = &((struct api_pictures *)pictures)->job->images[i];
    return (struct luc_about){ u->sha256, u->name, u->label };
}

void api_pictures_drop(void *pictures, size_t i)
{
    struct api_pictures *p = pictures;
    p->bytes -= bytes_of(&p->decoded[i]);
    luc_image_done(&p->decoded[i]);
}
