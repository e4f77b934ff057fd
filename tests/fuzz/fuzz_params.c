/* Lines "key=value", set in turn on every method; then an Accept header: the last line. What was
 * accepted must print and be accepted again as printed. */
#include "api/job.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void check_again(const struct api_params *p, const char *key)
{
    json_t *all = api_params_json(p), *value = json_object_get(all, key), *second = NULL;
    char *number = json_is_number(value) ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    const char *text = number ? number : json_string_value(value);
    struct api_params again;
    struct luc_error err;
    if (text && api_params_init(&again, p->method, &err) == LUC_OK) {
        if (api_params_set(&again, key, text, &err) != LUC_OK)
            abort();
        second = api_params_json(&again);
        if (!json_equal(value, json_object_get(second, key)))
            abort();
        api_params_done(&again);
    }
    free(number);
    json_decref(second);
    json_decref(all);
}

static void one_method(const struct api_method *what, char *text)
{
    struct api_job *job = NULL;
    struct luc_error err;
    struct luc_str out = { 0 };
    char *accept = text;
    if (api_job_create(what, "fuzz", &job, &err) != LUC_OK)
        return;
    for (char *at = text; *at;) {
        char *end = at + strcspn(at, "\n"), *next = *end ? end + 1 : end;
        *end = '\0';
        char *equals = strchr(at, '=');
        accept = at;
        if (equals) {
            *equals = '\0';
            if (api_params_set(&job->params, at, equals + 1, &err) == LUC_OK)
                check_again(&job->params, at);
            *equals = '=';
        }
        at = next;
    }
    if (api_job_choose_format(job, accept, &err) == LUC_OK && api_job_check(job, &err) == LUC_OK)
        api_job_print(job, &out);
    luc_str_done(&out);
    api_job_destroy(job);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; api_method_at(i); i++) {
        char *text = malloc(size + 1);
        if (!text)
            return 0;
        if (size)
            memcpy(text, data, size);
        text[size] = '\0';
        one_method(api_method_at(i), text);
        free(text);
    }
    return 0;
}
