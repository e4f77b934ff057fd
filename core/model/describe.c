#include "core/model/describe.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One object of the description being read. `where` is "" or "input." and so on. */
struct object {
    const char *model, *where;
    json_t *json;
    struct luc_arena *arena;
};

static enum luc_status bad(const struct object *o, const char *key, const char *want,
                           struct luc_error *err)
{
    return luc_fail(err, LUC_FORMAT, "description of network '%s': \"%s%s\" must be %s", o->model,
                    o->where, key, want);
}

static enum luc_status known_keys(const struct object *o, const char *const *keys,
                                  struct luc_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(o->json, key, value)
    {
        size_t i = 0;
        while (keys[i] && strcmp(keys[i], key))
            i++;
        if (!keys[i])
            return luc_fail(err, LUC_FORMAT,
                            "description of network '%s': \"%s%.60s\" is not a member it can have; "
                            "correct or remove it",
                            o->model, o->where, key);
    }
    return LUC_OK;
}

static enum luc_status copy(const struct object *o, const char *text, const char **out,
                            struct luc_error *err)
{
    *out = luc_arena_strdup(o->arena, text);
    return *out ? LUC_OK : luc_fail_nomem(err, "the network's description", strlen(text) + 1);
}

/* Printable text without control characters, at most `max` bytes. */
static bool is_plain(const char *text, size_t max)
{
    size_t n = 0;
    for (; text[n]; n++)
        if ((unsigned char)text[n] < 0x20 || text[n] == 0x7f)
            return false;
    return n > 0 && n <= max;
}

/* `fallback` NULL: the member must be there. */
static enum luc_status text(const struct object *o, const char *key, const char *fallback,
                            const char **out, struct luc_error *err)
{
    json_t *v = json_object_get(o->json, key);
    if (!v && fallback)
        return copy(o, fallback, out, err);
    if (!json_is_string(v) || !is_plain(json_string_value(v), 1000))
        return bad(o, key, "a text of 1 to 1000 characters", err);
    return copy(o, json_string_value(v), out, err);
}

/* The index of a text among `choices`; `want` lists them for people. */
static enum luc_status choice(const struct object *o, const char *key, const char *const *choices,
                              const char *want, size_t *out, struct luc_error *err)
{
    json_t *v = json_object_get(o->json, key);
    if (!v)
        return LUC_OK;
    for (size_t i = 0; json_is_string(v) && choices[i]; i++) {
        if (!strcmp(choices[i], json_string_value(v))) {
            *out = i;
            return LUC_OK;
        }
    }
    return bad(o, key, want, err);
}

static bool number(json_t *v, float *out)
{
    if (!json_is_number(v) || !isfinite((float)json_number_value(v)))
        return false;
    *out = (float)json_number_value(v);
    return true;
}

/* One number for all channels, or a list with one per channel. */
static enum luc_status per_channel(const struct object *o, const char *key, size_t n, float out[3],
                                   struct luc_error *err)
{
    json_t *v = json_object_get(o->json, key);
    if (!v)
        return LUC_OK;
    bool ok = json_is_array(v) ? json_array_size(v) == n : json_is_number(v);
    for (size_t i = 0; ok && i < n; i++)
        ok = number(json_is_array(v) ? json_array_get(v, i) : v, &out[i]);
    return ok ? LUC_OK : bad(o, key, "a number or a list with one number per channel", err);
}

static enum luc_status parse_size(const struct object *o, struct luc_pixels *p,
                                  struct luc_error *err)
{
    json_t *v = json_object_get(o->json, "size");
    if (!v || json_is_null(v))
        return LUC_OK;
    json_int_t side[2] = { 0, 0 };
    for (size_t i = 0; i < 2 && json_array_size(v) == 2; i++)
        side[i] = json_integer_value(json_array_get(v, i));
    for (size_t i = 0; i < 2; i++)
        if (side[i] < 1 || side[i] > 16384)
            return bad(o, "size", "[height, width] in pixels, or null for any size", err);
    p->height = (size_t)side[0];
    p->width = (size_t)side[1];
    return LUC_OK;
}

static enum luc_status parse_pixels(const struct object *top, const char *key, struct luc_pixels *p,
                                    bool *fit_given, struct luc_error *err)
{
    static const char *const keys[] = { "channels", "mean", "scale", "size", "fit", NULL };
    static const char *const channels[] = { "RGB", "BGR", "gray", NULL };
    static const char *const fits[] = { "resize", "crop", "native", NULL };
    *p = (struct luc_pixels){ .scale = { 1, 1, 1 } };
    struct object o = *top;
    o.where = key[0] == 'i' ? "input." : "output.";
    o.json = json_object_get(top->json, key);
    if (!o.json)
        return LUC_OK;
    if (!json_is_object(o.json))
        return bad(top, key, "an object", err);
    size_t order = 0, fit = 0;
    enum luc_status s = known_keys(&o, keys, err);
    if (!s)
        s = choice(&o, "channels", channels, "\"RGB\", \"BGR\" or \"gray\"", &order, err);
    if (!s)
        s = choice(&o, "fit", fits, "\"resize\", \"crop\" or \"native\"", &fit, err);
    p->channels = (enum luc_channels)order;
    p->fit = (enum luc_fit)fit;
    size_t n = p->channels == LUC_GRAY ? 1 : 3;
    if (!s)
        s = per_channel(&o, "mean", n, p->mean, err);
    if (!s)
        s = per_channel(&o, "scale", n, p->scale, err);
    if (!s)
        s = parse_size(&o, p, err);
    for (size_t i = 0; !s && i < n; i++)
        if (p->scale[i] == 0)
            return bad(&o, "scale", "other than 0", err);
    if (fit_given)
        *fit_given = json_object_get(o.json, "fit") != NULL;
    return s;
}

static enum luc_status parse_alias(const struct object *o, const char *key, json_t *v,
                                   struct luc_alias_spec *a, struct luc_error *err)
{
    static const char want[] = "a value's name or {\"op\": OPERATOR, \"nth\": N}";
    *a = (struct luc_alias_spec){ 0 };
    if (!is_plain(key, 100))
        return luc_fail(err, LUC_FORMAT,
                        "description of network '%s': an alias needs a name of 1 to 100 characters",
                        o->model);
    enum luc_status s = copy(o, key, &a->name, err);
    if (s)
        return s;
    if (json_is_string(v))
        return copy(o, json_string_value(v), &a->value, err);
    json_t *op = json_object_get(v, "op"), *nth = json_object_get(v, "nth");
    if (json_object_size(v) != 2 || !json_is_string(op) || !json_is_integer(nth) ||
        json_integer_value(nth) < 0 || json_integer_value(nth) > 1000000)
        return bad(o, key, want, err);
    a->nth = (size_t)json_integer_value(nth);
    return copy(o, json_string_value(op), &a->op, err);
}

static enum luc_status parse_aliases(const struct object *top, struct luc_description *d,
                                     struct luc_error *err)
{
    struct object o = *top;
    o.where = "aliases.";
    o.json = json_object_get(top->json, "aliases");
    if (!o.json)
        return LUC_OK;
    if (!json_is_object(o.json))
        return bad(top, "aliases", "an object from layer name to value name", err);
    size_t n = json_object_size(o.json);
    d->aliases = luc_arena_alloc(o.arena, n, sizeof *d->aliases);
    if (!d->aliases)
        return luc_fail_nomem(err, "the network's aliases", n * sizeof *d->aliases);
    const char *key;
    json_t *v;
    json_object_foreach(o.json, key, v)
    {
        enum luc_status s = parse_alias(&o, key, v, &d->aliases[d->n_aliases], err);
        if (s)
            return s;
        d->n_aliases++;
    }
    return LUC_OK;
}

/* The name in a label entry: the text itself, or the last text of a list like ["n02123045",
 * "tabby"]. NULL: neither. */
static const char *label_text(json_t *v)
{
    if (json_is_array(v) && json_array_size(v))
        v = json_array_get(v, json_array_size(v) - 1);
    const char *t = json_string_value(v);
    return t && is_plain(t, 1000) ? t : NULL;
}

static enum luc_status bad_labels(const char *what, struct luc_error *err)
{
    return luc_fail(err, LUC_FORMAT,
                    "%s: labels must be a list of texts, or an object with the members \"0\", "
                    "\"1\", ... without a gap",
                    what);
}

static enum luc_status labels_from_json(json_t *v, const char *what, struct luc_arena *arena,
                                        const char *const **labels, size_t *n_labels,
                                        struct luc_error *err)
{
    size_t n = json_is_object(v) ? json_object_size(v) : json_array_size(v);
    const char **list = luc_arena_alloc(arena, n, sizeof *list);
    if (!list)
        return luc_fail_nomem(err, "labels", n * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        char key[24];
        snprintf(key, sizeof key, "%zu", i);
        const char *t =
            label_text(json_is_object(v) ? json_object_get(v, key) : json_array_get(v, i));
        if (!t)
            return bad_labels(what, err);
        list[i] = luc_arena_strdup(arena, t);
        if (!list[i])
            return luc_fail_nomem(err, "labels", strlen(t) + 1);
    }
    *labels = list;
    *n_labels = n;
    return LUC_OK;
}

static enum luc_status labels_from_lines(const char *text_, const char *what,
                                         struct luc_arena *arena, const char *const **labels,
                                         size_t *n_labels, struct luc_error *err)
{
    char *lines = luc_arena_strdup(arena, text_);
    size_t n = 0, max = 1;
    for (const char *p = text_; *p; p++)
        max += *p == '\n';
    const char **list = luc_arena_alloc(arena, max, sizeof *list);
    if (!lines || !list)
        return luc_fail_nomem(err, "labels", strlen(text_) + max * sizeof *list);
    for (char *line = lines; *line;) {
        size_t len = strcspn(line, "\n");
        char *next = line + len + (line[len] == '\n');
        if (len && line[len - 1] == '\r')
            len--;
        line[len] = '\0';
        list[n++] = line;
        if (!is_plain(line, 1000))
            return luc_fail(err, LUC_FORMAT, "%s: line %zu is not a label; write one per line",
                            what, n);
        line = next;
    }
    *labels = list;
    *n_labels = n;
    return LUC_OK;
}

enum luc_status luc_labels_parse(const char *text_, const char *what, struct luc_arena *arena,
                                 const char *const **labels, size_t *n_labels,
                                 struct luc_error *err)
{
    const char *start = text_ + strspn(text_, " \t\r\n");
    if (*start != '[' && *start != '{')
        return labels_from_lines(text_, what, arena, labels, n_labels, err);
    json_t *v = json_loads(text_, JSON_REJECT_DUPLICATES, NULL);
    if (!v)
        return bad_labels(what, err);
    enum luc_status s = labels_from_json(v, what, arena, labels, n_labels, err);
    json_decref(v);
    return s;
}

static enum luc_status parse_labels(const struct object *o, struct luc_description *d,
                                    struct luc_error *err)
{
    json_t *v = json_object_get(o->json, "labels"),
           *offset = json_object_get(o->json, "label_offset");
    if (offset && (!json_is_integer(offset) || json_integer_value(offset) < 0 ||
                   json_integer_value(offset) > 1000000))
        return bad(o, "label_offset", "the class of the first label, 0 or more", err);
    d->label_offset = (size_t)json_integer_value(offset);
    if (json_is_array(v))
        return labels_from_json(v, d->name, o->arena, &d->labels, &d->n_labels, err);
    return v ? text(o, "labels", NULL, &d->labels_name, err) : LUC_OK;
}

static enum luc_status parse_format(const struct object *o, struct luc_description *d,
                                    struct luc_error *err)
{
    static const char *const formats[] = { "onnx", "tfjs", NULL };
    size_t n = strlen(d->file);
    size_t format = n > 5 && !strcmp(d->file + n - 5, ".json") ? LUC_FORMAT_TFJS : LUC_FORMAT_ONNX;
    enum luc_status s = choice(o, "format", formats, "\"onnx\" or \"tfjs\"", &format, err);
    d->format = (enum luc_format)format;
    return s;
}

static enum luc_status parse_object(struct object *o, struct luc_description *d,
                                    struct luc_error *err)
{
    static const char *const keys[] = { "name",    "title",   "task",     "licence", "format",
                                        "file",    "input",   "output",   "labels",  "label_offset",
                                        "aliases", "sources", "homepage", "note",    NULL };
    static const char *const tasks[] = { "classify", "features", "style", NULL };
    size_t task = 0;
    enum luc_status s = text(o, "name", NULL, &d->name, err);
    if (s)
        return s;
    o->model = d->name;
    s = known_keys(o, keys, err);
    if (!s)
        s = text(o, "title", d->name, &d->title, err);
    if (!s)
        s = text(o, "licence", "not stated", &d->licence, err);
    if (!s)
        s = text(o, "file", NULL, &d->file, err);
    if (!s)
        s = parse_format(o, d, err);
    if (!s)
        s = choice(o, "task", tasks, "\"classify\", \"features\" or \"style\"", &task, err);
    d->task = (enum luc_task)task;
    if (!s && !json_is_object(json_object_get(o->json, "input")))
        return bad(o, "input",
                   "an object that says how pixels go in: channels, mean, scale, size, fit", err);
    if (!s)
        s = parse_pixels(o, "input", &d->in, &d->fit_given, err);
    if (!s)
        s = parse_pixels(o, "output", &d->out, NULL, err);
    if (!s)
        s = parse_labels(o, d, err);
    return s ? s : parse_aliases(o, d, err);
}

enum luc_status luc_describe_parse(const char *json, struct luc_arena *arena,
                                   struct luc_description *d, struct luc_error *err)
{
    *d = (struct luc_description){ 0 };
    json_error_t where;
    struct object o = { .model = "?", .where = "", .arena = arena };
    o.json = json_loads(json, JSON_REJECT_DUPLICATES, &where);
    if (!o.json)
        return luc_fail(err, LUC_FORMAT, "network description, line %d: %.150s", where.line,
                        where.text);
    enum luc_status s = LUC_OK;
    if (!json_is_object(o.json))
        s = luc_fail(err, LUC_FORMAT, "a network description must be one JSON object");
    if (!s)
        s = parse_object(&o, d, err);
    json_decref(o.json);
    return s;
}
