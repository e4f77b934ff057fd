#include "server/store/store.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define LEASE_S 60.0

struct kept {
    char data[64];
    struct srv_store *store;
    struct srv_blobs *blobs;
    struct luc_error err;
};

static void nap_ms(long ms)
{
    nanosleep(&(struct timespec){ 0, ms * 1000000L }, NULL);
}

/* What every store must do is asked of each of these. */
static const struct back_end {
    const char *name;
    enum luc_status (*open)(const char *data, struct srv_store **store, struct luc_error *err);
} back_ends[] = { { "sqlite", srv_store_sqlite } };

static const struct back_end *back_end = back_ends;

static void open_all(struct kept *k)
{
    assert_int_equal(back_end->open(k->data, &k->store, &k->err), LUC_OK);
    assert_int_equal(srv_blobs_open(k->data, &k->blobs, &k->err), LUC_OK);
}

static void close_all(struct kept *k)
{
    k->store = srv_store_close(k->store);
    k->blobs = srv_blobs_close(k->blobs);
}

static int make(void **state)
{
    struct kept *k = calloc(1, sizeof(*k));
    assert_non_null(k);
    strcpy(k->data, "/tmp/lucida-store-XXXXXX");
    assert_non_null(mkdtemp(k->data));
    open_all(k);
    *state = k;
    return 0;
}

static int clear(void **state)
{
    struct kept *k = *state;
    char command[128];
    close_all(k);
    snprintf(command, sizeof(command), "rm -rf '%s'", k->data);
    assert_int_equal(system(command), 0);
    free(k);
    return 0;
}

static enum luc_status put_job(struct kept *k, const char *id, const char *key, const char *hash,
                               char got[API_ID_MAX], enum api_submitted *how)
{
    const struct srv_new_job job = { .id = id,
                                     .method = "occlusion",
                                     .spec = "{}",
                                     .key = key,
                                     .key_hash = hash,
                                     .lane = SRV_LANE_SLOW,
                                     .bytes = 100,
                                     .max_queued = 1000 };
    return k->store->kind->submit(k->store, &job, got, how, &k->err);
}

static void add(struct kept *k, const char *id)
{
    char got[API_ID_MAX];
    enum api_submitted how;
    assert_int_equal(put_job(k, id, NULL, NULL, got, &how), LUC_OK);
    assert_string_equal(got, id);
    assert_int_equal(how, API_SUBMITTED_NEW);
}

static struct srv_claimed take(struct srv_store *s, const char *owner, double lease_s)
{
    struct srv_claimed got = { 0 };
    const struct srv_claim_ask ask = { .owner = owner,
                                       .lanes = SRV_LANE_QUICK | SRV_LANE_SLOW,
                                       .lease_s = lease_s,
                                       .free_bytes = SIZE_MAX,
                                       .most_bytes = SIZE_MAX,
                                       .most_running = SIZE_MAX,
                                       .max_lost = 3,
                                       .lost_to = "{\"title\":\"lost\"}" };
    assert_int_equal(s->kind->claim(s, &ask, &got, NULL), LUC_OK);
    free(got.spec);
    return got;
}

static enum api_state state_of(struct kept *k, const char *id)
{
    struct api_job_row row;
    assert_int_equal(k->store->kind->get(k->store, id, &row, &k->err), LUC_OK);
    const enum api_state st = row.state;
    api_job_row_done(&row);
    return st;
}

static enum luc_status finish(struct kept *k, const struct srv_claim *c, enum api_state state)
{
    const struct srv_outcome o = { .state = state, .keep_s = 100 };
    return k->store->kind->finish(k->store, c, &o, &k->err);
}

static void jobs__are_claimed_oldest_first_and_end_once(void **state)
{
    struct kept *k = *state;
    struct api_job_row row;
    add(k, "a"), add(k, "b");
    assert_int_equal(k->store->kind->get(k->store, "b", &row, &k->err), LUC_OK);
    assert_int_equal(row.queue_position, 2);
    api_job_row_done(&row);
    const struct srv_claimed a = take(k->store, "me", LEASE_S), b = take(k->store, "me", LEASE_S);
    assert_string_equal(a.claim.id, "a");
    assert_string_equal(b.claim.id, "b");
    assert_int_equal(a.claim.attempt, 1);
    assert_string_equal(take(k->store, "me", LEASE_S).claim.id, "");
    assert_int_equal(finish(k, &a.claim, API_STATE_succeeded), LUC_OK);
    assert_int_equal(state_of(k, "a"), API_STATE_succeeded);
    assert_int_equal(finish(k, &a.claim, API_STATE_failed), LUC_CANCELLED);
    assert_int_equal(state_of(k, "a"), API_STATE_succeeded);
    assert_int_equal(state_of(k, "b"), API_STATE_running);
}

static void lease__that_ran_out_makes_late_results_refused(void **state)
{
    struct kept *k = *state;
    bool cancel = false;
    add(k, "a");
    const struct srv_claimed first = take(k->store, "me", 0.02);
    nap_ms(40);
    const struct srv_claimed second = take(k->store, "me", LEASE_S);
    assert_string_equal(second.claim.id, "a");
    assert_int_equal(second.claim.attempt, 2);
    assert_int_equal(k->store->kind->beat(k->store, &first.claim, LEASE_S, &cancel, &k->err),
                     LUC_CANCELLED);
    const struct srv_report r = { .progress = 0.5, .eta_s = 1 };
    assert_int_equal(k->store->kind->report(k->store, &first.claim, &r, &k->err), LUC_CANCELLED);
    assert_int_equal(k->store->kind->checkpoint(k->store, &first.claim, "x", &k->err),
                     LUC_CANCELLED);
    assert_int_equal(finish(k, &first.claim, API_STATE_succeeded), LUC_CANCELLED);
    assert_int_equal(k->store->kind->release(k->store, &first.claim, &k->err), LUC_CANCELLED);
    assert_int_equal(state_of(k, "a"), API_STATE_running);
    assert_int_equal(finish(k, &second.claim, API_STATE_succeeded), LUC_OK);
}

static void heartbeat__keeps_a_lease_and_hears_of_cancelling(void **state)
{
    struct kept *k = *state;
    bool cancel = true;
    enum api_state was;
    add(k, "a");
    const struct srv_claimed a = take(k->store, "me", 0.02);
    assert_int_equal(k->store->kind->beat(k->store, &a.claim, LEASE_S, &cancel, &k->err), LUC_OK);
    assert_false(cancel);
    nap_ms(40);
    assert_string_equal(take(k->store, "other", LEASE_S).claim.id, "");
    assert_int_equal(k->store->kind->cancel(k->store, "a", &was, &k->err), LUC_OK);
    assert_int_equal(was, API_STATE_running);
    assert_int_equal(k->store->kind->beat(k->store, &a.claim, LEASE_S, &cancel, &k->err), LUC_OK);
    assert_true(cancel);
    /* Too late to succeed: who cancelled was told so. */
    assert_int_equal(finish(k, &a.claim, API_STATE_succeeded), LUC_OK);
    assert_int_equal(state_of(k, "a"), API_STATE_cancelled);
}

static void cancel__ends_what_waits_and_refuses_what_has_ended(void **state)
{
    struct kept *k = *state;
    enum api_state was;
    add(k, "a");
    assert_int_equal(k->store->kind->cancel(k->store, "a", &was, &k->err), LUC_OK);
    assert_int_equal(state_of(k, "a"), API_STATE_cancelled);
    assert_int_equal(k->store->kind->cancel(k->store, "a", &was, &k->err), LUC_OK);
    assert_string_equal(take(k->store, "me", LEASE_S).claim.id, "");
    add(k, "b");
    const struct srv_claimed b = take(k->store, "me", LEASE_S);
    assert_int_equal(finish(k, &b.claim, API_STATE_failed), LUC_OK);
    assert_int_equal(k->store->kind->cancel(k->store, "b", &was, &k->err), LUC_INVALID);
    assert_int_equal(k->store->kind->cancel(k->store, "none", &was, &k->err), LUC_NOT_FOUND);
}

static void cancelled__job_of_a_lost_holder_is_not_run_again(void **state)
{
    struct kept *k = *state;
    enum api_state was;
    add(k, "a");
    take(k->store, "gone", 0.02);
    assert_int_equal(k->store->kind->cancel(k->store, "a", &was, &k->err), LUC_OK);
    nap_ms(40);
    assert_string_equal(take(k->store, "me", LEASE_S).claim.id, "");
    assert_int_equal(state_of(k, "a"), API_STATE_cancelled);
}

static void job__that_loses_its_holder_too_often_fails(void **state)
{
    struct kept *k = *state;
    size_t n = 0;
    struct api_job_row row;
    add(k, "a");
    for (int i = 0; i < 4; i++) {
        assert_string_equal(take(k->store, "gone", LEASE_S).claim.id, "a");
        assert_int_equal(k->store->kind->release_owner(k->store, "gone", &n, &k->err), LUC_OK);
        assert_int_equal(n, 1);
    }
    assert_string_equal(take(k->store, "me", LEASE_S).claim.id, "");
    assert_int_equal(k->store->kind->get(k->store, "a", &row, &k->err), LUC_OK);
    assert_int_equal(row.state, API_STATE_failed);
    assert_string_equal(row.error, "{\"title\":\"lost\"}");
    api_job_row_done(&row);
}

static void key__gives_the_same_job_or_a_conflict(void **state)
{
    struct kept *k = *state;
    char got[API_ID_MAX];
    enum api_submitted how;
    assert_int_equal(put_job(k, "a", "key", "h1", got, &how), LUC_OK);
    assert_int_equal(how, API_SUBMITTED_NEW);
    assert_int_equal(put_job(k, "b", "key", "h1", got, &how), LUC_OK);
    assert_int_equal(how, API_SUBMITTED_BEFORE);
    assert_string_equal(got, "a");
    assert_int_equal(put_job(k, "c", "key", "h2", got, &how), LUC_OK);
    assert_int_equal(how, API_SUBMITTED_OTHER_BODY);
    struct api_job_row row;
    assert_int_equal(k->store->kind->get(k->store, "b", &row, &k->err), LUC_NOT_FOUND);
}

static void queue__that_is_full_refuses(void **state)
{
    struct kept *k = *state;
    char got[API_ID_MAX];
    enum api_submitted how;
    const struct srv_new_job job = {
        .id = "b", .method = "m", .spec = "{}", .lane = SRV_LANE_QUICK, .max_queued = 1
    };
    add(k, "a");
    assert_int_equal(k->store->kind->submit(k->store, &job, got, &how, &k->err), LUC_BUSY);
    take(k->store, "me", LEASE_S);
    assert_int_equal(k->store->kind->submit(k->store, &job, got, &how, &k->err), LUC_OK);
}

static void claim__respects_lanes_and_memory(void **state)
{
    struct kept *k = *state;
    struct srv_claimed got = { 0 };
    struct srv_claim_ask ask = { .owner = "me",
                                 .lanes = SRV_LANE_QUICK,
                                 .lease_s = LEASE_S,
                                 .free_bytes = 99,
                                 .most_bytes = SIZE_MAX,
                                 .most_running = SIZE_MAX,
                                 .max_lost = 3 };
    add(k, "a"); /* slow, 100 bytes */
    assert_int_equal(k->store->kind->claim(k->store, &ask, &got, &k->err), LUC_OK);
    assert_null(got.spec);
    ask.lanes = SRV_LANE_SLOW;
    assert_int_equal(k->store->kind->claim(k->store, &ask, &got, &k->err), LUC_OK);
    assert_null(got.spec);
    ask.free_bytes = 100;
    assert_int_equal(k->store->kind->claim(k->store, &ask, &got, &k->err), LUC_OK);
    assert_string_equal(got.claim.id, "a");
    free(got.spec);
}

struct racer {
    const char *data;
    char owner[16];
    size_t n;
};

static void *race(void *arg)
{
    struct racer *r = arg;
    struct srv_store *s = NULL;
    assert_int_equal(back_end->open(r->data, &s, NULL), LUC_OK);
    for (;;) {
        const struct srv_claimed got = take(s, r->owner, LEASE_S);
        if (!got.claim.id[0])
            break;
        const struct srv_outcome o = { .state = API_STATE_succeeded, .keep_s = 1 };
        assert_int_equal(got.claim.attempt, 1);
        assert_int_equal(s->kind->finish(s, &got.claim, &o, NULL), LUC_OK);
        r->n++;
    }
    srv_store_close(s);
    return NULL;
}

static void claims__of_many_at_once_give_each_job_once(void **state)
{
    struct kept *k = *state;
    enum { N_RACERS = 4, N_JOBS = 80 };
    struct racer r[N_RACERS];
    pthread_t thread[N_RACERS];
    size_t n = 0, by_state[API_N_STATES];
    for (int i = 0; i < N_JOBS; i++) {
        char id[16];
        snprintf(id, sizeof(id), "j%d", i);
        add(k, id);
    }
    for (int i = 0; i < N_RACERS; i++) {
        r[i] = (struct racer){ .data = k->data };
        snprintf(r[i].owner, sizeof(r[i].owner), "o%d", i);
        assert_int_equal(pthread_create(&thread[i], NULL, race, &r[i]), 0);
    }
    for (int i = 0; i < N_RACERS; i++) {
        pthread_join(thread[i], NULL);
        n += r[i].n;
    }
    assert_int_equal(n, N_JOBS);
    assert_int_equal(k->store->kind->counts(k->store, by_state, &k->err), LUC_OK);
    assert_int_equal(by_state[API_STATE_succeeded], N_JOBS);
    assert_int_equal(k->store->kind->check(k->store, &k->err), LUC_OK);
}

static void note_event(void *ctx, const struct srv_event *e)
{
    char *text = ctx;
    snprintf(text + strlen(text), 512 - strlen(text), "%lld:%s ", (long long)e->n, e->kind);
}

static void events__are_numbered_and_replayed(void **state)
{
    struct kept *k = *state;
    char text[512] = "";
    const struct srv_report r = { .progress = 0.5, .step = 3, .eta_s = -1, .preview = "p" };
    add(k, "a");
    const struct srv_claimed a = take(k->store, "me", LEASE_S);
    assert_int_equal(k->store->kind->report(k->store, &a.claim, &r, &k->err), LUC_OK);
    assert_int_equal(finish(k, &a.claim, API_STATE_succeeded), LUC_OK);
    assert_int_equal(k->store->kind->events(k->store, "a", 0, note_event, text, &k->err), LUC_OK);
    assert_string_equal(text, "1:state 2:state 3:progress 4:preview 5:state ");
    text[0] = '\0';
    assert_int_equal(k->store->kind->events(k->store, "a", 3, note_event, text, &k->err), LUC_OK);
    assert_string_equal(text, "4:preview 5:state ");
}

static void events__of_progress_do_not_pile_up(void **state)
{
    struct kept *k = *state;
    char text[512] = "";
    add(k, "a");
    const struct srv_claimed a = take(k->store, "me", LEASE_S);
    for (int i = 0; i < SRV_EVENTS_KEPT + 10; i++) {
        const struct srv_report r = { .progress = 0.001 * i, .eta_s = -1 };
        assert_int_equal(k->store->kind->report(k->store, &a.claim, &r, &k->err), LUC_OK);
    }
    assert_int_equal(k->store->kind->events(k->store, "a", 0, note_event, text, &k->err), LUC_OK);
    assert_memory_equal(text, "1:state 2:state 13:progress ", 28);
}

static void count_rows(void *to, const struct api_job_row *row)
{
    char *text = to;
    snprintf(text + strlen(text), 64 - strlen(text), "%s%lld ", row->id, (long long)row->cursor);
}

static void list__goes_on_where_it_stopped(void **state)
{
    struct kept *k = *state;
    char text[64] = "";
    add(k, "a"), add(k, "b"), add(k, "c");
    take(k->store, "me", LEASE_S);
    const struct srv_store_kind *s = k->store->kind;
    assert_int_equal(s->list(k->store, "", API_N_STATES, 0, 2, count_rows, text, &k->err), LUC_OK);
    assert_string_equal(text, "c3 b2 ");
    text[0] = '\0';
    assert_int_equal(s->list(k->store, "", API_N_STATES, 2, 2, count_rows, text, &k->err), LUC_OK);
    assert_string_equal(text, "a1 ");
    text[0] = '\0';
    assert_int_equal(s->list(k->store, "", API_STATE_running, 0, 9, count_rows, text, &k->err),
                     LUC_OK);
    assert_string_equal(text, "a1 ");
}

static void list__shows_an_owner_its_own_jobs(void **state)
{
    struct kept *k = *state;
    const struct srv_new_job job = {
        .id = "hers", .who = "her", .method = "occlusion", .spec = "{}", .max_queued = 10
    };
    char got[API_ID_MAX], text[64] = "";
    enum api_submitted how;
    add(k, "mine");
    assert_int_equal(k->store->kind->submit(k->store, &job, got, &how, &k->err), LUC_OK);
    const struct srv_store_kind *s = k->store->kind;
    assert_int_equal(s->list(k->store, "her", API_N_STATES, 0, 9, count_rows, text, &k->err),
                     LUC_OK);
    assert_string_equal(text, "hers2 ");
    text[0] = '\0';
    assert_int_equal(s->list(k->store, "", API_N_STATES, 0, 9, count_rows, text, &k->err), LUC_OK);
    assert_string_equal(text, "mine1 ");
    struct api_job_row row;
    assert_int_equal(s->get(k->store, "hers", &row, &k->err), LUC_OK);
    assert_string_equal(row.owner, "her");
    api_job_row_done(&row);
}

static void add_sized(struct kept *k, const char *id, const char *who, size_t bytes)
{
    const struct srv_new_job job = { .id = id,
                                     .who = who,
                                     .method = "occlusion",
                                     .spec = "{}",
                                     .lane = SRV_LANE_SLOW,
                                     .bytes = bytes,
                                     .max_queued = 1000 };
    char got[API_ID_MAX];
    enum api_submitted how;
    assert_int_equal(k->store->kind->submit(k->store, &job, got, &how, &k->err), LUC_OK);
}

/* Claims with this much memory; "" when there is nothing. */
static struct srv_claimed take_as(struct kept *k, size_t free_bytes, size_t most_bytes,
                                  size_t most_running)
{
    struct srv_claimed got = { 0 };
    const struct srv_claim_ask ask = { .owner = "me",
                                       .lanes = SRV_LANE_SLOW,
                                       .lease_s = LEASE_S,
                                       .free_bytes = free_bytes,
                                       .most_bytes = most_bytes,
                                       .most_running = most_running,
                                       .max_lost = 3,
                                       .large_to = "{\"title\":\"large\"}",
                                       .keep_s = 100 };
    assert_int_equal(k->store->kind->claim(k->store, &ask, &got, &k->err), LUC_OK);
    free(got.spec);
    return got;
}

static struct srv_claimed take_sized(struct kept *k, size_t free_bytes, size_t most_running)
{
    return take_as(k, free_bytes, 1000, most_running);
}

static void claim__lets_small_jobs_pass_a_large_one_but_not_forever(void **state)
{
    struct kept *k = *state;
    char id[32];
    add_sized(k, "large", "", 500);
    for (int i = 0; i < SRV_PASSES_MAX + 2; i++) {
        snprintf(id, sizeof(id), "small%d", i);
        add_sized(k, id, "", 10);
    }
    for (int i = 0; i < SRV_PASSES_MAX; i++) {
        const struct srv_claimed got = take_sized(k, 100, SIZE_MAX);
        snprintf(id, sizeof(id), "small%d", i);
        assert_string_equal(got.claim.id, id);
        assert_int_equal(got.next_bytes, 500);
    }
    struct srv_claimed got = take_sized(k, 100, SIZE_MAX);
    assert_string_equal(got.claim.id, "");
    assert_int_equal(got.next_bytes, 500);
    got = take_sized(k, 505, SIZE_MAX);
    assert_string_equal(got.claim.id, "large");
    assert_int_equal(got.bytes, 500);
    assert_int_equal(got.next_bytes, 10); /* of the 505, 5 are left */
    snprintf(id, sizeof(id), "small%d", SRV_PASSES_MAX);
    got = take_sized(k, 10, SIZE_MAX);
    assert_string_equal(got.claim.id, id);
    assert_int_equal(got.next_bytes, 10);
    assert_string_not_equal(take_sized(k, 10, SIZE_MAX).claim.id, "");
    assert_int_equal(take_sized(k, 10, SIZE_MAX).next_bytes, 0);
}

static void claim__fails_a_job_that_never_fits(void **state)
{
    struct kept *k = *state;
    add_sized(k, "huge", "", 1001);
    assert_string_equal(take_sized(k, 100, SIZE_MAX).claim.id, "");
    struct api_job_row row;
    assert_int_equal(k->store->kind->get(k->store, "huge", &row, &k->err), LUC_OK);
    assert_int_equal(row.state, API_STATE_failed);
    assert_string_equal(row.error, "{\"title\":\"large\"}");
    assert_false(row.expired);
    api_job_row_done(&row);
}

static void live(struct kept *k, const char *name, size_t most_bytes, double lease_s)
{
    const struct srv_node node = { .name = name, .host = "here", .most_bytes = most_bytes };
    assert_int_equal(k->store->kind->live(k->store, &node, lease_s, &k->err), LUC_OK);
}

static void claim__leaves_a_job_that_is_too_large_here_to_a_larger_node(void **state)
{
    struct kept *k = *state;
    char id[32];
    live(k, "large", 5000, LEASE_S);
    add_sized(k, "huge", "", 1001);
    for (int i = 0; i <= SRV_PASSES_MAX; i++) { /* and never waits for it */
        snprintf(id, sizeof(id), "small%d", i);
        add_sized(k, id, "", 10);
        const struct srv_claimed got = take_sized(k, 100, SIZE_MAX);
        assert_string_equal(got.claim.id, id);
        assert_int_equal(got.next_bytes, 0);
    }
    assert_int_equal(state_of(k, "huge"), API_STATE_queued);
    assert_string_equal(take(k->store, "large", LEASE_S).claim.id, "huge");
}

static void claim__of_a_small_node_is_not_stopped_by_what_waits_for_a_large_one(void **state)
{
    struct kept *k = *state;
    live(k, "large", 5000, LEASE_S);
    add_sized(k, "huge", "", 1001);
    for (int i = 0; i <= SRV_PASSES_MAX; i++) {
        char id[32];
        snprintf(id, sizeof(id), "small%d", i);
        add_sized(k, id, "", 10);
    }
    for (int i = 0; i < SRV_PASSES_MAX; i++)
        assert_int_equal(take_as(k, 100, 5000, SIZE_MAX).bytes, 10);
    assert_string_equal(take_as(k, 100, 5000, SIZE_MAX).claim.id, "");
    assert_int_equal(take_sized(k, 100, SIZE_MAX).bytes, 10);
}

static void claim__fails_a_job_when_the_node_that_was_large_enough_is_silent(void **state)
{
    struct kept *k = *state;
    live(k, "small", 1000, LEASE_S);
    live(k, "large", 5000, 0.02);
    add_sized(k, "huge", "", 1001);
    nap_ms(40);
    assert_string_equal(take_sized(k, 100, SIZE_MAX).claim.id, "");
    assert_int_equal(state_of(k, "huge"), API_STATE_failed);
}

static void note_node(void *ctx, const struct srv_node *node)
{
    char *text = ctx;
    snprintf(text + strlen(text), 64 - strlen(text), "%s@%s:%zu%s ", node->name,
             node->host ? node->host : "?", node->most_bytes, node->silent ? " is silent" : "");
}

static void nodes__are_silent_when_their_lease_ran_out(void **state)
{
    struct kept *k = *state;
    char text[64] = "";
    size_t n = 0;
    add(k, "a");
    take(k->store, "me", LEASE_S);
    const struct srv_store_kind *s = k->store->kind;
    assert_int_equal(s->owners(k->store, note_node, text, &k->err), LUC_OK);
    assert_string_equal(text, "me@?:0 "); /* it never said that it lives: its jobs' leases decide */
    text[0] = '\0';
    live(k, "me", 7, 0.02), live(k, "me", 8, LEASE_S);
    nap_ms(40);
    assert_int_equal(s->owners(k->store, note_node, text, &k->err), LUC_OK);
    assert_string_equal(text, "me@here:8 ");
    text[0] = '\0';
    live(k, "me", 8, 0.02);
    nap_ms(40);
    assert_int_equal(s->owners(k->store, note_node, text, &k->err), LUC_OK);
    assert_string_equal(text, "me@here:8 is silent ");
    assert_int_equal(s->release_owner(k->store, "me", &n, &k->err), LUC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(state_of(k, "a"), API_STATE_queued);
}

static void claim__keeps_to_what_one_owner_may_run(void **state)
{
    struct kept *k = *state;
    add_sized(k, "a1", "a", 10), add_sized(k, "a2", "a", 10), add_sized(k, "b1", "b", 10);
    const struct srv_claimed first = take_sized(k, 100, 1);
    assert_string_equal(first.claim.id, "a1");
    assert_string_equal(take_sized(k, 100, 1).claim.id, "b1");
    assert_string_equal(take_sized(k, 100, 1).claim.id, "");
    assert_int_equal(finish(k, &first.claim, API_STATE_succeeded), LUC_OK);
    assert_string_equal(take_sized(k, 100, 1).claim.id, "a2");
}

static void checkpoint__is_given_to_the_next_claim_and_then_forgotten(void **state)
{
    struct kept *k = *state;
    add(k, "a");
    const struct srv_claimed a = take(k->store, "me", LEASE_S);
    assert_string_equal(a.checkpoint, "");
    assert_int_equal(k->store->kind->checkpoint(k->store, &a.claim, "one", &k->err), LUC_OK);
    assert_int_equal(k->store->kind->checkpoint(k->store, &a.claim, "two", &k->err), LUC_OK);
    assert_false(k->store->kind->uses(k->store, "one"));
    assert_int_equal(k->store->kind->release(k->store, &a.claim, &k->err), LUC_OK);
    const struct srv_claimed b = take(k->store, "me", LEASE_S);
    assert_int_equal(b.claim.attempt, 2);
    assert_string_equal(b.checkpoint, "two");
    assert_int_equal(finish(k, &b.claim, API_STATE_succeeded), LUC_OK);
    assert_false(k->store->kind->uses(k->store, "two"));
}

static void results__expire_and_jobs_are_forgotten(void **state)
{
    struct kept *k = *state;
    size_t n = 0;
    struct api_job_row row;
    add(k, "a");
    const struct srv_claimed a = take(k->store, "me", LEASE_S);
    const struct srv_answer answer = { "image/png", "", "file" };
    const struct srv_outcome o = { API_STATE_succeeded, NULL, &answer, 1, 0.01 };
    assert_int_equal(k->store->kind->finish(k->store, &a.claim, &o, &k->err), LUC_OK);
    assert_true(k->store->kind->uses(k->store, "file"));
    nap_ms(30);
    assert_int_equal(k->store->kind->expire(k->store, 100, &n, &k->err), LUC_OK);
    assert_int_equal(n, 1);
    assert_false(k->store->kind->uses(k->store, "file"));
    assert_int_equal(k->store->kind->get(k->store, "a", &row, &k->err), LUC_OK);
    assert_true(row.expired);
    api_job_row_done(&row);
    assert_int_equal(k->store->kind->expire(k->store, 0, &n, &k->err), LUC_OK);
    assert_int_equal(k->store->kind->get(k->store, "a", &row, &k->err), LUC_NOT_FOUND);
}

static int64_t user_version(sqlite3 *db)
{
    sqlite3_stmt *q = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    const int64_t v = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return v;
}

static void store__survives_closing_and_refuses_a_newer_schema(void **state)
{
    struct kept *k = *state;
    char path[96], pragma[48];
    sqlite3 *db = NULL;
    add(k, "a");
    close_all(k);
    open_all(k);
    assert_int_equal(state_of(k, "a"), API_STATE_queued);
    close_all(k);
    snprintf(path, sizeof(path), "%s/jobs.sqlite", k->data);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    const int64_t own = user_version(db);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(srv_store_sqlite(k->data, &k->store, &k->err), LUC_UNSUPPORTED);
    assert_non_null(strstr(k->err.text, "newer"));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %lld", (long long)own);
    assert_int_equal(sqlite3_exec(db, pragma, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    open_all(k);
    assert_int_equal(state_of(k, "a"), API_STATE_queued);
}

/* As a server of schema 3 left it, which knew nothing of nodes. */
static void store__of_an_older_schema_keeps_its_queue(void **state)
{
    struct kept *k = *state;
    char path[96];
    sqlite3 *db = NULL;
    add(k, "a"), add(k, "b");
    take(k->store, "old", LEASE_S);
    close_all(k);
    snprintf(path, sizeof(path), "%s/jobs.sqlite", k->data);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "DROP TABLE nodes; PRAGMA user_version = 3", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    open_all(k);
    assert_int_equal(state_of(k, "a"), API_STATE_running);
    live(k, "me", 1000, LEASE_S);
    assert_string_equal(take(k->store, "me", LEASE_S).claim.id, "b");
}

static void blob__is_stored_once_and_checked_when_read(void **state)
{
    struct kept *k = *state;
    char a[SRV_BLOB_NAME], b[SRV_BLOB_NAME], path[256], *bytes = NULL;
    size_t n = 0;
    assert_int_equal(srv_blobs_put(k->blobs, "hello", 5, a, &k->err), LUC_OK);
    assert_int_equal(srv_blobs_put(k->blobs, "hello", 5, b, &k->err), LUC_OK);
    assert_string_equal(a, b);
    assert_string_equal(a, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_int_equal(srv_blobs_get(k->blobs, a, &bytes, &n, &k->err), LUC_OK);
    assert_int_equal(n, 5);
    assert_string_equal(bytes, "hello");
    free(bytes);
    snprintf(path, sizeof(path), "%s/files/2c/%s", k->data, a);
    const int fd = open(path, O_WRONLY);
    assert_int_equal(write(fd, "j", 1), 1);
    close(fd);
    assert_int_equal(srv_blobs_get(k->blobs, a, &bytes, &n, &k->err), LUC_FORMAT);
    assert_int_equal(srv_blobs_get(k->blobs, "../../etc/passwd", &bytes, &n, &k->err),
                     LUC_NOT_FOUND);
}

static bool used_a(void *ctx, const char *name)
{
    return strcmp(name, ctx) == 0;
}

static void sweep__removes_what_nobody_uses(void **state)
{
    struct kept *k = *state;
    char a[SRV_BLOB_NAME], b[SRV_BLOB_NAME], *bytes = NULL;
    size_t n = 0;
    assert_int_equal(srv_blobs_put(k->blobs, "a", 1, a, &k->err), LUC_OK);
    assert_int_equal(srv_blobs_put(k->blobs, "b", 1, b, &k->err), LUC_OK);
    assert_int_equal(srv_blobs_sweep(k->blobs, 100, used_a, a), 0);
    assert_int_equal(srv_blobs_sweep(k->blobs, 0, used_a, a), 1);
    assert_int_equal(srv_blobs_get(k->blobs, a, &bytes, &n, &k->err), LUC_OK);
    free(bytes);
    assert_int_equal(srv_blobs_get(k->blobs, b, &bytes, &n, &k->err), LUC_NOT_FOUND);
}

/* The limit on a file's size stands for a disk without room: both end write() half-way. */
static void full_disk__is_said_and_leaves_nothing(void **state)
{
    struct kept *k = *state;
    struct rlimit old, tight;
    char name[SRV_BLOB_NAME], got[API_ID_MAX];
    enum api_submitted how;
    static char big[200000];
    add(k, "a");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight = (struct rlimit){ .rlim_cur = 60000, .rlim_max = old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    const enum luc_status put = srv_blobs_put(k->blobs, big, sizeof(big), name, &k->err);
    const bool said = strstr(k->err.text, "disk is full") != NULL;
    enum luc_status st = LUC_OK;
    int n = 0;
    for (; n < 200 && !st; n++) {
        char id[16];
        snprintf(id, sizeof(id), "n%d", n);
        st = put_job(k, id, NULL, NULL, got, &how);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(put, LUC_IO);
    assert_true(said);
    assert_int_equal(st, LUC_IO);
    assert_int_equal(srv_blobs_sweep(k->blobs, 0, used_a, big), 0);
    close_all(k);
    open_all(k);
    size_t by_state[API_N_STATES];
    assert_int_equal(k->store->kind->counts(k->store, by_state, &k->err), LUC_OK);
    assert_int_equal(by_state[API_STATE_queued], n); /* "a" and n - 1 that were accepted */
    assert_int_equal(k->store->kind->check(k->store, &k->err), LUC_OK);
    add(k, "after");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make, clear)
    const struct CMUnitTest tests[] = {
        T(jobs__are_claimed_oldest_first_and_end_once),
        T(lease__that_ran_out_makes_late_results_refused),
        T(heartbeat__keeps_a_lease_and_hears_of_cancelling),
        T(cancel__ends_what_waits_and_refuses_what_has_ended),
        T(cancelled__job_of_a_lost_holder_is_not_run_again),
        T(job__that_loses_its_holder_too_often_fails),
        T(key__gives_the_same_job_or_a_conflict),
        T(queue__that_is_full_refuses),
        T(claim__respects_lanes_and_memory),
        T(claims__of_many_at_once_give_each_job_once),
        T(events__are_numbered_and_replayed),
        T(events__of_progress_do_not_pile_up),
        T(list__goes_on_where_it_stopped),
        T(list__shows_an_owner_its_own_jobs),
        T(claim__lets_small_jobs_pass_a_large_one_but_not_forever),
        T(claim__fails_a_job_that_never_fits),
        T(claim__leaves_a_job_that_is_too_large_here_to_a_larger_node),
        T(claim__of_a_small_node_is_not_stopped_by_what_waits_for_a_large_one),
        T(claim__fails_a_job_when_the_node_that_was_large_enough_is_silent),
        T(nodes__are_silent_when_their_lease_ran_out),
        T(claim__keeps_to_what_one_owner_may_run),
        T(checkpoint__is_given_to_the_next_claim_and_then_forgotten),
        T(results__expire_and_jobs_are_forgotten),
        T(blob__is_stored_once_and_checked_when_read),
        T(sweep__removes_what_nobody_uses),
    };
    const struct CMUnitTest of_sqlite[] = {
        T(store__survives_closing_and_refuses_a_newer_schema),
        T(store__of_an_older_schema_keeps_its_queue),
        T(full_disk__is_said_and_leaves_nothing),
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof(back_ends) / sizeof(back_ends[0]); i++) {
        back_end = &back_ends[i];
        failed += cmocka_run_group_tests_name(back_end->name, tests, NULL, NULL);
    }
    back_end = back_ends;
    return failed + cmocka_run_group_tests(of_sqlite, NULL, NULL);
}
