/* evaluate: how far another method's map of this picture is to be trusted.
 *
 *   deletion, insertion, ROAD   does the score follow the map?       core/judge/faithful.h
 *   completeness                does it share out the whole score?   as the method says itself
 *   max-sensitivity             max |M(x + e) - M(x)| / |M(x)|,  |e| <= radius * range of x
 *   randomisation               is it still the same when the network's last layers, then more of
 *                               them, then all are drawn anew?       core/judge/randomise.h
 *
 * Input:  one picture; `method`, any that gives a map, and its parameters as text.
 * Output: the numbers; tables `curve`, `road_curve`, `randomised`; map `map`; and a picture of it all.
 * Cost:   (1 + sensitivity + randomise) maps, 2 (steps + 1) + 2 road + 1 forward passes. With
 *         steps=0 these are as many as bring the whole to ten times the map's own passes (one forward,
 *         two backward), but between 16 and 100: for maps of less than 20 passes ten times is too
 *         little for any report, and `cost` says what it was.
 * Errors: those of core/judge/explainer.h and the target.
 * Source: Petsiuk et al. 2018, arXiv:1806.07421; Rong et al. 2022, arXiv:2202.00449; Yeh et al.,
 *         "On the (In)fidelity and Sensitivity of Explanations", 2019, arXiv:1901.09392; Adebayo et
 *         al. 2018, arXiv:1810.03292.
 */
#include "core/judge/agree.h"
#include "core/judge/explainer.h"
#include "core/judge/faithful.h"
#include "core/judge/randomise.h"
#include "core/show/panel.h"
#include "core/show/show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define STEPS_MIN  16
#define STEPS_MAX  100
#define COST_MAX   10
#define STAGES_MAX 16
#define ROAD_MAX   16
#define SAMPLES    64
#define SIDE       224 /* px; of the report's pictures */
/* A map that correlates more than this with those of all stages of random networks fails. Coarse maps
 * reach 0.3 by chance (RISE's 7x7 cells), and one stage alone is one draw. */
#define ALIKE 0.5

struct params {
    char target[LUC_TEXT_MAX], method[LUC_TEXT_MAX], params[LUC_TEXT_MAX];
    int64_t steps, fill, road, sensitivity, randomise, score;
    double blur, radius;
};

static const struct luc_param rows[] = {
    LUC_TEXT(struct params, method, "grad-cam", "Method to evaluate, any that gives a map"),
    LUC_TEXT(struct params, params, "", LUC_SETTINGS_DOC),
    LUC_TEXT(struct params, target, "top", LUC_TARGET_DOC),
    LUC_INT(struct params, steps, 0, 0, 1000, "",
            "Steps of deletion and insertion; 0: as many as ten times the map's cost allows, 16 to "
            "100"),
    LUC_CHOICE(struct params, fill, LUC_FILL_MEAN, LUC_N_FILLS, luc_fill_names,
               "What deleted pixels show"),
    LUC_REAL(struct params, blur, 10, 0.5, 100, "px",
             "How far insertion's first picture is blurred"),
    LUC_INT(struct params, road, 4, 0, ROAD_MAX, "", "Parts of the picture that ROAD takes away"),
    LUC_INT(struct params, sensitivity, 3, 0, SAMPLES, "",
            "Noisy pictures to explain, for max-sensitivity"),
    LUC_REAL(struct params, radius, 0.02, 0, 1, "",
             "Largest noise, as a part of the picture's range of values"),
    LUC_INT(
        struct params, randomise, 4, 0, STAGES_MAX, "",
        "Networks to explain whose weights are random from the top down to some layer, the last "
        "one wholly"),
    LUC_SCORE_ROW(struct params, score, LUC_SCORE_PROBABILITY),
    LUC_PARAM_END,
};

struct evaluation {
    struct luc_run *run;
    const struct params *p;
    struct luc_frame frame;
    struct luc_tensor input;
    struct luc_watch watch;
    struct luc_explainer asked;
    struct luc_explained found; /* the map itself */
    struct luc_curves curves;
    struct luc_panel panel;
    float *map, *other; /* on the input's pixels */
    size_t steps, first_tile, n_layers;
    double done, all;          /* passes, for the progress */
    double sensitivity, alike; /* alike: the least of all stages */
};

/* One more map, of another picture or by another network, into e->other. */
static enum luc_status explain_again(struct evaluation *e, const struct luc_model *model,
                                     const struct luc_tensor *given, struct luc_explained *found,
                                     struct luc_error *err)
{
    const struct luc_question q = { .from = e->done / e->all,
                                    .to = (e->done + e->found.passes) / e->all,
                                    .model = model,
                                    .given = given };
    enum luc_status st = luc_explainer_run(e->run, &e->asked, &q, found, err);
    if (!st)
        st = luc_explained_on_input(found, &e->frame, e->other, err);
    e->done += e->found.passes;
    return st;
}

/* ---- the map itself ---- */

static enum luc_status ask(struct evaluation *e, struct luc_error *err)
{
    static const char none[LUC_TEXT_MAX];
    struct luc_unit_params unit;
    luc_unit_of_class(e->p->target, none, &unit);
    enum luc_status st = luc_explainer_find(e->run, e->p->method, e->p->params, &e->asked, err);
    if (!st)
        st = luc_run_input(e->run, 0, &e->frame, &e->input, err);
    if (!st)
        st = luc_watch_open(e->run, &unit, e->p->score, &e->input, &e->watch, err);
    if (st)
        return st;
    st = luc_explainer_pin(&e->asked, e->watch.unit.target.index, err);
    if (!st)
        st = luc_explainer_run(
            e->run, &e->asked,
            &(struct luc_question){ .to = 1 / (double)(2 + e->p->sensitivity + e->p->randomise) },
            &e->found, err);
    return st;
}

static enum luc_status plan(struct evaluation *e, struct luc_error *err)
{
    const size_t n = e->frame.in_width * e->frame.in_height,
                 maps = (size_t)e->p->sensitivity + (size_t)e->p->randomise;
    const double map = e->found.passes;
    const double left = COST_MAX * map - map * (double)(maps + 1) - 2 * (double)e->p->road - 3;
    e->steps = (size_t)e->p->steps;
    if (e->steps == 0 && luc_run_is_dry(e->run))
        e->steps = STEPS_MAX;
    else if (e->steps == 0)
        e->steps = (size_t)fmin(fmax(floor(left / 2), STEPS_MIN), STEPS_MAX);
    e->done = map;
    e->all = map * (double)(maps + 1) + 2 * (double)(e->steps + 1) + 2 * (double)e->p->road;
    e->map = luc_arena_raw(e->run->arena, n, sizeof(*e->map));
    e->other = luc_arena_raw(e->run->arena, n, sizeof(*e->other));
    if (!e->map || !e->other)
        return luc_fail_nomem(err, "evaluation", 2 * n * sizeof(*e->map));
    return luc_explained_on_input(&e->found, &e->frame, e->map, err);
}

/* ---- deletion, insertion, ROAD ---- */

static enum luc_status measure(struct evaluation *e, struct luc_error *err)
{
    const struct luc_faithful_spec spec = { .input = &e->input,
                                            .watch = &e->watch,
                                            .steps = e->steps,
                                            .parts = (size_t)e->p->road,
                                            .fill = (enum luc_fill)e->p->fill,
                                            .sigma = e->p->blur };
    struct luc_faithful *f = NULL;
    const double cost = (double)luc_faithful_passes(&spec);
    enum luc_status st = luc_faithful_open(e->run, &spec, &f, err);
    if (!st)
        st = luc_faithful_measure(f, e->map, e->done / e->all, (e->done + cost) / e->all,
                                  &e->curves, err);
    e->done += cost;
    return st;
}

/* ---- max-sensitivity ---- */

static double distance(const float *a, const float *b, size_t n)
{
    double off = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = (double)a[i] - (double)b[i];
        off += d * d;
        size += (double)b[i] * (double)b[i];
    }
    return size > 0 ? sqrt(off / size) : 0;
}

static enum luc_status shake(struct evaluation *e, struct luc_error *err)
{
    const size_t n = luc_numel(&e->input.shape);
    struct luc_tensor noisy = { .shape = e->input.shape };
    enum luc_status st = LUC_OK;
    noisy.data = luc_arena_raw(e->run->arena, n, sizeof(float));
    if (!noisy.data)
        return luc_fail_nomem(err, "a noisy picture", n * sizeof(float));
    const double radius = e->p->radius * luc_range(&e->input);
    for (size_t k = 0; !st && k < luc_run_turns(e->run, (size_t)e->p->sensitivity); k++) {
        struct luc_explained found = { 0 };
        for (size_t i = 0; i < luc_run_turns(e->run, n); i++)
            noisy.data[i] =
                e->input.data[i] + (float)(radius * (2 * luc_rng_uniform(&e->run->rng) - 1));
        st = explain_again(e, NULL, &noisy, &found, err);
        if (!st)
            e->sensitivity = fmax(
                e->sensitivity, distance(e->other, e->map, e->frame.in_width * e->frame.in_height));
        luc_explained_done(&found);
    }
    return st;
}

/* ---- randomisation ---- */

static const uint8_t ink[3] = { 20, 20, 20 }, red[3] = { 190, 30, 30 }, green[3] = { 20, 130, 50 },
                     violet[3] = { 120, 60, 180 }, blue[3] = { 30, 90, 200 };

/* Layers that are random in stage k of n: the last one alone, then evenly up to all. */
static size_t layers_of(const struct evaluation *e, size_t k, size_t n)
{
    return n == 1 ? e->n_layers : 1 + (e->n_layers - 1) * k / (n - 1);
}

static enum luc_status randomise_once(struct evaluation *e, size_t k, const struct luc_rng *rng,
                                      struct luc_cell *row, struct luc_error *err)
{
    const size_t stages = (size_t)e->p->randomise, n = layers_of(e, k, stages);
    const struct luc_arena_mark mark = luc_arena_mark(e->run->arena);
    struct luc_explained found = { 0 };
    struct luc_agreement alike = { 0 };
    struct luc_model *model = NULL;
    const char *first = "";
    char text[64];
    enum luc_status st = luc_randomise(e->run, n, rng, &model, &first, err);
    if (!st)
        st = explain_again(e, model, NULL, &found, err);
    if (!st)
        st = luc_agree(e->other, e->map, e->frame.in_height, e->frame.in_width, e->run->arena,
                       &alike, err);
    if (!st)
        st = luc_panel_map(&e->panel, 2 + k, found.map, err);
    luc_explained_done(&found);
    luc_arena_release(e->run->arena, mark);
    if (st)
        return st;
    row[0].number = (double)n;
    row[1].text = first;
    row[2].number = alike.spearman;
    row[3].number = alike.spearman_abs;
    row[4].number = alike.ssim;
    e->alike = k == 0 ? alike.spearman_abs : fmin(e->alike, alike.spearman_abs);
    snprintf(text, sizeof(text), n == e->n_layers ? "all random" : "%zu/%zu random", n,
             e->n_layers);
    luc_panel_text(&e->panel, 2 + k, 0, ink, text);
    snprintf(text, sizeof(text), "rank corr. %.2f", alike.spearman_abs);
    luc_panel_text(&e->panel, 2 + k, 1, fabs(alike.spearman_abs) > ALIKE ? red : ink, text);
    snprintf(text, sizeof(text), "SSIM %.2f", alike.ssim);
    luc_panel_text(&e->panel, 2 + k, 2, ink, text);
    return LUC_OK;
}

static enum luc_status randomise_all(struct evaluation *e, struct luc_error *err)
{
    static const char *const columns[] = { "layers", "down_to", "spearman", "spearman_abs",
                                           "ssim" };
    struct luc_table *table = NULL;
    struct luc_rng rng = e->run->rng; /* stages share what they redraw */
    const size_t stages = (size_t)e->p->randomise;
    if (stages == 0 || e->n_layers == 0)
        return LUC_OK;
    enum luc_status st =
        luc_result_table(e->run->result, "randomised", columns, 5, stages, &table, err);
    /* the last stage, with all layers, takes most memory */
    for (size_t k = luc_run_is_dry(e->run) ? stages - 1 : 0; !st && k < stages; k++)
        st = randomise_once(e, k, &rng, table->cells + 5 * k, err);
    return st;
}

/* ---- the answer ---- */

/* `room` for rows, of which n are used: as many as a dry run must think of. */
static enum luc_status put_curve(struct luc_result *r, const char *key, const char *const *columns,
                                 const double *a, const double *b, size_t n, size_t room, double x0,
                                 double dx, struct luc_error *err)
{
    struct luc_table *t = NULL;
    const enum luc_status st = luc_result_table(r, key, columns, 3, room, &t, err);
    if (!st)
        t->n_rows = n;
    for (size_t i = 0; !st && i < n; i++) {
        t->cells[3 * i].number = x0 + dx * (double)i;
        t->cells[3 * i + 1].number = a[i];
        t->cells[3 * i + 2].number = b[i];
    }
    return st;
}

static enum luc_status put_curves(struct evaluation *e, struct luc_error *err)
{
    static const char *const curve[] = { "part", "deletion", "insertion" };
    static const char *const road[] = { "part", "most_first", "least_first" };
    const struct luc_curves *c = &e->curves;
    const size_t parts = (size_t)e->p->road;
    const double part = 1 / (double)(parts + 1);
    const enum luc_status st =
        put_curve(e->run->result, "curve", curve, c->deletion, c->insertion, e->steps + 1,
                  e->p->steps ? e->steps + 1 : STEPS_MAX + 1, 0, 1 / (double)e->steps, err);
    return st || parts == 0 ? st
                            : put_curve(e->run->result, "road_curve", road, c->morf, c->lerf, parts,
                                        parts, part, part, err);
}

static enum luc_status put_texts(struct evaluation *e, double cost, struct luc_error *err)
{
    const struct luc_item *note = luc_result_find(&e->found.result, "note");
    struct luc_result *r = e->run->result;
    enum luc_status st = LUC_OK;
    if (note)
        st = luc_result_text(r, "note", note->text, err);
    const bool dry = luc_run_is_dry(e->run); /* whatever may be said is */
    if (!st && (dry || !luc_result_find(&e->found.result, "completeness_gap")))
        st = luc_result_text(r, "completeness",
                             "not asked: this method does not share the score out", err);
    if (!st && (dry || (e->p->randomise && e->n_layers && e->alike > ALIKE)))
        st = luc_result_text(r, "warning",
                             "fails the sanity check: the map is still much the same when all "
                             "weights are random, so it shows the picture more than the network",
                             err);
    if (!st && (dry || cost > COST_MAX))
        st = luc_result_text(r, "cost_note",
                             "a map as quick as this one cannot be judged in ten times its own "
                             "passes: this is the smallest report that means something, or what "
                             "was asked for",
                             err);
    return st;
}

static enum luc_status put_numbers(struct evaluation *e, struct luc_error *err)
{
    const struct luc_curves *c = &e->curves;
    const double gap = luc_explained_number(&e->found, "completeness_gap", -1);
    const double cost = e->run->passes / e->found.passes;
    const struct {
        const char *key;
        double value;
        bool used;
    } all[] = { { "deletion_auc", c->deletion_auc, true },
                { "insertion_auc", c->insertion_auc, true },
                { "road", c->road, e->p->road > 0 },
                { "completeness_gap", gap, gap >= 0 || luc_run_is_dry(e->run) },
                { "max_sensitivity", e->sensitivity, e->p->sensitivity > 0 },
                { "steps", (double)e->steps, true },
                { "map_passes", e->found.passes, true },
                { "passes", e->run->passes, true },
                { "cost", cost, true } };
    enum luc_status st = LUC_OK;
    for (size_t i = 0; !st && i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i].used)
            st = luc_result_number(e->run->result, all[i].key, all[i].value, err);
    return st ? st : put_texts(e, cost, err);
}

/* Tiles 0 and 1: the map, and the curves. */
static enum luc_status draw_scores(struct evaluation *e, struct luc_error *err)
{
    const struct luc_curves *c = &e->curves;
    const size_t parts = (size_t)e->p->road;
    const double part = 1 / (double)(parts + 1), step = 1 / (double)e->steps;
    const struct luc_curve curves[] = {
        { c->deletion, e->steps + 1, 0, step, { red[0], red[1], red[2] } },
        { c->insertion, e->steps + 1, 0, step, { green[0], green[1], green[2] } },
        { c->morf, parts, part, part, { violet[0], violet[1], violet[2] } },
        { c->lerf, parts, part, part, { blue[0], blue[1], blue[2] } }
    };
    char text[64], label[32];
    double low = 0, high = 1;
    for (size_t k = 0; e->p->score == LUC_SCORE_LOGIT && k < 2; k++)
        for (size_t i = 0; i <= e->steps; i++) {
            low = fmin(low, curves[k].values[i]);
            high = fmax(high, curves[k].values[i]);
        }
    luc_panel_chart(&e->panel, 1, curves, parts > 1 ? 4 : 2, low, high);
    luc_panel_text(&e->panel, 0, 0, ink, e->asked.method->name);
    snprintf(text, sizeof(text), "%.20s %.2f",
             luc_model_label(e->run->model, e->watch.unit.target.index, label), e->watch.base);
    luc_panel_text(&e->panel, 0, 1, ink, text);
    snprintf(text, sizeof(text), "deletion %.2f", c->deletion_auc);
    luc_panel_text(&e->panel, 1, 0, red, text);
    snprintf(text, sizeof(text), "insertion %.2f", c->insertion_auc);
    luc_panel_text(&e->panel, 1, 1, green, text);
    snprintf(text, sizeof(text), "ROAD %+.2f", c->road);
    luc_panel_text(&e->panel, 1, 2, parts > 1 ? blue : ink, parts ? text : "");
    return luc_panel_map(&e->panel, 0, e->found.map, err);
}

static enum luc_status judge(struct evaluation *e, struct luc_error *err)
{
    enum luc_status st = plan(e, err);
    e->n_layers = luc_randomise_layers(e->run->model);
    const size_t tiles = 2 + (e->n_layers ? (size_t)e->p->randomise : 0);
    if (!st)
        st = luc_panel_open(e->run, tiles, 3, SIDE, 3, &e->panel, err);
    if (!st)
        st = measure(e, err);
    if (!st)
        st = draw_scores(e, err);
    if (!st && luc_run_wants_preview(e->run))
        luc_run_preview(e->run, &e->panel.sheet);
    if (!st)
        st = luc_unit_report(e->run, &e->watch.unit, err);
    if (!st)
        st = luc_result_text(e->run->result, "method", e->asked.method->name, err);
    if (!st)
        st = shake(e, err);
    if (!st && e->p->sensitivity > 0) {
        char text[64];
        snprintf(text, sizeof(text), "sensitivity %.2f", e->sensitivity);
        luc_panel_text(&e->panel, 0, 2, ink, text);
    }
    if (!st)
        st = randomise_all(e, err);
    if (!st)
        st = put_numbers(e, err);
    if (!st)
        st = put_curves(e, err);
    return st;
}

static enum luc_status run_evaluate(struct luc_run *run, const void *params, struct luc_error *err)
{
    struct evaluation e = { .run = run, .p = params };
    enum luc_status st = ask(&e, err);
    if (!st)
        st = judge(&e, err);
    if (!st)
        st = luc_result_picture(run->result, "report", &e.panel.sheet, err);
    if (!st)
        st = luc_result_map(run->result, "map", &e.found.map->map, e.found.map->is_signed,
                            &e.found.map->place, err);
    luc_explained_done(&e.found);
    luc_panel_done(&e.panel);
    return st;
}

const struct luc_method luc_method_evaluate = {
    .name = "evaluate",
    .title = "Evaluate",
    .summary = "How far another method's map is to be trusted: whether the score follows it, how "
               "steady it is, and whether it notices that the network's weights are random.",
    .paper = "Petsiuk et al. 2018, arXiv:1806.07421; Adebayo et al. 2018, arXiv:1810.03292",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_SEED,
    .images_min = 1,
    .images_max = 1,
    .needs_classes = true,
    .makes_picture = true,
    .asks_others = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_evaluate,
};
