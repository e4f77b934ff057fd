/* drop_server.h -- serves one body over HTTP on a loopback port, as badly as a test wants. */
#ifndef TESTS_DROP_SERVER_H
#define TESTS_DROP_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct drop_server {
    const char *body;
    size_t size;
    size_t drop_after;    /* bytes of the body sent before the connection is cut; 0: never */
    bool no_ranges;       /* answers 200 and everything, whatever was asked */
    const char *redirect; /* NULL; or answers 302 with this Location */
    int status;           /* 0: 200 or 206 */

    size_t n_requests, n_sent; /* body bytes sent in all */
    char last_path[256], url[64];
    int fd, stop[2];
    pthread_t thread;
};

void drop_server_start(struct drop_server *s); /* fills url: "http://127.0.0.1:PORT" */
void drop_server_stop(struct drop_server *s);

#endif
