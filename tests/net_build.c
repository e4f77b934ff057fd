#include "tests/net_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT ((size_t)256 << 20)

void net_init(struct net *n)
{
    n->g = luc_graph_create(LIMIT);
    assert_non_null(n->g);
    n->g->opset = 13;
    luc_rng_seed(&n->rng, 11);
}

void net_done(struct net *n)
{
    n->g = luc_graph_destroy(n->g);
}

size_t net_value(struct net *n, const char *name)
{
    size_t v = LUC_NONE;
    assert_int_equal(luc_graph_value(n->g, name, &v, NULL), LUC_OK);
    return v;
}

void net_weights(struct net *n, const char *name, struct luc_shape shape, double scale)
{
    struct luc_tensor t = { .shape = shape };
    t.data = luc_arena_alloc(n->g->arena, luc_numel(&shape), sizeof(float));
    for (size_t i = 0; i < luc_numel(&shape); i++)
        t.data[i] = (float)(scale * luc_rng_normal(&n->rng));
    assert_int_equal(luc_graph_set_constant(n->g, net_value(n, name), &t, NULL), LUC_OK);
}

void net_node(struct net *n, const char *op, const char *ins, const char *out, const char *settings)
{
    size_t in[4], n_in = 0;
    char text[200], *save = NULL;
    void *attrs = NULL;
    snprintf(text, sizeof(text), "%s", ins);
    for (char *at = strtok_r(text, " ", &save); at; at = strtok_r(NULL, " ", &save))
        in[n_in++] = net_value(n, at);
    const size_t o = net_value(n, out);
    const struct luc_op *kind = luc_op_find(op);
    assert_non_null(kind);
    assert_int_equal(luc_graph_add_node(n->g, kind, out, in, n_in, &o, 1, &attrs, NULL), LUC_OK);
    snprintf(text, sizeof(text), "%s", settings);
    for (char *at = strtok_r(text, " ", &save); at; at = strtok_r(NULL, " ", &save)) {
        char *equals = strchr(at, '=');
        *equals = '\0';
        assert_int_equal(luc_param_set(kind->attrs, at, equals + 1, attrs, NULL), LUC_OK);
    }
}

void net_conv(struct net *n, const char *in, const char *out, size_t from, size_t to, size_t k,
              const char *settings)
{
    char w[32], b[32], ins[100];
    snprintf(w, sizeof(w), "%s.w", out);
    snprintf(b, sizeof(b), "%s.b", out);
    snprintf(ins, sizeof(ins), "%s %s %s", in, w, b);
    net_weights(n, w, luc_shape4(to, from, k, k), 1.0 / (double)k / sqrt((double)from));
    net_weights(n, b, (struct luc_shape){ 1, { to } }, 0.3);
    net_node(n, "Conv", ins, out, settings);
}

void net_input(struct net *n, size_t height, size_t width)
{
    const struct luc_shape shape = { 4, { 0, 3, height, width } };
    assert_int_equal(luc_graph_add_input(n->g, net_value(n, "x"), &shape, NULL), LUC_OK);
}

void net_finish(struct net *n)
{
    struct luc_error err = { 0 };
    if (luc_graph_finish(n->g, &err))
        fail_msg("%s", err.text);
}
