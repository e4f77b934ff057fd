#include "core/run/result.h"

#include <assert.h>
#include <string.h>

void luc_result_init(struct luc_result *r, struct luc_arena *arena)
{
    *r = (struct luc_result){ .arena = arena };
}

void luc_result_done(struct luc_result *r)
{
    for (struct luc_item *i = r->first; i; i = i->next)
        luc_image_done(&i->picture);
    r->first = r->last = NULL;
}

static struct luc_item *add(struct luc_result *r, enum luc_item_kind kind, const char *key)
{
    assert(!luc_result_find(r, key));
    struct luc_item *item = luc_arena_alloc(r->arena, 1, sizeof(*item));
    char *copy = item ? luc_arena_strdup(r->arena, key) : NULL;
    if (!copy)
        return NULL;
    item->kind = kind;
    item->key = copy;
    return item;
}

/* An item is linked only when it is complete. */
static enum luc_status append(struct luc_result *r, struct luc_item *item)
{
    if (r->last)
        r->last->next = item;
    else
        r->first = item;
    r->last = item;
    return LUC_OK;
}

enum luc_status luc_result_number(struct luc_result *r, const char *key, double value,
                                  struct luc_error *err)
{
    struct luc_item *item = add(r, LUC_ITEM_NUMBER, key);
    if (!item)
        return luc_fail_nomem(err, "result", sizeof(*item));
    item->number = value;
    return append(r, item);
}

enum luc_status luc_result_text(struct luc_result *r, const char *key, const char *text,
                                struct luc_error *err)
{
    struct luc_item *item = add(r, LUC_ITEM_TEXT, key);
    if (item)
        item->text = luc_arena_strdup(r->arena, text);
    if (!item || !item->text)
        return luc_fail_nomem(err, "result", strlen(text));
    return append(r, item);
}

enum luc_status luc_result_decision(struct luc_result *r, const char *key, const char *text,
                                    struct luc_error *err)
{
    const enum luc_status st = luc_result_text(r, key, text, err);
    if (!st)
        r->last->decided = true;
    return st;
}

enum luc_status luc_result_table(struct luc_result *r, const char *key, const char *const *columns,
                                 size_t n_columns, size_t n_rows, struct luc_table **table,
                                 struct luc_error *err)
{
    struct luc_item *item = add(r, LUC_ITEM_TABLE, key);
    struct luc_cell *cells = luc_arena_alloc(r->arena, n_rows * n_columns, sizeof(*cells));
    if (!item || !cells)
        return luc_fail_nomem(err, "result", n_rows * n_columns * sizeof(*cells));
    item->table = (struct luc_table){ n_columns, n_rows, columns, cells };
    *table = &item->table;
    return append(r, item);
}

enum luc_status luc_result_map(struct luc_result *r, const char *key, const struct luc_tensor *map,
                               bool is_signed, const struct luc_place *place, struct luc_error *err)
{
    const size_t n = luc_numel(&map->shape);
    struct luc_item *item = add(r, LUC_ITEM_MAP, key);
    float *copy = luc_arena_raw(r->arena, n, sizeof(*copy));
    if (!item || !copy)
        return luc_fail_nomem(err, "result", n * sizeof(*copy));
    if (!luc_arena_is_dry(r->arena))
        memcpy(copy, map->data, n * sizeof(*copy));
    item->map = (struct luc_tensor){ map->shape, LUC_F32, copy };
    item->is_signed = is_signed;
    item->place = *place;
    return append(r, item);
}

enum luc_status luc_result_picture(struct luc_result *r, const char *key, struct luc_image *picture,
                                   struct luc_error *err)
{
    struct luc_item *item = add(r, LUC_ITEM_PICTURE, key);
    if (!item)
        return luc_fail_nomem(err, "result", sizeof(*item));
    item->picture = *picture;
    *picture = (struct luc_image){ 0 };
    return append(r, item);
}

const struct luc_item *luc_result_find(const struct luc_result *r, const char *key)
{
    for (const struct luc_item *i = r->first; i; i = i->next)
        if (strcmp(i->key, key) == 0)
            return i;
    return NULL;
}

const struct luc_item *luc_result_first(const struct luc_result *r, enum luc_item_kind kind)
{
    for (const struct luc_item *i = r->first; i; i = i->next)
        if (i->kind == kind)
            return i;
    return NULL;
}
