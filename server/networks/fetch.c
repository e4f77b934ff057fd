#define _GNU_SOURCE /* secure_getenv */
#include "server/networks/fetch.h"

#include "core/base/file.h"
#include "core/base/hash.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES         4
#define CONNECT_S     30L
#define STALL_BYTES   1024L /* per second, over STALL_S seconds: given up */
#define STALL_S       30L
#define MAX_REDIRECTS 5L
#define WORTH_BYTES   ((size_t)1 << 20) /* a try that brought this much does not count */

struct download {
    const struct srv_fetch *f;
    int fd;
    size_t have; /* bytes in the file */
    bool too_long, write_failed, cancelled;
    CURL *curl;
    char message[CURL_ERROR_SIZE];
};

static size_t receive(char *data, size_t one, size_t n, void *ctx)
{
    struct download *d = ctx;
    (void)one; /* always 1 */
    /* Nothing but the file itself is kept: not an error's page, not a redirect's. */
    if (n > d->f->bytes - d->have) {
        d->too_long = true;
        return 0;
    }
    for (size_t done = 0; done < n;) {
        ssize_t w = write(d->fd, data + done, n - done);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0) {
            d->write_failed = true;
            return 0;
        }
        done += (size_t)w;
        d->have += (size_t)w;
    }
    return n;
}

static int report(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
    struct download *d = ctx;
    (void)total, (void)now, (void)up_total, (void)up;
    if (d->f->progress && !d->f->progress(d->f->progress_ctx, d->have))
        d->cancelled = true;
    return d->cancelled;
}

/* The same variables, in the same order, as the curl program; the library by itself reads none. */
static void trust(CURL *c)
{
    const char *file = secure_getenv("CURL_CA_BUNDLE"), *dir = secure_getenv("SSL_CERT_DIR");
    if (!file || !*file)
        file = secure_getenv("SSL_CERT_FILE");
    if (file && *file)
        curl_easy_setopt(c, CURLOPT_CAINFO, file);
    if (dir && *dir)
        curl_easy_setopt(c, CURLOPT_CAPATH, dir);
}

static void set_options(struct download *d)
{
    CURL *c = d->curl;
    bool https = strncmp(d->f->url, "https:", 6) == 0;
    curl_easy_setopt(c, CURLOPT_URL, d->f->url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,http,file");
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, https ? 1L : 0L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, STALL_S);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "lucida");
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, d->message);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, d);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, report);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, d);
    trust(c);
}

static bool start_over(struct download *d)
{
    d->have = 0;
    return ftruncate(d->fd, 0) == 0 && lseek(d->fd, 0, SEEK_SET) == 0;
}

/* One request for what is missing. True: another try may help. */
static bool request(struct download *d, CURLcode *code)
{
    size_t before = d->have;
    d->message[0] = '\0';
    curl_easy_setopt(d->curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)d->have);
    *code = curl_easy_perform(d->curl);
    if (*code == CURLE_OK || d->too_long || d->write_failed || d->cancelled)
        return false;
    /* A server that cannot go on in the middle sends everything, or refuses. */
    if (before > 0 && (*code == CURLE_RANGE_ERROR || *code == CURLE_BAD_DOWNLOAD_RESUME ||
                       *code == CURLE_HTTP_RETURNED_ERROR))
        return start_over(d);
    return *code == CURLE_PARTIAL_FILE || *code == CURLE_RECV_ERROR ||
           *code == CURLE_COULDNT_CONNECT || *code == CURLE_OPERATION_TIMEDOUT ||
           *code == CURLE_GOT_NOTHING || *code == CURLE_HTTP2_STREAM;
}

static enum luc_status transfer(struct download *d, struct luc_error *err)
{
    CURLcode code = CURLE_OK;
    for (int i = 0; d->have < d->f->bytes && i < TRIES; i++) {
        size_t before = d->have;
        if (!request(d, &code))
            break;
        if (d->have > before + WORTH_BYTES)
            i = -1; /* a long download may be cut any number of times */
        else if (d->have <= before && i > 0)
            sleep(1);
    }
    if (d->cancelled)
        return luc_fail(err, LUC_CANCELLED, "%.180s: stopped", d->f->url);
    if (d->write_failed)
        return luc_fail(err, LUC_IO, "%.180s: cannot write: %s", d->f->path, strerror(errno));
    if (d->too_long)
        return luc_fail(err, LUC_FORMAT,
                        "%.160s sends more than the %zu bytes it should have; nothing is kept",
                        d->f->url, d->f->bytes);
    if (code && d->have < d->f->bytes)
        return luc_fail(err, LUC_IO, "%.140s: %.90s", d->f->url,
                        *d->message ? d->message : curl_easy_strerror(code));
    if (d->have < d->f->bytes)
        return luc_fail(err, LUC_FORMAT, "%.140s has %zu bytes instead of %zu; nothing is kept",
                        d->f->url, d->have, d->f->bytes);
    return LUC_OK;
}

static enum luc_status verify(const struct srv_fetch *f, struct luc_error *err)
{
    struct luc_file map = { 0 };
    struct luc_hash h = { 0 };
    char text[LUC_HASH_HEX_MAX];
    enum luc_status s = luc_file_map(f->path, f->bytes, &map, err);
    if (!s)
        s = luc_hash_init(&h, f->sha512 ? LUC_SHA512 : LUC_SHA256, err);
    if (!s) {
        luc_hash_update(&h, map.bytes, map.size);
        s = luc_hash_finish_hex(&h, text, err);
    }
    luc_hash_done(&h);
    luc_file_unmap(&map);
    if (!s && strcmp(text, f->hash))
        s = luc_fail(err, LUC_FORMAT,
                     "%.130s has another hash than the catalog says (%.12s.., not %.12s..); "
                     "nothing is kept",
                     f->url, text, f->hash);
    return s;
}

static enum luc_status run(struct download *d, struct luc_error *err)
{
    struct stat st;
    if (fstat(d->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return luc_fail(err, LUC_IO, "%.200s is not a file", d->f->path);
    d->have = (size_t)st.st_size;
    if ((d->have > d->f->bytes || lseek(d->fd, 0, SEEK_END) < 0) && !start_over(d))
        return luc_fail(err, LUC_IO, "%.180s: %s", d->f->path, strerror(errno));
    d->curl = curl_easy_init();
    if (!d->curl)
        return luc_fail_nomem(err, "a download", 1024);
    set_options(d);
    enum luc_status s = transfer(d, err);
    curl_easy_cleanup(d->curl);
    if (!s && fsync(d->fd) != 0)
        s = luc_fail(err, LUC_IO, "%.180s: %s", d->f->path, strerror(errno));
    return s ? s : verify(d->f, err);
}

enum luc_status srv_fetch(const struct srv_fetch *f, struct luc_error *err)
{
    struct download d = { .f = f };
    d.fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (d.fd < 0)
        return luc_fail(err, LUC_IO, "%.180s: cannot write: %s", f->path, strerror(errno));
    enum luc_status s = run(&d, err);
    close(d.fd);
    if (s == LUC_FORMAT || (s && d.have == 0))
        unlink(f->path);
    return s;
}
