/* net_build.h -- small networks, node by node, for tests. Weights are drawn from the net's own
 * generator; failures end the running cmocka test. */
#ifndef TESTS_NET_BUILD_H
#define TESTS_NET_BUILD_H

#include "core/base/rng.h"
#include "core/graph/graph.h"

struct net {
    struct luc_graph *g;
    struct luc_rng rng;
};

void net_init(struct net *n); /* opset 13 */
void net_done(struct net *n);
/* The value of that name, made when there is none yet. */
size_t net_value(struct net *n, const char *name);
/* The input "x", [any, 3, height, width]; 0: any size. */
void net_input(struct net *n, size_t height, size_t width);
/* A constant of normal numbers times `scale`. */
void net_weights(struct net *n, const char *name, struct luc_shape shape, double scale);
/* ins: names separated by blanks; settings: "key=v,v,v key=v". */
void net_node(struct net *n, const char *op, const char *ins, const char *out,
              const char *settings);
/* A convolution with a k x k kernel and a bias. */
void net_conv(struct net *n, const char *in, const char *out, size_t from, size_t to, size_t k,
              const char *settings);
void net_finish(struct net *n);

#endif
