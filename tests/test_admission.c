#include "server/jobs/admission.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static bool take_at_once(struct srv_memory *m, size_t bytes)
{
    const enum luc_status st = srv_memory_take(m, bytes, 0, NULL, NULL, NULL);
    assert_true(st == LUC_OK || st == LUC_BUSY);
    return st == LUC_OK;
}

static void jobs__leave_a_quarter_to_requests(void **state)
{
    (void)state;
    struct srv_memory *m = srv_memory_create(400);
    assert_int_equal(srv_memory_jobs_limit(m), 300);
    size_t held = srv_memory_hold(m);
    assert_int_equal(held, 300);
    srv_memory_settle(m, held, 300, 0);
    assert_int_equal(srv_memory_hold(m), 0);
    assert_true(take_at_once(m, 100));
    assert_false(take_at_once(m, 1));
    srv_memory_give(m, 100);
    srv_memory_give_job(m, 300);
    assert_true(take_at_once(m, 400)); /* and requests may have all while no job does */
    assert_int_equal(srv_memory_hold(m), 0);
    srv_memory_give(m, 400);
    const struct srv_memory_use use = srv_memory_use(m);
    assert_int_equal(use.jobs + use.requests + use.promised, 0);
    srv_memory_destroy(m);
}

static void request__that_never_fits_is_refused_with_the_numbers(void **state)
{
    (void)state;
    struct srv_memory *m = srv_memory_create(400);
    struct luc_error err = { 0 };
    assert_int_equal(srv_memory_take(m, 401, 100, NULL, NULL, &err), LUC_TOO_LARGE);
    assert_non_null(strstr(err.text, "401"));
    assert_non_null(strstr(err.text, "400"));
    srv_memory_destroy(m);
}

static void promise__keeps_requests_to_their_quarter(void **state)
{
    (void)state;
    struct srv_memory *m = srv_memory_create(400);
    assert_true(take_at_once(m, 150));
    size_t held = srv_memory_hold(m);
    assert_int_equal(held, 250);
    srv_memory_settle(m, held, 0, 300); /* nothing was claimed: the next job needs 300 */
    assert_false(take_at_once(m, 1));
    srv_memory_give(m, 150);
    assert_true(take_at_once(m, 100));
    assert_false(take_at_once(m, 1));
    held = srv_memory_hold(m);
    assert_int_equal(held, 300);          /* however many requests come, the job gets in */
    srv_memory_settle(m, held, 300, 300); /* and the one after it waits for it to end */
    srv_memory_give(m, 100);
    assert_true(take_at_once(m, 100));
    srv_memory_destroy(m);
}

struct asking {
    struct srv_memory *m;
    size_t bytes;
    atomic_int done;
};

static void *ask(void *arg)
{
    struct asking *a = arg;
    const enum luc_status st = srv_memory_take(a->m, a->bytes, 20, NULL, NULL, NULL);
    atomic_store(&a->done, st == LUC_OK ? 1 : -1);
    return NULL;
}

static void nap(long ms)
{
    nanosleep(&(struct timespec){ 0, ms * 1000000L }, NULL);
}

static void requests__are_let_in_in_order(void **state)
{
    (void)state;
    struct srv_memory *m = srv_memory_create(400);
    struct asking large = { .m = m, .bytes = 350 }, small = { .m = m, .bytes = 10 };
    pthread_t a, b;
    assert_true(take_at_once(m, 100));
    assert_int_equal(pthread_create(&a, NULL, ask, &large), 0);
    nap(200);
    assert_int_equal(pthread_create(&b, NULL, ask, &small), 0);
    nap(300);
    assert_int_equal(atomic_load(&large.done), 0);
    assert_int_equal(atomic_load(&small.done), 0); /* it would fit, but came later */
    srv_memory_give(m, 100);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    assert_int_equal(atomic_load(&large.done), 1);
    assert_int_equal(atomic_load(&small.done), 1);
    assert_int_equal(srv_memory_use(m).requests, 360);
    srv_memory_destroy(m);
}

static bool left(void *ctx)
{
    (void)ctx;
    return false;
}

static void request__that_is_not_wanted_any_more_gives_up(void **state)
{
    (void)state;
    struct srv_memory *m = srv_memory_create(400);
    assert_true(take_at_once(m, 400));
    assert_int_equal(srv_memory_take(m, 10, 100, left, NULL, NULL), LUC_BUSY);
    srv_memory_give(m, 400);
    assert_true(take_at_once(m, 10));
    srv_memory_destroy(m);
}

static void limit__is_half_of_the_machine_by_default(void **state)
{
    (void)state;
    struct srv_memory *m = srv_memory_create(0);
    const size_t all = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    assert_in_range(srv_memory_limit(m), 1, all / 2);
    srv_memory_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs__leave_a_quarter_to_requests),
        cmocka_unit_test(request__that_never_fits_is_refused_with_the_numbers),
        cmocka_unit_test(promise__keeps_requests_to_their_quarter),
        cmocka_unit_test(requests__are_let_in_in_order),
        cmocka_unit_test(request__that_is_not_wanted_any_more_gives_up),
        cmocka_unit_test(limit__is_half_of_the_machine_by_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
