#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static enum luc_status fail_errno(const char *path, const char *what, struct luc_error *err)
{
    const int e = errno;
    return luc_fail(err, e == ENOENT || e == ENOTDIR ? LUC_NOT_FOUND : LUC_IO, "%s: cannot %s: %s",
                    path, what, strerror(e));
}

static enum luc_status check_stat(int fd, const char *path, size_t limit, size_t *size,
                                  struct luc_error *err)
{
    struct stat s;
    if (fstat(fd, &s) != 0)
        return fail_errno(path, "look at it", err);
    if (!S_ISREG(s.st_mode))
        return luc_fail(err, LUC_IO, "%s: not a regular file", path);
    if ((uintmax_t)s.st_size > limit)
        return luc_fail(err, LUC_TOO_LARGE, "%s: %ju bytes, at most %zu are allowed", path,
                        (uintmax_t)s.st_size, limit);
    *size = (size_t)s.st_size;
    return LUC_OK;
}

/* O_NONBLOCK: opening a fifo must not wait; it is refused afterwards. */
static enum luc_status open_file(const char *path, size_t limit, int *fd, size_t *size,
                                 struct luc_error *err)
{
    const int f = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (f < 0)
        return fail_errno(path, "open it", err);
    const enum luc_status st = check_stat(f, path, limit, size, err);
    if (st) {
        close(f);
        return st;
    }
    *fd = f;
    return LUC_OK;
}

enum luc_status luc_file_map(const char *path, size_t limit, struct luc_file *f,
                             struct luc_error *err)
{
    int fd = -1;
    size_t size = 0;
    const enum luc_status st = open_file(path, limit, &fd, &size, err);
    if (st)
        return st;
    void *p = size > 0 ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    const int e = errno;
    close(fd);
    errno = e;
    if (p == MAP_FAILED)
        return fail_errno(path, "map it", err);
    *f = (struct luc_file){ p, size };
    return LUC_OK;
}

static void *without_const(const void *p)
{
    return (void *)(uintptr_t)p;
}

void luc_file_unmap(struct luc_file *f)
{
    if (f->bytes)
        munmap(without_const(f->bytes), f->size);
    *f = (struct luc_file){ 0 };
}

static enum luc_status read_all(int fd, const char *path, char *buf, size_t size,
                                struct luc_error *err)
{
    for (size_t done = 0; done < size;) {
        const ssize_t n = read(fd, buf + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(path, "read it", err);
        if (n == 0)
            return luc_fail(err, LUC_IO, "%s: ended after %zu of %zu bytes", path, done, size);
        done += (size_t)n;
    }
    return LUC_OK;
}

enum luc_status luc_file_read(const char *path, size_t limit, char **bytes, size_t *size,
                              struct luc_error *err)
{
    int fd = -1;
    size_t n = 0;
    enum luc_status st = open_file(path, limit, &fd, &n, err);
    if (st)
        return st;
    char *buf = n < SIZE_MAX ? malloc(n + 1) : NULL;
    st = buf ? read_all(fd, path, buf, n, err) : luc_fail_nomem(err, path, n);
    close(fd);
    if (st) {
        free(buf);
        return st;
    }
    buf[n] = '\0';
    *bytes = buf;
    if (size)
        *size = n;
    return LUC_OK;
}

static bool component_is_plain(const char *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)at[i] < 0x20 || at[i] == '\\' || at[i] == 0x7f)
            return false;
    return n > 0 && !(n == 1 && at[0] == '.') && !(n == 2 && at[0] == '.' && at[1] == '.');
}

bool luc_path_is_below(const char *name)
{
    for (;;) {
        const size_t n = strcspn(name, "/");
        if (!component_is_plain(name, n))
            return false;
        if (name[n] == '\0')
            return true;
        name += n + 1;
    }
}

enum luc_status luc_path_join(const char *dir, const char *name, char *out, size_t size,
                              struct luc_error *err)
{
    if (!luc_path_is_below(name))
        return luc_fail(err, LUC_FORMAT,
                        "'%.80s' is not a file name below the directory of the file that names it",
                        name);
    const int n = snprintf(out, size, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= size)
        return luc_fail(err, LUC_TOO_LARGE, "'%.80s': the path is longer than %zu bytes", name,
                        size);
    return LUC_OK;
}
