/* graph.h -- a network: values and the nodes that compute them.
 *
 * Readers (core/formats), tests and later training build graphs with the functions below; after
 * luc_graph_finish() nodes are in topological order and the graph is read-only but for the passes
 * in optimise.h. Weights are constant values: inputs like any other that happen to be given.
 * Values and nodes are named by index; names are kept for people.
 */
#ifndef LUC_GRAPH_GRAPH_H
#define LUC_GRAPH_GRAPH_H

#include "core/ops/op.h"

#define LUC_NONE ((size_t)-1)

struct luc_value {
    const char *name;           /* unique, never empty */
    struct luc_tensor constant; /* data NULL: not a constant */
    bool is_input;
    struct luc_shape decl; /* inputs: declared shape, 0 = any size */
    size_t producer;       /* node index; LUC_NONE for inputs and constants */
};

struct luc_node {
    const struct luc_op *op;
    const char *name; /* "" where the file gives none */
    void *attrs;      /* op->attrs_size bytes */
    size_t n_in, n_out;
    size_t *in, *out;     /* value indices; LUC_NONE: an absent optional input or unused output */
    const void *prepared; /* op->prepare()'s packed weights, or NULL */
    const void *packed;   /* op->pack()'s, or NULL */
    unsigned tried;       /* luc_op_packs: which of them have been made, or cannot be */
    struct luc_node *origin; /* whose packed weights this node takes, in the graph `owner`, which
                                outlives this one; NULL: its own */
    struct luc_graph *owner;
};

/* Which plans may compute with Winograd's convolutions: those that ask (luc_plan_spec.fast), none,
 * all. */
enum luc_precision { LUC_PRECISION_AUTO, LUC_PRECISION_STRICT, LUC_PRECISION_FAST };

struct luc_graph {
    struct luc_arena *arena; /* owns names, attributes, constants, packed weights */
    int opset;
    size_t n_values, n_nodes, n_inputs, n_outputs;
    struct luc_value *values;
    struct luc_node *nodes;
    size_t *inputs, *outputs; /* value indices */
    struct luc_lock *lock;    /* of what is packed */
    enum luc_precision precision;
    /* private to graph.c */
    size_t cap_values, cap_nodes, cap_inputs, cap_outputs, cap_slots;
    size_t *slots; /* name -> value hash table */
};

/* `node` takes the packed weights of `original`, a node of `g`, from now on. */
void luc_node_follow(struct luc_node *node, const struct luc_graph *g,
                     const struct luc_node *original);
/* `node` has none and gets none. */
void luc_node_forget(struct luc_node *node);

/* `limit` bounds the graph's memory, weights included, in bytes. NULL when out of memory. */
struct luc_graph *luc_graph_create(size_t limit);
struct luc_graph *luc_graph_destroy(struct luc_graph *g); /* NULL is fine; returns NULL */

/* The value called `name`, made when there is none yet. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_graph_value(struct luc_graph *g, const char *name, size_t *value,
                                             struct luc_error *err);
/* LUC_NONE when no value has that name. */
size_t luc_graph_find(const struct luc_graph *g, const char *name);

/* `decl`: 0 in a dimension means any size; NULL: rank and sizes unknown (rank 0 is stored). */
LUC_MUST_USE enum luc_status luc_graph_add_input(struct luc_graph *g, size_t value,
                                                 const struct luc_shape *decl,
                                                 struct luc_error *err);
LUC_MUST_USE enum luc_status luc_graph_add_output(struct luc_graph *g, size_t value,
                                                  struct luc_error *err);
/* t->data comes from the graph's arena and belongs to the graph: optimise.h changes it in place. */
LUC_MUST_USE enum luc_status luc_graph_set_constant(struct luc_graph *g, size_t value,
                                                    const struct luc_tensor *t,
                                                    struct luc_error *err);
/* Appends a node. *attrs (may be NULL) receives its attribute struct, set to the defaults; the
 * caller fills it through luc_param_set*(). LUC_INVALID: wrong number of inputs or outputs, or an
 * output that something else already makes; the message names the node. */
LUC_MUST_USE enum luc_status luc_graph_add_node(struct luc_graph *g, const struct luc_op *op,
                                                const char *name, const size_t *in, size_t n_in,
                                                const size_t *out, size_t n_out, void **attrs,
                                                struct luc_error *err);

/* Every value made exactly once, no cycle, nodes sorted. LUC_FORMAT names what is wrong. */
LUC_MUST_USE enum luc_status luc_graph_finish(struct luc_graph *g, struct luc_error *err);

#endif
