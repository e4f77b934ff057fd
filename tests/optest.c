#include "tests/optest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The caller frees ->attrs. */
static struct gradcheck make(const struct optest *t)
{
    struct gradcheck g = { .op = luc_op_find(t->op),
                           .opset = t->opset,
                           .n_in = t->n_in,
                           .n_out = t->n_out,
                           .relu_rule = t->rule,
                           .softplus = t->softplus,
                           .tol = t->tol };
    if (!g.op)
        fail_msg("no operator %s", t->op);
    memcpy(g.in, t->in, sizeof(g.in));
    if (!g.op->attrs_size)
        return g;

    void *attrs = calloc(1, g.op->attrs_size);
    char text[256], *rest = text;
    assert_non_null(attrs);
    luc_params_default(g.op->attrs, attrs);
    snprintf(text, sizeof(text), "%s", t->attrs ? t->attrs : "");
    for (char *key; (key = strtok_r(rest, " ", &rest));) {
        struct luc_error err = { 0 };
        char *value = strchr(key, '=');
        assert_non_null(value);
        *value++ = '\0';
        if (luc_param_set(g.op->attrs, key, value, attrs, &err) != LUC_OK)
            fail_msg("%s: %s", t->op, err.text);
    }
    g.attrs = attrs;
    return g;
}

static void done(struct gradcheck *g)
{
    union {
        const void *in;
        void *out;
    } attrs = { g->attrs };
    free(attrs.out);
}

static void check_out(const struct optest *t, const struct luc_tensor *out, size_t k)
{
    char a[LUC_SHAPE_TEXT], b[LUC_SHAPE_TEXT];
    if (!luc_shape_equal(&out->shape, &t->shape[k]))
        fail_msg("%s: output %zu is %s, want %s", t->op, k, luc_shape_print(&out->shape, a),
                 luc_shape_print(&t->shape[k], b));
    if (t->want[k])
        assert_close(t->op, out->data, t->want[k], luc_numel(&out->shape), t->tol ? t->tol : 1e-6);
}

void optest_values(const struct optest *t)
{
    struct gradcheck g = make(t);
    struct op_rig r;
    op_rig_init(&r, &g);
    op_rig_forward(&r);
    assert_int_equal(r.out[0].dtype, t->dtype);
    for (size_t k = 0; k < (t->n_out ? t->n_out : 1); k++)
        check_out(t, &r.out[k], k);
    op_rig_done(&r);
    done(&g);
}

void optest_gradient(const struct optest *t)
{
    struct gradcheck g = make(t);
    gradcheck_run(&g);
    gradcheck_threads(&g);
    done(&g);
}

void optest_threads(const struct optest *t)
{
    struct gradcheck g = make(t);
    gradcheck_threads(&g);
    done(&g);
}

void optest_refuses(const struct optest *t, enum luc_status code, const char *word)
{
    struct gradcheck g = make(t);
    struct luc_error err = { 0 };
    const enum luc_status st = op_infer(&g, &err);
    if (st != code || !strstr(err.text, word))
        fail_msg("%s: '%s' (%s), want %s about '%s'", t->op, err.text, luc_status_text(st),
                 luc_status_text(code), word);
    done(&g);
}
