/* arena.h -- memory that dies together, under a hard byte limit; one per job, one per model.
 *
 * There is no per-object free: everything allocated from an arena goes with it. Memory is taken
 * from the system in chunks as it is needed, so a generous limit costs nothing.
 * Not thread-safe; an arena belongs to one thread at a time.
 */
#ifndef LUC_BASE_ARENA_H
#define LUC_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#define LUC_ALIGN 64 /* bytes; one cache line, enough for AVX-512 loads */

struct luc_arena; /* opaque */

/* `limit` in bytes. Returns NULL when out of memory. */
struct luc_arena *luc_arena_create(size_t limit);
/* A dry arena is for finding out what a run needs: large blocks are addresses that read as zeros and
 * take memory only where they are written. Whoever would fill such a block, or compute from what it
 * holds, asks luc_arena_is_dry() first and leaves it. Returns NULL when out of memory. */
struct luc_arena *luc_arena_create_dry(size_t limit);
bool luc_arena_is_dry(const struct luc_arena *arena);
/* NULL is fine. Returns NULL so callers can write a = luc_arena_destroy(a). */
struct luc_arena *luc_arena_destroy(struct luc_arena *arena);

/* LUC_ALIGN-aligned memory for `count` objects of `size` bytes, or NULL when the limit would be
 * passed, the system has no more, or the product overflows. count * size == 0 gives a valid pointer. */
void *luc_arena_alloc(struct luc_arena *arena, size_t count, size_t size); /* zeroed */
void *luc_arena_raw(struct luc_arena *arena, size_t count, size_t size);   /* not initialised */
char *luc_arena_strdup(struct luc_arena *arena, const char *text);         /* NULL: as alloc */

size_t luc_arena_used(const struct luc_arena *arena);  /* bytes, padding included */
size_t luc_arena_limit(const struct luc_arena *arena); /* bytes */
size_t luc_arena_peak(const struct luc_arena *arena);  /* the most that was ever used */

/* A point in the arena's life to go back to: everything allocated after it is forgotten.
 * Loops take a mark before each turn and release it at the turn's end. */
struct luc_arena_mark {
    void *chunk;
    size_t chunk_used, used;
};
struct luc_arena_mark luc_arena_mark(const struct luc_arena *arena);
void luc_arena_release(struct luc_arena *arena, struct luc_arena_mark mark);

#endif
