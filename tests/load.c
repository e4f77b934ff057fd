/* usage: load PORT PLAN record            asks everything once, alone, and keeps the answers
 *        load PORT PLAN N CONNECTIONS     asks N times over CONNECTIONS, in turn, and compares
 *
 * A line of PLAN: STATUS METHOD PATH TYPE BODY ANSWER, separated by tabs. TYPE and BODY are "-" for none,
 * BODY "=NUMBER" states a length and sends nothing. ANSWER is the file of the expected bytes. What
 * follows "request": in a problem differs from answer to answer and is left out. Prints the first few
 * differences, then "N asked, K wrong, SECONDS s, slowest SECONDS s"; status 1 when K > 0. */
#define _GNU_SOURCE /* memmem, strcasestr */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define KINDS_MAX 64
#define ANSWER    ((size_t)4 << 20) /* the longest with its head */
#define SHOWN     5
#define PATIENCE  60.0 /* s, for one answer */

struct kind {
    int status;
    char name[512], answer_path[512];
    char *request, *answer;
    size_t request_size, answer_size;
};

struct connection {
    int fd; /* -1: closed */
    const struct kind *kind;
    size_t sent, got;
    double began;
    char *in; /* ANSWER bytes */
};

static struct kind kinds[KINDS_MAX];
static size_t n_kinds, n_wrong;
static double slowest;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static char *read_all(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    char *bytes = malloc(ANSWER);
    if (!bytes)
        die("memory");
    *size = fread(bytes, 1, ANSWER, f);
    fclose(f);
    return bytes;
}

static void read_kind(char *line)
{
    char *field[6] = { NULL }, *rest = line, *body = NULL;
    size_t n = 0, size = 0;
    for (; n < 6 && (field[n] = strsep(&rest, "\t\n")); n++)
        ;
    if (n < 6 || n_kinds == KINDS_MAX)
        die("the plan");
    struct kind *k = &kinds[n_kinds++];
    k->status = (int)strtol(field[0], NULL, 10);
    snprintf(k->name, sizeof(k->name), "%s %s", field[1], field[2]);
    snprintf(k->answer_path, sizeof(k->answer_path), "%s", field[5]);
    const bool stated = field[4][0] == '=';
    if (!stated && strcmp(field[4], "-") != 0 && !(body = read_all(field[4], &size)))
        die(field[4]);
    k->request = malloc(size + 2048);
    if (!k->request)
        die("memory");
    int at = snprintf(k->request, 2048, "%s %s HTTP/1.1\r\nHost: x\r\n", field[1], field[2]);
    if (strcmp(field[3], "-") != 0)
        at += snprintf(k->request + at, 512, "Content-Type: %s\r\n", field[3]);
    if (stated)
        at += snprintf(k->request + at, 512, "Content-Length: %s\r\n", field[4] + 1);
    else if (body)
        at += snprintf(k->request + at, 512, "Content-Length: %zu\r\n", size);
    at += snprintf(k->request + at, 8, "\r\n");
    if (body)
        memcpy(k->request + at, body, size);
    k->request_size = (size_t)at + size;
    free(body);
}

/* Blanks the value of "request": in place. */
static void forget_request(char *body, size_t size)
{
    static const char key[] = "\"request\": \"";
    char *at = memmem(body, size, key, sizeof(key) - 1);
    for (at = at ? at + sizeof(key) - 1 : NULL; at && at < body + size && *at != '"'; at++)
        *at = '?';
}

static void call(struct connection *c, int port)
{
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0 ||
        (connect(c->fd, (const struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS))
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void hang_up(struct connection *c)
{
    close(c->fd);
    c->fd = -1;
}

static void wrong(const struct connection *c, const char *what)
{
    if (n_wrong++ < SHOWN)
        printf("%s: %s\n%.*s\n", c->kind->name, what, (int)(c->got < 600 ? c->got : 600), c->in);
}

/* Whether the answer is complete; *body and *size are its body's. */
static bool is_whole(const struct connection *c, char **body, size_t *size)
{
    char *end = memmem(c->in, c->got, "\r\n\r\n", 4);
    if (!end)
        return false;
    *body = end + 4;
    *end = '\0';
    const char *length = strcasestr(c->in, "\r\nContent-Length:");
    *end = '\r';
    *size = length ? strtoul(length + 17, NULL, 10) : 0;
    return c->got >= (size_t)(*body - c->in) + *size;
}

static void judge(struct connection *c, char *body, size_t size, bool record)
{
    const double took = now_s() - c->began;
    slowest = took > slowest ? took : slowest;
    if (c->got < 12 || strtol(c->in + 9, NULL, 10) != c->kind->status) {
        wrong(c, "another status");
        return;
    }
    forget_request(body, size);
    if (record) {
        FILE *f = fopen(c->kind->answer_path, "wb");
        if (!f || fwrite(body, 1, size, f) != size || fclose(f) != 0)
            die(c->kind->answer_path);
    } else if (size != c->kind->answer_size || memcmp(body, c->kind->answer, size) != 0) {
        wrong(c, "other bytes");
    }
}

/* One step of a connection. True: its answer is there, right or wrong. */
static bool step(struct connection *c, bool record)
{
    const struct kind *k = c->kind;
    char *body = NULL;
    size_t size = 0;
    if (c->sent < k->request_size) {
        const ssize_t n =
            send(c->fd, k->request + c->sent, k->request_size - c->sent, MSG_NOSIGNAL);
        c->sent += n > 0 ? (size_t)n : 0;
    }
    const ssize_t n = recv(c->fd, c->in + c->got, ANSWER - 1 - c->got, 0);
    c->got += n > 0 ? (size_t)n : 0;
    c->in[c->got] = '\0';
    const bool over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    if (is_whole(c, &body, &size)) {
        judge(c, body, size, record);
        if (over || memmem(c->in, (size_t)(body - c->in), "onnection: close", 16))
            hang_up(c);
        return true;
    }
    if (over || now_s() > c->began + PATIENCE) {
        wrong(c, over ? "closed" : "no answer");
        hang_up(c);
        return true;
    }
    return false;
}

static void ask(struct connection *c, const struct kind *k, int port)
{
    if (c->fd < 0)
        call(c, port);
    c->kind = k;
    c->sent = c->got = 0;
    c->began = now_s();
}

static void run(int port, size_t n, size_t n_connections, bool record)
{
    struct connection *c = calloc(n_connections, sizeof(*c));
    struct pollfd *p = calloc(n_connections, sizeof(*p));
    size_t asked = 0, done = 0;
    if (!c || !p)
        die("memory");
    for (size_t i = 0; i < n_connections; i++) {
        c[i].fd = -1;
        if (!(c[i].in = malloc(ANSWER)))
            die("memory");
        if (asked < n)
            ask(&c[i], &kinds[asked++ % n_kinds], port);
    }
    while (done < n) {
        for (size_t i = 0; i < n_connections; i++) {
            const bool sends = c[i].kind && c[i].sent < c[i].kind->request_size;
            p[i] = (struct pollfd){ .fd = c[i].kind ? c[i].fd : -1,
                                    .events = (short)(POLLIN | (sends ? POLLOUT : 0)) };
        }
        poll(p, (nfds_t)n_connections, 1000);
        for (size_t i = 0; i < n_connections; i++) {
            if (!c[i].kind || !step(&c[i], record))
                continue;
            done++;
            c[i].kind = NULL;
            if (asked < n)
                ask(&c[i], &kinds[asked++ % n_kinds], port);
        }
    }
    for (size_t i = 0; i < n_connections; i++) {
        if (c[i].fd >= 0)
            close(c[i].fd);
        free(c[i].in);
    }
    free(c);
    free(p);
}

int main(int argc, char **argv)
{
    static char line[4096];
    FILE *plan = argc >= 4 ? fopen(argv[2], "r") : NULL;
    if (!plan)
        return fprintf(stderr, "usage: load PORT PLAN record|N [CONNECTIONS]\n"), 2;
    while (fgets(line, sizeof(line), plan))
        read_kind(line);
    fclose(plan);
    const bool record = strcmp(argv[3], "record") == 0;
    const int port = (int)strtol(argv[1], NULL, 10);
    const size_t n = record ? n_kinds : strtoul(argv[3], NULL, 10);
    for (size_t i = 0; i < n_kinds && !record; i++)
        if (!(kinds[i].answer = read_all(kinds[i].answer_path, &kinds[i].answer_size)))
            die(kinds[i].answer_path);
    const double began = now_s();
    run(port, n, record || argc < 5 ? 1 : strtoul(argv[4], NULL, 10), record);
    printf("%zu asked, %zu wrong, %.1f s, slowest %.2f s\n", n, n_wrong, now_s() - began, slowest);
    for (size_t i = 0; i < n_kinds; i++) {
        free(kinds[i].request);
        free(kinds[i].answer);
    }
    return n_wrong > 0;
}
