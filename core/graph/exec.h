/* exec.h -- runs a plan: forward, then backward from any number of seeds at once.
 *
 *     write luc_exec_input();  luc_exec_forward();
 *     read luc_exec_value() of taps;  write luc_exec_seed();  luc_exec_backward();
 *     read luc_exec_grad() of wrt.
 *
 * Nothing here can fail but creation. One executor belongs to one thread at a time.
 */
#ifndef LUC_GRAPH_EXEC_H
#define LUC_GRAPH_EXEC_H

#include "core/graph/plan.h"

struct luc_exec; /* opaque */

/* Lives in `arena`, of which it takes luc_plan_bytes(); in a dry arena it computes nothing and all its
 * values read as zeros. `threads` (may be NULL) is borrowed; its
 * width must not pass the plan's lanes. LUC_NOMEM with the number of bytes. */
LUC_MUST_USE enum luc_status luc_exec_create(const struct luc_plan *plan, struct luc_arena *arena,
                                             const struct luc_threads *threads,
                                             struct luc_exec **exec, struct luc_error *err);

/* The i-th graph input, to be written before forward; keeps its contents across runs. */
struct luc_tensor *luc_exec_input(struct luc_exec *x, size_t i);
/* Uses `data` instead of a constant's own (training, randomised weights); NULL: its own again.
 * The bytes may be changed between runs. Packed weights of the nodes that read it are not used.
 * Not for constants whose contents decide shapes. */
void luc_exec_bind(struct luc_exec *x, size_t value, float *data);

/* After it every seed is zero. */
void luc_exec_forward(struct luc_exec *x);
/* Contents of an input, constant or tap; valid until the next forward. */
const struct luc_tensor *luc_exec_value(const struct luc_exec *x, size_t value);

/* dL/d(value), to be written between forward and backward. Undefined after backward: whoever goes
 * backward again (luc_plan_spec.backward_again) writes all of every seed again. */
struct luc_tensor *luc_exec_seed(struct luc_exec *x, size_t value);
/* The same for whoever writes all of it: it may hold anything. */
struct luc_tensor *luc_exec_seed_raw(struct luc_exec *x, size_t value);
void luc_exec_backward(struct luc_exec *x, enum luc_relu_rule rule);
/* dL/d(value) for a wrt; valid until the next forward, or until seeds are written again. */
const struct luc_tensor *luc_exec_grad(const struct luc_exec *x, size_t value);

bool luc_exec_is_dry(const struct luc_exec *x);

/* One step of a run: what luc_threads.probe is told. */
struct luc_timing {
    const struct luc_node *node;
    const struct luc_shape *shape; /* of the node's first output */
    bool backward;
    double ms, flops; /* flops of one forward */
};
struct luc_probe {
    void (*step)(void *ctx, const struct luc_timing *timing); /* on the thread that runs */
    void *ctx;
};

#endif
