/* classify: the k likeliest classes of the picture.
 *
 *   p_c = exp(S_c) / sum_j exp(S_j)
 *
 * Input:  one picture.
 * Output: table `classes` with index, label, probability, logit, likeliest first.
 * Cost:   one forward pass.
 * Errors: LUC_SHAPE a native size at which the network does not give one row of logits.
 */
#include "core/ask/target.h"

struct params {
    int64_t k;
};

static const struct luc_param rows[] = {
    LUC_INT(struct params, k, 5, 1, 1000, "", "How many of the likeliest classes to list"),
    LUC_PARAM_END,
};

static enum luc_status list_classes(struct luc_run *run, const struct luc_tensor *logits, size_t k,
                                    struct luc_error *err)
{
    static const char *const columns[] = { "index", "label", "probability", "logit" };
    const size_t n = luc_numel(&logits->shape);
    struct luc_ranked *order = luc_arena_alloc(run->arena, n, sizeof(*order));
    double *p = luc_arena_alloc(run->arena, n, sizeof(*p));
    struct luc_table *table = NULL;
    if (!order || !p)
        return luc_fail_nomem(err, "classes", n * sizeof(*order));
    luc_rank_classes(logits, order);
    luc_softmax(logits, p);
    k = k < n ? k : n;
    const enum luc_status st = luc_result_table(run->result, "classes", columns, 4, k, &table, err);
    for (size_t i = 0; !st && i < k; i++) {
        char buf[32];
        const size_t c = order[i].index;
        struct luc_cell *row = table->cells + 4 * i;
        row[0].number = (double)c;
        row[1].text = luc_arena_strdup(run->result->arena, luc_model_label(run->model, c, buf));
        row[2].number = p[c];
        row[3].number = (double)order[i].logit;
        if (!row[1].text)
            return luc_fail_nomem(err, "classes", sizeof(buf));
    }
    return st;
}

static enum luc_status run_classify(struct luc_run *run, const void *params, struct luc_error *err)
{
    const struct params *p = params;
    const size_t logits = run->model->logits;
    struct luc_frame frame;
    struct luc_tensor input;
    struct luc_exec *x = NULL;
    struct luc_target top;
    enum luc_status st = luc_run_input(run, 0, &frame, &input, err);
    if (!st)
        st = luc_run_forward(run, &input, &(struct luc_ask){ .taps = &logits, .n_taps = 1 }, &x,
                             err);
    if (!st)
        st = luc_target_find(run, "top", luc_exec_value(x, logits), &top, err);
    if (!st)
        st = luc_target_report(run, &top, err);
    if (!st)
        st = list_classes(run, luc_exec_value(x, logits), (size_t)p->k, err);
    return st ? st : luc_run_tick(run, 1.0, err);
}

const struct luc_method luc_method_classify = {
    .name = "classify",
    .title = "Classify",
    .summary = "The likeliest classes of the picture, with their probabilities.",
    .paper = "",
    .groups = LUC_GROUP_INPUT,
    .images_min = 1,
    .images_max = 1,
    .needs_classes = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_classify,
};
