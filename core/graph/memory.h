/* memory.h -- where buffers lie. A buffer is wanted from time `first` to time `last`, both
 * included; two that are wanted at the same time must not overlap. */
#ifndef LUC_GRAPH_MEMORY_H
#define LUC_GRAPH_MEMORY_H

#include "core/base/arena.h"
#include "core/base/status.h"

struct luc_buffer {
    size_t bytes, first, last;
    size_t offset; /* set by luc_place_buffers; a multiple of LUC_ALIGN */
};

/* Greedy by size, first fit: largest buffers first, each at the lowest offset that is free
 * throughout its life. *total receives the bytes in all. Scratch is taken from `tmp`. */
LUC_MUST_USE enum luc_status luc_place_buffers(struct luc_buffer *buffers, size_t n,
                                               struct luc_arena *tmp, size_t *total,
                                               struct luc_error *err);

#endif
