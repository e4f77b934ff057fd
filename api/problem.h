/* problem.h -- application/problem+json (RFC 9457): every answer that is not a success. */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include "api/api.h"

/* X(NAME, http, slug, title, what to do). The type of a problem is /problems/<slug>. */
#define API_PROBLEM_MAP(X)                                                                         \
    X(BAD_PARAMETER, 400, "bad-parameter", "A parameter is wrong",                                 \
      "A parameter is unknown, repeated, not of its type, out of range, or names something that "  \
      "does not exist. `errors` names it; GET /methods describes every parameter.")                \
    X(BAD_REQUEST, 400, "bad-request", "The request is malformed",                                 \
      "The form is damaged or cut off, or a picture is missing or one too many. Send "             \
      "multipart/form-data with a part `image`, or the picture itself as the body.")               \
    X(UNAUTHORIZED, 401, "unauthorized", "A key is needed",                                        \
      "Send `Authorization: Bearer KEY`. The server's administrator makes keys with "              \
      "`lucida keys add NAME`; a key that was revoked is refused like an unknown one.")            \
    X(NOT_FOUND, 404, "not-found", "There is nothing here",                                        \
      "No such path. GET /methods lists the methods, GET /models the networks.")                   \
    X(BAD_METHOD, 405, "method-not-allowed", "This path does not answer that HTTP method",         \
      "The Allow header lists the HTTP methods that it answers.")                                  \
    X(NOT_ACCEPTABLE, 406, "not-acceptable", "No representation fits the Accept header",           \
      "The method cannot answer in any of the media types that the request accepts.")              \
    X(CONFLICT, 409, "conflict", "Not in the state that this needs",                               \
      "The job has not ended yet, or has ended otherwise; GET /jobs/{job} says how it stands.")    \
    X(GONE, 410, "gone", "It was there and is not kept any more",                                  \
      "Results are kept for as long as the server's configuration says.")                          \
    X(LENGTH_REQUIRED, 411, "length-required", "Content-Length is missing",                        \
      "A body must state its length; chunked transfer is not read.")                               \
    X(TOO_LARGE, 413, "too-large", "Something is over a limit",                                    \
      "The body, the picture's pixels, or the memory that the computation needs.")                 \
    X(BAD_MEDIA, 415, "unsupported-media-type", "Not an image that this server reads",             \
      "JPEG, PNG and still WebP are read, as a form's part `image` or as the body.")               \
    X(CANNOT, 422, "cannot-be-done", "The network cannot do this",                                 \
      "The parameters are well-formed, but this network or this picture does not fit the method.") \
    X(TIME_LIMIT, 422, "time-limit", "The job ran for too long",                                   \
      "A stored job may run only so long, its attempts counted together. Ask for fewer steps, a "  \
      "smaller size or fewer samples; the administrator can raise run_s.")                         \
    X(KEY_REUSED, 422, "idempotency-key-reused", "The key was used for another request",           \
      "An Idempotency-Key stands for one method, its parameters and pictures. Take a new one.")    \
    X(TOO_MANY, 429, "too-many-requests", "More than one key may ask",                             \
      "The key has asked too often in a minute, or has too many jobs in the queue. Retry-After "   \
      "says when to come back.")                                                                   \
    X(INTERNAL, 500, "internal", "The server failed",                                              \
      "A fault of the server. The log has the details under the request's id.")                    \
    X(BUSY, 503, "busy", "No capacity now",                                                        \
      "The queue is full, the request took too long, or the server is going down. Retry-After "    \
      "says when to come back.")

enum api_problem {
#define X(name, http, slug, title, doc) API_PROBLEM_##name,
    API_PROBLEM_MAP(X)
#undef X
        API_PROBLEM_COUNT
};

struct api_problem_info {
    unsigned http;
    const char *slug, *title, *doc;
};
const struct api_problem_info *api_problem_info(enum api_problem p);

/* Makes *res the answer for problem `p`. err->text is the detail, err->param the parameter at
 * fault. A 500 tells the client only the request's id; res->error keeps the rest for the log. */
void api_fail(struct api_response *res, const struct api_request *req, enum api_problem p,
              const struct luc_error *err);
/* The same with a sentence. */
void api_refuse(struct api_response *res, const struct api_request *req, enum api_problem p,
                const char *fmt, ...) LUC_PRINTF(4, 5);

/* The problem that a status is, once a request's form was understood. A status that blames a
 * parameter is that parameter's problem. */
enum api_problem api_problem_of(const struct luc_error *err);

/* GET /problems/{slug} */
void api_get_problem(const struct api_env *env, const struct api_request *req, const char *tail,
                     struct api_response *res);

#endif
