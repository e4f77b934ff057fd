/* op.h -- what it takes to be an operator.
 *
 * infer() is the only step that may fail: it checks ranks, sizes and attributes once, when a plan
 * is made. forward() and backward() are then total: memory is allocated and shapes agree.
 *
 * Integers (the shape given to Reshape, the axes of Unsqueeze) arrive as input tensors whose
 * contents are known while planning: infer() reads them from in[i]->known. What is known
 * propagates: the plan runs forward() early on nodes whose inputs are all known.
 */
#ifndef LUC_OPS_OP_H
#define LUC_OPS_OP_H

#include "core/base/arena.h"
#include "core/base/parallel.h"
#include "core/base/param.h"
#include "core/tensor/tensor.h"

#define LUC_OP_MAX_OUT 4

/* One value while a plan is made. */
struct luc_info {
    struct luc_shape shape;
    enum luc_dtype dtype;
    const float *known; /* the contents when they are known while planning, else NULL */
};

struct luc_infer {
    const void *attrs; /* the operator's attribute struct */
    int opset;         /* of the model, after the reader's translation */
    size_t n_in;
    const struct luc_info *const *in; /* NULL entry: an optional input that is absent */
    size_t n_out;
    struct luc_info out[LUC_OP_MAX_OUT]; /* infer() fills shape and dtype (dtype starts as F32) */
};

/* How a gradient passes a ReLU (Relu, and the ReLU fused into a convolution). */
enum luc_relu_rule {
    LUC_RELU_PLAIN,  /* the derivative: dy where y > 0 */
    LUC_RELU_GUIDED, /* dy where y > 0 and dy > 0; Springenberg 2014, arXiv:1412.6806 */
    LUC_RELU_DECONV, /* dy where dy > 0; Zeiler & Fergus 2013, arXiv:1311.2901 */
};

struct luc_op_call {
    const void *attrs;
    int opset;
    const void *prepared; /* what prepare() returned, or NULL */
    const void *packed;   /* what pack() returned, or NULL */
    size_t n_in, n_out;
    const struct luc_tensor *const *in; /* NULL entry: absent. In backward, data is NULL for what
                                           reads() did not ask for; shape is always right */
    struct luc_tensor *const *out;      /* written by forward; the same holds in backward. NULL
                                           entry but for out[0]: nobody wants it */

    /* backward only */
    const struct luc_tensor *const *dout; /* NULL entry: no gradient arrives there */
    struct luc_tensor *const *din;        /* NULL entry: not wanted */
    const bool *din_fresh; /* LUC_OP_SETS_DIN only: true where din[i] holds garbage and must be
                              written; elsewhere, and without the flag, add to it */

    void *scratch; /* luc_op.scratch() bytes, uninitialised; NULL when that is 0 */
    void *saved;   /* luc_op.saved() bytes, from forward to backward; NULL in inference */
    const struct luc_threads *threads;
    const float *plus;            /* LUC_OP_FUSES_ADD only: forward writes y + this, or NULL */
    bool relu;                    /* LUC_OP_FUSES_RELU only: forward writes max(0, y) at the end */
    enum luc_relu_rule relu_rule; /* Relu's backward */
    const float *gate;            /* luc_op.gates() only: dout[0] counts where this is positive */
    float softplus; /* Relu only: ln(1 + e^(b x)) / b with this b in its place; 0: a ReLU */
};

enum luc_op_flags {
    LUC_OP_VIEW = 1,        /* out[0] has the bytes of in[0]: the plan shares storage, forward is
                              then not called; forward() must still copy when called */
    LUC_OP_SETS_DIN = 2,    /* backward honours din_fresh */
    LUC_OP_FUSES_RELU = 4,  /* forward honours relu */
    LUC_OP_FUSES_ADD = 64,  /* forward honours plus; backward need not know of it */
    LUC_OP_SHAPE_ONLY = 8,  /* forward needs only in[0]'s shape (Shape, Size): always known */
    LUC_OP_PACKS_LATE = 32, /* prepare() serves fast plans only and is run when one wants it */
    LUC_OP_IN_PLACE = 16,   /* forward may run with out[0] on in[0]'s memory; with LUC_OP_SETS_DIN,
                              backward may run with din[0] on dout[0]'s */
};

/* What prepare() and pack() make. */
enum luc_op_packs {
    LUC_PACKS_PREPARED = 1,
    LUC_PACKS_PACKED = 2,
    LUC_PACKS_ALL = 3,
};

#define LUC_READS_IN(i) (1u << (i))
#define LUC_READS_OUT   (1u << 31) /* out[0] */
#define LUC_READS_ALL   0xFFFFFFFFu

struct luc_op {
    const char *name;          /* ONNX op_type, exact case */
    int since;                 /* lowest opset whose semantics are implemented */
    size_t n_in_min, n_in_max; /* n_in_max SIZE_MAX: any number */
    size_t n_out_max;          /* 0 means 1 */
    unsigned flags;
    size_t attrs_size;
    const struct luc_param *attrs; /* ONNX attributes and their defaults; NULL: none */

    enum luc_status (*infer)(struct luc_infer *x, struct luc_error *err);

    /* Bytes of scratch for `lanes` threads; NULL: none. Shapes in x are already inferred. */
    size_t (*scratch)(const struct luc_infer *x, bool backward, size_t lanes);
    /* Bytes kept from forward to backward besides inputs and outputs; NULL: none. */
    size_t (*saved)(const struct luc_infer *x);
    /* Which inputs and outputs backward reads, given which din are wanted (bit i: din[i]).
     * NULL: everything. */
    uint32_t (*reads)(const void *attrs, uint32_t wanted);

    /* Floating point operations of one forward, a multiply and an add counting as two; NULL: few. */
    double (*flops)(const struct luc_infer *x);

    /* Packs constant inputs once, at load or (LUC_OP_PACKS_LATE) for the first fast plan;
     * `in[i]->data` is NULL for inputs that are not constant. May leave
     * *prepared NULL. What it returns lives in `arena` and is read-only afterwards. */
    enum luc_status (*prepare)(const struct luc_op_call *c, struct luc_arena *arena,
                               const void **prepared, struct luc_error *err);

    /* The same, run for the first plan of any kind; what comes of it is what forward() would
     * compute without, but sooner. */
    enum luc_status (*pack)(const struct luc_op_call *c, struct luc_arena *arena,
                            const void **packed, struct luc_error *err);

    /* Which of the two (luc_op_packs) a plan with these shapes reads, `fast` or not, with a gradient
     * or without; the others are neither made nor passed to it. NULL: both, prepare()'s in a fast
     * plan if it is LUC_OP_PACKS_LATE. */
    unsigned (*wants)(const struct luc_infer *x, bool fast, bool backward);

    /* Would backward, called like this, honour `gate`? NULL: never. Saves the pass of a fused
     * ReLU over its gradient. */
    bool (*gates)(const struct luc_op_call *c);

    void (*forward)(const struct luc_op_call *c);
    void (*backward)(const struct luc_op_call *c); /* NULL: not differentiable, gradient stops */
};

/* NULL when no operator has that name. */
const struct luc_op *luc_op_find(const char *onnx_name);
/* The i-th registered operator, or NULL past the end. For tests and listings. */
const struct luc_op *luc_op_at(size_t i);

#endif
