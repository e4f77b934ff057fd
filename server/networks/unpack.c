#include "server/networks/unpack.h"

#include "core/base/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES  4096
#define BLOCK_BYTES 65536

struct unpacking {
    struct archive *a;
    const char *name; /* of the package, for messages */
    const struct cfg_file *files;
    size_t n_files, n_done, left; /* left: bytes that may still come */
    bool *done;
    const char *dir;
};

static enum luc_status damaged(const struct unpacking *u, const char *why, struct luc_error *err)
{
    return luc_fail(err, LUC_FORMAT, "package %.80s: %.150s", u->name, why ? why : "damaged");
}

static enum luc_status write_all(int fd, const char *bytes, size_t n, const char *path,
                                 struct luc_error *err)
{
    for (size_t done = 0; done < n;) {
        ssize_t w = write(fd, bytes + done, n - done);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return luc_fail(err, LUC_IO, "%.180s: cannot write: %s", path, strerror(errno));
        done += (size_t)w;
    }
    return LUC_OK;
}

static enum luc_status copy(struct unpacking *u, int fd, const char *path, struct luc_error *err)
{
    static const char too_large[] = "its files are larger than a network can be";
    char block[BLOCK_BYTES];
    for (;;) {
        ssize_t n = archive_read_data(u->a, block, sizeof block);
        if (n < 0)
            return damaged(u, archive_error_string(u->a), err);
        if (n == 0)
            break;
        if ((size_t)n > u->left)
            return damaged(u, too_large, err);
        u->left -= (size_t)n;
        enum luc_status s = write_all(fd, block, (size_t)n, path, err);
        if (s)
            return s;
    }
    return fsync(fd) == 0
               ? LUC_OK
               : luc_fail(err, LUC_IO, "%.180s: cannot write: %s", path, strerror(errno));
}

static enum luc_status write_file(struct unpacking *u, const char *local, struct luc_error *err)
{
    char path[PATH_BYTES];
    enum luc_status s = luc_path_join(u->dir, local, path, sizeof path, err);
    if (s)
        return s;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return luc_fail(err, LUC_IO, "%.180s: cannot write: %s", path, strerror(errno));
    s = copy(u, fd, path, err);
    if (close(fd) != 0 && !s)
        s = luc_fail(err, LUC_IO, "%.180s: cannot write: %s", path, strerror(errno));
    return s;
}

/* One member of the package; most are not wanted. */
static enum luc_status take(struct unpacking *u, struct archive_entry *e, struct luc_error *err)
{
    const char *name = archive_entry_pathname(e);
    for (size_t i = 0; name && i < u->n_files; i++) {
        if (strcmp(name, u->files[i].member))
            continue;
        if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e))
            return damaged(u, "a wanted member is not a plain file", err);
        if (u->done[i])
            return damaged(u, "a wanted member is there twice", err);
        u->done[i] = true;
        u->n_done++;
        return write_file(u, u->files[i].local, err);
    }
    return LUC_OK;
}

static enum luc_status take_all(struct unpacking *u, const char *path, struct luc_error *err)
{
    archive_read_support_filter_gzip(u->a);
    archive_read_support_format_tar(u->a);
    if (archive_read_open_filename(u->a, path, BLOCK_BYTES) != ARCHIVE_OK)
        return damaged(u, archive_error_string(u->a), err);
    for (;;) {
        struct archive_entry *e;
        int r = archive_read_next_header(u->a, &e);
        if (r == ARCHIVE_EOF)
            break;
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
            return damaged(u, archive_error_string(u->a), err);
        enum luc_status s = take(u, e, err);
        if (s)
            return s;
    }
    for (size_t i = 0; i < u->n_files; i++)
        if (!u->done[i])
            return luc_fail(err, LUC_FORMAT, "package %.80s has no member %.100s", u->name,
                            u->files[i].member);
    return LUC_OK;
}

enum luc_status srv_unpack(const char *archive, const struct cfg_file *files, size_t n_files,
                           const char *dir, size_t limit, struct luc_error *err)
{
    const char *slash = strrchr(archive, '/');
    struct unpacking u = { .a = archive_read_new(),
                           .name = slash ? slash + 1 : archive,
                           .files = files,
                           .n_files = n_files,
                           .left = limit,
                           .done = calloc(n_files, sizeof *u.done),
                           .dir = dir };
    enum luc_status s =
        u.a && u.done ? take_all(&u, archive, err) : luc_fail_nomem(err, "unpacking", BLOCK_BYTES);
    archive_read_free(u.a);
    free(u.done);
    return s;
}
