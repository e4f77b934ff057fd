#include "core/methods/perturb.h"

static enum luc_status prepare(struct luc_run *run, const struct luc_perturb *p, size_t batch,
                               struct luc_exec **x, struct luc_error *err)
{
    const size_t *d = p->shape->dim, logits = run->model->logits;
    const struct luc_shape shape = luc_shape4(batch, d[1], d[2], d[3]);
    const struct luc_plan_spec spec = { .graph = run->model->graph,
                                        .inputs = &shape,
                                        .taps = &logits,
                                        .n_taps = 1,
                                        .lanes = luc_lanes(run->threads),
                                        .fast = true }; /* scores, no gradients */
    const struct luc_plan *plan = NULL;
    enum luc_status st = luc_plan_create(&spec, run->arena, &plan, err);
    if (!st && luc_plan_shape(plan, logits)->dim[0] != batch)
        st = luc_fail(err, LUC_UNSUPPORTED, "the network takes one picture at a time");
    return st ? st : luc_exec_create(plan, run->arena, run->threads, x, err);
}

/* The largest batch that the memory allows; one, where the network is declared for one. */
static enum luc_status prepare_largest(struct luc_run *run, const struct luc_perturb *p,
                                       size_t *batch, struct luc_exec **x, struct luc_error *err)
{
    for (*batch = p->n < LUC_PERTURB_BATCH ? p->n : LUC_PERTURB_BATCH;;) {
        const struct luc_arena_mark mark = luc_arena_mark(run->arena);
        const enum luc_status st = prepare(run, p, *batch, x, err);
        if (!st)
            return st;
        luc_arena_release(run->arena, mark);
        if (*batch == 1 || (st != LUC_NOMEM && st != LUC_UNSUPPORTED && st != LUC_SHAPE))
            return st;
        *batch = st == LUC_NOMEM ? *batch / 2 : 1;
    }
}

static enum luc_status run_batches(struct luc_run *run, const struct luc_perturb *p, size_t batch,
                                   struct luc_exec *x, struct luc_error *err)
{
    const size_t per = luc_numel(p->shape), logits = run->model->logits;
    const struct luc_tensor *out = luc_exec_value(x, logits);
    const size_t classes = luc_numel(&out->shape) / batch;
    enum luc_status st = LUC_OK;
    for (size_t at = 0; !st && at < p->n; at += batch) {
        const size_t slots = p->n - at < batch ? p->n - at : batch;
        for (size_t i = 0; i < slots; i++)
            p->make(p->ctx, at + i, luc_exec_input(x, 0)->data + i * per);
        luc_exec_forward(x);
        out = luc_exec_value(x, logits);
        for (size_t i = 0; i < slots; i++) {
            const struct luc_tensor row = { .shape = { 2, { 1, classes } },
                                            .data = out->data + i * classes };
            p->use(p->ctx, at + i, &row);
        }
        st = luc_run_tick(run, p->from + (p->to - p->from) * (double)(at + slots) / (double)p->n,
                          err);
    }
    return st;
}

enum luc_status luc_perturb_run(struct luc_run *run, const struct luc_perturb *p,
                                struct luc_error *err)
{
    const struct luc_arena_mark mark = luc_arena_mark(run->arena);
    struct luc_exec *x = NULL;
    size_t batch = 1;
    if (p->n == 0)
        return LUC_OK;
    enum luc_status st = prepare_largest(run, p, &batch, &x, err);
    if (!st && !luc_run_is_dry(run)) /* they allocate nothing */
        st = run_batches(run, p, batch, x, err);
    luc_arena_release(run->arena, mark);
    return st;
}
