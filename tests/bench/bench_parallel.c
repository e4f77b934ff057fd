/* bench_parallel THREADS: what a parallel loop costs, in microseconds, at once after the last loop
 * and after pauses: an empty body, and 8 items of 10 us beside their share (80 us / THREADS). */
#include "core/base/parallel.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SHORT_US 10
#define MOST     4000

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void nothing(void *ctx, size_t item, size_t lane)
{
    (void)ctx, (void)item, (void)lane;
}

static void some(void *ctx, size_t item, size_t lane)
{
    const double end = now_us() + SHORT_US;
    (void)ctx, (void)item, (void)lane;
    while (now_us() < end)
        ;
}

/* Long ones asleep, short ones at work. */
static void rest(double us)
{
    const double end = now_us() + us;
    if (us > 2000)
        nanosleep(&(struct timespec){ .tv_nsec = (long)(us * 1e3) }, NULL);
    while (now_us() < end)
        ;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const struct luc_threads *threads, const char *name, size_t items,
                    luc_parallel_body *body, double gap_us)
{
    static double took[MOST];
    const size_t n = gap_us > 2000 ? 60 : MOST;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        rest(gap_us);
        const double start = now_us();
        luc_parallel_for(threads, items, body, NULL);
        took[i] = now_us() - start;
        sum += took[i];
    }
    qsort(took, n, sizeof(took[0]), by_size);
    printf(
        "%-12s %3zu items after %6.0f us: mean %8.2f  p50 %8.2f  p90 %8.2f  p99 %8.2f  max %8.1f\n",
        name, items, gap_us, sum / (double)n, took[n / 2], took[n * 9 / 10], took[n * 99 / 100],
        took[n - 1]);
}

int main(int argc, char **argv)
{
    static const double gaps[] = { 0, 5, 50, 150, 500, 20000 };
    const size_t width = argc > 1 ? strtoul(argv[1], NULL, 10) : 2;
    const struct luc_threads threads = { .pool = luc_pool_create(width - 1), .width = width };
    for (size_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++) {
        measure(&threads, "empty", 2, nothing, gaps[g]);
        measure(&threads, "empty", 16, nothing, gaps[g]);
        measure(&threads, "10 us each", 8, some, gaps[g]);
    }
    luc_pool_destroy(threads.pool);
    return 0;
}
