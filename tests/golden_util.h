/* golden_util.h -- what the tests against PyTorch share: golden files, the test picture, and
 * questions put to a network.
 *
 * tests/golden/README.md says what a golden file holds and how it was made. All failures end the
 * running cmocka test.
 */
#ifndef TESTS_GOLDEN_UTIL_H
#define TESTS_GOLDEN_UTIL_H

#include "core/graph/exec.h"
#include "core/graph/optimise.h"

#define GOLDEN_ARRAYS 40

struct golden_array {
    char name[64];
    struct luc_shape shape;
    bool sampled; /* only at seeded positions; norm is always of the whole */
    size_t at, count;
    double norm, torch; /* torch: distance of PyTorch's own float32 result; 0: not known */
};

struct golden {
    char net[32];
    size_t height, width, dim, target;
    double probability;
    size_t n_arrays;
    struct golden_array arrays[GOLDEN_ARRAYS];
    const float *data;
    struct luc_arena *arena;
};

void golden_open(struct golden *g, const char *net);
void golden_done(struct golden *g);
/* Relative L2 distance between the golden array called `name` and `got`. */
double golden_distance(const struct golden *g, const char *name, const struct luc_tensor *got);
/* The same, printed; fails when it, or the relative difference of the norms, is over `tol`. */
void golden_check(const struct golden *g, const char *name, const struct luc_tensor *got,
                  double tol);
/* |a - b| / |b| of two tensors of one shape. */
double relative_l2(const struct luc_tensor *a, const struct luc_tensor *b);

/* The golden's picture, RGB, out[height * width * 3]. */
void golden_picture(const struct golden *g, unsigned char *out);
/* The picture as network input [1, 3, H, W]: (pixel - mean) * scale. */
struct golden_pixels {
    bool bgr;
    float mean[3], scale[3];
};
void golden_input(const struct golden *g, const struct golden_pixels *px, struct luc_arena *arena,
                  struct luc_tensor *input);

#define ASK_MAX 10

enum seed_kind { SEED_END, SEED_CLASS, SEED_WEIGHTED };

/* One forward and one backward. Value names, NULL-terminated; "@input" is the network's input and
 * "logits" the value before a final Softmax. `golden` names the arrays that wrt is compared with. */
struct question {
    const char *taps[ASK_MAX];
    struct {
        enum seed_kind kind;
        const char *value;
        size_t number; /* the class, or the seed of the weights of a weighted sum */
    } seeds[4];
    const char *wrt[ASK_MAX], *golden[ASK_MAX];
    enum luc_relu_rule rule;
};

struct how {
    size_t width; /* threads; 0: one, without a pool */
    bool no_fusion;
};

struct answer {
    size_t n_taps, n_wrt;
    struct luc_tensor taps[ASK_MAX], grads[ASK_MAX];
};

/* The value of that name (as in struct question). */
size_t graph_value(const struct luc_graph *g, const char *name);
/* Tensors of the answer live in `arena`. */
void graph_ask(const struct luc_graph *g, const struct question *q, const struct luc_tensor *input,
               const struct how *how, struct luc_arena *arena, struct answer *a);
/* Asks with the golden's own input and compares everything that the golden holds. */
void golden_ask(const struct golden *g, const struct luc_graph *graph, const struct question *q,
                const struct luc_tensor *input, const struct how *how, double tol);

/* How each test gets its network anew, with some optimisations left out. */
typedef struct luc_graph *load_graph(unsigned passes);
/* With each optimisation and the fusion switched off, answers stay within tol of the whole. */
void check_optimisations(load_graph *load, const struct question *q, const struct luc_tensor *input,
                         double tol);
/* In a batch with its mirror image, first or second, the picture gives what it gives alone: taps
 * and gradients; the mirror image, taps. */
void check_batch(const struct luc_graph *graph, const struct question *q,
                 const struct luc_tensor *input, double tol);
/* 1, 2, 3 and 7 threads give the same bits. */
void check_widths(const struct luc_graph *graph, const struct question *q,
                  const struct luc_tensor *input);
/* In tiles (core/graph/tiles.h), with everything and with a little kept, and for any number of
 * threads, `value` is within tol of the whole run's, relative to the largest element. */
void check_tiles(const struct luc_graph *graph, const char *value, const struct luc_tensor *input,
                 double tol);

/* A network, its golden file and the picture as its input, for a group of tests. */
struct golden_net {
    struct golden gold;
    struct luc_graph *graph;
    struct luc_tensor input;
};
void golden_net_open(struct golden_net *t, const char *name, const struct golden_pixels *px,
                     load_graph *load);
void golden_net_done(struct golden_net *t);
/* The gradient of the golden's class, to be compared with its array called `name`. */
struct question top_logit(const struct golden *g, enum luc_relu_rule rule, const char *name);
/* That gradient under each rule, with the arrays "grad plain", "grad guided", "grad deconv". */
void check_relu_rules(const struct golden_net *t, double tol);

/* dir/name of the shared files; ends the program with 77 when the file is not there. */
const char *shared_file(const char *name, char *buf, size_t size);
/* The same for a pulled network, below $LUCIDA_TEST_MODELS or build/models. */
const char *pulled_file(const char *name, char *buf, size_t size);

struct luc_graph *load_onnx(const char *path, unsigned passes);
struct luc_graph *load_tfjs(const char *path, unsigned passes);

#endif
