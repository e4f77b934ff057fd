/* npm.c -- where packages of the npm registry are. Which registry is the person's choice. */
#define _GNU_SOURCE /* environ */
#include "server/networks/pull.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static enum luc_status no_registry(struct luc_error *err)
{
    return luc_fail(err, LUC_NOT_FOUND,
                    "networks come from an npm registry, and none is known: install npm, or give "
                    "its base URL with --npm-registry URL or LUCIDA_NPM_REGISTRY");
}

/* Runs `npm config get registry` with its output in a pipe. */
static pid_t start(int out)
{
    static char npm[] = "npm", config[] = "config", get[] = "get", registry[] = "registry";
    char *const argv[] = { npm, config, get, registry, NULL };
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    if (posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) != 0 ||
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) != 0 ||
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) != 0 ||
        posix_spawnp(&pid, npm, &actions, NULL, argv, environ) != 0)
        pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static size_t read_all(int fd, char *text, size_t size)
{
    size_t n = 0;
    for (;;) {
        char rest[256];
        char *to = n + 1 < size ? text + n : rest;
        ssize_t r = read(fd, to, to == rest ? sizeof rest : size - 1 - n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            break;
        n += to == rest ? 0 : (size_t)r;
    }
    text[n] = '\0';
    return n;
}

enum luc_status srv_npm_registry(char *url, size_t size, struct luc_error *err)
{
    int ends[2], status = -1;
    if (pipe(ends) != 0)
        return luc_fail(err, LUC_IO, "no pipe to npm: %s", strerror(errno));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    pid_t pid = start(ends[1]);
    close(ends[1]);
    size_t n = pid > 0 ? read_all(ends[0], url, size) : 0;
    close(ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    while (n > 0 && (url[n - 1] == '\n' || url[n - 1] == '\r' || url[n - 1] == ' '))
        url[--n] = '\0';
    if (pid <= 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0 || strncmp(url, "http", 4))
        return no_registry(err);
    return LUC_OK;
}

enum luc_status srv_npm_url(const char *registry, const char *package, char *url, size_t size,
                            struct luc_error *err)
{
    const char *at = strrchr(package, '@'), *base = package;
    size_t n = strlen(registry);
    for (const char *p = package; at && p < at; p++)
        if (*p == '/')
            base = p + 1;
    while (n > 0 && registry[n - 1] == '/')
        n--;
    int len = !at ? -1
                  : snprintf(url, size, "%.*s/%.*s/-/%.*s-%s.tgz", (int)n, registry,
                             (int)(at - package), package, (int)(at - base), base, at + 1);
    if (len < 0 || (size_t)len >= size)
        return luc_fail(err, LUC_TOO_LARGE, "the URL of npm package %.80s is too long", package);
    return LUC_OK;
}
