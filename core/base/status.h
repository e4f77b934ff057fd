/* status.h -- the error vocabulary shared by every layer.
 *
 * A function that can fail returns enum luc_status and takes `struct luc_error *err` last.
 * On failure it fills *err (err may be NULL) and leaves every other output untouched.
 * Nothing below server/ prints, logs or ends the process.
 */
#ifndef LUC_BASE_STATUS_H
#define LUC_BASE_STATUS_H

#define LUC_STATUS_MAP(X)                                                                          \
    X(OK, "ok")                                                                                    \
    X(INVALID, "invalid argument")                                                                 \
    X(RANGE, "value out of range")                                                                 \
    X(NOT_FOUND, "not found")                                                                      \
    X(SHAPE, "tensor shapes do not fit")                                                           \
    X(UNSUPPORTED, "not supported")                                                                \
    X(FORMAT, "malformed input")                                                                   \
    X(TOO_LARGE, "over a limit")                                                                   \
    X(NOMEM, "out of memory")                                                                      \
    X(BUSY, "no capacity")                                                                         \
    X(CANCELLED, "cancelled")                                                                      \
    X(IO, "input or output failed")                                                                \
    X(INTERNAL, "internal error")

enum luc_status {
#define X(name, text) LUC_##name,
    LUC_STATUS_MAP(X)
#undef X
};

#define LUC_ERROR_TEXT  256 /* bytes, NUL included */
#define LUC_ERROR_PARAM 48

struct luc_error {
    enum luc_status code;
    char text[LUC_ERROR_TEXT];   /* a sentence a person can act on; never parsed */
    char param[LUC_ERROR_PARAM]; /* the parameter at fault, or "" */
};

#define LUC_MUST_USE          __attribute__((warn_unused_result))
#define LUC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Fills *err, clears err->param and returns `code`, so that a failing path is one line:
 *     return luc_fail(err, LUC_SHAPE, "want rank 4, got %zu", rank); */
enum luc_status luc_fail(struct luc_error *err, enum luc_status code, const char *fmt, ...)
    LUC_PRINTF(3, 4);

/* The same, naming the parameter at fault. */
enum luc_status luc_fail_param(struct luc_error *err, enum luc_status code, const char *param,
                               const char *fmt, ...) LUC_PRINTF(4, 5);

/* A failed allocation of `bytes` for `what`. */
enum luc_status luc_fail_nomem(struct luc_error *err, const char *what, unsigned long long bytes);

/* Short constant text for a code ("out of memory"). Never NULL. */
const char *luc_status_text(enum luc_status code);

#endif
