#include "core/ask/perturb.h"

static enum luc_status run_batches(struct luc_run *run, const struct luc_perturb *p,
                                   const struct luc_batch *batch, struct luc_error *err)
{
    struct luc_exec *x = batch->exec;
    const size_t per = luc_numel(p->shape);
    const struct luc_tensor *out = luc_exec_value(x, p->value);
    const size_t each = luc_numel(&out->shape) / batch->n;
    enum luc_status st = LUC_OK;
    for (size_t at = 0; !st && at < p->n; at += batch->n) {
        const size_t slots = p->n - at < batch->n ? p->n - at : batch->n;
        for (size_t i = 0; i < slots; i++)
            p->make(p->ctx, at + i, luc_exec_input(x, 0)->data + i * per);
        luc_exec_forward(x);
        run->passes += (double)slots;
        out = luc_exec_value(x, p->value);
        for (size_t i = 0; i < slots; i++) {
            struct luc_tensor row = { .shape = out->shape, .data = out->data + i * each };
            row.shape.dim[0] = 1;
            p->use(p->ctx, at + i, &row);
        }
        if (p->preview && luc_run_wants_preview(run))
            p->preview(p->ctx);
        st = luc_run_tick(run, p->from + (p->to - p->from) * (double)(at + slots) / (double)p->n,
                          err);
    }
    return st;
}

enum luc_status luc_perturb_run(struct luc_run *run, const struct luc_perturb *p,
                                struct luc_error *err)
{
    const struct luc_arena_mark mark = luc_arena_mark(run->arena);
    const struct luc_ask ask = { .taps = &p->value,
                                 .n_taps = 1,
                                 .fast = true }; /* scores, no gradients */
    struct luc_batch batch;
    if (p->n == 0)
        return LUC_OK;
    enum luc_status st = luc_batch_open(run, p->shape, p->n, &ask, &batch, err);
    if (!st && !luc_run_is_dry(run)) /* they allocate nothing */
        st = run_batches(run, p, &batch, err);
    luc_arena_release(run->arena, mark);
    return st;
}
