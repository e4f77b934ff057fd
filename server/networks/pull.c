#define _GNU_SOURCE /* flock */
#include "server/networks/pull.h"

#include "core/base/file.h"
#include "server/networks/fetch.h"
#include "server/networks/unpack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES   4096
#define URL_BYTES    2048
#define UNPACK_LIMIT ((size_t)8 << 30)

struct pulling {
    const struct srv_pull *p;
    char partial[PATH_BYTES];  /* MODELS/.partial */
    char registry[URL_BYTES];  /* "": not asked yet */
    const struct cfg_entry *e; /* the one at work */
};

static enum luc_status io_error(const char *path, struct luc_error *err)
{
    return luc_fail(err, LUC_IO, "%.180s: %s", path, strerror(errno));
}

static enum luc_status join(char out[PATH_BYTES], const char *dir, const char *name,
                            const char *suffix, struct luc_error *err)
{
    int n = snprintf(out, PATH_BYTES, "%s/%s%s", dir, name, suffix);
    return n > 0 && n < PATH_BYTES ? LUC_OK
                                   : luc_fail(err, LUC_TOO_LARGE, "%.150s: path too long", dir);
}

/* mkdir -p */
static enum luc_status make_dirs(const char *path, struct luc_error *err)
{
    char part[PATH_BYTES];
    if (strlen(path) >= sizeof part)
        return luc_fail(err, LUC_TOO_LARGE, "%.150s: path too long", path);
    for (size_t i = 0; path[i]; i++) {
        part[i] = path[i];
        part[i + 1] = '\0';
        if (i > 0 && (path[i + 1] == '/' || !path[i + 1]) && mkdir(part, 0755) != 0 &&
            errno != EEXIST)
            return io_error(part, err);
    }
    return LUC_OK;
}

static enum luc_status sync_dir(const char *path, struct luc_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok ? LUC_OK : io_error(path, err);
}

static bool is_listed(const struct cfg_entry *e, const char *name)
{
    for (size_t i = 0; i < e->n_sources; i++)
        for (size_t k = 0; k < e->sources[i].n_files; k++)
            if (!strcmp(e->sources[i].files[k].local, name))
                return true;
    return false;
}

/* Removes a folder that an interrupted pull left; one with anything else in it is a person's. */
static enum luc_status clear_folder(const char *path, const struct cfg_entry *e,
                                    struct luc_error *err)
{
    char file[PATH_BYTES];
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT ? LUC_OK : io_error(path, err);
    enum luc_status s = LUC_OK;
    for (struct dirent *d; !s && (d = readdir(dir));)
        if (strcmp(d->d_name, ".") && strcmp(d->d_name, "..") && !is_listed(e, d->d_name))
            s = luc_fail(err, LUC_IO,
                         "%.120s holds %.60s, which is not part of the network: move "
                         "the folder away",
                         path, d->d_name);
    rewinddir(dir);
    for (struct dirent *d; !s && (d = readdir(dir));) {
        if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
            continue;
        s = join(file, path, d->d_name, "", err);
        if (!s && unlink(file) != 0)
            s = io_error(file, err);
    }
    closedir(dir);
    if (!s && rmdir(path) != 0)
        s = io_error(path, err);
    return s;
}

/* Downloads are named by their hash, so what serves several networks is one file. */
static enum luc_status download_path(const struct pulling *w, const struct cfg_source *s,
                                     char path[PATH_BYTES], struct luc_error *err)
{
    char name[40];
    snprintf(name, sizeof name, "%.32s", s->hash);
    return join(path, w->partial, name, ".part", err);
}

static bool progress(void *ctx, size_t done)
{
    const struct pulling *w = ctx;
    return !w->p->progress || w->p->progress(w->p->ctx, w->e->name, done, w->e->bytes);
}

static enum luc_status source_url(struct pulling *w, const struct cfg_source *s,
                                  char url[URL_BYTES], struct luc_error *err)
{
    if (!s->npm) {
        if (strlen(s->url) >= URL_BYTES)
            return luc_fail(err, LUC_FORMAT, "the URL of network '%s' is too long", w->e->name);
        memcpy(url, s->url, strlen(s->url) + 1);
        return LUC_OK;
    }
    if (!*w->registry) {
        enum luc_status st = LUC_OK;
        if (*w->p->npm_registry)
            snprintf(w->registry, sizeof w->registry, "%s", w->p->npm_registry);
        else
            st = srv_npm_registry(w->registry, sizeof w->registry, err);
        if (st)
            return st;
    }
    return srv_npm_url(w->registry, s->npm, url, URL_BYTES, err);
}

static enum luc_status download(struct pulling *w, const struct cfg_source *s,
                                struct luc_error *err)
{
    char url[URL_BYTES], path[PATH_BYTES];
    enum luc_status st = source_url(w, s, url, err);
    if (!st)
        st = download_path(w, s, path, err);
    struct srv_fetch f = { .url = url,
                           .path = path,
                           .hash = s->hash,
                           .sha512 = s->sha512,
                           .bytes = s->bytes,
                           .progress = progress,
                           .progress_ctx = w };
    return st ? st : srv_fetch(&f, err);
}

/* The source's files into the folder `dir`. */
static enum luc_status place(struct pulling *w, const struct cfg_source *s, const char *dir,
                             struct luc_error *err)
{
    char path[PATH_BYTES], to[PATH_BYTES];
    enum luc_status st = download_path(w, s, path, err);
    if (st)
        return st;
    if (s->npm) {
        st = srv_unpack(path, s->files, s->n_files, dir, UNPACK_LIMIT, err);
        if (st == LUC_FORMAT)
            unlink(path);
        return st;
    }
    st = join(to, dir, s->files[0].local, "", err);
    if (!st && rename(path, to) != 0)
        st = io_error(to, err);
    return st;
}

/* Text into MODELS/NAME.json, whole or not at all. */
static enum luc_status commit(struct pulling *w, struct luc_error *err)
{
    char part[PATH_BYTES], final[PATH_BYTES];
    size_t n = strlen(w->e->json);
    enum luc_status s = join(part, w->partial, w->e->name, ".json", err);
    if (!s)
        s = join(final, w->p->models, w->e->name, ".json", err);
    if (s)
        return s;
    FILE *f = fopen(part, "wxe");
    if (!f && errno == EEXIST && unlink(part) == 0)
        f = fopen(part, "wxe");
    if (!f)
        return io_error(part, err);
    bool ok = fwrite(w->e->json, 1, n, f) == n && fputc('\n', f) != EOF && fflush(f) == 0 &&
              fsync(fileno(f)) == 0;
    ok = fclose(f) == 0 && ok;
    if (!ok || rename(part, final) != 0)
        return io_error(final, err);
    return sync_dir(w->p->models, err);
}

static enum luc_status assemble(struct pulling *w, const char *staging, const char *folder,
                                struct luc_error *err)
{
    enum luc_status s = clear_folder(staging, w->e, err);
    if (!s && mkdir(staging, 0755) != 0)
        s = io_error(staging, err);
    for (size_t i = 0; !s && i < w->e->n_sources; i++)
        s = place(w, &w->e->sources[i], staging, err);
    if (!s)
        s = sync_dir(staging, err);
    if (!s)
        s = clear_folder(folder, w->e, err);
    if (!s && rename(staging, folder) != 0)
        s = io_error(folder, err);
    return s ? s : sync_dir(w->p->models, err);
}

static enum luc_status pull_entry(struct pulling *w, struct luc_error *err)
{
    char staging[PATH_BYTES], folder[PATH_BYTES];
    struct luc_error ignored;
    enum luc_status s = join(staging, w->partial, w->e->name, "", err);
    if (!s)
        s = join(folder, w->p->models, w->e->name, "", err);
    for (size_t i = 0; !s && i < w->e->n_sources; i++)
        s = download(w, &w->e->sources[i], err);
    if (s)
        return s;
    s = assemble(w, staging, folder, err);
    if (s && clear_folder(staging, w->e, &ignored) != LUC_OK)
        return s;
    return s ? s : commit(w, err);
}

/* Packages that no network of this call needs any more. */
static void sweep(struct pulling *w, const struct cfg_entry *const *entries, size_t n)
{
    char path[PATH_BYTES];
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < entries[i]->n_sources; k++)
            if (download_path(w, &entries[i]->sources[k], path, NULL) == LUC_OK)
                unlink(path);
    rmdir(w->partial); /* stays while it holds what another call began */
}

bool srv_is_pulled(const char *models, const char *name)
{
    char path[PATH_BYTES];
    return join(path, models, name, ".json", NULL) == LUC_OK && access(path, F_OK) == 0;
}

bool srv_is_current(const char *models, const struct cfg_entry *e)
{
    char path[PATH_BYTES], *text = NULL;
    size_t size = 0;
    const size_t n = strlen(e->json);
    if (join(path, models, e->name, ".json", NULL) != LUC_OK ||
        luc_file_read(path, n + 1, &text, &size, NULL) != LUC_OK)
        return false;
    const bool same = size == n + 1 && memcmp(text, e->json, n) == 0;
    free(text);
    return same;
}

static enum luc_status pull_all(struct pulling *w, const struct cfg_entry *const *entries, size_t n,
                                struct luc_error *err)
{
    for (size_t i = 0; i < n; i++) {
        bool fresh = !srv_is_pulled(w->p->models, entries[i]->name);
        w->e = entries[i];
        enum luc_status s = fresh ? pull_entry(w, err) : LUC_OK;
        if (s)
            return s;
        if (w->p->pulled)
            w->p->pulled(w->p->ctx, entries[i], fresh);
    }
    return LUC_OK;
}

enum luc_status srv_pull(const struct srv_pull *p, const struct cfg_entry *const *entries, size_t n,
                         struct luc_error *err)
{
    struct pulling w = { .p = p };
    size_t missing = 0;
    for (size_t i = 0; i < n; i++)
        missing += !srv_is_pulled(p->models, entries[i]->name);
    if (!missing)
        return pull_all(&w, entries, n, err);
    enum luc_status s = join(w.partial, p->models, ".partial", "", err);
    if (!s)
        s = make_dirs(w.partial, err);
    if (s)
        return s;
    int lock = open(p->models, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) {
        s = lock >= 0 && errno == EWOULDBLOCK
                ? luc_fail(err, LUC_BUSY, "another pull is at work in %.150s; wait for it",
                           p->models)
                : io_error(p->models, err);
    } else {
        s = pull_all(&w, entries, n, err);
        if (!s)
            sweep(&w, entries, n);
        else
            rmdir(w.partial); /* stays while there is something to go on with */
    }
    if (lock >= 0)
        close(lock);
    return s;
}
