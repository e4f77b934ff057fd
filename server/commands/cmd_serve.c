#include "core/tensor/blas.h"
#include "server/commands/command.h"
#include "server/http/http.h"
#include "server/jobs/jobs.h"
#include "server/log.h"
#include "server/services.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#define TURN_MS 20 /* how often a server that is going down looks whether it is done */

/* SIGTERM and SIGINT are for this thread alone; it waits for them. */
static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* `jobs` may be NULL. */
static bool wait_until_idle(const struct srv_http *http, struct srv_jobs *jobs, double seconds)
{
    const struct timespec turn = { 0, TURN_MS * 1000000L };
    double waited = 0;
    while (srv_http_active(http) > 0 || (jobs && srv_jobs_running(jobs) > 0)) {
        if (waited >= seconds)
            return false;
        nanosleep(&turn, NULL);
        waited += TURN_MS / 1e3;
    }
    return true;
}

/* A worker that was told to give up still finishes its pass of the network; the pool waits for it. */
static void go_down(const struct cfg *c, struct srv_http *http, struct srv_jobs *jobs)
{
    srv_log(SRV_INFO, "going down: %zu requests and %zu jobs in work", srv_http_active(http),
            srv_jobs_running(jobs));
    srv_jobs_drain(jobs);
    srv_http_drain(http);
    if (!wait_until_idle(http, jobs, (double)c->shutdown_s)) {
        srv_log(SRV_WARN, "giving up %zu requests and %zu jobs after %lld s", srv_http_active(http),
                srv_jobs_running(jobs), (long long)c->shutdown_s);
        srv_http_abandon(http);
        srv_jobs_abandon(jobs);
    }
}

/* A connection is a file; the usual soft limit of 1024 would be the real bound on them. */
static void raise_file_limit(const struct cfg *c)
{
    struct rlimit now;
    const rlim_t want = (rlim_t)c->connections + 256;
    if (getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur >= want)
        return;
    now.rlim_cur = now.rlim_max == RLIM_INFINITY || now.rlim_max >= want ? want : now.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur < want)
        srv_log(SRV_WARN, "only %llu files may be open, fewer than `connections` needs",
                (unsigned long long)now.rlim_cur);
}

static void say_hello(const struct cfg *c, const struct srv_http *http)
{
    const char *at = srv_http_address(http);
    printf("lucida answers on http://%s/ -- try: curl -F image=@cat.jpg http://%s/saliency -o "
           "saliency.png\n",
           at, at);
    fflush(stdout);
    srv_log(SRV_INFO, "listening on %s, networks in %s, OpenBLAS kernels for %s", at, c->models,
            luc_blas_corename());
}

/* Everything runs: until a signal, then down in order. */
static void run_until_told(const struct cfg *c, const sigset_t *set, struct srv_http *http,
                           struct srv_jobs *jobs, struct srv_pool *pool)
{
    int sig = 0;
    say_hello(c, http);
    sigwait(set, &sig);
    go_down(c, http, jobs);
    srv_pool_destroy(pool);         /* before the sockets: no connection may stay suspended */
    wait_until_idle(http, NULL, 1); /* the last answers leave */
    srv_http_stop(http);
    srv_jobs_stop(jobs);
    srv_log(SRV_INFO, "down");
}

static int serve(const struct cfg *c, struct srv_services *s, struct srv_memory *memory)
{
    const size_t cores = srv_cores(), n_workers = c->workers ? (size_t)c->workers : cores;
    struct luc_error err = { 0 };
    struct srv_http *http = NULL;
    struct srv_jobs *jobs = NULL;
    sigset_t set;
    block_signals(&set);
    raise_file_limit(c);
    /* Stored jobs may hold `workers` of them; requests always have another. */
    struct srv_pool *pool = srv_pool_create(
        n_workers > 1 ? n_workers : 2, c->threads ? (size_t)c->threads : cores, (size_t)c->queue);
    if (!pool)
        return srv_complain("serve", "cannot start the workers: threads or memory are short", 1);
    enum luc_status st = srv_jobs_start(c, &s->env, pool, memory, n_workers, &jobs, &err);
    if (!st)
        st = srv_http_start(c, &s->env, pool, memory, jobs, &http, &err);
    if (!st) {
        run_until_told(c, &set, http, jobs, pool);
        return 0;
    }
    if (jobs)
        srv_jobs_drain(jobs);
    srv_pool_destroy(pool);
    srv_jobs_stop(jobs);
    return srv_complain("serve", err.text, 1);
}

int srv_cmd_serve(int argc, char **argv)
{
    struct cfg c;
    struct luc_error err = { 0 };
    struct srv_services s;
    if (srv_wants_help("serve", argc, argv))
        return 0;
    const int bad = srv_settings(&c, &argc, argv);
    if (bad)
        return bad;
    if (argc > 1)
        return srv_complain("serve", "unknown argument; `lucida config` lists the settings", 2);
    if (srv_services_init(&s, &c, &err))
        return srv_complain("serve", err.text, 1);
    struct srv_memory *memory = srv_memory_create((size_t)c.memory_bytes);
    const int status =
        memory ? serve(&c, &s, memory) : srv_complain("serve", "cannot start: memory is short", 1);
    srv_memory_destroy(memory);
    srv_services_done(&s);
    return status;
}
