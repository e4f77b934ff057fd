/* http_follow.h -- connections that follow a job: streams of events, and requests that wait.
 *
 * A connection that has nothing to say is suspended, so that it costs a socket and no thread; 1,000
 * idle streams cost one poll() a second. libmicrohttpd neither times out a suspended connection nor
 * notices that its client has gone, so one thread, the watcher, looks at all of them: it resumes a
 * stream when its job changed, when a comment line is due (15 s), when the client has closed its
 * side, and when the server goes down. A resumed stream is an ordinary connection again: if its
 * client does not read, libmicrohttpd's own time-out closes it.
 */
#ifndef SERVER_HTTP_HTTP_FOLLOW_H
#define SERVER_HTTP_HTTP_FOLLOW_H

#include "api/api.h"

struct MHD_Connection;
struct MHD_Response;

struct srv_follow; /* opaque */

/* Part of whoever follows; zeroed before use. */
struct srv_follower {
    struct MHD_Connection *connection;
    int fd;
    char job[API_ID_MAX];
    int64_t after;        /* streams: number of the last event sent */
    double until_s;       /* waits: when to give up */
    void (*fire)(void *); /* waits: called once, on the watcher; NULL for a stream */
    void *ctx;

    /* the watcher's */
    struct srv_follow *follow;
    struct srv_follower *next;
    struct luc_str text; /* of a stream, not sent yet */
    size_t sent;
    double comment_s, look_s;
    bool linked, suspended, dirty, gone, ended;
};

/* NULL when threads or memory are short. */
struct srv_follow *srv_follow_create(const struct api_env *env);
/* Nobody follows any more. NULL is fine; returns NULL. */
struct srv_follow *srv_follow_destroy(struct srv_follow *f);

/* Calls w->fire() when the job changed, a second has passed, w->until_s is over, or the client has
 * gone. */
void srv_follow_wait(struct srv_follow *f, struct srv_follower *w);
/* The body of a stream; NULL when out of memory. */
struct MHD_Response *srv_follow_stream(struct srv_follow *f, struct srv_follower *w);
/* Must be called before `w` goes. */
void srv_follow_remove(struct srv_follow *f, struct srv_follower *w);

/* For srv_jobs_watch(); ctx is the struct srv_follow. */
void srv_follow_changed(void *ctx, const char *job);
/* Streams end, waits fire. */
void srv_follow_drain(struct srv_follow *f);

#endif
