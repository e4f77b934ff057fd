/* bench_common.h -- what the programs that bench.py starts share: the network, the clock, and the
 * conversation. Each prints "ready" and a JSON object once loaded and warm, then milliseconds for
 * each line read, and the process's peak memory at the end. */
#ifndef TESTS_BENCH_COMMON_H
#define TESTS_BENCH_COMMON_H

#include "core/base/parallel.h"
#include "core/model/model.h"

#define BENCH_LIMIT ((size_t)8 << 30) /* bytes */

/* Says what went wrong, `err` (may be NULL) included, and exits. */
_Noreturn void bench_die(const char *what, const struct luc_error *err);
double bench_now_ms(void);
/* To be called first: starts the program again with the kernels that the server would use. */
void bench_settle(char **argv);
/* resnet50 (the pulled one, below LUCIDA_TEST_MODELS) or FILE.onnx; its pictures are plain numbers. */
struct luc_model *bench_load(const char *network);
struct luc_threads bench_threads(size_t width);
/* What the nth node (from 0) of an operator puts out. */
size_t bench_output_of(const struct luc_model *m, const char *op, size_t nth);

/* Three turns. */
void bench_warm_up(void (*turn)(void *ctx), void *ctx);
/* A turn for each line read. `gflop`: of a turn; 0: not known. */
void bench_converse(void (*turn)(void *ctx), void *ctx, double gflop);

#endif
