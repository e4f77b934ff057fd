/* usage: many_streams PORT PATH N TEXT   Opens N event streams, says "open" once each has answered,
 * and "ended K" once all are closed or a minute has passed; K: how many of them brought TEXT. */
#define _GNU_SOURCE /* memmem */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 4096

struct stream {
    char text[TEXT_MAX];
    size_t size;
    bool answered;
};

static int open_stream(const char *port, const char *path)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)atoi(port)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char ask[512];
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const int n = snprintf(ask, sizeof(ask), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
        write(fd, ask, (size_t)n) != n)
        return -1;
    return fd;
}

/* False once the stream is over: closed, or the last chunk was seen. */
static bool take(int fd, struct stream *s)
{
    char rest[TEXT_MAX], *at = s->size + 512 < TEXT_MAX ? s->text + s->size : rest;
    const ssize_t n = read(fd, at, at == rest ? sizeof(rest) : TEXT_MAX - s->size);
    if (n <= 0)
        return false;
    s->answered = true;
    if (at != rest)
        s->size += (size_t)n;
    return memmem(s->text, s->size, "\r\n0\r\n", 5) == NULL;
}

int main(int argc, char **argv)
{
    const size_t n = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
    struct pollfd *p = calloc(n ? n : 1, sizeof(*p));
    struct stream *s = calloc(n ? n : 1, sizeof(*s));
    const struct rlimit many = { 8192, 8192 };
    size_t left = n, answered = 0, good = 0;
    if (!n || !p || !s || (n > 900 && setrlimit(RLIMIT_NOFILE, &many) != 0))
        return 2;
    for (size_t i = 0; i < n; i++) {
        p[i] = (struct pollfd){ .fd = open_stream(argv[1], argv[2]), .events = POLLIN };
        if (p[i].fd < 0)
            return perror("many_streams"), 1;
    }
    const time_t until = time(NULL) + 60;
    while (left > 0 && time(NULL) < until) {
        poll(p, (nfds_t)n, 1000);
        for (size_t i = 0; i < n; i++) {
            if (p[i].fd < 0 || p[i].revents == 0)
                continue;
            const bool before = s[i].answered, open = take(p[i].fd, &s[i]);
            answered += !before && s[i].answered ? 1 : 0;
            if (!before && answered == n) {
                puts("open");
                fflush(stdout);
            }
            if (!open) {
                close(p[i].fd);
                p[i].fd = -1;
                left--;
            }
        }
    }
    for (size_t i = 0; i < n; i++)
        good += memmem(s[i].text, s[i].size, argv[4], strlen(argv[4])) ? 1 : 0;
    printf("ended %zu\n", good);
    free(p);
    free(s);
    return 0;
}
