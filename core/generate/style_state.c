#include "core/generate/style.h"

#include <string.h>

/* ---- checkpoints: where in the sizes, the size before, and the loop's own state ---- */

#define MAGIC 0x32656c797473u /* "style" and a version */

struct head {
    uint64_t magic, row, height, width; /* of the picture before; 0 x 0: none */
    double done, spent_s, losses[LUC_SIZES_MAX][LUC_STYLE_COLUMNS];
    struct luc_schedule plan;
    struct luc_rng rng;
};

/* Best effort: a checkpoint that cannot be made is only a longer way to go again. */
void luc_style_save(const struct luc_style *s, size_t row, const struct luc_canvas *before,
                    const struct luc_loop *loop)
{
    struct luc_str out = { 0 };
    struct head head = { .magic = MAGIC,
                         .row = row,
                         .done = s->done,
                         .spent_s = luc_style_seconds(s),
                         .plan = s->plan,
                         .rng = s->size_rng };
    head.height = before->data ? before->height : 0;
    head.width = before->data ? before->width : 0;
    for (size_t i = 0; i < row * LUC_STYLE_COLUMNS; i++)
        head.losses[i / LUC_STYLE_COLUMNS][i % LUC_STYLE_COLUMNS] = s->table->cells[i].number;
    luc_str_put(&out, &head, sizeof(head));
    if (before->data)
        luc_str_put(&out, before->data, 3 * luc_canvas_pixels(before) * sizeof(float));
    luc_loop_save(loop, &out);
    if (!out.failed)
        luc_run_save(s->run, out.data, out.len);
    luc_str_done(&out);
}

/* Where to go on: *row, and the picture before it. A checkpoint of another version or of other
 * parameters is left alone; the loop checks its own part. */
/* Sizes and steps of a run with a time budget; without one they follow from the parameters. */
static bool take_plan(struct luc_style *s, const struct luc_schedule *plan)
{
    if (s->p->time_budget_s <= 0)
        return true;
    if (plan->n < 1 || plan->n > s->usual.n)
        return false;
    for (size_t i = 0; i < plan->n; i++)
        if (plan->size[i] < 1 || plan->size[i] > s->usual.size[i])
            return false;
    s->plan = *plan;
    return true;
}

enum luc_status luc_style_restore(struct luc_style *s, size_t *row, struct luc_canvas *before,
                                  struct luc_error *err)
{
    size_t size = 0;
    const unsigned char *bytes = luc_run_checkpoint(s->run, &size);
    struct head head;
    *row = 0;
    if (!bytes || size < sizeof(head))
        return LUC_OK;
    memcpy(&head, bytes, sizeof(head));
    const size_t left = (size - sizeof(head)) / (3 * sizeof(float));
    if (head.magic != MAGIC || (head.width && head.height > left / head.width) ||
        (head.row == 0) != (head.width == 0) || head.row >= head.plan.n || head.row >= s->plan.n ||
        !take_plan(s, &head.plan))
        return LUC_OK;
    const size_t pixels = (size_t)(head.width * head.height);
    *before = (struct luc_canvas){ NULL, (size_t)head.height, (size_t)head.width };
    if (pixels) {
        before->data = luc_arena_raw(s->run->arena, 3 * pixels, sizeof(float));
        if (!before->data)
            return luc_fail_nomem(err, "picture", 3 * pixels * sizeof(float));
        memcpy(before->data, bytes + sizeof(head), 3 * pixels * sizeof(float));
    }
    *row = (size_t)head.row;
    s->done = head.done;
    s->spent_s = head.spent_s;
    s->run->rng = head.rng;
    for (size_t i = 0; i < *row * LUC_STYLE_COLUMNS; i++)
        s->table->cells[i].number = head.losses[i / LUC_STYLE_COLUMNS][i % LUC_STYLE_COLUMNS];
    s->resume = bytes + sizeof(head) + 3 * pixels * sizeof(float);
    s->resume_size = size - sizeof(head) - 3 * pixels * sizeof(float);
    return LUC_OK;
}
