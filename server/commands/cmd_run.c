/* lucida run METHOD IMAGE|FOLDER... [-o FILE] [--parameter value]...: what the server does with a request,
 * without the sockets. */
#include "api/job.h"
#include "core/base/file.h"
#include "server/commands/command.h"
#include "server/commands/method_help.h"
#include "server/commands/profile.h"
#include "server/services.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct asked {
    struct api_job *job;
    const char *out; /* NULL: standard output */
    bool profile;    /* a table of what each layer took, to standard error */
    const struct cfg *cfg;
};

static enum luc_status add_file(struct asked *a, const char *path, struct luc_error *err)
{
    char *bytes = NULL;
    size_t size = 0;
    enum luc_status st = luc_file_read(path, (size_t)a->cfg->body_bytes, &bytes, &size, err);
    if (!st) {
        char text[LUC_ERROR_TEXT];
        st = api_job_add_image(a->job, path, bytes, size, (size_t)a->cfg->image_pixels, err);
        if (st) {
            memcpy(text, err->text, sizeof(text));
            luc_fail(err, st, "%.80s: %.160s", path, text);
        }
    }
    free(bytes);
    if (st)
        return st;
    struct api_upload *added = &a->job->images[a->job->n_images - 1];
    free(added->bytes); /* read again when it is its turn: there may be thousands */
    added->bytes = NULL;
    return LUC_OK;
}

static enum luc_status read_again(void *ctx, const struct api_upload *picture, char **bytes,
                                  size_t *size, struct luc_error *err)
{
    return luc_file_read(picture->name, (size_t)((const struct cfg *)ctx)->body_bytes, bytes, size,
                         err);
}

static int no_dots(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* Whether the name is that of a kind of picture that is read. */
static bool is_picture(const char *name)
{
    static const char *const ends[] = { ".jpg", ".jpeg", ".png", ".webp" };
    const size_t n = strlen(name);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (n > strlen(ends[i]) && strcasecmp(name + n - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* The pictures in a folder, by name; other files are left alone. */
static enum luc_status add_folder(struct asked *a, const char *path, struct luc_error *err)
{
    struct dirent **found = NULL;
    const int n = scandir(path, &found, no_dots, alphasort);
    const size_t before = a->job->n_images;
    enum luc_status st = LUC_OK;
    if (n < 0)
        return luc_fail(err, LUC_IO, "cannot read the folder %.120s", path);
    for (int i = 0; i < n; i++) {
        char file[PATH_MAX];
        const int k = snprintf(file, sizeof(file), "%s/%s", path, found[i]->d_name);
        if (!st && is_picture(found[i]->d_name))
            st = k < (int)sizeof(file) ? add_file(a, file, err)
                                       : luc_fail(err, LUC_INVALID, "a path is too long");
        free(found[i]);
    }
    free(found);
    if (!st && a->job->n_images == before)
        st = luc_fail(err, LUC_INVALID, "%.120s holds no .jpg, .png or .webp", path);
    return st;
}

static enum luc_status add_path(struct asked *a, const char *path, struct luc_error *err)
{
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return add_folder(a, path, err);
    return add_file(a, path, err);
}

/* The row that a flag sets, '-' and '_' being the same; NULL: the method has none. */
static const struct luc_param *find_row(const struct luc_method *m, char *key)
{
    const struct luc_param *rows, *row;
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; (rows = api_method_table(m, i)); i++)
            if ((row = luc_param_find(rows, key)))
                return row;
        for (char *c = key; *c; c++)
            *c = *c == '-' ? '_' : *c;
    }
    return NULL;
}

/* Whether the word after a switch is its value: true, off, 1 ... */
static bool is_value(const struct luc_param *row, const char *word)
{
    struct luc_param alone = *row;
    int64_t scratch = 0;
    alone.offset = 0;
    const struct luc_param table[] = { alone, LUC_PARAM_END };
    return luc_param_set(table, row->key, word, &scratch, NULL) == LUC_OK;
}

/* argv[*i] is "--key" or "--key=value"; moves *i to the last word that was used. */
static enum luc_status add_flag(struct asked *a, int argc, char **argv, int *i,
                                struct luc_error *err)
{
    char key[API_KEY_MAX];
    const char *name = argv[*i] + 2, *equals = strchr(name, '=');
    snprintf(key, sizeof(key), "%.*s", equals ? (int)(equals - name) : (int)strlen(name), name);
    const struct luc_param *row = find_row(a->job->what->method, key);
    const char *value = equals ? equals + 1 : NULL;
    if (!value && row && row->type == LUC_PARAM_BOOL &&
        (*i + 1 >= argc || !is_value(row, argv[*i + 1])))
        value = "true";
    if (!value && *i + 1 >= argc)
        return luc_fail_param(err, LUC_INVALID, key, "--%s wants a value", key);
    if (!value)
        value = argv[++*i];
    return api_params_set(&a->job->params, key, value, err);
}

/* Without --format, the name of the output file says what it shall be. */
static enum luc_status choose_format(struct asked *a, struct luc_error *err)
{
    static const struct {
        const char *end, *format;
    } known[] = { { ".png", "png" },
                  { ".jpg", "jpeg" },
                  { ".jpeg", "jpeg" },
                  { ".json", "json" },
                  { ".npy", "npy" } };
    enum luc_status st = LUC_OK;
    for (size_t i = 0; a->out && i < sizeof(known) / sizeof(known[0]); i++) {
        const size_t n = strlen(a->out), end = strlen(known[i].end);
        if (a->job->params.answer.format == API_FORMAT_AUTO && n > end &&
            strcasecmp(a->out + n - end, known[i].end) == 0)
            st = api_params_set(&a->job->params, "format", known[i].format, err);
    }
    return st ? st : api_job_choose_format(a->job, NULL, err);
}

static enum luc_status read_arguments(struct asked *a, int argc, char **argv, struct luc_error *err)
{
    enum luc_status st = LUC_OK;
    if (a->job->what->method->groups & LUC_GROUP_INPUT)
        st = api_params_set(&a->job->params, "model",
                            api_default_model(a->job->what->method, a->cfg->default_model), err);
    for (int i = 2; i < argc && !st; i++) {
        if (strcmp(argv[i], "-o") == 0) {
            if (i + 1 >= argc)
                return luc_fail(err, LUC_INVALID, "-o wants a file");
            a->out = argv[++i];
        } else if (strcmp(argv[i], "--profile") == 0) {
            a->profile = true;
        } else if (strncmp(argv[i], "--", 2) == 0 && argv[i][2]) {
            st = add_flag(a, argc, argv, &i, err);
        } else if (strcmp(argv[i], "--") != 0) {
            st = add_path(a, argv[i], err);
        }
    }
    if (!st && a->job->params.pool.collection[0])
        st = luc_fail_param(err, LUC_INVALID, "collection",
                            "collection: collections are a server's; name files or folders here");
    if (!st)
        st = choose_format(a, err);
    return st ? st : api_job_check(a->job, err);
}

static int write_answer(const struct asked *a, const struct api_response *res)
{
    if (!a->out && a->job->format != API_FORMAT_JSON && isatty(STDOUT_FILENO))
        return srv_complain("run", "will not write a picture to a terminal: name a file with -o",
                            2);
    FILE *f = a->out ? fopen(a->out, "wb") : stdout;
    if (!f)
        return srv_complain("run", "cannot open the output file", 1);
    const bool ok = fwrite(res->body.data, 1, res->body.len, f) == res->body.len;
    if ((a->out ? fclose(f) : fflush(f)) != 0 || !ok)
        return srv_complain("run", "cannot write the output", 1);
    for (size_t i = 0; i < res->n_headers && a->out; i++)
        if (strncmp(res->headers[i].name, "Lucida-", 7) == 0)
            fprintf(stderr, "%s: %s\n", res->headers[i].name, res->headers[i].value);
    return 0;
}

static int compute(const struct asked *a, struct srv_services *s)
{
    const size_t width = a->cfg->threads ? (size_t)a->cfg->threads : srv_cores();
    struct srv_profile profile = { 0 };
    const struct luc_probe probe = { .step = srv_profile_step, .ctx = &profile };
    struct luc_threads threads = { .pool = width > 1 ? luc_pool_create(width - 1) : NULL,
                                   .width = width,
                                   .probe = a->profile ? &probe : NULL };
    const struct api_services services = { .env = &s->env,
                                           .threads = &threads,
                                           .picture = read_again,
                                           .picture_ctx = (void *)(uintptr_t)a->cfg };
    struct api_response res = { 0 };
    int status;
    api_job_run(a->job, &services, &res);
    if (res.status == 200)
        status = write_answer(a, &res);
    else
        status = srv_complain("run", res.error.text, 1);
    if (a->profile)
        srv_profile_print(&profile, stderr);
    srv_profile_done(&profile);
    api_response_done(&res);
    luc_pool_destroy(threads.pool);
    return status;
}

static int run(const struct cfg *c, const struct api_method *what, int argc, char **argv)
{
    struct luc_error err = { 0 };
    struct asked a = { .cfg = c };
    struct srv_services s;
    if (api_job_create(what, "run", &a.job, &err))
        return srv_complain("run", err.text, 1);
    int status = 0;
    if (read_arguments(&a, argc, argv, &err)) {
        status = srv_complain("run", err.text, 2);
    } else if (srv_services_init(&s, c, &err)) {
        status = srv_complain("run", err.text, 1);
    } else {
        status = compute(&a, &s);
        srv_services_done(&s);
    }
    api_job_destroy(a.job);
    return status;
}

int srv_cmd_run(int argc, char **argv)
{
    struct cfg c;
    const struct api_method *what = argc > 1 ? api_method_find(argv[1]) : NULL;
    for (int i = 1; what && i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            srv_method_help(what);
            return 0;
        }
    if (srv_wants_help("run", argc, argv))
        return 0;
    const int bad = srv_settings(&c, &argc, argv);
    if (bad)
        return bad;
    what = argc > 1 ? api_method_find(argv[1]) : NULL;
    if (!what)
        return srv_complain("run", "want a method; `lucida methods` lists them", 2);
    return run(&c, what, argc, argv);
}
