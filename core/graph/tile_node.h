/* tile_node.h -- one node on a part of the picture: which part of its inputs that takes, and the
 * computation. Only for tiles.c.
 *
 * Parts are boxes of places; what lies outside a layer is padding. Results are those of the node on
 * the whole picture, but for the order of float additions inside a convolution. */
#ifndef LUC_GRAPH_TILE_NODE_H
#define LUC_GRAPH_TILE_NODE_H

#include "core/graph/spatial.h"
#include "core/kernels/moments.h"
#include "core/kernels/remap.h"
#include "core/kernels/resample.h"

/* Rows (axis 0) and columns (axis 1) [from, to); may reach past the layer. */
struct luc_span {
    ptrdiff_t from, to;
};
struct luc_tile_box {
    struct luc_span axis[2];
};

/* Channels x box of a value. */
struct luc_tile_part {
    float *data;
    size_t channels;
    struct luc_tile_box box;
};

/* What a node computes with: memory handed out in order. base NULL: nothing runs, it is counted. */
struct luc_tile_work {
    char *base;
    size_t used, lanes; /* lanes: no less than the threads' width, whether counting or running */
    double flops;
    const struct luc_threads *threads;
};

enum luc_tile_kind {
    LUC_TILE_POINTWISE,
    LUC_TILE_WINDOW,    /* Conv, MaxPool */
    LUC_TILE_TRANSPOSE, /* ConvTranspose */
    LUC_TILE_RESIZE,    /* Resize, Upsample */
    LUC_TILE_GATHER,    /* Pad, Slice, a Reshape that changes nothing */
    LUC_TILE_NORM,      /* InstanceNormalization, once the whole picture's statistics are known */
    LUC_TILE_MEAN,      /* GlobalAveragePool, ReduceMean over all places */
};

struct luc_tile_node {
    const struct luc_node *node;
    const struct luc_infos *infos; /* of the whole picture */
    enum luc_tile_kind kind;
    struct luc_window win; /* WINDOW, TRANSPOSE */
    void *attrs;           /* the node's, without padding */
    float fill;            /* outside the layer */
    enum luc_pad_mode pad; /* GATHER: output o shows input luc_pad_source(pad, first + o * step) */
    ptrdiff_t first[2], step[2];
    struct luc_resample resample;
    struct luc_moments *stats; /* NORM, MEAN: [channels], over the places seen so far */
    /* one call's arguments, [node->n_in] */
    struct luc_tensor *tensor;
    struct luc_info *info;
    const struct luc_tensor **tensor_at;
    const struct luc_info **info_at;
};

/* `infos` are those of the whole picture and must outlive the node. LUC_UNSUPPORTED: an operator
 * that cannot be cut at places, or is used in a way that this does not know. */
LUC_MUST_USE enum luc_status luc_tile_node_init(struct luc_tile_node *t,
                                                const struct luc_infos *infos,
                                                const struct luc_node *node,
                                                struct luc_arena *arena, struct luc_error *err);

/* Along one axis, of WINDOW and TRANSPOSE. */
struct luc_tile_slide {
    ptrdiff_t stride, extent, pad;
};
struct luc_tile_slide luc_tile_slide(const struct luc_tile_node *t, size_t axis);
/* What outputs `out` of an axis look at of input `k`; may reach past the layer. */
struct luc_span luc_tile_reach(const struct luc_tile_node *t, size_t k, size_t axis,
                               struct luc_span out);
/* The same of a box, inside the layer. */
struct luc_tile_box luc_tile_need(const struct luc_tile_node *t, size_t k,
                                  const struct luc_tile_box *out);

/* out = node(in); in[k].channels 0: not a part (a constant, or absent). Only counting may fail; the
 * same call with memory cannot. */
LUC_MUST_USE enum luc_status luc_tile_run(struct luc_tile_node *t, const struct luc_tile_part *in,
                                          const struct luc_tile_part *out,
                                          struct luc_tile_work *work, struct luc_error *err);

/* NORM, MEAN: takes the places of `box` of the input into the statistics. Each place must come
 * once, boxes in a fixed order. */
void luc_tile_measure(struct luc_tile_node *t, const struct luc_tile_part *in,
                      const struct luc_tile_box *box, const struct luc_threads *threads);

/* Copies `box` of `from` to where it belongs in `to`. */
void luc_tile_copy(const struct luc_tile_part *from, const struct luc_tile_box *box,
                   const struct luc_tile_part *to, const struct luc_threads *threads);

static inline size_t luc_tile_side(const struct luc_tile_box *b, size_t axis)
{
    return b->axis[axis].to > b->axis[axis].from ? (size_t)(b->axis[axis].to - b->axis[axis].from)
                                                 : 0;
}

#endif
