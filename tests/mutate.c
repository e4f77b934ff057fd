/* usage: mutate N OUTDIR PICTURE...   Writes N request bodies, none of which is a picture or a form
 * that a server could accept, as OUTDIR/0000.TYPE ..., TYPE being `raw` or `form` (boundary "X").
 * The same arguments give the same bytes. */
#include "core/base/file.h"
#include "core/base/rng.h"
#include "core/base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "--X\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\n"

struct maker {
    struct luc_rng rng;
    const char *dir;
    size_t n;
};

static size_t below(struct maker *m, size_t n)
{
    return (size_t)luc_rng_below(&m->rng, n);
}

static void save(struct maker *m, const char *type, const char *bytes, size_t size)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%04zu.%s", m->dir, m->n++, type);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}

/* Damage that leaves no picture, whatever the format. */
static void damage_picture(struct maker *m, const char *bytes, size_t size)
{
    char *copy = malloc(size);
    size_t n = size;
    memcpy(copy, bytes, size);
    switch (below(m, 4)) {
    case 0: n = below(m, size * 9 / 10); break;                    /* cut off */
    case 1: copy[below(m, 3)] ^= (char)(1 + below(m, 255)); break; /* another signature */
    case 2:                                                        /* a good start, then noise */
        for (size_t i = 16 + below(m, 16); i < size; i++)
            copy[i] = (char)below(m, 256);
        break;
    default: /* only noise */
        for (size_t i = 0; i < size; i++)
            copy[i] = (char)below(m, 256);
    }
    save(m, "raw", copy, n);
    free(copy);
}

/* Damage to the form around a picture that is itself good. */
static void damage_form(struct maker *m, const char *bytes, size_t size)
{
    static const char *const heads[] = {
        "--Y\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n",
        "--X\r\nContent-Disposition: form-data; name=\"imaeg\"\r\n\r\n",
        "--X\r\nContent-Disposition: form-data\r\n\r\n",
        "--X\r\nContent-Disposition: form-data; name=\"image\r\n\r\n",
        "--X\nContent-Disposition: form-data; name=\"image\"\n\n",
        "--X\r\n\r\n",
    };
    struct luc_str body = { 0 };
    const size_t which = below(m, 9);
    luc_str_puts(&body, which < 6 ? heads[which] : HEAD);
    luc_str_put(&body, bytes, size);
    if (which == 6) { /* two pictures */
        luc_str_puts(&body, "\r\n" HEAD);
        luc_str_put(&body, bytes, size);
    }
    if (which == 7) /* a parameter of noise */
        luc_str_printf(&body, "\r\n--X\r\nContent-Disposition: form-data; name=\"%c%c\"\r\n\r\n%c",
                       'a' + (int)below(m, 26), (int)below(m, 256) | 128, (int)below(m, 256));
    if (which != 8) /* 8: cut off */
        luc_str_puts(&body, "\r\n--X--\r\n");
    save(m, "form", body.data, body.len);
    luc_str_done(&body);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return fprintf(stderr, "usage: mutate N OUTDIR PICTURE...\n"), 2;
    struct maker m = { .dir = argv[2] };
    const size_t want = strtoul(argv[1], NULL, 10), n_pictures = (size_t)argc - 3;
    luc_rng_seed(&m.rng, 1);
    while (m.n < want) {
        char *bytes = NULL;
        size_t size = 0;
        struct luc_error err = { 0 };
        if (luc_file_read(argv[3 + m.n % n_pictures], 1 << 24, &bytes, &size, &err))
            return fprintf(stderr, "%s\n", err.text), 1;
        if (below(&m, 4) == 0)
            damage_form(&m, bytes, size);
        else
            damage_picture(&m, bytes, size);
        free(bytes);
    }
    return 0;
}
