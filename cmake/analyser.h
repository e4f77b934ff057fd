/* Seen by clang-tidy alone (tests/lint.sh puts it before every file but status.c): the luc_fail*
 * functions return the code they are given, which is never LUC_OK. Without this every check of a
 * status looks as if success could follow a failure. */
#include "core/base/status.h"

#define luc_fail(err, code, ...) ((void)luc_fail(err, code, __VA_ARGS__), (code))
#define luc_fail_param(err, code, param, ...)                                                      \
    ((void)luc_fail_param(err, code, param, __VA_ARGS__), (code))
#define luc_fail_nomem(err, what, bytes) ((void)luc_fail_nomem(err, what, bytes), LUC_NOMEM)
