#include "core/base/parallel.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#define ITEMS 1000
#define TURNS 200

struct tally {
    atomic_int hits[ITEMS], lane_busy[8], clashes;
};

static void hit(void *ctx, size_t item, size_t lane)
{
    struct tally *t = ctx;
    if (atomic_fetch_add(&t->lane_busy[lane], 1) != 0)
        atomic_fetch_add(&t->clashes, 1);
    atomic_fetch_add(&t->hits[item], 1);
    atomic_fetch_sub(&t->lane_busy[lane], 1);
}

static void run_turns(struct luc_pool *pool, size_t width)
{
    const struct luc_threads threads = { .pool = pool, .width = width };
    for (int turn = 0; turn < TURNS; turn++) {
        struct tally t = { 0 };
        luc_parallel_for(&threads, ITEMS, hit, &t);
        for (size_t i = 0; i < ITEMS; i++)
            assert_int_equal(t.hits[i], 1);
        assert_int_equal(t.clashes, 0);
    }
}

static void parallel__every_item_runs_once_and_lanes_never_clash(void **state)
{
    (void)state;
    for (size_t width = 1; width <= 7; width += 2) {
        struct luc_pool *pool = luc_pool_create(width - 1);
        assert_non_null(pool);
        run_turns(pool, width);
        luc_pool_destroy(pool);
    }
}

static void *caller(void *pool)
{
    run_turns(pool, 3);
    return NULL;
}

static void parallel__several_callers_share_one_pool(void **state)
{
    (void)state;
    pthread_t callers[4];
    struct luc_pool *pool = luc_pool_create(2);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, caller, pool), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(callers[i], NULL);
    luc_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parallel__every_item_runs_once_and_lanes_never_clash),
        cmocka_unit_test(parallel__several_callers_share_one_pool),
    };
    return cmocka_run_group_tests_name("parallel", tests, NULL, NULL);
}
