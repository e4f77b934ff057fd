#include "core/graph/memory.h"

#include <stdlib.h>
#include <string.h>

static int by_size(const void *pa, const void *pb)
{
    const struct luc_buffer *a = *(struct luc_buffer *const *)pa;
    const struct luc_buffer *b = *(struct luc_buffer *const *)pb;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    return a < b ? -1 : a > b; /* qsort is not stable; plans must repeat */
}

static int by_offset(const void *pa, const void *pb)
{
    const struct luc_buffer *a = *(struct luc_buffer *const *)pa;
    const struct luc_buffer *b = *(struct luc_buffer *const *)pb;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static size_t round_up(size_t n)
{
    return (n + LUC_ALIGN - 1) / LUC_ALIGN * LUC_ALIGN;
}

/* Lowest offset at which `b` fits between the placed buffers alive with it. */
static size_t find_offset(const struct luc_buffer *b, struct luc_buffer *const *placed,
                          size_t n_placed, struct luc_buffer **alive)
{
    size_t n_alive = 0, offset = 0;
    for (size_t i = 0; i < n_placed; i++)
        if (placed[i]->first <= b->last && b->first <= placed[i]->last)
            alive[n_alive++] = placed[i];
    if (n_alive)
        qsort(alive, n_alive, sizeof(struct luc_buffer *), by_offset);
    for (size_t i = 0; i < n_alive; i++) {
        if (alive[i]->offset >= offset + b->bytes)
            break;
        const size_t end = alive[i]->offset + alive[i]->bytes;
        if (end > offset)
            offset = round_up(end);
    }
    return offset;
}

enum luc_status luc_place_buffers(struct luc_buffer *buffers, size_t n, struct luc_arena *tmp,
                                  size_t *total, struct luc_error *err)
{
    const struct luc_arena_mark mark = luc_arena_mark(tmp);
    struct luc_buffer **order = luc_arena_alloc(tmp, n, sizeof(struct luc_buffer *));
    struct luc_buffer **alive = luc_arena_alloc(tmp, n, sizeof(struct luc_buffer *));
    if (!order || !alive) {
        luc_arena_release(tmp, mark);
        return luc_fail_nomem(err, "plan", n * sizeof(struct luc_buffer *));
    }
    for (size_t i = 0; i < n; i++)
        order[i] = &buffers[i];
    if (n)
        qsort(order, n, sizeof(struct luc_buffer *), by_size);

    *total = 0;
    for (size_t i = 0; i < n; i++) {
        struct luc_buffer *b = order[i];
        b->offset = b->bytes ? find_offset(b, order, i, alive) : 0;
        if (b->offset + b->bytes > *total)
            *total = b->offset + b->bytes;
    }
    luc_arena_release(tmp, mark);
    return LUC_OK;
}
