#include "core/ask/target.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void luc_softmax(const struct luc_tensor *logits, double *out)
{
    const size_t n = luc_numel(&logits->shape);
    double peak = -HUGE_VAL, sum = 0;
    for (size_t i = 0; i < n; i++)
        peak = fmax(peak, (double)logits->data[i]);
    for (size_t i = 0; i < n; i++)
        sum += out[i] = exp((double)logits->data[i] - peak);
    for (size_t i = 0; i < n; i++)
        out[i] /= sum;
}

static int by_falling_logit(const void *pa, const void *pb)
{
    const struct luc_ranked *a = pa, *b = pb;
    if (a->logit != b->logit)
        return a->logit < b->logit ? 1 : -1;
    return a->index < b->index ? -1 : a->index > b->index;
}

void luc_rank_classes(const struct luc_tensor *logits, struct luc_ranked *order)
{
    const size_t n = luc_numel(&logits->shape);
    for (size_t i = 0; i < n; i++)
        order[i] = (struct luc_ranked){ logits->data[i], i };
    qsort(order, n, sizeof(*order), by_falling_logit);
}

enum luc_status luc_check_logits(const struct luc_tensor *logits, struct luc_error *err)
{
    char text[LUC_SHAPE_TEXT];
    const struct luc_shape *s = &logits->shape;
    if (s->rank < 2 || luc_numel(s) != s->dim[1] || s->dim[1] == 0)
        return luc_fail(err, LUC_SHAPE,
                        "at this size the network answers %s instead of one row of classes: use "
                        "fit=resize or fit=crop",
                        luc_shape_print(s, text));
    for (size_t i = 0; i < s->dim[1]; i++)
        if (!isfinite(logits->data[i]))
            return luc_fail(err, LUC_INVALID,
                            "the network's answer is not finite: check the model's preprocessing");
    return LUC_OK;
}

/* "top" or "top:K" -> the rank, from 0. False when `text` is something else. */
static bool parse_top(const char *text, size_t n, size_t *rank)
{
    char *end = NULL;
    if (strncmp(text, "top", 3) != 0)
        return false;
    *rank = 0;
    if (text[3] == '\0')
        return true;
    if (text[3] != ':' || text[4] < '0' || text[4] > '9')
        return false;
    const unsigned long k = strtoul(text + 4, &end, 10);
    *rank = k >= 1 && k <= n ? (size_t)k - 1 : LUC_NONE;
    return *end == '\0';
}

static enum luc_status find_index(struct luc_run *run, const char *text,
                                  const struct luc_tensor *logits, size_t *index,
                                  struct luc_error *err)
{
    const size_t n = logits->shape.dim[1];
    size_t rank = 0;
    if (!parse_top(text, n, &rank)) {
        const enum luc_status st = luc_model_class(run->model, text, index, err);
        if (st && err)
            memcpy(err->param, "target", sizeof("target"));
        return st;
    }
    if (rank == LUC_NONE)
        return luc_fail_param(err, LUC_RANGE, "target", "target: %.40s, but there are %zu classes",
                              text, n);
    struct luc_ranked *order = luc_arena_alloc(run->arena, n, sizeof(*order));
    if (!order)
        return luc_fail_nomem(err, "classes", n * sizeof(*order));
    luc_rank_classes(logits, order);
    *index = order[rank].index;
    return LUC_OK;
}

enum luc_status luc_target_find(struct luc_run *run, const char *text,
                                const struct luc_tensor *logits, struct luc_target *target,
                                struct luc_error *err)
{
    enum luc_status st = luc_check_logits(logits, err);
    if (st)
        return st;
    const struct luc_arena_mark mark = luc_arena_mark(run->arena);
    const size_t n = logits->shape.dim[1];
    double *p = luc_arena_alloc(run->arena, n, sizeof(*p));
    size_t index = 0;
    st = p ? find_index(run, text, logits, &index, err)
           : luc_fail_nomem(err, "classes", n * sizeof(*p));
    if (!st && index >= n)
        st = luc_fail_param(err, LUC_RANGE, "target", "target: %zu, but there are %zu classes",
                            index, n);
    if (!st) {
        luc_softmax(logits, p);
        *target = (struct luc_target){ index, (double)logits->data[index], p[index] };
    }
    luc_arena_release(run->arena, mark);
    return st;
}

enum luc_status luc_target_report(struct luc_run *run, const struct luc_target *target,
                                  struct luc_error *err)
{
    char buf[32];
    enum luc_status st =
        luc_result_text(run->result, "class", luc_model_label(run->model, target->index, buf), err);
    if (!st)
        st = luc_result_number(run->result, "class_index", (double)target->index, err);
    if (!st)
        st = luc_result_number(run->result, "probability", target->probability, err);
    if (!st)
        st = luc_result_number(run->result, "logit", target->logit, err);
    return st;
}
