#include "core/graph/exec.h"
#include "core/model/receptive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SIDE  37
#define LIMIT ((size_t)64 << 20)

static struct luc_graph *g;
static size_t n_weights;

static size_t value(const char *name)
{
    size_t v = 0;
    assert_int_equal(luc_graph_value(g, name, &v, NULL), LUC_OK);
    return v;
}

static void *node(const char *op, const char *a, const char *b, const char *out)
{
    const struct luc_op *found = luc_op_find(op);
    if (!found) {
        printf("skipped: needs operator %s\n", op);
        return NULL;
    }
    const size_t in[2] = { value(a), b ? value(b) : LUC_NONE }, made = value(out);
    void *attrs = NULL;
    struct luc_error err = { 0 };
    if (luc_graph_add_node(g, found, out, in, b ? 2 : 1, &made, 1, &attrs, &err))
        fail_msg("%s", err.text);
    return attrs;
}

static void set(const char *op, void *attrs, const char *key, const char *text)
{
    struct luc_error err = { 0 };
    if (luc_param_set(luc_op_find(op)->attrs, key, text, attrs, &err))
        fail_msg("%s", err.text);
}

/* A kernel of positive numbers, so that no gradient cancels. */
static const char *kernel(size_t out, size_t in, size_t k)
{
    static char name[32];
    snprintf(name, sizeof(name), "w%zu", n_weights++);
    struct luc_tensor t = { .shape = luc_shape4(out, in, k, k) };
    const size_t n = luc_numel(&t.shape);
    t.data = luc_arena_alloc(g->arena, n, sizeof(float));
    assert_non_null(t.data);
    for (size_t i = 0; i < n; i++)
        t.data[i] = 0.5f + (float)(i % 7) / 7;
    assert_int_equal(luc_graph_set_constant(g, value(name), &t, NULL), LUC_OK);
    return name;
}

static void conv(const char *a, const char *out, size_t k, const char *pad, const char *stride,
                 const char *dilation)
{
    void *attrs = node("Conv", a, kernel(1, 1, k), out);
    set("Conv", attrs, "pads", pad);
    set("Conv", attrs, "strides", stride);
    set("Conv", attrs, "dilations", dilation);
}

static void begin(void)
{
    g = luc_graph_create(LIMIT);
    n_weights = 0;
    const struct luc_shape any = luc_shape4(0, 1, 0, 0);
    assert_int_equal(luc_graph_add_input(g, value("x"), &any, NULL), LUC_OK);
}

static void finish(const char *out)
{
    struct luc_error err = { 0 };
    assert_int_equal(luc_graph_add_output(g, value(out), NULL), LUC_OK);
    if (luc_graph_finish(g, &err))
        fail_msg("%s", err.text);
}

static struct luc_field field_of(const char *name, struct luc_arena *arena, struct luc_shape *shape)
{
    const struct luc_shape in = luc_shape4(1, 1, SIDE, SIDE);
    struct luc_infos x;
    struct luc_error err = { 0 };
    assert_int_equal(luc_infos_init(&x, g, &in, arena, NULL), LUC_OK);
    for (size_t i = 0; i < g->n_nodes; i++)
        if (luc_infer_node(&x, &g->nodes[i], &err))
            fail_msg("%s", err.text);
    struct luc_field *f = luc_arena_alloc(arena, g->n_values, sizeof(*f));
    luc_receptive_fields(&x, value("x"), f);
    *shape = x.info[value(name)].shape;
    return f[value(name)];
}

/* First and last pixel along both axes that unit (i, j) of `name` has a gradient to. */
static void reach(const char *name, size_t i, size_t j, struct luc_arena *arena, size_t first[2],
                  size_t last[2])
{
    const struct luc_shape in = luc_shape4(1, 1, SIDE, SIDE);
    const size_t seed = value(name), wrt = value("x");
    const struct luc_plan_spec spec = {
        .graph = g, .inputs = &in, .seeds = &seed, .n_seeds = 1, .wrt = &wrt, .n_wrt = 1
    };
    const struct luc_plan *plan;
    struct luc_exec *x;
    assert_int_equal(luc_plan_create(&spec, arena, &plan, NULL), LUC_OK);
    assert_int_equal(luc_exec_create(plan, arena, NULL, &x, NULL), LUC_OK);
    for (size_t k = 0; k < SIDE * SIDE; k++) /* no ties for a maximum */
        luc_exec_input(x, 0)->data[k] = (float)((k * 7919) % 1369);
    luc_exec_forward(x);
    struct luc_tensor *s = luc_exec_seed(x, seed);
    s->data[i * s->shape.dim[3] + j] = 1;
    luc_exec_backward(x, LUC_RELU_PLAIN);
    const float *d = luc_exec_grad(x, wrt)->data;
    first[0] = first[1] = SIDE;
    last[0] = last[1] = 0;
    for (size_t k = 0; k < SIDE * SIDE; k++) {
        const size_t at[2] = { k / SIDE, k % SIDE };
        for (size_t a = 0; a < 2 && d[k] != 0; a++) {
            first[a] = at[a] < first[a] ? at[a] : first[a];
            last[a] = at[a] > last[a] ? at[a] : last[a];
        }
    }
}

/* The field of a unit inside the picture is exactly what its gradient reaches. */
static void check_against_gradients(const char *name)
{
    struct luc_arena *arena = luc_arena_create(LIMIT);
    struct luc_shape shape;
    const struct luc_field f = field_of(name, arena, &shape);
    size_t n_inside = 0;
    assert_true(f.known && !f.whole);
    for (size_t i = 0; i < shape.dim[2]; i += 2) {
        const size_t j = shape.dim[3] - 1 - i % shape.dim[3], unit[2] = { i, j };
        size_t first[2], last[2];
        const struct luc_arena_mark mark = luc_arena_mark(arena);
        reach(name, i, j, arena, first, last);
        luc_arena_release(arena, mark);
        for (size_t a = 0; a < 2; a++) {
            const double start = f.start[a] + (double)unit[a] * f.stride[a];
            const double end = start + f.size[a];
            /* At the rim, part of a unit's window lies in the padding of a map on the way. */
            assert_true((double)first[a] >= start && (double)last[a] < end);
            if (start >= 0 && end <= SIDE) {
                assert_true((double)first[a] == start && (double)last[a] == end - 1);
                n_inside++;
            }
        }
    }
    assert_true(n_inside > 2);
    luc_arena_destroy(arena);
    g = luc_graph_destroy(g);
}

static void convolutions__match_where_gradients_go(void **state)
{
    (void)state;
    begin();
    conv("x", "a", 3, "1,1,1,1", "1,1", "1,1");
    node("Relu", "a", NULL, "b");
    conv("b", "c", 5, "2,0,1,3", "2,3", "1,1");
    conv("c", "d", 3, "2,2,2,2", "1,1", "2,2");
    finish("d");
    check_against_gradients("d");
}

static void branches__cover_the_larger_of_both(void **state)
{
    (void)state;
    begin();
    conv("x", "a", 1, "0,0,0,0", "2,2", "1,1");
    conv("x", "b", 7, "3,3,3,3", "2,2", "1,1");
    node("Add", "a", "b", "sum");
    finish("sum");
    check_against_gradients("sum");
}

static void auto_pad__is_known_from_the_shapes(void **state)
{
    (void)state;
    static const char *const modes[] = { "SAME_UPPER", "SAME_LOWER", "VALID" };
    for (size_t i = 0; i < 3; i++) {
        begin();
        void *attrs = node("Conv", "x", kernel(1, 1, 4), "a");
        set("Conv", attrs, "auto_pad", modes[i]);
        set("Conv", attrs, "strides", "2,2");
        finish("a");
        check_against_gradients("a");
    }
}

static void pooling__steps_like_a_convolution(void **state)
{
    (void)state;
    if (!luc_op_find("AveragePool")) {
        printf("skipped: needs operator AveragePool\n");
        skip();
    }
    begin();
    conv("x", "a", 3, "1,1,1,1", "1,1", "1,1");
    void *attrs = node("AveragePool", "a", NULL, "b");
    set("AveragePool", attrs, "kernel_shape", "3,3");
    set("AveragePool", attrs, "strides", "2,2");
    conv("b", "c", 3, "1,1,1,1", "1,1", "1,1");
    finish("c");
    check_against_gradients("c");
}

static void whole_picture__after_flattening(void **state)
{
    (void)state;
    struct luc_arena *arena = luc_arena_create(LIMIT);
    struct luc_shape shape;
    begin();
    conv("x", "a", 3, "1,1,1,1", "1,1", "1,1");
    node("Flatten", "a", NULL, "b");
    finish("b");
    assert_true(field_of("b", arena, &shape).whole);
    luc_arena_destroy(arena);
    g = luc_graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions__match_where_gradients_go),
        cmocka_unit_test(branches__cover_the_larger_of_both),
        cmocka_unit_test(auto_pad__is_known_from_the_shapes),
        cmocka_unit_test(pooling__steps_like_a_convolution),
        cmocka_unit_test(whole_picture__after_flattening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
