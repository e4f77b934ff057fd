#include "tests/drop_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Not assert(): the release preset leaves that out. */
static void must(bool ok)
{
    if (!ok)
        abort();
}

static void send_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t w = send(fd, bytes, n, MSG_NOSIGNAL);
        if (w <= 0)
            return;
        bytes += w;
        n -= (size_t)w;
    }
}

static void answer(struct drop_server *s, int fd, const char *request)
{
    char head[512];
    const char *range = strstr(request, "Range: bytes=");
    size_t from = range && !s->no_ranges ? strtoul(range + 13, NULL, 10) : 0;
    from = from < s->size ? from : s->size;
    size_t n = s->size - from;
    if (s->redirect) {
        snprintf(head, sizeof(head),
                 "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n"
                 "Connection: close\r\n\r\n",
                 s->redirect);
        send_all(fd, head, strlen(head));
        return;
    }
    if (s->status) {
        snprintf(head, sizeof(head),
                 "HTTP/1.1 %d Sorry\r\nContent-Length: 5\r\nConnection: close"
                 "\r\n\r\nsorry",
                 s->status);
        send_all(fd, head, strlen(head));
        return;
    }
    int len = snprintf(head, sizeof(head),
                       "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: "
                       "close\r\n",
                       from ? "206 Partial Content" : "200 OK", n);
    if (from)
        len += snprintf(head + len, sizeof(head) - (size_t)len,
                        "Content-Range: bytes %zu-%zu/%zu\r\n", from, s->size - 1, s->size);
    snprintf(head + len, sizeof(head) - (size_t)len, "\r\n");
    send_all(fd, head, strlen(head));
    if (s->drop_after && n > s->drop_after)
        n = s->drop_after;
    send_all(fd, s->body + from, n);
    s->n_sent += n;
}

static void one(struct drop_server *s, int fd)
{
    char request[4096];
    size_t n = 0;
    while (n + 1 < sizeof(request)) {
        const ssize_t r = recv(fd, request + n, sizeof(request) - 1 - n, 0);
        if (r <= 0)
            return;
        n += (size_t)r;
        request[n] = '\0';
        if (strstr(request, "\r\n\r\n"))
            break;
    }
    s->n_requests++;
    sscanf(request, "%*s %255s", s->last_path);
    answer(s, fd, request);
}

static void *serve(void *ctx)
{
    struct drop_server *s = ctx;
    for (;;) {
        struct pollfd p[2] = { { s->fd, POLLIN, 0 }, { s->stop[0], POLLIN, 0 } };
        poll(p, 2, -1);
        if (p[1].revents)
            return NULL;
        const int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            continue;
        one(s, fd);
        shutdown(fd, SHUT_WR);
        close(fd);
    }
}

void drop_server_start(struct drop_server *s)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof(at);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    int ok = s->fd >= 0 && bind(s->fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
             listen(s->fd, 8) == 0 && getsockname(s->fd, (struct sockaddr *)&at, &len) == 0 &&
             pipe(s->stop) == 0;
    must(ok);
    snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d", ntohs(at.sin_port));
    ok = pthread_create(&s->thread, NULL, serve, s) == 0;
    must(ok);
}

void drop_server_stop(struct drop_server *s)
{
    const ssize_t w = write(s->stop[1], "x", 1);
    must(w == 1);
    pthread_join(s->thread, NULL);
    close(s->fd);
    close(s->stop[0]);
    close(s->stop[1]);
}
