#include "server/store/blobs.h"
#include "core/base/file.h"
#include "core/base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOB_MAX   ((size_t)1 << 40)
#define PATH_BYTES 600

struct srv_blobs {
    int dir, lock; /* DATA/files and the file that putting (shared) and sweeping (alone) lock */
    char path[512];
    atomic_ulong counter;
};

static enum luc_status fail_io(struct luc_error *err, const char *what, const char *path)
{
    const int e = errno;
    return luc_fail(err, LUC_IO, "cannot %s in %.120s: %s", what, path,
                    e == ENOSPC || e == EDQUOT || e == EFBIG ? "the disk is full" : strerror(e));
}

static bool make_directory(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

bool srv_data_make(const char *path)
{
    char part[PATH_BYTES];
    const size_t n = strlen(path);
    if (n >= sizeof(part)) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        snprintf(part, sizeof(part), "%.*s", (int)i, path);
        if (!make_directory(part))
            return false;
    }
    return true;
}

enum luc_status srv_blobs_open(const char *data, struct srv_blobs **blobs, struct luc_error *err)
{
    struct srv_blobs *b = calloc(1, sizeof(*b));
    if (!b)
        return luc_fail_nomem(err, "the data directory", sizeof(*b));
    b->dir = b->lock = -1;
    if ((size_t)snprintf(b->path, sizeof(b->path), "%s/files", data) >= sizeof(b->path)) {
        srv_blobs_close(b);
        return luc_fail(err, LUC_INVALID, "the data directory's name is too long");
    }
    if (make_directory(b->path))
        b->dir = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (b->dir >= 0)
        b->lock = openat(b->dir, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (b->lock < 0) {
        const enum luc_status st = fail_io(err, "write", b->path);
        srv_blobs_close(b);
        return st;
    }
    *blobs = b;
    return LUC_OK;
}

struct srv_blobs *srv_blobs_close(struct srv_blobs *b)
{
    if (!b)
        return NULL;
    if (b->lock >= 0)
        close(b->lock);
    if (b->dir >= 0)
        close(b->dir);
    free(b);
    return NULL;
}

/* Locks are of an open file, so each user opens its own. */
static int take_lock(struct srv_blobs *b, int how)
{
    const int fd = openat(b->dir, ".lock", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -1;
    while (flock(fd, how) != 0)
        if (errno != EINTR) {
            close(fd);
            return -1;
        }
    return fd;
}

/* "ab/abcd..." */
static void place_of(const char *name, char place[SRV_BLOB_NAME + 4])
{
    snprintf(place, SRV_BLOB_NAME + 4, "%.2s/%.64s", name, name);
}

static enum luc_status name_of(const void *bytes, size_t size, char name[SRV_BLOB_NAME],
                               struct luc_error *err)
{
    struct luc_hash h = { 0 };
    char hex[LUC_HASH_HEX_MAX] = "";
    enum luc_status st = luc_hash_init(&h, LUC_SHA256, err);
    if (st)
        return st;
    luc_hash_update(&h, bytes, size);
    st = luc_hash_finish_hex(&h, hex, err);
    memcpy(name, hex, SRV_BLOB_NAME - 1);
    name[SRV_BLOB_NAME - 1] = '\0';
    return st;
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

static bool sync_directory(int parent, const char *name)
{
    const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* The file under a temporary name that holds its process, so that no two meet. */
static bool write_temporary(struct srv_blobs *b, const char *temporary, const void *bytes,
                            size_t size)
{
    const int fd = openat(b->dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = write_all(fd, bytes, size) && fsync(fd) == 0;
    const int kept = errno;
    if (close(fd) != 0)
        ok = false;
    else
        errno = kept;
    return ok;
}

static bool put_new(struct srv_blobs *b, const char *place, const void *bytes, size_t size)
{
    char temporary[80], folder[3] = { place[0], place[1], '\0' };
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    snprintf(temporary, sizeof(temporary), "tmp-%ld-%lx-%lx", (long)getpid(),
             (unsigned long)t.tv_nsec, (unsigned long)atomic_fetch_add(&b->counter, 1));
    const bool fresh = mkdirat(b->dir, folder, 0700) == 0;
    bool ok = (fresh || errno == EEXIST) && write_temporary(b, temporary, bytes, size) &&
              renameat(b->dir, temporary, b->dir, place) == 0 && sync_directory(b->dir, folder) &&
              (!fresh || fsync(b->dir) == 0);
    if (!ok) {
        const int kept = errno;
        unlinkat(b->dir, temporary, 0);
        errno = kept;
    }
    return ok;
}

enum luc_status srv_blobs_put(struct srv_blobs *b, const void *bytes, size_t size,
                              char name[SRV_BLOB_NAME], struct luc_error *err)
{
    char found[SRV_BLOB_NAME], place[SRV_BLOB_NAME + 4];
    struct stat info;
    enum luc_status st = name_of(bytes, size, found, err);
    if (st)
        return st;
    place_of(found, place);
    const int lock = take_lock(b, LOCK_SH);
    if (lock < 0)
        return fail_io(err, "lock", b->path);
    /* A file that is there is made young again, so that the sweep leaves it alone. */
    const bool there = fstatat(b->dir, place, &info, 0) == 0 && info.st_size == (off_t)size &&
                       utimensat(b->dir, place, NULL, 0) == 0;
    if (!there && !put_new(b, place, bytes, size))
        st = fail_io(err, "write a file", b->path);
    close(lock);
    if (!st)
        memcpy(name, found, SRV_BLOB_NAME);
    return st;
}

static bool is_name(const char *name)
{
    return strlen(name) == SRV_BLOB_NAME - 1 &&
           strspn(name, "0123456789abcdef") == SRV_BLOB_NAME - 1;
}

enum luc_status srv_blobs_get(struct srv_blobs *b, const char *name, char **bytes, size_t *size,
                              struct luc_error *err)
{
    char place[SRV_BLOB_NAME + 4], path[sizeof(b->path) + sizeof(place) + 1], is[SRV_BLOB_NAME];
    char *got = NULL;
    size_t n = 0;
    if (!is_name(name))
        return luc_fail(err, LUC_NOT_FOUND, "no file is called '%.70s'", name);
    place_of(name, place);
    snprintf(path, sizeof(path), "%s/%s", b->path, place);
    enum luc_status st = luc_file_read(path, BLOB_MAX, &got, &n, err);
    if (!st)
        st = name_of(got, n, is, err);
    if (!st && strcmp(is, name) != 0)
        st = luc_fail(err, LUC_FORMAT, "%.120s is damaged: its bytes are not those of its name",
                      path);
    if (st) {
        free(got);
        return st;
    }
    *bytes = got;
    *size = n;
    return LUC_OK;
}

enum luc_status srv_blobs_touch(struct srv_blobs *b, const char *name, struct luc_error *err)
{
    char place[SRV_BLOB_NAME + 4];
    if (!is_name(name))
        return luc_fail(err, LUC_NOT_FOUND, "no file is called '%.70s'", name);
    place_of(name, place);
    const int lock = take_lock(b, LOCK_SH);
    if (lock < 0)
        return fail_io(err, "lock", b->path);
    const bool there = utimensat(b->dir, place, NULL, 0) == 0;
    close(lock);
    return there ? LUC_OK : luc_fail(err, LUC_NOT_FOUND, "there is no file %s any more", name);
}

static bool is_old(int dir, const char *name, double grace_s)
{
    struct stat info;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
           difftime(now.tv_sec, info.st_mtim.tv_sec) +
                   1e-9 * (double)(now.tv_nsec - info.st_mtim.tv_nsec) >=
               grace_s;
}

static size_t sweep_folder(struct srv_blobs *b, const char *folder, double grace_s,
                           bool (*used)(void *ctx, const char *name), void *ctx)
{
    const int fd = openat(b->dir, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    size_t gone = 0;
    if (!d) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    const struct dirent *e;
    while ((e = readdir(d))) {
        const bool rest = strncmp(e->d_name, "tmp-", 4) == 0;
        if ((rest || is_name(e->d_name)) && is_old(fd, e->d_name, grace_s) &&
            (rest || !used(ctx, e->d_name)) && unlinkat(fd, e->d_name, 0) == 0)
            gone++;
    }
    closedir(d);
    return gone;
}

size_t srv_blobs_sweep(struct srv_blobs *b, double grace_s,
                       bool (*used)(void *ctx, const char *name), void *ctx)
{
    size_t gone = 0;
    for (unsigned i = 0; i <= 256; i++) { /* one folder at a time: others may put in between */
        char folder[4];
        snprintf(folder, sizeof(folder), i < 256 ? "%02x" : ".", i);
        const int lock = take_lock(b, LOCK_EX);
        if (lock < 0)
            return gone;
        gone += sweep_folder(b, folder, grace_s, used, ctx);
        close(lock);
    }
    return gone;
}
