#include "api/stored_job.h"
#include "tests/api_fake.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int make(void **state)
{
    struct api_fake *f = malloc(sizeof(*f));
    assert_non_null(f);
    api_fake_init(f);
    *state = f;
    return 0;
}

static int clear(void **state)
{
    api_fake_done(*state);
    free(*state);
    return 0;
}

/* Every parameter away from its default where its row allows that. */
static void turn_every_knob(struct api_job *job)
{
    const struct luc_param *rows;
    char text[64];
    for (size_t i = 0; (rows = api_method_table(job->what->method, i)); i++)
        for (const struct luc_param *row = rows; row->key; row++) {
            if (row->type == LUC_PARAM_TEXT || strcmp(row->key, "format") == 0)
                continue;
            if (row->type == LUC_PARAM_CHOICE)
                snprintf(text, sizeof(text), "%s", row->choices[(int)row->max]);
            else if (row->type == LUC_PARAM_REAL || row->type == LUC_PARAM_REALS)
                snprintf(text, sizeof(text), "%.15g", row->min + (row->max - row->min) / 3);
            else
                snprintf(text, sizeof(text), "%.15g", floor((row->min + row->max) / 2));
            assert_int_equal(api_params_set(&job->params, row->key, text, NULL), LUC_OK);
        }
}

static void job__of_any_method_is_the_same_after_storing(void **state)
{
    struct api_fake *f = *state;
    const struct api_method *what;
    for (size_t i = 0; (what = api_method_at(i)); i++) {
        struct api_job *job = NULL, *again = NULL;
        struct luc_str text = { 0 }, second = { 0 };
        struct luc_error err = { 0 };
        assert_int_equal(api_job_create(what, "id", &job, NULL), LUC_OK);
        turn_every_knob(job);
        for (size_t k = 0; k < what->method->images_min; k++)
            assert_int_equal(api_job_add_image(job, "a", f->png.data, f->png.len, 0, NULL), LUC_OK);
        assert_int_equal(api_job_choose_format(job, "application/json", NULL), LUC_OK);
        api_job_print(job, &text);
        if (api_job_read(text.data, &again, &err))
            fail_msg("%s: %s", what->method->name, err.text);
        api_job_print(again, &second);
        assert_string_equal(text.data, second.data);
        assert_int_equal(again->params.answer.quality, job->params.answer.quality);
        api_job_destroy(job);
        api_job_destroy(again);
        luc_str_done(&text);
        luc_str_done(&second);
    }
}

static void text__that_is_no_job_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{\"method\":\"nothing\"}",
        "{\"method\":\"saliency\",\"parameters\":{\"odd\":1},\"format\":\"png\",\"quality\":90,"
        "\"embed\":false}",
        "{\"method\":\"saliency\",\"parameters\":{},\"images\":[]}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct api_job *job = NULL;
        assert_int_not_equal(api_job_read(texts[i], &job, NULL), LUC_OK);
        assert_null(job);
    }
}

static void prefer__is_read_whatever_its_order(void **state)
{
    (void)state;
    assert_false(api_prefer_parse(NULL).async);
    assert_true(api_prefer_parse("respond-async").async);
    assert_true(api_prefer_parse("wait=10, Respond-Async").async);
    assert_true(api_prefer_parse("wait=10, respond-async").wait_s == 10);
    assert_true(api_prefer_parse("respond-async; wait=5").wait_s == 5);
    assert_true(api_prefer_parse("return=minimal").wait_s < 0);
    assert_true(api_prefer_parse("wait=-3").wait_s < 0);
}

static void time__is_printed_as_rfc_3339(void **state)
{
    char text[API_TIME_MAX];
    (void)state;
    api_time_print(1700000000123, text);
    assert_string_equal(text, "2023-11-14T22:13:20.123Z");
}

static void run__is_kept_in_every_type_the_method_offers(void **state)
{
    struct api_fake *f = *state;
    struct api_job *job = NULL;
    struct api_response answers[API_ANSWERS_MAX];
    size_t n = 0;
    const struct api_services services = { .env = &f->env };
    assert_int_equal(api_job_create(api_method_find("saliency"), "id", &job, NULL), LUC_OK);
    assert_int_equal(api_params_set(&job->params, "model", "linear", NULL), LUC_OK);
    assert_int_equal(api_job_add_image(job, "a", f->png.data, f->png.len, 0, NULL), LUC_OK);
    assert_int_equal(api_job_choose_format(job, NULL, NULL), LUC_OK);
    assert_int_equal(api_job_run_kept(job, &services, answers, &n), LUC_OK);
    assert_int_equal(n, 4);
    assert_string_equal(answers[0].type, "image/png");
    assert_string_equal(answers[2].type, "application/json");
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(answers[i].status, 200);
        api_response_done(&answers[i]);
    }
    assert_int_equal(api_params_set(&job->params, "target", "nosuchclass", NULL), LUC_OK);
    assert_int_not_equal(api_job_run_kept(job, &services, answers, &n), LUC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(answers[0].status, 400);
    api_response_done(&answers[0]);
    api_job_destroy(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(job__of_any_method_is_the_same_after_storing, make, clear),
        cmocka_unit_test_setup_teardown(text__that_is_no_job_is_refused, make, clear),
        cmocka_unit_test(prefer__is_read_whatever_its_order),
        cmocka_unit_test(time__is_printed_as_rfc_3339),
        cmocka_unit_test_setup_teardown(run__is_kept_in_every_type_the_method_offers, make, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
