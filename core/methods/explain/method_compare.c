/* compare: several methods explain one class of one picture; who is followed by the score?
 *
 *   faithfulness = insertion AUC - deletion AUC        core/judge/faithful.h
 *
 * Input:  one picture; `methods`, each with its parameters.
 * Output: picture `sheet`, the maps in order of their scores, the best first; table `methods`.
 * Cost:   what the methods cost, and 2 (steps + 1) + 2 road forward passes for each.
 * Errors: those of core/judge/explainer.h and the target, naming "methods".
 * Source: Petsiuk et al. 2018, arXiv:1806.07421; Rong et al. 2022, arXiv:2202.00449. All maps are
 *         judged on the same pixels, with the same fillings and noise. One picture's order says
 *         little about methods in general.
 */
#include "core/judge/explainer.h"
#include "core/judge/faithful.h"
#include "core/show/panel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METHODS_MAX 15
#define SIDE        256 /* px; of a tile's longer side */
#define COLUMNS     9
#define DEFAULTS                                                                                   \
    "grad-cam, score-cam, rise masks=400, occlusion stride=16, integrated-gradients steps=20, "    \
    "smoothgrad, guided-backprop, saliency"

enum order { FAITHFULNESS, INSERTION, DELETION, ROAD };

struct params {
    char methods[LUC_TEXT_MAX], target[LUC_TEXT_MAX];
    int64_t order, steps, fill, road, score;
    double blur;
};

static const char *const order_names[] = { "faithfulness", "insertion", "deletion", "road", NULL };

static const struct luc_param rows[] = {
    LUC_TEXT(struct params, methods, DEFAULTS,
             "Methods to compare, with commas between them; a method's parameters follow its name "
             "as KEY=VALUE"),
    LUC_TEXT(struct params, target, "top", LUC_TARGET_DOC),
    LUC_CHOICE(struct params, order, FAITHFULNESS, 4, order_names,
               "What decides the order: insertion less deletion, one of them, or ROAD"),
    LUC_INT(struct params, steps, 32, 1, 1000, "", "Steps of deletion and insertion"),
    LUC_CHOICE(struct params, fill, LUC_FILL_MEAN, LUC_N_FILLS, luc_fill_names,
               "What deleted pixels show"),
    LUC_REAL(struct params, blur, 10, 0.5, 100, "px",
             "How far insertion's first picture is blurred"),
    LUC_INT(struct params, road, 4, 1, 16, "", "Parts of the picture that ROAD takes away"),
    LUC_SCORE_ROW(struct params, score, LUC_SCORE_PROBABILITY),
    LUC_PARAM_END,
};

/* One method, its map and its scores. */
struct entry {
    struct luc_explainer asked;
    struct luc_explained found;
    const char *settings;
    double insertion, deletion, road, rank_by;
};

struct comparison {
    struct luc_run *run;
    const struct params *p;
    struct luc_frame frame;
    struct luc_tensor input;
    struct luc_watch watch;
    struct luc_faithful *faithful;
    struct entry entry[METHODS_MAX];
    size_t n;
    float *map;
    struct luc_panel panel;
};

/* Errors about one of the others are about "methods". */
static enum luc_status blame(enum luc_status st, struct luc_error *err)
{
    if (st && err && (strcmp(err->param, "method") == 0 || strcmp(err->param, "params") == 0))
        snprintf(err->param, sizeof(err->param), "methods");
    return st;
}

/* "NAME KEY=VALUE ..." of one method; `text` is cut up. */
static enum luc_status add_method(struct comparison *c, char *text, struct luc_error *err)
{
    static const char *const between = " \t\r\n";
    char *name = text + strspn(text, between);
    char *end = name + strcspn(name, between);
    const char *settings = *end ? end + 1 : end;
    *end = '\0';
    if (c->n == METHODS_MAX)
        return luc_fail_param(err, LUC_RANGE, "methods", "methods: at most %d", METHODS_MAX);
    struct entry *e = &c->entry[c->n++];
    e->settings = settings + strspn(settings, between);
    return blame(luc_explainer_find(c->run, name, e->settings, &e->asked, err), err);
}

static enum luc_status read_methods(struct comparison *c, struct luc_error *err)
{
    char *text = luc_arena_strdup(c->run->arena, c->p->methods);
    enum luc_status st = text ? LUC_OK : luc_fail_nomem(err, "methods", LUC_TEXT_MAX);
    for (char *at = text, *next; !st && at; at = next) {
        next = strchr(at, ',');
        if (next)
            *next++ = '\0';
        st = add_method(c, at, err);
    }
    return st;
}

static enum luc_status open_comparison(struct comparison *c, struct luc_error *err)
{
    static const char none[LUC_TEXT_MAX];
    struct luc_unit_params unit;
    luc_unit_of_class(c->p->target, none, &unit);
    enum luc_status st = read_methods(c, err);
    if (!st)
        st = luc_run_input(c->run, 0, &c->frame, &c->input, err);
    if (!st)
        st = luc_watch_open(c->run, &unit, c->p->score, &c->input, &c->watch, err);
    for (size_t i = 0; !st && i < c->n; i++)
        st = luc_explainer_pin(&c->entry[i].asked, c->watch.unit.target.index, err);
    if (!st)
        st = luc_faithful_open(c->run,
                               &(struct luc_faithful_spec){ .input = &c->input,
                                                            .watch = &c->watch,
                                                            .steps = (size_t)c->p->steps,
                                                            .parts = (size_t)c->p->road,
                                                            .fill = (enum luc_fill)c->p->fill,
                                                            .sigma = c->p->blur },
                               &c->faithful, err);
    if (st)
        return st;
    const size_t n = c->frame.in_width * c->frame.in_height;
    c->map = luc_arena_raw(c->run->arena, n, sizeof(*c->map));
    return c->map ? LUC_OK : luc_fail_nomem(err, "a map", n * sizeof(*c->map));
}

static const uint8_t ink[3] = { 20, 20, 20 }, red[3] = { 190, 30, 30 };

/* What is to be known of a map beside its scores: "" or a sentence. */
static const char *remark(const struct entry *e, const char *key)
{
    const struct luc_item *it = luc_result_find(&e->found.result, key);
    return it && it->kind == LUC_ITEM_TEXT ? it->text : "";
}

static enum luc_status draw_entry(struct comparison *c, size_t i, size_t rank,
                                  struct luc_error *err)
{
    const struct entry *e = &c->entry[i];
    char text[128];
    snprintf(text, sizeof(text), "%zu %s", rank + 1, e->asked.method->name);
    luc_panel_text(&c->panel, rank + 1, 0, ink, text);
    snprintf(text, sizeof(text), "ins %.2f  del %.2f", e->insertion, e->deletion);
    luc_panel_text(&c->panel, rank + 1, 1, ink, text);
    snprintf(text, sizeof(text), "ROAD %+.2f", e->road);
    luc_panel_text(&c->panel, rank + 1, 2, ink, text);
    luc_panel_text(&c->panel, rank + 1, 3, red,
                   *remark(e, "note")      ? remark(e, "note")
                   : *remark(e, "warning") ? "fails sanity check"
                                           : "");
    return luc_panel_map(&c->panel, rank + 1, e->found.map, err);
}

static enum luc_status open_sheet(struct comparison *c, struct luc_error *err)
{
    char text[128], label[32];
    luc_panel_done(&c->panel);
    enum luc_status st = luc_panel_open(c->run, c->n + 1, c->n < COLUMNS ? (c->n + 2) / 2 : 5, SIDE,
                                        4, &c->panel, err);
    if (st)
        return st;
    luc_panel_text(&c->panel, 0, 0, ink,
                   luc_model_label(c->run->model, c->watch.unit.target.index, label));
    snprintf(text, sizeof(text), "%.1f %%", 100 * c->watch.unit.target.probability);
    luc_panel_text(&c->panel, 0, 1, ink, text);
    luc_panel_text(&c->panel, 0, 2, ink, c->run->model->name);
    return luc_panel_map(&c->panel, 0, NULL, err);
}

static enum luc_status judge(struct comparison *c, struct entry *e, double from, double to,
                             struct luc_error *err)
{
    struct luc_curves curves;
    const double most = from + (to - from) * 0.8;
    enum luc_status st =
        blame(luc_explainer_run(c->run, &e->asked,
                                &(struct luc_question){ .from = from, .to = most }, &e->found, err),
              err);
    if (!st)
        st = luc_explained_on_input(&e->found, &c->frame, c->map, err);
    if (!st)
        st = luc_faithful_measure(c->faithful, c->map, most, to, &curves, err);
    if (st)
        return st;
    e->insertion = curves.insertion_auc;
    e->deletion = curves.deletion_auc;
    e->road = curves.road;
    const double by[] = { e->insertion - e->deletion, e->insertion, -e->deletion, e->road };
    e->rank_by = by[c->p->order];
    return LUC_OK;
}

static enum luc_status judge_all(struct comparison *c, struct luc_error *err)
{
    enum luc_status st = open_sheet(c, err);
    for (size_t i = 0; !st && i < c->n; i++) {
        st = judge(c, &c->entry[i], (double)i / (double)c->n, (double)(i + 1) / (double)c->n, err);
        if (!st)
            st = draw_entry(c, i, i, err);
        if (!st && luc_run_wants_preview(c->run))
            luc_run_preview(c->run, &c->panel.sheet);
    }
    return st;
}

static int by_rank(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    return a->rank_by < b->rank_by ? 1 : a->rank_by > b->rank_by ? -1 : 0;
}

static enum luc_status put_table(struct comparison *c, struct luc_error *err)
{
    static const char *const columns[] = { "rank",      "method",        "settings",
                                           "ranked_by", "insertion_auc", "deletion_auc",
                                           "road",      "passes",        "note" };
    struct luc_table *t = NULL;
    const enum luc_status st =
        luc_result_table(c->run->result, "methods", columns, COLUMNS, c->n, &t, err);
    for (size_t i = 0; !st && i < c->n; i++) {
        const struct entry *e = &c->entry[i];
        const char *note = *remark(e, "note") ? remark(e, "note") : remark(e, "warning");
        struct luc_cell *row = t->cells + i * COLUMNS;
        row[0].number = (double)(i + 1);
        row[1].text = e->asked.method->name;
        row[2].text = luc_arena_strdup(c->run->result->arena, e->settings);
        row[3].number = e->rank_by;
        row[4].number = e->insertion;
        row[5].number = e->deletion;
        row[6].number = e->road;
        row[7].number = e->found.passes;
        row[8].text = luc_arena_strdup(c->run->result->arena, note);
        if (!row[2].text || !row[8].text)
            return luc_fail_nomem(err, "result", LUC_TEXT_MAX);
    }
    return st;
}

static enum luc_status report(struct comparison *c, struct luc_error *err)
{
    qsort(c->entry, c->n, sizeof(c->entry[0]), by_rank);
    enum luc_status st = open_sheet(c, err);
    for (size_t i = 0; !st && i < c->n; i++)
        st = draw_entry(c, i, i, err);
    if (!st)
        st = luc_unit_report(c->run, &c->watch.unit, err);
    if (!st)
        st = luc_result_number(c->run->result, "passes", c->run->passes, err);
    if (!st)
        st = put_table(c, err);
    return st ? st : luc_result_picture(c->run->result, "sheet", &c->panel.sheet, err);
}

static enum luc_status run_compare(struct luc_run *run, const void *params, struct luc_error *err)
{
    struct comparison c = { .run = run, .p = params };
    enum luc_status st = open_comparison(&c, err);
    if (!st)
        st = judge_all(&c, err);
    if (!st)
        st = report(&c, err);
    for (size_t i = 0; i < c.n; i++)
        luc_explained_done(&c.entry[i].found);
    luc_panel_done(&c.panel);
    return st;
}

const struct luc_method luc_method_compare = {
    .name = "compare",
    .title = "Compare",
    .summary = "Several methods' maps of one class side by side, in the order in which the score "
               "follows them.",
    .paper = "Petsiuk et al. 2018, arXiv:1806.07421; Rong et al. 2022, arXiv:2202.00449",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_SEED,
    .images_min = 1,
    .images_max = 1,
    .needs_classes = true,
    .makes_picture = true,
    .asks_others = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_compare,
};
