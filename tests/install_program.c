/* A program of a stranger: builds against the installed library with nothing but pkg-config's flags
 * and the public headers. tests/test_install.sh compiles and runs it. */
#include "core/graph/graph.h"

#include <stdio.h>

int main(void)
{
    struct luc_error err = { 0 };
    struct luc_graph *g = luc_graph_create(1u << 20);
    const struct luc_op *identity = luc_op_find("Identity");
    const struct luc_shape shape = luc_shape4(1, 3, 0, 0);
    size_t x = 0, y = 0;
    if (!g || !identity || luc_graph_value(g, "x", &x, &err) || luc_graph_value(g, "y", &y, &err) ||
        luc_graph_add_input(g, x, &shape, &err) ||
        luc_graph_add_node(g, identity, "same", &x, 1, &y, 1, NULL, &err) ||
        luc_graph_add_output(g, y, &err) || luc_graph_finish(g, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("%zu node, %zu values\n", g->n_nodes, g->n_values);
    luc_graph_destroy(g);
    return 0;
}
