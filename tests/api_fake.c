#include "tests/api_fake.h"
#include "api/job.h"
#include "core/tensor/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BODY_MAX   65536
#define PIXELS_MAX 4096

static enum luc_status model_get(void *ctx, const char *name, const struct luc_model **model,
                                 struct luc_error *err)
{
    struct api_fake *f = ctx;
    if (strcmp(name, "linear") != 0)
        return luc_fail(err, LUC_NOT_FOUND, "no network is called '%s'", name);
    f->in_use++;
    *model = &f->linear.model;
    return LUC_OK;
}

static void model_put(void *ctx, const struct luc_model *model)
{
    (void)model;
    ((struct api_fake *)ctx)->in_use--;
}

static enum luc_status models(void *ctx, void (*each)(void *, const struct api_model_info *),
                              void *to, struct luc_error *err)
{
    (void)ctx, (void)err;
    each(to, &(struct api_model_info){ .name = "absent", .title = "Absent", .task = "classify" });
    each(to, &(struct api_model_info){ .name = "linear", .task = "classify", .installed = true });
    return LUC_OK;
}

static bool tick(void *ctx, double progress)
{
    const struct api_fake *f = ctx;
    assert_true(progress >= 0 && progress <= 1);
    return !f->cancel;
}

static enum luc_status submit(void *ctx, void *exchange, struct api_job *job, struct luc_error *err)
{
    struct api_fake *f = ctx;
    const struct api_services services = { .env = &f->env, .tick = tick, .tick_ctx = f };
    assert_ptr_equal(exchange, f);
    if (f->full)
        return luc_fail(err, LUC_BUSY, "the queue is full");
    api_job_run(job, &services, &f->res);
    api_job_destroy(job);
    f->ran++;
    return LUC_OK;
}

static enum luc_status ready(void *ctx, struct luc_error *err)
{
    return ((struct api_fake *)ctx)->draining ? luc_fail(err, LUC_BUSY, "going down") : LUC_OK;
}

void api_fake_init(struct api_fake *f)
{
    static const unsigned char page[] = "<html></html>";
    static const struct luc_embedded files[] = { { "index.html", page, sizeof(page) - 1 },
                                                 { "lab.js", page, 3 },
                                                 { NULL, NULL, 0 } };
    memset(f, 0, sizeof(*f));
    linear_model_init(&f->linear);
    assert_int_equal(luc_image_encode_png(&f->linear.photo, NULL, &f->png, NULL), LUC_OK);
    f->env = (struct api_env){ .ctx = f,
                               .version = "1.2.3",
                               .model = "linear",
                               .limits = { BODY_MAX, PIXELS_MAX, (size_t)16 << 20 },
                               .files = files,
                               .model_get = model_get,
                               .model_put = model_put,
                               .models = models,
                               .submit = submit,
                               .ready = ready };
}

void api_fake_done(struct api_fake *f)
{
    assert_int_equal(f->in_use, 0);
    api_response_done(&f->res);
    luc_str_done(&f->png);
    linear_model_done(&f->linear);
}

unsigned api_fake_send(struct api_fake *f, const struct api_request *req)
{
    struct api_request full = *req;
    api_response_done(&f->res);
    full.id = "r1";
    full.exchange = f;
    api_dispatch(&f->env, &full, &f->res);
    assert_int_equal(f->in_use, 0); /* no path keeps a network */
    assert_int_not_equal(f->res.status, 0);
    return f->res.status;
}

unsigned api_fake_get(struct api_fake *f, const char *path)
{
    return api_fake_send(
        f, &(struct api_request){ .method = "GET", .path = path, .content_length = -1 });
}

unsigned api_fake_post(struct api_fake *f, const char *path, const char *query, const char *type,
                       const void *body, size_t size)
{
    struct api_field fields[80];
    char text[4096] = "";
    size_t n = 0;
    strncpy(text, query ? query : "", sizeof(text) - 1);
    for (char *at = text; *at && n < 80; n++) {
        char *end = at + strcspn(at, "&"), *next = *end ? end + 1 : end;
        *end = '\0';
        char *equals = strchr(at, '=');
        if (equals)
            *equals = '\0';
        fields[n] = (struct api_field){ at, equals ? equals + 1 : "" };
        at = next;
    }
    return api_fake_send(f, &(struct api_request){ .method = "POST",
                                                   .path = path,
                                                   .query = fields,
                                                   .n_query = n,
                                                   .content_type = type,
                                                   .content_length = (int64_t)size,
                                                   .body = body,
                                                   .body_size = size });
}

unsigned api_fake_photo(struct api_fake *f, const char *path, const char *query)
{
    return api_fake_post(f, path, query, "image/png", f->png.data, f->png.len);
}

bool api_fake_says(const struct api_fake *f, const char *text)
{
    return f->res.body.data && strstr(f->res.body.data, text);
}
