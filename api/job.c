#include "api/job.h"
#include "api/accept.h"
#include "api/json.h"
#include "core/base/hash.h"
#include "core/tensor/codec.h"

#include <stdlib.h>
#include <string.h>

enum luc_status api_job_create(const struct api_method *what, const char *id, struct api_job **job,
                               struct luc_error *err)
{
    struct api_job *made = calloc(1, sizeof(*made));
    if (!made)
        return luc_fail_nomem(err, "a job", sizeof(*made));
    const enum luc_status st = api_params_init(&made->params, what->method, err);
    if (st) {
        free(made);
        return st;
    }
    made->what = what;
    strncpy(made->id, id ? id : "", sizeof(made->id) - 1);
    *job = made;
    return LUC_OK;
}

struct api_job *api_job_destroy(struct api_job *job)
{
    if (!job)
        return NULL;
    for (size_t i = 0; i < job->n_images; i++)
        free(job->images[i].bytes);
    free(job->images);
    api_params_done(&job->params);
    free(job);
    return NULL;
}

static enum luc_status check_image(const void *bytes, size_t size, size_t max_pixels,
                                   struct luc_image_info *info, struct luc_error *err)
{
    const enum luc_status st = luc_image_probe(bytes, size, info, err);
    if (st)
        return st;
    if (max_pixels && info->width > max_pixels / info->height)
        return luc_fail_param(err, LUC_TOO_LARGE, "image",
                              "the picture has %zux%zu pixels, this server takes %zu in all",
                              info->width, info->height, max_pixels);
    return LUC_OK;
}

static enum luc_status hash_bytes(const void *bytes, size_t size, char text[API_SHA256_MAX],
                                  struct luc_error *err)
{
    struct luc_hash h = { 0 };
    char hex[LUC_HASH_HEX_MAX] = "";
    enum luc_status st = luc_hash_init(&h, LUC_SHA256, err);
    if (st)
        return st;
    luc_hash_update(&h, bytes, size);
    st = luc_hash_finish_hex(&h, hex, err);
    if (!st)
        memcpy(text, hex, API_SHA256_MAX - 1), text[API_SHA256_MAX - 1] = '\0';
    return st;
}

enum luc_status api_job_add_image(struct api_job *job, const void *bytes, size_t size,
                                  size_t max_pixels, struct luc_error *err)
{
    const struct luc_method *m = job->what->method;
    struct luc_image_info info = { 0 };
    if (job->n_images == m->images_max)
        return luc_fail_param(err, LUC_INVALID, "image", "%s takes at most %zu picture%s", m->name,
                              m->images_max, m->images_max == 1 ? "" : "s");
    enum luc_status st = check_image(bytes, size, max_pixels, &info, err);
    if (st)
        return st;
    struct api_upload *grown = realloc(job->images, (job->n_images + 1) * sizeof(*grown));
    if (!grown)
        return luc_fail_nomem(err, "pictures", sizeof(*grown));
    job->images = grown;
    struct api_upload one = {
        .bytes = malloc(size), .size = size, .width = info.width, .height = info.height
    };
    if (!one.bytes)
        return luc_fail_nomem(err, "a picture", size);
    memcpy(one.bytes, bytes, size);
    st = hash_bytes(bytes, size, one.sha256, err);
    if (st)
        free(one.bytes);
    else
        job->images[job->n_images++] = one;
    return st;
}

enum luc_status api_job_choose_format(struct api_job *job, const char *accept,
                                      struct luc_error *err)
{
    const enum api_format asked = (enum api_format)job->params.answer.format;
    struct api_offers offers;
    api_offers(job->what->method, &offers);
    for (size_t i = 0; i < offers.n && asked != API_FORMAT_AUTO; i++)
        if (offers.format[i] == asked)
            return job->format = asked, LUC_OK;
    const size_t best = asked ? offers.n : api_accept_best(accept, offers.type, offers.n);
    if (best < offers.n)
        return job->format = offers.format[best], LUC_OK;
    char known[128] = "";
    for (size_t i = 0; i < offers.n; i++) {
        strncat(known, i ? ", " : "", sizeof(known) - strlen(known) - 1);
        strncat(known, offers.type[i], sizeof(known) - strlen(known) - 1);
    }
    return luc_fail_param(err, LUC_UNSUPPORTED, asked ? "format" : "", "%s answers with %s",
                          job->what->method->name, known);
}

enum luc_status api_job_check(const struct api_job *job, struct luc_error *err)
{
    const struct luc_method *m = job->what->method;
    uint8_t rgb[3];
    if (job->n_images < m->images_min)
        return luc_fail(err, LUC_INVALID,
                        "a picture is missing: send it as the form's part 'image', as in "
                        "curl -F image=@cat.jpg, or as the body");
    return m->groups & LUC_GROUP_INPUT ? luc_colour_parse(job->params.input.background, rgb, err)
                                       : LUC_OK;
}

void api_job_print(const struct api_job *job, struct luc_str *out)
{
    static const char *const names[] = { "auto", "png", "jpeg", "json", "npy" };
    json_t *doc = json_object(), *images = json_array();
    for (size_t i = 0; i < job->n_images; i++)
        json_array_append_new(images, json_string(job->images[i].sha256));
    api_json_set(doc, "id", json_string(job->id));
    api_json_set(doc, "method", json_string(job->what->method->name));
    api_json_set(doc, "parameters", api_params_json(&job->params));
    api_json_set(doc, "format", json_string(names[job->format]));
    api_json_set(doc, "quality", json_integer(job->params.answer.quality));
    api_json_set(doc, "embed", json_boolean(job->params.answer.embed != 0));
    api_json_set(doc, "images", images);
    api_json_print(doc, true, out);
    json_decref(doc);
}
