/* http.h -- the sockets: libmicrohttpd on one side, api_dispatch() on the other.
 *
 * Threads. Two polling threads read and write all connections and answer what neither computes nor
 * waits; workers (pool.h) compute; two clerks do what asks the job store, which may wait for the
 * disk, and a planner takes jobs in, for which it may load a network, so that neither a full pool nor
 * a slow disk stands in the way of the rest; one watcher
 * (http_follow.h) looks after event streams and requests that wait for a job. While a worker or a
 * clerk has a request, its connection is suspended, so that a connection costs no thread. The price:
 * libmicrohttpd neither times out a suspended connection nor notices that its client has gone. Both
 * are ours then: a computing request is given up `job_s` seconds after its head arrived, and its
 * worker looks at the socket before it starts and ten times a second while it runs; the watcher
 * looks at all others once a second. A client that has closed its sending side counts as gone. A
 * pass of the network is not interrupted, so giving up takes at most one pass longer. Idle and
 * slowly sending connections are closed by libmicrohttpd (`idle_s`) and, in all, after `job_s`.
 */
#ifndef SERVER_HTTP_HTTP_H
#define SERVER_HTTP_HTTP_H

#include "api/api.h"
#include "config/config.h"
#include "server/jobs/jobs.h"
#include "server/jobs/pool.h"

struct srv_http; /* opaque */

/* Listens on cfg->listen. `env` is borrowed but for its submit, ready and jobs, which are filled
 * here; `pool` and `memory` are borrowed; `jobs` may be NULL.
 * LUC_IO: the address cannot be listened on; LUC_INVALID: it is not one, or other machines reach it
 * and cfg->insecure is not set. */
LUC_MUST_USE enum luc_status srv_http_start(const struct cfg *cfg, const struct api_env *env,
                                            struct srv_pool *pool, struct srv_memory *memory,
                                            struct srv_jobs *jobs, struct srv_http **http,
                                            struct luc_error *err);
/* "127.0.0.1:8080", with the port that was taken. */
const char *srv_http_address(const struct srv_http *http);

/* No new connections, no new work, /readyz false; event streams end. */
void srv_http_drain(struct srv_http *http);
/* Requests between their head and the end of their answer. */
size_t srv_http_active(const struct srv_http *http);
/* Running jobs are given up at their next tick. */
void srv_http_abandon(struct srv_http *http);
/* No request may be active in the pool. NULL is fine; returns NULL. */
struct srv_http *srv_http_stop(struct srv_http *http);

#endif
