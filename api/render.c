#include "api/render.h"
#include "api/json.h"
#include "core/tensor/codec.h"
#include "core/tensor/npy.h"

#include <string.h>

#define LISTED 16 /* pictures of a manifest */

/* The hashes of the pictures; of many, their number and the hash of the list, since a manifest goes
 * into every picture file. */
static enum luc_status images_json(const struct api_job *job, json_t **images,
                                   struct luc_error *err)
{
    struct luc_str text = { 0 };
    char sha256[API_SHA256_MAX] = "";
    enum luc_status st = LUC_OK;
    json_t *list = json_array();
    for (size_t i = 0; i < job->n_images; i++) {
        luc_str_printf(&text, "%s\n", job->images[i].sha256);
        if (job->n_images <= LISTED)
            json_array_append_new(list, json_string(job->images[i].sha256));
    }
    if (job->n_images > LISTED) {
        st = text.failed ? luc_fail_nomem(err, "the manifest", text.len)
                         : api_sha256(text.data, text.len, sha256, err);
        json_decref(list);
        list = json_object();
        api_json_set(list, "count", json_integer((json_int_t)job->n_images));
        api_json_set(list, "sha256", json_string(sha256));
    }
    luc_str_done(&text);
    *images = list;
    return st;
}

static json_t *model_json(const struct luc_model *m)
{
    json_t *o = json_object();
    api_json_set(o, "name", api_json_text(m->name));
    api_json_set(o, "hash", api_json_text(m->hash ? m->hash : ""));
    return o;
}

/* The network, and where there are several all of them. */
static void set_models(const struct api_models *models, json_t *doc)
{
    json_t *all = json_array();
    for (size_t i = 0; i < models->n; i++)
        json_array_append_new(all, model_json(models->at[i]));
    api_json_set(doc, "model", model_json(models->at[0]));
    if (models->n > 1)
        api_json_set(doc, "models", all);
    else
        json_decref(all);
}

/* What the run chose: without it the parameters would not say what was computed. */
static void set_decided(const struct luc_result *r, json_t *doc)
{
    json_t *decided = json_object();
    for (const struct luc_item *it = r->first; it; it = it->next)
        if (it->decided)
            api_json_set(decided, it->key, api_json_text(it->text));
    if (json_object_size(decided))
        api_json_set(doc, "decided", decided);
    else
        json_decref(decided);
}

enum luc_status api_manifest(const struct api_shown *s, struct luc_str *text,
                             char sha256[API_SHA256_MAX], struct luc_error *err)
{
    json_t *doc = json_object(), *images = NULL;
    const enum luc_status listed = images_json(s->job, &images, err);
    api_json_set(doc, "lucida", api_json_text(s->version));
    api_json_set(doc, "method", json_string(s->job->what->method->name));
    api_json_set(doc, "parameters", api_params_json(&s->job->params));
    set_models(s->models, doc);
    api_json_set(doc, "images", images);
    set_decided(s->result, doc);
    api_json_print(doc, true, text);
    json_decref(doc);
    if (text->failed)
        return luc_fail_nomem(err, "the manifest", 0);
    return listed ? listed : api_sha256(text->data, text->len, sha256, err);
}

static const struct luc_item *main_item(const struct luc_result *r)
{
    for (const struct luc_item *it = r->first; it; it = it->next)
        if (it->kind == LUC_ITEM_MAP || it->kind == LUC_ITEM_PICTURE)
            return it;
    return NULL;
}

static enum luc_status lay_over_background(const struct luc_image *from, const struct api_params *p,
                                           struct luc_image *out, struct luc_error *err)
{
    uint8_t ground[3];
    enum luc_status st = luc_colour_parse(p->input.background, ground, err);
    if (!st)
        st = luc_image_create(from->width, from->height, 3, out, err);
    for (size_t i = 0; !st && i < from->width * from->height; i++)
        for (size_t c = 0; c < 3; c++) {
            const unsigned a = from->data[4 * i + 3];
            out->data[3 * i + c] =
                (uint8_t)((from->data[4 * i + c] * a + ground[c] * (255 - a) + 127) / 255);
        }
    return st;
}

/* A map drawn by the request's view, or a picture as it is; PNG or JPEG. */
static enum luc_status encode(const struct api_shown *s, const struct luc_item *it, bool jpeg,
                              const struct luc_png_options *png, struct luc_str *out,
                              struct luc_error *err)
{
    const struct api_params *p = &s->job->params;
    struct luc_image drawn = { 0 };
    const struct luc_image *picture = &it->picture, *upload = NULL;
    enum luc_status st = LUC_OK;
    if (it->kind == LUC_ITEM_MAP) {
        const struct luc_place *at = &it->place;
        struct luc_placing box = { .map = { at->x, at->y, at->width, at->height } };
        box.seen = box.map;
        if (at->seen.width > 0)
            box.seen = (struct luc_box){ at->seen.x, at->seen.y, at->seen.width, at->seen.height };
        st = api_pictures_get(s->pictures, at->image, &upload, err);
        if (!st)
            st = luc_draw_map(it->map.data, it->map.shape.dim[3], it->map.shape.dim[2],
                              it->is_signed, upload, &box, &p->view, &drawn, err);
        picture = &drawn;
    }
    if (!st && jpeg && picture->channels == 4) { /* JPEG has no transparency */
        st = lay_over_background(picture, p, &drawn, err);
        picture = &drawn;
    }
    if (!st && jpeg)
        st = luc_image_encode_jpeg(picture, (int)p->answer.quality, out, err);
    else if (!st)
        st = luc_image_encode_png(picture, png, out, err);
    luc_image_done(&drawn);
    return st;
}

static void base64(const struct luc_str *bytes, struct luc_str *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *b = (const unsigned char *)bytes->data;
    for (size_t i = 0; i < bytes->len; i += 3) {
        const size_t left = bytes->len - i;
        const unsigned long v = (unsigned long)b[i] << 16 |
                                (left > 1 ? (unsigned long)b[i + 1] << 8 : 0) |
                                (left > 2 ? (unsigned long)b[i + 2] : 0);
        const char four[4] = { digits[v >> 18], digits[v >> 12 & 63],
                               left > 1 ? digits[v >> 6 & 63] : '=',
                               left > 2 ? digits[v & 63] : '=' };
        luc_str_put(out, four, sizeof(four));
    }
}

static enum luc_status embed(const struct api_shown *s, const struct luc_item *it, json_t *to,
                             struct luc_error *err)
{
    struct luc_str png = { 0 }, uri = { 0 };
    enum luc_status st = encode(s, it, false, NULL, &png, err);
    if (!st) {
        luc_str_puts(&uri, "data:image/png;base64,");
        base64(&png, &uri);
        if (uri.failed)
            st = luc_fail_nomem(err, "an embedded picture", png.len);
        else
            api_json_set(to, "data", json_stringn(uri.data, uri.len));
    }
    luc_str_done(&png);
    luc_str_done(&uri);
    return st;
}

static json_t *table_json(const struct luc_table *t)
{
    json_t *rows = json_array();
    for (size_t r = 0; r < t->n_rows; r++) {
        json_t *row = json_object();
        for (size_t c = 0; c < t->n_columns; c++) {
            const struct luc_cell *cell = &t->cells[r * t->n_columns + c];
            api_json_set(row, t->columns[c],
                         cell->text ? api_json_text(cell->text) : api_json_number(cell->number));
        }
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *map_json(const struct luc_item *it)
{
    const size_t n = luc_numel(&it->map.shape);
    double lo = n ? (double)it->map.data[0] : 0, hi = lo;
    for (size_t i = 1; i < n; i++) {
        lo = (double)it->map.data[i] < lo ? (double)it->map.data[i] : lo;
        hi = (double)it->map.data[i] > hi ? (double)it->map.data[i] : hi;
    }
    json_t *o = json_object(), *place = json_object();
    api_json_set(o, "kind", json_string("map"));
    api_json_set(o, "width", json_integer((json_int_t)it->map.shape.dim[3]));
    api_json_set(o, "height", json_integer((json_int_t)it->map.shape.dim[2]));
    api_json_set(o, "signed", json_boolean(it->is_signed));
    api_json_set(o, "min", api_json_number(lo));
    api_json_set(o, "max", api_json_number(hi));
    api_json_set(place, "image", json_integer((json_int_t)it->place.image));
    api_json_set(place, "x", api_json_number(it->place.x));
    api_json_set(place, "y", api_json_number(it->place.y));
    api_json_set(place, "width", api_json_number(it->place.width));
    api_json_set(place, "height", api_json_number(it->place.height));
    api_json_set(o, "place", place);
    return o;
}

static json_t *picture_json(const struct luc_item *it)
{
    json_t *o = json_object();
    api_json_set(o, "kind", json_string("picture"));
    api_json_set(o, "width", json_integer((json_int_t)it->picture.width));
    api_json_set(o, "height", json_integer((json_int_t)it->picture.height));
    return o;
}

static enum luc_status items_json(const struct api_shown *s, json_t *to, struct luc_error *err)
{
    enum luc_status st = LUC_OK;
    for (const struct luc_item *it = s->result->first; it && !st; it = it->next) {
        json_t *made = NULL;
        switch (it->kind) {
        case LUC_ITEM_NUMBER: made = api_json_number(it->number); break;
        case LUC_ITEM_TEXT: made = api_json_text(it->text); break;
        case LUC_ITEM_TABLE: made = table_json(&it->table); break;
        case LUC_ITEM_MAP: made = map_json(it); break;
        case LUC_ITEM_PICTURE: made = picture_json(it); break;
        }
        if (s->job->params.answer.embed && json_is_object(made))
            st = embed(s, it, made, err);
        api_json_set(to, it->key, made);
    }
    return st;
}

static enum luc_status render_json(const struct api_shown *s, const char *manifest,
                                   struct luc_str *out, struct luc_error *err)
{
    json_t *doc = json_object(), *result = json_object();
    api_json_set(doc, "method", json_string(s->job->what->method->name));
    set_models(s->models, doc);
    api_json_set(doc, "images", api_job_images_json(s->job));
    api_json_set(doc, "parameters", api_params_json(&s->job->params));
    const enum luc_status st = items_json(s, result, err);
    api_json_set(doc, "result", result);
    api_json_set(doc, "manifest", json_string(manifest));
    if (!st) {
        api_json_print(doc, false, out);
        luc_str_puts(out, "\n");
    }
    json_decref(doc);
    return st;
}

static enum luc_status render_npy(const struct api_shown *s, struct luc_str *out,
                                  struct luc_error *err)
{
    const struct luc_item *it = luc_result_first(s->result, LUC_ITEM_MAP);
    if (!it)
        return luc_fail(err, LUC_INTERNAL, "%s gave no map", s->job->what->method->name);
    struct luc_tensor flat = it->map; /* [h, w]: what numpy users expect of a map */
    flat.shape = (struct luc_shape){ 2, { it->map.shape.dim[2], it->map.shape.dim[3] } };
    luc_npy_write(&flat, out);
    return LUC_OK;
}

static enum luc_status render_picture(const struct api_shown *s, const struct luc_str *manifest,
                                      struct luc_str *out, struct luc_error *err)
{
    const struct luc_item *it = main_item(s->result);
    if (!it)
        return luc_fail(err, LUC_INTERNAL, "%s gave no picture", s->job->what->method->name);
    const struct luc_image_text text = { "lucida", manifest->data };
    const struct luc_png_options png = { .texts = &text, .n_texts = 1 };
    return encode(s, it, s->job->format == API_FORMAT_JPEG, &png, out, err);
}

/* "class" and "probability" are the keys under which a method says what it explained. */
static void put_headers(const struct api_shown *s, const char *manifest, struct api_response *res)
{
    const struct luc_item *class = luc_result_find(s->result, "class");
    const struct luc_item *probability = luc_result_find(s->result, "probability");
    api_header(res, "Lucida-Model", "%s",
               s->models->n > 1 ? s->job->params.input.model : s->models->at[0]->name);
    if (class && class->kind == LUC_ITEM_TEXT)
        api_header(res, "Lucida-Class", "%s", class->text);
    if (probability && probability->kind == LUC_ITEM_NUMBER)
        api_header(res, "Lucida-Probability", "%.6g", probability->number);
    if (s->job->params.method->groups & LUC_GROUP_SEED)
        api_header(res, "Lucida-Seed", "%lld", (long long)s->job->params.seed.seed);
    api_header(res, "Lucida-Manifest", "%s", manifest);
    api_header(res, "Vary", "Accept");
}

enum luc_status api_render(const struct api_shown *s, struct api_response *res,
                           struct luc_error *err)
{
    static const char *const types[] = { NULL, "image/png", "image/jpeg", "application/json",
                                         "application/x-npy" };
    struct luc_str manifest = { 0 }, body = { 0 };
    char sha256[API_SHA256_MAX] = "";
    enum luc_status st = api_manifest(s, &manifest, sha256, err);
    if (!st && s->job->format == API_FORMAT_JSON)
        st = render_json(s, sha256, &body, err);
    else if (!st && s->job->format == API_FORMAT_NPY)
        st = render_npy(s, &body, err);
    else if (!st)
        st = render_picture(s, &manifest, &body, err);
    if (!st && body.failed)
        st = luc_fail_nomem(err, "the answer", body.len);
    if (!st) {
        put_headers(s, sha256, res);
        res->status = 200;
        res->type = types[s->job->format];
        res->body = body;
        body = (struct luc_str){ 0 };
    }
    luc_str_done(&body);
    luc_str_done(&manifest);
    return st;
}
