#include "core/tensor/blas.h"
#include "server/command.h"
#include "server/http.h"
#include "server/log.h"
#include "server/services.h"

#include <signal.h>
#include <stdio.h>
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

static bool wait_until_idle(const struct srv_http *http, double seconds)
{
    const struct timespec turn = { 0, TURN_MS * 1000000L };
    double waited = 0;
    while (srv_http_active(http) > 0) {
        if (waited >= seconds)
            return false;
        nanosleep(&turn, NULL);
        waited += TURN_MS / 1e3;
    }
    return true;
}

/* A worker that was told to give up still finishes its pass of the network; the pool waits for it. */
static void go_down(const struct cfg *c, struct srv_http *http)
{
    srv_log(SRV_INFO, "going down: %zu requests in work", srv_http_active(http));
    srv_http_drain(http);
    if (!wait_until_idle(http, (double)c->shutdown_s)) {
        srv_log(SRV_WARN, "giving up %zu requests after %lld s", srv_http_active(http),
                (long long)c->shutdown_s);
        srv_http_abandon(http);
    }
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

static int serve(const struct cfg *c, struct srv_services *s)
{
    const size_t cores = srv_cores();
    struct luc_error err = { 0 };
    struct srv_http *http = NULL;
    sigset_t set;
    int sig = 0;
    block_signals(&set);
    struct srv_pool *pool =
        srv_pool_create(c->workers ? (size_t)c->workers : cores,
                        c->threads ? (size_t)c->threads : cores, (size_t)c->queue);
    if (!pool)
        return srv_complain("serve", "cannot start the workers: threads or memory are short", 1);
    if (srv_http_start(c, &s->env, pool, &http, &err)) {
        srv_pool_destroy(pool);
        return srv_complain("serve", err.text, 1);
    }
    say_hello(c, http);
    sigwait(&set, &sig);
    go_down(c, http);
    srv_pool_destroy(pool);   /* before the sockets: no connection may stay suspended */
    wait_until_idle(http, 1); /* the last answers leave */
    srv_http_stop(http);
    srv_log(SRV_INFO, "down");
    return 0;
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
    const int status = serve(&c, &s);
    srv_services_done(&s);
    return status;
}
