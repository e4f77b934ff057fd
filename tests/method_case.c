#include "tests/method_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

int method_setup(void **state)
{
    struct linear_model *m = malloc(sizeof(*m));
    linear_model_init(m);
    *state = m;
    return 0;
}

int method_teardown(void **state)
{
    linear_model_done(*state);
    free(*state);
    return 0;
}

enum luc_status method_run(struct luc_run *run, const struct luc_method *method,
                           const char *const (*set)[2], struct luc_error *err)
{
    void *params = calloc(1, method->params_size);
    luc_params_default(method->params, params);
    for (; set && (*set)[0]; set++)
        assert_int_equal(luc_param_set(method->params, (*set)[0], (*set)[1], params, NULL), LUC_OK);
    const enum luc_status st = luc_method_run(method, run, params, err);
    free(params);
    return st;
}

static bool refuse(void *ctx, double progress)
{
    int *left = ctx;
    assert_true(progress >= 0 && progress <= 1);
    return (*left)-- > 0;
}

void method_check_cancel(struct linear_model *m, const struct luc_method *method,
                         const char *const (*set)[2], int ticks)
{
    enum luc_status st = LUC_CANCELLED;
    int after = 0;
    for (; st == LUC_CANCELLED && after < 1000; after++) {
        int left = after;
        linear_model_again(m);
        m->run.tick = refuse;
        m->run.tick_ctx = &left;
        st = method_run(&m->run, method, set, NULL);
        assert_true(st == LUC_CANCELLED || st == LUC_OK);
    }
    assert_int_equal(st, LUC_OK);
    assert_true(after > ticks);
}

void method_check_refused(struct linear_model *m, const struct luc_method *method,
                          const char *const (*set)[2], enum luc_status status, const char *param)
{
    struct luc_error err = { 0 };
    linear_model_again(m);
    assert_int_equal(method_run(&m->run, method, set, &err), status);
    assert_string_equal(err.param, param);
    assert_null(m->result.first);
}

const struct luc_item *method_item(const struct linear_model *m, const char *key)
{
    const struct luc_item *it = luc_result_find(&m->result, key);
    if (!it)
        fail_msg("no %s in the result", key);
    return it;
}

float linear_weight(const struct linear_model *m, size_t k, size_t c, size_t p)
{
    return m->weights[k * LINEAR_PIXELS + c * LINEAR_SIZE * LINEAR_SIZE + p];
}
