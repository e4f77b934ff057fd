/* result.h -- what a method found, in the order it was put: numbers, texts, tables, maps, pictures.
 *
 * Keys are lower_snake_case and unique within a result. Everything is copied into the result's
 * arena, so it outlives the run's. The first map or picture is the main one: it answers a request
 * for a PNG, and the first map answers one for npy.
 */
#ifndef LUC_RUN_RESULT_H
#define LUC_RUN_RESULT_H

#include "core/base/arena.h"
#include "core/tensor/image.h"
#include "core/tensor/tensor.h"

enum luc_item_kind {
    LUC_ITEM_NUMBER,
    LUC_ITEM_TEXT,
    LUC_ITEM_TABLE,
    LUC_ITEM_MAP,
    LUC_ITEM_PICTURE
};

struct luc_cell {
    const char *text; /* NULL: a number */
    double number;
};

struct luc_table {
    size_t n_columns, n_rows;
    const char *const *columns;
    struct luc_cell *cells; /* [n_rows][n_columns] */
};

/* Where a map lies, in upload pixels. Its cells cover x, y, width, height; what the network saw of
 * the upload is `seen` (width 0: the same). Deep layers' cells may reach past it, or not to its
 * edge. */
struct luc_place {
    double x, y, width, height;
    size_t image; /* index of the upload */
    struct {
        double x, y, width, height;
    } seen;
};

struct luc_item {
    enum luc_item_kind kind;
    const char *key;
    double number;
    const char *text;
    struct luc_table table;
    struct luc_tensor map; /* [1, 1, h, w], finite */
    bool is_signed;        /* drawn diverging around zero */
    struct luc_place place;
    struct luc_image picture;
    bool decided; /* TEXT: see luc_result_decision() */
    struct luc_item *next;
};

struct luc_result {
    struct luc_arena *arena;
    struct luc_item *first, *last;
};

/* `arena` is borrowed. Pictures live on the heap: call luc_result_done() before the arena goes. */
void luc_result_init(struct luc_result *r, struct luc_arena *arena);
void luc_result_done(struct luc_result *r);

/* All fail with LUC_NOMEM only. */
LUC_MUST_USE enum luc_status luc_result_number(struct luc_result *r, const char *key, double value,
                                               struct luc_error *err);
LUC_MUST_USE enum luc_status luc_result_text(struct luc_result *r, const char *key,
                                             const char *text, struct luc_error *err);
/* A text that the run chose by something else than its parameters, such as the clock; with it as the
 * parameter `key` a run gives the same again. It is part of the manifest. */
LUC_MUST_USE enum luc_status luc_result_decision(struct luc_result *r, const char *key,
                                                 const char *text, struct luc_error *err);
/* `columns` must be static; *table is filled with room for n_rows, all cells zero numbers. */
LUC_MUST_USE enum luc_status luc_result_table(struct luc_result *r, const char *key,
                                              const char *const *columns, size_t n_columns,
                                              size_t n_rows, struct luc_table **table,
                                              struct luc_error *err);
/* map: [1, 1, h, w]. */
LUC_MUST_USE enum luc_status luc_result_map(struct luc_result *r, const char *key,
                                            const struct luc_tensor *map, bool is_signed,
                                            const struct luc_place *place, struct luc_error *err);
/* Takes `picture` on success (it is zeroed). */
LUC_MUST_USE enum luc_status luc_result_picture(struct luc_result *r, const char *key,
                                                struct luc_image *picture, struct luc_error *err);

/* NULL when there is none. */
const struct luc_item *luc_result_find(const struct luc_result *r, const char *key);
const struct luc_item *luc_result_first(const struct luc_result *r, enum luc_item_kind kind);

#endif
