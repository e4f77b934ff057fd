/* api_fake.h -- a process for api_dispatch(): one linear network, and a queue that a test commands. */
#ifndef TESTS_API_FAKE_H
#define TESTS_API_FAKE_H

#include "api/api.h"
#include "tests/linear_model.h"

struct api_fake {
    struct linear_model linear;
    struct api_env env;
    struct api_response res; /* of the last request */
    struct luc_str png;      /* a small photograph */
    bool full;               /* the queue is */
    bool draining, cancel;   /* cancel: every job is given up at its first tick */
    size_t in_use;           /* networks that were got and not put back */
    size_t ran;
};

void api_fake_init(struct api_fake *f);
void api_fake_done(struct api_fake *f);

/* Any request; the answer, a submitted job's included, is in f->res. Returns its status. */
unsigned api_fake_send(struct api_fake *f, const struct api_request *req);
unsigned api_fake_get(struct api_fake *f, const char *path);
/* POST with a body of its own type; `query` is "key=value&key=value" or NULL. */
unsigned api_fake_post(struct api_fake *f, const char *path, const char *query, const char *type,
                       const void *body, size_t size);
/* POST of f->png with a query. */
unsigned api_fake_photo(struct api_fake *f, const char *path, const char *query);
/* Whether the last answer's body holds `text`. */
bool api_fake_says(const struct api_fake *f, const char *text);

#endif
