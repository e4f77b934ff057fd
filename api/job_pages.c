/* /jobs and what is below it. */
#include "api/accept.h"
#include "api/pages.h"
#include "api/stored_job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define LIST_DEFAULT 50
#define LIST_MAX     500

void api_time_print(int64_t ms, char text[API_TIME_MAX])
{
    const time_t s = (time_t)(ms / 1000);
    struct tm t;
    gmtime_r(&s, &t);
    const size_t n = strftime(text, API_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &t);
    snprintf(text + n, API_TIME_MAX - n, ".%03dZ", (int)(ms % 1000));
}

struct api_prefer api_prefer_parse(const char *text)
{
    struct api_prefer p = { .wait_s = -1 };
    for (const char *at = text ? text : ""; *at;) {
        at += strspn(at, " \t,;");
        const size_t n = strcspn(at, ",;");
        if (n >= 13 && strncasecmp(at, "respond-async", 13) == 0)
            p.async = true;
        if (n > 5 && strncasecmp(at, "wait=", 5) == 0 && at[5] >= '0' && at[5] <= '9')
            p.wait_s = strtod(at + 5, NULL);
        at += n;
    }
    return p;
}

bool api_is_job(const struct api_env *env, const struct api_request *req,
                const struct api_method *what)
{
    return env->jobs && (what->cost == API_SLOW || api_prefer_parse(req->prefer).async);
}

static void fail(struct api_response *res, const struct api_request *req,
                 const struct luc_error *err)
{
    api_fail(res, req,
             err->code == LUC_NOT_FOUND ? API_PROBLEM_NOT_FOUND
             : err->code == LUC_BUSY    ? API_PROBLEM_BUSY
             : err->code == LUC_INVALID ? API_PROBLEM_CONFLICT
                                        : API_PROBLEM_INTERNAL,
             err);
}

static void set_time(json_t *doc, const char *key, int64_t ms)
{
    char text[API_TIME_MAX];
    api_time_print(ms, text);
    api_json_set(doc, key, ms ? json_string(text) : json_null());
}

static void set_links(json_t *doc, const struct api_job_row *row)
{
    static const char *const names[] = { "self", "events", "result", "preview" };
    const bool shown[] = { true, true, row->state == API_STATE_succeeded && !row->expired,
                           row->has_preview && !row->expired };
    json_t *links = json_object();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[96];
        snprintf(path, sizeof(path), "/jobs/%s%s%s", row->id, i ? "/" : "", i ? names[i] : "");
        if (shown[i])
            api_json_set(links, names[i], json_string(path));
    }
    api_json_set(doc, "links", links);
}

static json_t *row_json(const struct api_job_row *row)
{
    json_t *doc = json_object(), *params = json_loads(row->parameters, 0, NULL);
    json_t *model = json_object_get(params, "model"), *seed = json_object_get(params, "seed");
    api_json_set(doc, "id", json_string(row->id));
    api_json_set(doc, "state", json_string(api_state_name(row->state)));
    api_json_set(doc, "method", json_string(row->method));
    api_json_set(doc, "model", model ? json_incref(model) : json_null());
    api_json_set(doc, "parameters", params ? json_incref(params) : json_object());
    api_json_set(doc, "seed", seed ? json_incref(seed) : json_null());
    api_json_set(doc, "progress", api_json_number(row->progress));
    api_json_set(doc, "step", json_integer(row->step));
    api_json_set(doc, "n_steps", row->n_steps ? json_integer(row->n_steps) : json_null());
    api_json_set(doc, "loss", api_json_number(row->loss));
    api_json_set(doc, "eta_s", row->eta_s >= 0 ? api_json_number(row->eta_s) : json_null());
    api_json_set(doc, "queue_position",
                 row->queue_position ? json_integer(row->queue_position) : json_null());
    api_json_set(doc, "attempt", json_integer(row->attempt));
    api_json_set(doc, "cancelling",
                 json_boolean(row->cancelling && !api_state_is_final(row->state)));
    set_time(doc, "created", row->created_ms);
    set_time(doc, "started", row->started_ms);
    set_time(doc, "finished", row->finished_ms);
    set_time(doc, "expires", row->expires_ms);
    if (row->error)
        api_json_set(doc, "error", json_loads(row->error, 0, NULL));
    set_links(doc, row);
    json_decref(params);
    return doc;
}

/* ---- submitting ---------------------------------------------------------------------------- */

static void answer_accepted(const struct api_env *env, const struct api_request *req,
                            const char *id, struct api_response *res)
{
    struct luc_error err = { 0 };
    struct api_job_row row = { 0 };
    if (env->jobs->get(env->jobs->ctx, id, &row, &err)) {
        fail(res, req, &err);
        return;
    }
    api_answer_json(res, req, row_json(&row));
    if (res->status == 200)
        res->status = 202;
    api_header(res, "Location", "/jobs/%s", id);
    if (!api_state_is_final(row.state))
        api_header(res, "Retry-After", "1");
    if (api_prefer_parse(req->prefer).async)
        api_header(res, "Preference-Applied", "respond-async");
    api_job_row_done(&row);
}

static bool key_is_good(const char *key)
{
    const size_t n = strlen(key);
    for (size_t i = 0; i < n; i++)
        if (key[i] < ' ' || key[i] > '~')
            return false;
    return n > 0 && n <= API_IDEMPOTENCY_MAX;
}

void api_submit_job(const struct api_env *env, const struct api_request *req,
                    const struct api_job *job, struct api_response *res)
{
    struct luc_error err = { 0 };
    char id[API_ID_MAX] = "";
    enum api_submitted how = API_SUBMITTED_NEW;
    const char *key = req->idempotency_key;
    const double wait_s = api_prefer_parse(req->prefer).wait_s;
    if (key && !key_is_good(key)) {
        api_refuse(res, req, API_PROBLEM_BAD_REQUEST,
                   "Idempotency-Key must be 1 to %d printable characters", API_IDEMPOTENCY_MAX);
        return;
    }
    if (env->jobs->submit(env->jobs->ctx, req->owner, job, key, id, &how, &err)) {
        if (err.code == LUC_IO) { /* the log gets the whole of it, with its paths */
            api_refuse(res, req, API_PROBLEM_BUSY,
                       "the job cannot be stored: the server's disk is full or cannot be written");
            res->error = err;
        } else {
            api_fail(res, req, api_problem_of(&err), &err);
        }
        return;
    }
    if (how == API_SUBMITTED_OTHER_BODY) {
        api_refuse(res, req, API_PROBLEM_KEY_REUSED,
                   "this Idempotency-Key belongs to job %s, which is another one", id);
        return;
    }
    if (how == API_SUBMITTED_TOO_MANY) {
        api_refuse(res, req, API_PROBLEM_TOO_MANY,
                   "as many jobs of yours wait as one key may have in the queue (key_queued): let "
                   "some end, or cancel one");
        api_header(res, "Retry-After", "%u", env->jobs->retry_s(env->jobs->ctx));
        return;
    }
    answer_accepted(env, req, id, res);
    if (wait_s > 0 && env->wait_max_s > 0 && res->status == 202) {
        res->follow = API_FOLLOW_WAIT;
        res->wait_s = wait_s < env->wait_max_s ? wait_s : env->wait_max_s;
        memcpy(res->job, id, sizeof(res->job));
    }
}

/* ---- results ------------------------------------------------------------------------------- */

/* The media type that a request asks for: `format` in its query, else Accept, where the type that
 * the job was sent for stands first. NULL: none of them. */
static const char *choose(const struct api_request *req, const struct api_job_row *row,
                          const struct api_kept_types *types)
{
    static const char *const formats[][2] = { { "png", "image/png" },
                                              { "jpeg", "image/jpeg" },
                                              { "json", "application/json" },
                                              { "npy", "application/x-npy" } };
    const char *sorted[8], *asked = NULL, *mine = NULL;
    size_t n = 0;
    for (size_t i = 0; i < req->n_query; i++)
        if (strcmp(req->query[i].key, "format") == 0)
            asked = req->query[i].value;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strcmp(row->format, formats[i][0]) == 0)
            mine = formats[i][1];
        if (asked && strcmp(asked, formats[i][0]) == 0)
            for (size_t k = 0; k < types->n; k++)
                if (strcmp(types->type[k], formats[i][1]) == 0)
                    return types->type[k];
    }
    for (int pass = 0; pass < 2; pass++)
        for (size_t k = 0; k < types->n; k++)
            if ((mine && strcmp(types->type[k], mine) == 0) == (pass == 0))
                sorted[n++] = types->type[k];
    const size_t best = asked ? n : api_accept_best(req->accept, sorted, n);
    return best < n ? sorted[best] : NULL;
}

static const char *const header_names[] = { "Lucida-Model",    "Lucida-Class", "Lucida-Probability",
                                            "Lucida-Manifest", "Lucida-Seed",  "ETag" };

/* "Name: value\n..." back into headers; names must be static, so only known ones pass. */
static void add_headers(struct api_response *res, const char *text)
{
    for (const char *at = text ? text : ""; *at;) {
        const size_t n = strcspn(at, "\n");
        for (size_t i = 0; i < sizeof(header_names) / sizeof(header_names[0]); i++) {
            const size_t k = strlen(header_names[i]);
            if (n > k + 2 && strncasecmp(at, header_names[i], k) == 0 && at[k] == ':')
                api_header(res, header_names[i], "%.*s", (int)(n - k - 2), at + k + 2);
        }
        at += n + (at[n] ? 1 : 0);
    }
}

static const char *static_type(const char *type)
{
    static const char *const known[] = { "image/png", "image/jpeg", "application/json",
                                         "application/x-npy" };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (type && strcmp(type, known[i]) == 0)
            return known[i];
    return "application/octet-stream";
}

/* Takes what was kept. */
static void answer_kept(const struct api_request *req, struct api_response *res,
                        struct api_kept *kept)
{
    add_headers(res, kept->headers);
    const char *tag = api_header_find(res, "ETag");
    if (tag && req->if_none_match && strstr(req->if_none_match, tag)) {
        res->status = 304;
        api_kept_done(kept);
        return;
    }
    res->status = 200;
    res->type = static_type(kept->type);
    res->body = (struct luc_str){ .data = kept->bytes, .len = kept->size, .cap = kept->size + 1 };
    kept->bytes = NULL;
    api_kept_done(kept);
}

static void answer_problem(const struct api_job_row *row, struct api_response *res)
{
    json_t *doc = json_loads(row->error ? row->error : "{}", 0, NULL);
    const json_int_t status = json_integer_value(json_object_get(doc, "status"));
    res->status = status >= 400 && status < 600 ? (unsigned)status : 500;
    res->type = "application/problem+json";
    luc_str_puts(&res->body, row->error ? row->error : "{}");
    json_decref(doc);
}

static void answer_success(const struct api_env *env, const struct api_request *req,
                           const struct api_job_row *row, struct api_response *res)
{
    struct luc_error err = { 0 };
    struct api_kept_types types = { 0 };
    struct api_kept kept = { 0 };
    if (env->jobs->types(env->jobs->ctx, row->id, &types, &err)) {
        fail(res, req, &err);
        return;
    }
    const char *type = choose(req, row, &types);
    if (!type)
        api_refuse(res, req, API_PROBLEM_NOT_ACCEPTABLE,
                   "the result is kept as %s%s%s%s%s%s%s; ask for one of them",
                   types.n > 0 ? types.type[0] : "nothing", types.n > 1 ? ", " : "",
                   types.n > 1 ? types.type[1] : "", types.n > 2 ? ", " : "",
                   types.n > 2 ? types.type[2] : "", types.n > 3 ? ", " : "",
                   types.n > 3 ? types.type[3] : "");
    else if (env->jobs->result(env->jobs->ctx, row->id, type, &kept, &err))
        fail(res, req, &err);
    else
        answer_kept(req, res, &kept);
}

static void answer_result(const struct api_env *env, const struct api_request *req,
                          const struct api_job_row *row, struct api_response *res)
{
    if (!api_state_is_final(row->state))
        api_refuse(res, req, API_PROBLEM_CONFLICT, "the job is still %s",
                   api_state_name(row->state));
    else if (row->state == API_STATE_cancelled)
        api_refuse(res, req, API_PROBLEM_CONFLICT, "the job was cancelled");
    else if (row->state == API_STATE_failed)
        answer_problem(row, res);
    else if (row->expired)
        api_refuse(res, req, API_PROBLEM_GONE, "the result has expired");
    else
        answer_success(env, req, row, res);
}

void api_answer_waited(const struct api_env *env, const struct api_request *req,
                       struct api_response *res)
{
    struct luc_error err = { 0 };
    struct api_job_row row = { 0 };
    char id[API_ID_MAX];
    const double asked_s = api_prefer_parse(req->prefer).wait_s;
    const double wait_s = asked_s < env->wait_max_s ? asked_s : env->wait_max_s;
    memcpy(id, res->job, sizeof(id));
    api_response_done(res);
    if (env->jobs->get(env->jobs->ctx, id, &row, &err)) {
        fail(res, req, &err);
        return;
    }
    if (!api_state_is_final(row.state)) {
        answer_accepted(env, req, id, res);
    } else {
        answer_result(env, req, &row, res);
        api_header(res, "Content-Location", "/jobs/%s/result", id);
    }
    api_header(res, "Preference-Applied", "wait=%.0f", wait_s);
    api_job_row_done(&row);
}

/* ---- pages --------------------------------------------------------------------------------- */

/* The row of a path's job, or the answer that there is none: one of another owner is none. */
static bool find(const struct api_env *env, const struct api_request *req, const char *id,
                 struct api_job_row *row, struct api_response *res)
{
    struct luc_error err = { 0 };
    enum luc_status st = LUC_NOT_FOUND;
    if (!env->jobs)
        luc_fail(&err, LUC_NOT_FOUND, "this server keeps no jobs");
    else
        st = env->jobs->get(env->jobs->ctx, id, row, &err);
    if (!st && strcmp(row->owner, req->owner) != 0) {
        api_job_row_done(row);
        st = luc_fail(&err, LUC_NOT_FOUND, "there is no job %.40s", id);
    }
    if (st)
        fail(res, req, &err);
    api_header(res, "Cache-Control", "no-store");
    return !st;
}

/* GET /jobs/{job} */
void api_get_job(const struct api_env *env, const struct api_request *req, const char *tail,
                 struct api_response *res)
{
    struct api_job_row row = { 0 };
    if (!find(env, req, tail, &row, res))
        return;
    api_answer_json(res, req, row_json(&row));
    api_job_row_done(&row);
}

/* DELETE /jobs/{job} */
void api_delete_job(const struct api_env *env, const struct api_request *req, const char *tail,
                    struct api_response *res)
{
    struct luc_error err = { 0 };
    struct api_job_row row = { 0 };
    if (!find(env, req, tail, &row, res))
        return;
    api_job_row_done(&row);
    row = (struct api_job_row){ 0 };
    enum luc_status st = env->jobs->cancel(env->jobs->ctx, tail, &err);
    if (!st)
        st = env->jobs->get(env->jobs->ctx, tail, &row, &err);
    if (st)
        fail(res, req, &err);
    else
        api_answer_json(res, req, row_json(&row));
    api_job_row_done(&row);
}

/* GET /jobs/{job}/result */
void api_get_job_result(const struct api_env *env, const struct api_request *req, const char *tail,
                        struct api_response *res)
{
    struct api_job_row row = { 0 };
    if (!find(env, req, tail, &row, res))
        return;
    answer_result(env, req, &row, res);
    api_job_row_done(&row);
}

/* GET /jobs/{job}/preview */
void api_get_job_preview(const struct api_env *env, const struct api_request *req, const char *tail,
                         struct api_response *res)
{
    struct luc_error err = { 0 };
    struct api_job_row row = { 0 };
    struct api_kept kept = { 0 };
    if (!find(env, req, tail, &row, res))
        return;
    if (row.expired)
        api_refuse(res, req, API_PROBLEM_GONE, "the preview has expired");
    else if (!row.has_preview)
        api_refuse(res, req, API_PROBLEM_NOT_FOUND, "the job has no preview yet");
    else if (env->jobs->preview(env->jobs->ctx, tail, &kept, &err))
        fail(res, req, &err);
    else
        answer_kept(req, res, &kept);
    api_job_row_done(&row);
}

/* Whether a client that has seen event `after` has seen everything there will be. */
static bool has_seen_all(const struct api_env *env, const char *id, int64_t after)
{
    struct luc_str rest = { 0 };
    bool end = false;
    const bool all =
        !env->jobs->events(env->jobs->ctx, id, &after, &rest, &end, NULL) && end && rest.len == 0;
    luc_str_done(&rest);
    return all;
}

/* GET /jobs/{job}/events; 204 tells an EventSource not to come again. */
void api_get_job_events(const struct api_env *env, const struct api_request *req, const char *tail,
                        struct api_response *res)
{
    struct api_job_row row = { 0 };
    char *end = NULL;
    if (!find(env, req, tail, &row, res))
        return;
    const long long after = req->last_event_id ? strtoll(req->last_event_id, &end, 10) : 0;
    if (req->last_event_id && (*end || end == req->last_event_id || after < 0)) {
        api_refuse(res, req, API_PROBLEM_BAD_REQUEST, "Last-Event-ID is not one of this server's");
    } else if (has_seen_all(env, row.id, after)) {
        res->status = 204;
    } else {
        res->status = 200;
        res->type = "text/event-stream";
        res->follow = API_FOLLOW_EVENTS;
        res->after = after;
        memcpy(res->job, row.id, sizeof(res->job));
    }
    api_job_row_done(&row);
}

struct listing {
    json_t *list;
    int64_t last;
};

static void add_row(void *to, const struct api_job_row *row)
{
    struct listing *l = to;
    json_array_append_new(l->list, row_json(row));
    l->last = row->cursor;
}

struct list_query {
    enum api_state state;
    long long limit, cursor;
};

static bool number(const char *text, long long least, long long most, long long *value)
{
    char *end = NULL;
    const long long v = strtoll(text, &end, 10);
    if (end == text || *end || v < least || v > most)
        return false;
    return *value = v, true;
}

static enum luc_status read_list_query(const struct api_request *req, struct list_query *q,
                                       struct luc_error *err)
{
    for (size_t i = 0; i < req->n_query; i++) {
        const char *key = req->query[i].key, *value = req->query[i].value;
        bool good = false;
        if (strcmp(key, "limit") == 0)
            good = number(value, 1, LIST_MAX, &q->limit);
        else if (strcmp(key, "cursor") == 0)
            good = number(value, 1, INT64_MAX, &q->cursor);
        else if (strcmp(key, "state") != 0)
            return luc_fail_param(err, LUC_INVALID, key,
                                  "unknown parameter '%.30s'; /jobs takes state, limit, cursor",
                                  key);
        for (size_t s = 0; s < API_N_STATES && strcmp(key, "state") == 0; s++)
            if (strcmp(value, api_state_name(s)) == 0)
                good = true, q->state = (enum api_state)s;
        if (!good)
            return luc_fail_param(err, LUC_INVALID, key, "%s: '%.30s' is not one", key, value);
    }
    return LUC_OK;
}

/* GET /jobs?state=&limit=&cursor= */
void api_get_jobs(const struct api_env *env, const struct api_request *req, const char *tail,
                  struct api_response *res)
{
    struct luc_error err = { 0 };
    struct list_query q = { .state = API_N_STATES, .limit = LIST_DEFAULT };
    struct listing l = { .list = json_array() };
    (void)tail;
    enum luc_status st = read_list_query(req, &q, &err);
    if (st)
        api_fail(res, req, API_PROBLEM_BAD_PARAMETER, &err);
    else if (env->jobs)
        st = env->jobs->list(env->jobs->ctx, req->owner, q.state, q.cursor, (size_t)q.limit,
                             add_row, &l, &err);
    if (st && !res->status)
        fail(res, req, &err);
    api_header(res, "Cache-Control", "no-store");
    if (st) {
        json_decref(l.list);
        return;
    }
    char cursor[32];
    snprintf(cursor, sizeof(cursor), "%lld", (long long)l.last);
    json_t *doc = json_object();
    const bool more = json_array_size(l.list) == (size_t)q.limit && l.last > 1;
    api_json_set(doc, "cursor", more ? json_string(cursor) : json_null());
    api_json_set(doc, "jobs", l.list);
    api_answer_json(res, req, doc);
}
