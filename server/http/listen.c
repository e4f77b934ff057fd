#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "server/http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define BACKLOG 256

/* Splits "host:port" and "[host]:port". */
static bool split(const char *text, char host[SRV_ADDRESS_MAX], char port[16])
{
    const char *colon = strrchr(text, ':');
    if (!colon || strlen(colon + 1) >= 16 || colon[1] == '\0')
        return false;
    const char *from = text, *to = colon;
    if (*from == '[' && to > from && to[-1] == ']')
        from++, to--;
    const size_t n = (size_t)(to - from);
    if (n == 0 || n >= SRV_ADDRESS_MAX)
        return false;
    memcpy(host, from, n);
    host[n] = '\0';
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    return true;
}

static bool is_loopback(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof(in));
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, sa, sizeof(in6));
    return sa->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

static void write_address(int fd, char address[SRV_ADDRESS_MAX])
{
    struct sockaddr_storage name = { 0 };
    socklen_t size = sizeof(name);
    char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
    getsockname(fd, (struct sockaddr *)&name, &size);
    getnameinfo((struct sockaddr *)&name, size, host, sizeof(host), port, sizeof(port),
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(address, SRV_ADDRESS_MAX, strchr(host, ':') ? "[%.100s]:%.10s" : "%.100s:%.10s", host,
             port);
}

static enum luc_status open_socket(const struct addrinfo *ai, int *fd, struct luc_error *err)
{
    const int one = 1;
    const int made = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0)
        return luc_fail(err, LUC_IO, "no socket: %s", strerror(errno));
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(made, ai->ai_addr, ai->ai_addrlen) != 0 || listen(made, BACKLOG) != 0) {
        const int why = errno;
        close(made);
        return luc_fail(err, LUC_IO, "cannot listen: %s; --listen takes another address",
                        strerror(why));
    }
    *fd = made;
    return LUC_OK;
}

static enum luc_status resolve(const char *text, struct addrinfo **found, struct luc_error *err)
{
    char host[SRV_ADDRESS_MAX], port[16];
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    if (!split(text, host, port) || getaddrinfo(host, port, &hints, found) != 0 || !*found)
        return luc_fail_param(err, LUC_INVALID, "listen",
                              "'%.80s' is no address: want something like 127.0.0.1:8080", text);
    return LUC_OK;
}

enum luc_status srv_connect(const char *text, int seconds, int *fd, struct luc_error *err)
{
    struct addrinfo *found = NULL;
    const struct timeval patience = { .tv_sec = seconds };
    enum luc_status st = resolve(text, &found, err);
    if (st)
        return st;
    const int made = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made >= 0) { /* the first also bounds connect() */
        setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    }
    if (made < 0 || connect(made, found->ai_addr, found->ai_addrlen) != 0) {
        st = luc_fail(err, LUC_IO, "%.80s: %s", text, strerror(errno));
        if (made >= 0)
            close(made);
    } else {
        *fd = made;
    }
    freeaddrinfo(found);
    return st;
}

enum luc_status srv_listen(const char *text, bool loopback_only, int *fd,
                           char address[SRV_ADDRESS_MAX], struct luc_error *err)
{
    struct addrinfo *found = NULL;
    enum luc_status st = resolve(text, &found, err);
    if (st)
        return st;
    if (loopback_only && !is_loopback(found->ai_addr))
        st = luc_fail_param(err, LUC_INVALID, "listen",
                            "%.80s is reached by other machines and there are no keys: make one "
                            "with `lucida keys add NAME`, or listen all the same with --insecure",
                            text);
    if (!st)
        st = open_socket(found, fd, err);
    freeaddrinfo(found);
    if (!st)
        write_address(*fd, address);
    return st;
}
