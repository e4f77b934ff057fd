#include "api/json.h"
#include "api/problem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

json_t *api_json_number(double v)
{
    if (!isfinite(v))
        return json_null();
    return v == floor(v) && fabs(v) <= 0x1p53 ? json_integer((json_int_t)v) : json_real(v);
}

json_t *api_json_text(const char *text)
{
    json_t *made = json_string(text);
    const size_t n = strlen(text);
    char *plain = made ? NULL : malloc(n + 1);
    if (plain) {
        for (size_t i = 0; i <= n; i++)
            plain[i] = text[i] == '\0' || (text[i] >= ' ' && text[i] < 127) ? text[i] : '?';
        made = json_string(plain);
        free(plain);
    }
    return made ? made : json_null();
}

void api_json_set(json_t *object, const char *key, json_t *value)
{
    const int failed = json_object_set_new(object, key, value);
    (void)failed; /* out of memory: the key is missing */
}

static int append(const char *bytes, size_t n, void *to)
{
    luc_str_put(to, bytes, n);
    return 0;
}

void api_json_print(const json_t *value, bool canonical, struct luc_str *out)
{
    const size_t flags = JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY |
                         (canonical ? JSON_COMPACT | JSON_SORT_KEYS : JSON_INDENT(2));
    if (!value || json_dump_callback(value, append, out, flags) != 0)
        out->failed = true;
}

void api_answer_json(struct api_response *res, const struct api_request *req, json_t *value)
{
    res->status = 200;
    res->type = "application/json";
    api_json_print(value, false, &res->body);
    luc_str_puts(&res->body, "\n");
    json_decref(value);
    if (res->body.failed)
        api_refuse(res, req, API_PROBLEM_INTERNAL, "out of memory while writing JSON");
}
