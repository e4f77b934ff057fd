#include "core/ask/watch.h"

const char *const luc_score_names[] = { "probability", "logit", NULL };

enum luc_status luc_watch_unit(struct luc_run *run, const struct luc_unit *unit, int64_t score,
                               const struct luc_tensor *held, struct luc_watch *w,
                               struct luc_error *err)
{
    const size_t n = unit->is_class ? luc_numel(&held->shape) : 0;
    struct luc_watch made = { .unit = *unit, .score = (enum luc_score)score };
    made.scratch = luc_arena_alloc(run->arena, n, sizeof(*made.scratch));
    if (!made.scratch)
        return luc_fail_nomem(err, "classes", n * sizeof(*made.scratch));
    made.base = luc_watch_score(&made, held);
    *w = made;
    return LUC_OK;
}

enum luc_status luc_watch_open(struct luc_run *run, const struct luc_unit_params *params,
                               int64_t score, const struct luc_tensor *input, struct luc_watch *w,
                               struct luc_error *err)
{
    struct luc_exec *x = NULL;
    struct luc_unit unit;
    size_t value = LUC_NONE;
    enum luc_status st = luc_unit_value(run, params, &value, err);
    if (!st)
        st = luc_run_forward(run, input, &(struct luc_ask){ .taps = &value, .n_taps = 1 }, &x, err);
    if (!st)
        st = luc_unit_find(run, params, luc_exec_value(x, value), value, &unit, err);
    return st ? st : luc_watch_unit(run, &unit, score, luc_exec_value(x, value), w, err);
}

double luc_watch_score(struct luc_watch *w, const struct luc_tensor *held)
{
    const struct luc_unit *u = &w->unit;
    if (!u->is_class || w->score == LUC_SCORE_LOGIT)
        return luc_unit_score(u, held);
    luc_softmax(held, w->scratch);
    const double p = w->scratch[u->target.index];
    return u->against == LUC_NONE ? p : p - w->scratch[u->against];
}
