#include "core/ask/batch.h"

static enum luc_status open_for(struct luc_run *run, const struct luc_shape *one, size_t n,
                                const struct luc_ask *ask, struct luc_exec **exec,
                                struct luc_error *err)
{
    const struct luc_shape shape = luc_shape4(n, one->dim[1], one->dim[2], one->dim[3]);
    const struct luc_plan *plan = NULL;
    enum luc_status st = luc_run_plan(run, &shape, ask, &plan, err);
    for (size_t i = 0; !st && i < ask->n_taps; i++)
        if (luc_plan_shape(plan, ask->taps[i])->dim[0] != n)
            st = luc_fail(err, LUC_UNSUPPORTED, "the network takes one picture at a time");
    return st ? st : luc_exec_create(plan, run->arena, run->threads, exec, err);
}

enum luc_status luc_batch_open(struct luc_run *run, const struct luc_shape *one, size_t most,
                               const struct luc_ask *ask, struct luc_batch *batch,
                               struct luc_error *err)
{
    size_t n = most < LUC_BATCH_MAX ? most : LUC_BATCH_MAX;
    for (;;) {
        const struct luc_arena_mark mark = luc_arena_mark(run->arena);
        struct luc_exec *exec = NULL;
        const enum luc_status st = open_for(run, one, n, ask, &exec, err);
        if (!st)
            return *batch = (struct luc_batch){ exec, n }, LUC_OK;
        luc_arena_release(run->arena, mark);
        if (n == 1 || (st != LUC_NOMEM && st != LUC_UNSUPPORTED && st != LUC_SHAPE))
            return st;
        n = st == LUC_NOMEM ? n / 2 : 1;
    }
}
