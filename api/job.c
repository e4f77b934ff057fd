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
    for (size_t i = 0; i < job->n_images; i++) {
        free(job->images[i].bytes);
        free(job->images[i].name);
        free(job->images[i].label);
    }
    free(job->images);
    api_params_done(&job->params);
    free(job);
    return NULL;
}

enum luc_status api_image_check(const void *bytes, size_t size, size_t max_pixels,
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

enum luc_status api_sha256(const void *bytes, size_t size, char text[API_SHA256_MAX],
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

static enum luc_status check_room(const struct api_job *job, struct luc_error *err)
{
    const struct luc_method *m = job->what->method;
    return job->n_images < m->images_max
               ? LUC_OK
               : luc_fail_param(err, LUC_INVALID, "image", "%s takes at most %zu picture%s",
                                m->name, m->images_max, m->images_max == 1 ? "" : "s");
}

/* Takes `one` on success; frees what it holds otherwise. */
static enum luc_status append(struct api_job *job, struct api_upload *one, struct luc_error *err)
{
    struct api_upload *grown = NULL;
    if (one->name && one->label)
        grown = realloc(job->images, (job->n_images + 1) * sizeof(*grown));
    if (!grown) {
        free(one->bytes);
        free(one->name);
        free(one->label);
        return luc_fail_nomem(err, "pictures", sizeof(*grown));
    }
    job->images = grown;
    job->images[job->n_images++] = *one;
    return LUC_OK;
}

enum luc_status api_job_add_image(struct api_job *job, const char *name, const void *bytes,
                                  size_t size, size_t max_pixels, struct luc_error *err)
{
    struct luc_image_info info = { 0 };
    struct api_upload one = { .size = size };
    enum luc_status st = check_room(job, err);
    if (!st)
        st = api_image_check(bytes, size, max_pixels, &info, err);
    if (!st)
        st = api_sha256(bytes, size, one.sha256, err);
    if (st)
        return st;
    one.width = info.width;
    one.height = info.height;
    one.bytes = malloc(size);
    if (!one.bytes)
        return luc_fail_nomem(err, "a picture", size);
    memcpy(one.bytes, bytes, size);
    one.name = strdup(name);
    one.label = strdup("");
    return append(job, &one, err);
}

enum luc_status api_job_add_ref(struct api_job *job, const struct api_ref *ref,
                                struct luc_error *err)
{
    struct api_upload one = { .size = ref->size, .width = ref->width, .height = ref->height };
    if (strlen(ref->sha256) != API_SHA256_MAX - 1 ||
        strspn(ref->sha256, "0123456789abcdef") != API_SHA256_MAX - 1 || ref->width == 0 ||
        ref->height == 0)
        return luc_fail(err, LUC_FORMAT, "a stored job's picture has no name or size");
    const enum luc_status st = check_room(job, err);
    if (st)
        return st;
    memcpy(one.sha256, ref->sha256, sizeof(one.sha256));
    one.name = strdup(ref->name);
    one.label = strdup(ref->label);
    return append(job, &one, err);
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

bool api_job_is_slow(const struct api_job *job)
{
    return job->what->cost == API_SLOW || job->params.pool.collection[0];
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

/* Everything about a picture but its bytes. */
static json_t *upload_json(const struct api_upload *u)
{
    json_t *o = json_object();
    api_json_set(o, "sha256", json_string(u->sha256));
    api_json_set(o, "bytes", json_integer((json_int_t)u->size));
    api_json_set(o, "width", json_integer((json_int_t)u->width));
    api_json_set(o, "height", json_integer((json_int_t)u->height));
    if (*u->name)
        api_json_set(o, "name", api_json_text(u->name));
    if (*u->label)
        api_json_set(o, "label", api_json_text(u->label));
    return o;
}

json_t *api_job_images_json(const struct api_job *job)
{
    json_t *list = json_array();
    for (size_t i = 0; i < job->n_images; i++)
        json_array_append_new(list, upload_json(&job->images[i]));
    return list;
}

void api_picture_print(const struct api_upload *u, struct luc_str *out)
{
    json_t *doc = upload_json(u);
    api_json_print(doc, true, out);
    json_decref(doc);
}

const char *api_format_name(enum api_format format)
{
    static const char *const names[] = { "auto", "png", "jpeg", "json", "npy" };
    return names[format];
}

static void print_job(const struct api_job *job, bool pictures, struct luc_str *out)
{
    json_t *doc = json_object();
    api_json_set(doc, "id", json_string(job->id));
    api_json_set(doc, "method", json_string(job->what->method->name));
    api_json_set(doc, "parameters", api_params_json(&job->params));
    api_json_set(doc, "format", json_string(api_format_name(job->format)));
    api_json_set(doc, "quality", json_integer(job->params.answer.quality));
    api_json_set(doc, "embed", json_boolean(job->params.answer.embed != 0));
    if (pictures)
        api_json_set(doc, "images", api_job_images_json(job));
    api_json_print(doc, true, out);
    json_decref(doc);
}

void api_job_print(const struct api_job *job, struct luc_str *out)
{
    print_job(job, true, out);
}

void api_job_print_bare(const struct api_job *job, struct luc_str *out)
{
    print_job(job, false, out);
}
