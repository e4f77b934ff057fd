/* gradcheck.h -- the contract every operator must keep, and a way to run one alone.
 *
 * With L = sum_i r_i * y_i for a fixed random r (so that every output matters), gradcheck_run()
 * compares dL/dx from backward() with a central difference, element by element, and checks that
 *  - backward adds to din (called twice), and, with LUC_OP_SETS_DIN, writes a fresh din;
 *  - backward gets along with only what reads() asks for, whichever din are wanted;
 *  - scratch and saved are big enough, and never believed to hold anything;
 *  - forward gives the same bits with and without saved, and in place (LUC_OP_IN_PLACE);
 *  - what prepare() packs gives the same outputs and the same gradients.
 */
#ifndef TESTS_GRADCHECK_H
#define TESTS_GRADCHECK_H

#include "core/base/rng.h"
#include "core/ops/op.h"

#define GRADCHECK_MAX_IN 8

struct gradcheck_in {
    struct luc_shape shape;
    const float *values; /* the contents; NULL: random numbers in [lo, hi), which is [-1, 1) when
                             both are 0 */
    double lo, hi;
    double kink;          /* random values with |x| < kink are moved away from 0 */
    enum luc_dtype dtype; /* an integer input gets no gradient */
    bool absent;          /* an optional input that is not given */
    bool known;           /* the contents are known while planning */
    bool constant;        /* prepare() sees the contents */
    bool distinct;        /* random values all differ by at least (hi - lo) / (2 n): for maxima */
    bool no_grad;         /* do not ask for its gradient */
};

struct gradcheck {
    const struct luc_op *op;
    const void *attrs; /* NULL: the defaults */
    int opset;         /* 0: 17 */
    size_t n_in;
    struct gradcheck_in in[GRADCHECK_MAX_IN];
    size_t n_out; /* 0: one */
    bool relu;    /* LUC_OP_FUSES_RELU: forward only; the gradient is then not checked */
    enum luc_relu_rule relu_rule;
    float softplus;
    double step; /* central-difference half step; 0: 1e-2. Keep >= 1e-3 for float32 */
    double tol;  /* largest allowed |a - n| / (1 + |a| + |n|); 0: 2e-3 */
    uint64_t seed;
};

/* Everything above. Calls cmocka's fail_msg() with input, index and both values on mismatch. */
void gradcheck_run(const struct gradcheck *g);
/* Forward and backward give the same bits with 1, 2, 3 and 7 threads. */
void gradcheck_threads(const struct gradcheck *g);

/* One operator with its tensors: for tests that look at values. */
struct op_rig {
    const struct gradcheck *g;
    void *attrs; /* g->attrs, or the defaults */
    struct luc_info info[GRADCHECK_MAX_IN];
    const struct luc_info *info_at[GRADCHECK_MAX_IN];
    struct luc_infer infer;
    struct luc_tensor in[GRADCHECK_MAX_IN], din[GRADCHECK_MAX_IN]; /* data NULL: absent */
    struct luc_tensor out[LUC_OP_MAX_OUT], dout[LUC_OP_MAX_OUT];   /* dout is random */
    void *saved;
    const void *prepared, *packed; /* NULL until op_rig_prepare() */
    struct luc_arena *arena;
    const struct luc_threads *threads; /* NULL: serial */
};

/* The operator's infer() on g: for tests of what it refuses. */
enum luc_status op_infer(const struct gradcheck *g, struct luc_error *err);

/* The test fails when infer() does. */
void op_rig_init(struct op_rig *r, const struct gradcheck *g);
void op_rig_done(struct op_rig *r);
void op_rig_prepare(struct op_rig *r);
void op_rig_forward(struct op_rig *r);
/* Adds to din of the inputs in `wanted` (bit i), or fills them anew; after op_rig_forward(). */
void op_rig_backward(struct op_rig *r, uint32_t wanted, bool fresh);
/* Inputs that can have a gradient, as bits. */
uint32_t op_rig_wanted(const struct op_rig *r);

/* Fails the test when a and b differ by more than tol * (1 + |b|) anywhere. */
void assert_close(const char *what, const float *a, const float *b, size_t n, double tol);

#endif
