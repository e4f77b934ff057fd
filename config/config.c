#define _GNU_SOURCE /* strchrnul */
#include "config/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX    64
#define ENV_PREFIX "LUCIDA_"

void cfg_default(struct cfg *c)
{
    *c = (struct cfg){ 0 };
    luc_params_default(cfg_rows, c);
}

/* Adds where the bad value came from in front of the sentence. */
static enum luc_status blame(const char *where, enum luc_status st, struct luc_error *err)
{
    if (err) {
        char text[LUC_ERROR_TEXT];
        snprintf(text, sizeof(text), "%.80s: %.170s", where, err->text);
        memcpy(err->text, text, sizeof(text));
    }
    return st;
}

static char *trim(char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    char *end = s + strlen(s);
    while (end > s && isspace((unsigned char)end[-1]))
        *--end = '\0';
    return s;
}

static enum luc_status read_line(struct cfg *c, char *line, struct luc_error *err)
{
    char *comment = strchr(line, '#');
    if (comment)
        *comment = '\0';
    char *key = trim(line);
    if (!*key)
        return LUC_OK;
    char *equals = strchr(key, '=');
    if (!equals)
        return luc_fail(err, LUC_INVALID, "want 'key = value', got '%.60s'", key);
    *equals = '\0';
    key = trim(key);
    return luc_param_set(cfg_rows, key, trim(equals + 1), c, err);
}

enum luc_status cfg_read_text(struct cfg *c, const char *text, const char *name,
                              struct luc_error *err)
{
    struct cfg next = *c;
    size_t number = 0;
    for (const char *at = text; *at;) {
        const char *end = strchrnul(at, '\n');
        char line[2 * LUC_TEXT_MAX], where[LUC_TEXT_MAX];
        number++;
        snprintf(where, sizeof(where), "%.60s:%zu", name, number);
        const size_t n = (size_t)(end - at);
        if (n >= sizeof(line))
            return blame(where, luc_fail(err, LUC_INVALID, "line too long"), err);
        memcpy(line, at, n);
        line[n] = '\0';
        const enum luc_status st = read_line(&next, line, err);
        if (st)
            return blame(where, st, err);
        at = *end ? end + 1 : end;
    }
    *c = next;
    return LUC_OK;
}

static void lower_key(const char *from, size_t n, char key[KEY_MAX])
{
    size_t i = 0;
    for (; i < n && i + 1 < KEY_MAX; i++)
        key[i] = from[i] == '-' ? '_' : (char)tolower((unsigned char)from[i]);
    key[i] = '\0';
}

enum luc_status cfg_read_env(struct cfg *c, char *const *env, struct luc_error *err)
{
    struct cfg next = *c;
    for (; env && *env; env++) {
        const char *equals = strchr(*env, '=');
        const size_t skip = strlen(ENV_PREFIX);
        if (!equals || strncmp(*env, ENV_PREFIX, skip) != 0)
            continue;
        char key[KEY_MAX], where[KEY_MAX + 16];
        lower_key(*env + skip, (size_t)(equals - *env) - skip, key);
        if (strcmp(key, "config") == 0 || strcmp(key, "shared") == 0 || !strncmp(key, "test_", 5))
            continue;
        snprintf(where, sizeof(where), "environment variable %.*s", (int)(equals - *env), *env);
        const enum luc_status st = luc_param_set(cfg_rows, key, equals + 1, &next, err);
        if (st)
            return blame(where, st, err);
    }
    *c = next;
    return LUC_OK;
}

/* One argument at argv[i]; *used is how many words it took, 0: not ours. */
static enum luc_status read_flag(struct cfg *c, int argc, char **argv, int i, int *used,
                                 struct luc_error *err)
{
    *used = 0;
    if (strncmp(argv[i], "--", 2) != 0)
        return LUC_OK;
    const char *name = argv[i] + 2, *equals = strchrnul(name, '=');
    char key[KEY_MAX];
    lower_key(name, (size_t)(equals - name), key);
    const struct luc_param *row = luc_param_find(cfg_rows, key);
    if (!row)
        return LUC_OK;
    const char *value = *equals ? equals + 1 : NULL;
    *used = 1;
    if (!value && row->type == LUC_PARAM_BOOL) {
        value = "true";
    } else if (!value) {
        if (i + 1 >= argc)
            return luc_fail_param(err, LUC_INVALID, key, "--%s wants a value", key);
        value = argv[i + 1];
        *used = 2;
    }
    return luc_param_set(cfg_rows, key, value, c, err);
}

enum luc_status cfg_read_args(struct cfg *c, int *argc, char **argv, struct luc_error *err)
{
    struct cfg next = *c;
    int kept = 1, i = 1;
    while (i < *argc && strcmp(argv[i], "--") != 0) {
        int used = 0;
        const enum luc_status st = read_flag(&next, *argc, argv, i, &used, err);
        if (st)
            return st;
        if (used == 0)
            argv[kept++] = argv[i++];
        i += used;
    }
    while (i < *argc)
        argv[kept++] = argv[i++];
    argv[kept] = NULL;
    *argc = kept;
    *c = next;
    return LUC_OK;
}

static const char *lookup(char *const *env, const char *name)
{
    const size_t n = strlen(name);
    for (; env && *env; env++)
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=' && (*env)[n + 1])
            return *env + n + 1;
    return NULL;
}

/* $XDG_<...> or $HOME/<fallback>, then `tail`. */
static enum luc_status xdg_path(char *const *env, const char *variable, const char *fallback,
                                const char *tail, char out[LUC_TEXT_MAX], struct luc_error *err)
{
    const char *base = lookup(env, variable), *home = lookup(env, "HOME");
    int n;
    if (!base && !home)
        return luc_fail(err, LUC_INVALID, "neither %s nor HOME is set: give --models and --data",
                        variable);
    if (base)
        n = snprintf(out, LUC_TEXT_MAX, "%s/%s", base, tail);
    else
        n = snprintf(out, LUC_TEXT_MAX, "%s/%s/%s", home, fallback, tail);
    if (n < 0 || n >= LUC_TEXT_MAX)
        return luc_fail(err, LUC_INVALID, "path too long: %.80s", base ? base : home);
    return LUC_OK;
}

enum luc_status cfg_paths(struct cfg *c, char *const *env, struct luc_error *err)
{
    struct cfg next = *c;
    enum luc_status st = LUC_OK;
    if (!*next.models)
        st = xdg_path(env, "XDG_DATA_HOME", ".local/share", "lucida/models", next.models, err);
    if (!st && !*next.data)
        st = xdg_path(env, "XDG_DATA_HOME", ".local/share", "lucida/data", next.data, err);
    if (!st)
        *c = next;
    return st;
}

static enum luc_status read_file(struct cfg *c, const char *path, bool must_exist,
                                 struct luc_error *err)
{
    FILE *f = fopen(path, "r");
    if (!f)
        return must_exist ? luc_fail(err, LUC_IO, "cannot open %.120s: %s", path, strerror(errno))
                          : LUC_OK;
    char *text = calloc(1, CFG_FILE_MAX);
    enum luc_status st = LUC_OK;
    if (!text)
        st = luc_fail_nomem(err, "the configuration file", CFG_FILE_MAX);
    else if (fread(text, 1, CFG_FILE_MAX, f) == CFG_FILE_MAX)
        st = luc_fail(err, LUC_TOO_LARGE, "%.120s is not a configuration file: too large", path);
    else if (ferror(f))
        st = luc_fail(err, LUC_IO, "cannot read %.120s", path);
    else
        st = cfg_read_text(c, text, path, err);
    fclose(f);
    free(text);
    return st;
}

/* Takes `--config FILE` or `--config=FILE` out of argv. *path stays NULL without one. */
static enum luc_status take_config(int *argc, char **argv, const char **path, struct luc_error *err)
{
    int kept = 1, i = 1;
    for (; i < *argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--config=", 9) == 0)
            *path = argv[i] + 9;
        else if (strcmp(argv[i], "--config") != 0)
            argv[kept++] = argv[i];
        else if (i + 1 < *argc)
            *path = argv[++i];
        else
            return luc_fail(err, LUC_INVALID, "--config wants a file");
    }
    while (i < *argc)
        argv[kept++] = argv[i++];
    argv[kept] = NULL;
    *argc = kept;
    return LUC_OK;
}

enum luc_status cfg_load(struct cfg *c, int *argc, char **argv, char *const *env,
                         struct luc_error *err)
{
    struct cfg next;
    char personal[LUC_TEXT_MAX];
    const char *path = lookup(env, "LUCIDA_CONFIG");
    cfg_default(&next);
    enum luc_status st = take_config(argc, argv, &path, err);
    if (!st && path) {
        st = read_file(&next, path, true, err);
    } else if (!st) {
        st = read_file(&next, "/etc/lucida.conf", false, err);
        if (!st && xdg_path(env, "XDG_CONFIG_HOME", ".config", "lucida/lucida.conf", personal,
                            NULL) == LUC_OK)
            st = read_file(&next, personal, false, err);
    }
    if (!st)
        st = cfg_read_env(&next, env, err);
    if (!st)
        st = cfg_read_args(&next, argc, argv, err);
    if (!st)
        *c = next;
    return st;
}

static void print_row(const struct luc_param *row, const struct cfg *c, const struct cfg *def,
                      struct luc_str *out)
{
    struct luc_str value = { 0 }, usual = { 0 }, bounds = { 0 };
    luc_param_print(row, c, &value);
    luc_param_print(row, def, &usual);
    const char *now = value.data ? value.data : "", *was = usual.data ? usual.data : "";
    luc_str_printf(out, "\n# %s\n", row->doc);
    luc_param_bounds(row, &bounds);
    if (bounds.len)
        luc_str_printf(out, "# From %s. Environment: ", bounds.data);
    else
        luc_str_puts(out, "# Environment: ");
    luc_str_puts(out, ENV_PREFIX);
    for (const char *k = row->key; *k; k++)
        luc_str_printf(out, "%c", toupper((unsigned char)*k));
    luc_str_printf(out, "\n%s%s =%s%s\n", strcmp(now, was) == 0 ? "#" : "", row->key,
                   *now ? " " : "", now);
    out->failed = out->failed || value.failed || usual.failed || bounds.failed;
    luc_str_done(&bounds);
    luc_str_done(&value);
    luc_str_done(&usual);
}

void cfg_print(const struct cfg *c, struct luc_str *out)
{
    struct cfg def;
    cfg_default(&def);
    luc_str_puts(out, "# Settings of lucida. A line is `key = value`; what is commented out has\n"
                      "# its default. The environment goes before this file, flags before both.\n"
                      "# Written by `lucida config --dump`.\n");
    for (const struct luc_param *row = cfg_rows; row->key; row++)
        print_row(row, c, &def, out);
}
