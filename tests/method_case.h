/* method_case.h -- what tests of methods share: running one on the linear model with settings, and
 * cancelling it everywhere. */
#ifndef TESTS_METHOD_CASE_H
#define TESTS_METHOD_CASE_H

#include "tests/linear_model.h"

/* Pairs of key and text, ended by { NULL, NULL }. */
typedef const char *const settings[][2];
#define SETTINGS(...) ((settings){ __VA_ARGS__, { NULL, NULL } })

/* cmocka's setup and teardown: *state is a struct linear_model. */
int method_setup(void **state);
int method_teardown(void **state);

/* The method with defaults but for `set` (may be NULL). */
enum luc_status method_run(struct luc_run *run, const struct luc_method *method,
                           const char *const (*set)[2], struct luc_error *err);

/* Cancels at the first tick, the second, ... until the method gets through; at least `ticks`. */
void method_check_cancel(struct linear_model *m, const struct luc_method *method,
                         const char *const (*set)[2], int ticks);

/* Fails with LUC_`status` and names `param`. */
void method_check_refused(struct linear_model *m, const struct luc_method *method,
                          const char *const (*set)[2], enum luc_status status, const char *param);

/* The number, text or map under `key`; fails the test when it is not there. */
const struct luc_item *method_item(const struct linear_model *m, const char *key);

float linear_weight(const struct linear_model *m, size_t k, size_t c, size_t p);

#endif
