/* optest.h -- short tests of one operator: values worked out by hand, gradients, refusals. */
#ifndef TESTS_OPTEST_H
#define TESTS_OPTEST_H

#include "tests/gradcheck.h"

/* clang-format off */
#define DIMS(...)                                                                                  \
    { sizeof((size_t[]){ __VA_ARGS__ }) / sizeof(size_t), { __VA_ARGS__ } }
#define SCALAR         { 0, { 0 } }
#define LIST(...)      ((const float[]){ __VA_ARGS__ })
/* A list of integers known while planning. */
#define KNOWN(n, ...)  { .shape = DIMS(n), .values = LIST(__VA_ARGS__), .dtype = LUC_I64, .known = true }
#define ABSENT         { .absent = true }
/* clang-format on */

struct optest {
    const char *op;     /* ONNX name */
    const char *attrs;  /* "key=value key=value"; NULL: the defaults */
    int opset;          /* 0: 17 */
    size_t n_in, n_out; /* n_out 0: one */
    struct gradcheck_in in[GRADCHECK_MAX_IN];
    struct luc_shape shape[LUC_OP_MAX_OUT]; /* what must come out */
    const float *want[LUC_OP_MAX_OUT];      /* NULL: any values */
    enum luc_dtype dtype;                   /* of out[0] */
    enum luc_relu_rule rule;
    float softplus;
    double tol; /* of values, 0: 1e-6; of gradients, 0: gradcheck's */
};

/* forward() gives these shapes, types and values. */
void optest_values(const struct optest *t);
/* backward() matches finite differences, whatever is wanted, for any number of threads. */
void optest_gradient(const struct optest *t);
/* The same bits for any number of threads; for tensors too large for differences. */
void optest_threads(const struct optest *t);
/* infer() fails with `code` and a message that holds `word`. */
void optest_refuses(const struct optest *t, enum luc_status code, const char *word);

#endif
