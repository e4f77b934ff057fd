/* json.h -- small helpers over jansson; values it cannot make become null or are left out. */
#ifndef API_JSON_H
#define API_JSON_H

#include "api/api.h"

#include <jansson.h>

/* A whole number up to 2^53 as an integer, other finite numbers as they are, the rest as null. */
json_t *api_json_number(double v);
/* Invalid UTF-8 becomes '?'. */
json_t *api_json_text(const char *text);
/* Takes `value`. */
void api_json_set(json_t *object, const char *key, json_t *value);
/* Appends the document; a failure shows in out->failed. Compact with sorted keys when canonical. */
void api_json_print(const json_t *value, bool canonical, struct luc_str *out);
/* Makes *res a 200 of application/json and takes `value`. */
void api_answer_json(struct api_response *res, const struct api_request *req, json_t *value);

#endif
