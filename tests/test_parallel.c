#include "core/base/parallel.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

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

static void run_turns_on(const struct luc_threads *threads)
{
    for (int turn = 0; turn < TURNS; turn++) {
        struct tally t = { 0 };
        luc_parallel_for(threads, ITEMS, hit, &t);
        for (size_t i = 0; i < ITEMS; i++)
            assert_int_equal(t.hits[i], 1);
        assert_int_equal(t.clashes, 0);
    }
}

static void run_turns(struct luc_pool *pool, size_t width)
{
    const struct luc_threads threads = { .pool = pool, .width = width };
    struct luc_threads team = luc_parallel_begin(&threads);
    run_turns_on(&team);
    luc_parallel_end(&team);
    run_turns_on(&threads);
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

static void rest_ms(long ms)
{
    nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/* Comes back when `expected` items are running at once, which takes as many threads. */
struct meeting {
    atomic_size_t n_here, n_missed;
    size_t expected;
};

static void meet(void *ctx, size_t item, size_t lane)
{
    struct meeting *m = ctx;
    (void)item, (void)lane;
    atomic_fetch_add(&m->n_here, 1);
    for (int ms = 0; atomic_load(&m->n_here) < m->expected; ms++) {
        if (ms == 10000) {
            atomic_fetch_add(&m->n_missed, 1);
            return;
        }
        rest_ms(1);
    }
}

static void parallel__sleeping_helpers_come_to_a_loop(void **state)
{
    (void)state;
    struct luc_pool *pool = luc_pool_create(2);
    const struct luc_threads threads = { .pool = pool, .width = 3 };
    for (int turn = 0; turn < 5; turn++) {
        struct meeting m = { .expected = 3 };
        rest_ms(5); /* they are asleep by then */
        luc_parallel_for(&threads, 3, meet, &m);
        assert_int_equal(m.n_missed, 0);
    }
    luc_pool_destroy(pool);
}

/* The last item, on whichever thread: long enough that who waits for it sleeps. */
static void dawdle(void *ctx, size_t item, size_t lane)
{
    (void)lane;
    rest_ms(item == 0 ? 0 : 4);
    atomic_fetch_add((atomic_int *)ctx, 1);
}

static void parallel__a_caller_that_sleeps_is_woken_by_its_last_helper(void **state)
{
    (void)state;
    struct luc_pool *pool = luc_pool_create(3);
    const struct luc_threads threads = { .pool = pool, .width = 4 };
    for (int turn = 0; turn < 30; turn++) {
        atomic_int done = 0;
        luc_parallel_for(&threads, 4, dawdle, &done);
        assert_int_equal(done, 4);
    }
    luc_pool_destroy(pool);
}

static void count_item(void *ctx, size_t item, size_t lane)
{
    (void)item, (void)lane;
    atomic_fetch_add((atomic_int *)ctx, 1);
}

static void parallel__more_runs_than_the_pool_can_help_run_alone(void **state)
{
    (void)state;
    struct luc_pool *pool = luc_pool_create(1);
    const struct luc_threads threads = { .pool = pool, .width = 2 };
    struct luc_threads team[40];
    for (size_t i = 0; i < 40; i++)
        team[i] = luc_parallel_begin(&threads);
    for (size_t i = 0; i < 40; i++) {
        atomic_int done = 0;
        luc_parallel_for(&team[i], 100, count_item, &done);
        assert_int_equal(done, 100);
    }
    for (size_t i = 0; i < 40; i++)
        luc_parallel_end(&team[i]);
    struct meeting m = { .expected = 2 };
    luc_parallel_for(&threads, 2, meet, &m); /* all were given back: there is help again */
    assert_int_equal(m.n_missed, 0);
    luc_pool_destroy(pool);
}

static void parallel__runs_without_threads_are_serial(void **state)
{
    (void)state;
    struct luc_threads team = luc_parallel_begin(NULL);
    atomic_int done = 0;
    luc_parallel_for(&team, 7, count_item, &done);
    luc_parallel_for(NULL, 7, count_item, &done);
    luc_parallel_end(&team);
    assert_int_equal(done, 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parallel__every_item_runs_once_and_lanes_never_clash),
        cmocka_unit_test(parallel__several_callers_share_one_pool),
        cmocka_unit_test(parallel__sleeping_helpers_come_to_a_loop),
        cmocka_unit_test(parallel__a_caller_that_sleeps_is_woken_by_its_last_helper),
        cmocka_unit_test(parallel__more_runs_than_the_pool_can_help_run_alone),
        cmocka_unit_test(parallel__runs_without_threads_are_serial),
    };
    return cmocka_run_group_tests_name("parallel", tests, NULL, NULL);
}
