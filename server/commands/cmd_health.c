/* health -- for containers and supervisors, which have no curl: GET /readyz where the settings say
 * that a server listens. */
#include "server/commands/command.h"
#include "server/http/listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_S 2

/* The status of the answer; 0 when there is none. */
static int ask(int fd)
{
    static const char request[] = "GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n";
    char answer[64] = "";
    if (write(fd, request, sizeof(request) - 1) != (ssize_t)sizeof(request) - 1)
        return 0;
    const ssize_t n = read(fd, answer, sizeof(answer) - 1);
    const char *status = n > 0 && strncmp(answer, "HTTP/", 5) == 0 ? strchr(answer, ' ') : NULL;
    return status ? (int)strtol(status, NULL, 10) : 0;
}

int srv_cmd_health(int argc, char **argv)
{
    struct cfg c;
    struct luc_error err = { 0 };
    int fd = -1;
    if (srv_wants_help("health", argc, argv))
        return 0;
    const int bad = srv_settings(&c, &argc, argv);
    if (bad)
        return bad;
    if (srv_connect(c.listen, PATIENCE_S, &fd, &err))
        return srv_complain("health", err.text, 1);
    const int status = ask(fd);
    close(fd);
    if (status != 200)
        return srv_complain("health", "the server takes no work", 1);
    puts("ready");
    return 0;
}
