#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE, MADV_HUGEPAGE */
#include "core/base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define CHUNK_MIN ((size_t)64 << 10) /* bytes */
#define CHUNK_MAX ((size_t)4 << 20)
#define LARGE     ((size_t)2 << 20)  /* a large page, where the system has such */
#define MANY      ((size_t)16 << 20) /* from here on blocks ask for large pages */
#define DRY_BLOCK ((size_t)64 << 10) /* from here on a dry arena hands out mere addresses */

struct chunk {
    struct chunk *prev;
    size_t size, used; /* bytes of payload; used is a multiple of LUC_ALIGN */
    bool mapped;       /* one block of a dry arena, always full */
};

struct luc_arena {
    struct chunk *last;
    size_t used, peak, limit; /* bytes over all chunks */
    bool dry;
};

static size_t round_up(size_t n)
{
    return (n + LUC_ALIGN - 1) / LUC_ALIGN * LUC_ALIGN;
}

static unsigned char *payload(struct chunk *c)
{
    return (unsigned char *)c + round_up(sizeof(*c));
}

struct luc_arena *luc_arena_create(size_t limit)
{
    struct luc_arena *arena = calloc(1, sizeof(*arena));
    if (arena)
        arena->limit = limit;
    return arena;
}

struct luc_arena *luc_arena_create_dry(size_t limit)
{
    struct luc_arena *arena = luc_arena_create(limit);
    if (arena)
        arena->dry = true;
    return arena;
}

bool luc_arena_is_dry(const struct luc_arena *arena)
{
    return arena->dry;
}

static void pop_chunk(struct luc_arena *arena)
{
    struct chunk *dead = arena->last;
    arena->last = dead->prev;
    if (dead->mapped) {
        munmap(dead, round_up(sizeof(*dead)) + dead->size);
        return;
    }
    UNPOISON(payload(dead), dead->size);
    free(dead);
}

struct luc_arena *luc_arena_destroy(struct luc_arena *arena)
{
    if (arena) {
        while (arena->last)
            pop_chunk(arena);
        free(arena);
    }
    return NULL;
}

/* Kernels walk over tens of channels at once, each on a page of its own: on small pages the
 * processor looks up addresses for a tenth of the time. */
static void *get_block(size_t bytes)
{
    void *block = NULL;
    if (posix_memalign(&block, bytes < MANY ? LUC_ALIGN : LARGE, bytes))
        return NULL;
#ifdef MADV_HUGEPAGE
    if (bytes >= MANY)
        madvise(block, bytes, MADV_HUGEPAGE); /* a wish */
#endif
    return block;
}

static struct chunk *push_chunk(struct luc_arena *arena, size_t bytes)
{
    size_t size = arena->last && !arena->last->mapped ? arena->last->size * 2 : CHUNK_MIN;
    if (size > CHUNK_MAX)
        size = CHUNK_MAX;
    if (size < bytes)
        size = bytes;
    const size_t head = round_up(sizeof(struct chunk));
    if (size > SIZE_MAX - head - LUC_ALIGN)
        return NULL;
    struct chunk *c = get_block(round_up(head + size));
    if (!c)
        return NULL;
    *c = (struct chunk){ .prev = arena->last, .size = size };
    POISON(payload(c), size);
    arena->last = c;
    return c;
}

/* A block of its own that nothing was written to yet. */
static struct chunk *map_chunk(struct luc_arena *arena, size_t bytes)
{
    const size_t head = round_up(sizeof(struct chunk));
    struct chunk *c = mmap(NULL, head + bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (c == MAP_FAILED)
        return NULL;
    *c = (struct chunk){ .prev = arena->last, .size = bytes, .mapped = true };
    arena->last = c;
    return c;
}

static bool is_address(const struct luc_arena *arena, size_t bytes)
{
    return arena->dry && bytes >= DRY_BLOCK;
}

void *luc_arena_raw(struct luc_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > (SIZE_MAX - LUC_ALIGN) / size)
        return NULL;
    const size_t bytes = round_up(count * size + (count * size == 0));
    if (bytes > arena->limit - arena->used)
        return NULL;

    struct chunk *c = arena->last;
    if (is_address(arena, bytes))
        c = map_chunk(arena, bytes);
    else if (!c || bytes > c->size - c->used)
        c = push_chunk(arena, bytes);
    if (!c)
        return NULL;
    void *p = payload(c) + c->used;
    c->used += bytes;
    arena->used += bytes;
    arena->peak = arena->used > arena->peak ? arena->used : arena->peak;
    UNPOISON(p, count * size);
    return p;
}

void *luc_arena_alloc(struct luc_arena *arena, size_t count, size_t size)
{
    void *p = luc_arena_raw(arena, count, size);
    return p && !is_address(arena, count * size) ? memset(p, 0, count * size) : p;
}

char *luc_arena_strdup(struct luc_arena *arena, const char *text)
{
    const size_t n = strlen(text) + 1;
    char *p = luc_arena_raw(arena, n, 1);
    return p ? memcpy(p, text, n) : NULL;
}

size_t luc_arena_used(const struct luc_arena *arena)
{
    return arena->used;
}

size_t luc_arena_limit(const struct luc_arena *arena)
{
    return arena->limit;
}

size_t luc_arena_peak(const struct luc_arena *arena)
{
    return arena->peak;
}

struct luc_arena_mark luc_arena_mark(const struct luc_arena *arena)
{
    return (struct luc_arena_mark){ arena->last, arena->last ? arena->last->used : 0, arena->used };
}

void luc_arena_release(struct luc_arena *arena, struct luc_arena_mark mark)
{
    while (arena->last != mark.chunk)
        pop_chunk(arena);
    if (arena->last) {
        arena->last->used = mark.chunk_used;
        POISON(payload(arena->last) + mark.chunk_used, arena->last->size - mark.chunk_used);
    }
    arena->used = mark.used;
}
