/* smoothgrad: the mean of explanations of noisy copies of the picture.
 *
 *   mean      M = max_c | 1/n sum_i g(x + e_i) |        e_i ~ N(0, s^2)
 *   squared   M = max_c   1/n sum_i g(x + e_i)^2
 *   variance  M = max_c   1/n sum_i (g(x + e_i) - mean g)^2
 *
 * g is the gradient, guided backpropagation, integrated gradients or gradient times input.
 *
 * Input:  one picture.
 * Output: map `smoothgrad` [1, 1, h, w], non-negative; picture `colours` of the mean, around gray.
 * Cost:   `samples` forward and backward passes; times `steps` over integrated gradients.
 * Errors: those of core/ask/gradient.h.
 * Source: Smilkov, Thorat, Kim, Viegas & Wattenberg, "SmoothGrad: removing noise by adding noise",
 *         2017, arXiv:1706.03825, section 3; squared: Hooker et al. 2018, arXiv:1806.10758;
 *         variance: Adebayo et al. 2018, arXiv:1810.03307. s is `noise` times the range of x.
 */
#include "core/ask/fill.h"
#include "core/ask/path.h"
#include "core/show/show.h"

#include <math.h>
#include <string.h>

enum variant { MEAN, SQUARED, VARIANCE };
enum over { SALIENCY, INTEGRATED_GRADIENTS, GUIDED_BACKPROP, TIMES_INPUT };

struct params {
    struct luc_unit_params unit;
    int64_t samples, variant, over, steps, show;
    double noise;
};

static const char *const variant_names[] = { "mean", "squared", "variance", NULL };
static const char *const over_names[] = { "saliency", "integrated-gradients", "guided-backprop",
                                          "gradient-times-input", NULL };
static const char *const show_names[] = LUC_SHOW_NAMES;

static const struct luc_param rows[] = {
    LUC_UNIT_ROWS(struct params, unit),
    LUC_INT(struct params, samples, 25, 1, 1000, "", "Noisy copies"),
    LUC_REAL(struct params, noise, 0.15, 0, 2, "",
             "Standard deviation of the noise, as a part of the picture's range of values"),
    LUC_CHOICE(struct params, variant, MEAN, 3, variant_names,
               "What is made of the copies' gradients: their mean, mean square or variance"),
    LUC_CHOICE(struct params, over, SALIENCY, 4, over_names, "What is computed for each copy"),
    LUC_INT(struct params, steps, 10, 2, 1000, "",
            "Points on each path from black (over=integrated-gradients)"),
    LUC_CHOICE(struct params, show, LUC_SHOW_MAP, 2, show_names, LUC_SHOW_DOC),
    LUC_PARAM_END,
};

struct smooth {
    struct luc_run *run;
    const struct params *p;
    struct luc_tensor input;
    struct luc_gradient g;
    struct luc_tensor black;
    struct luc_path path; /* over integrated gradients */
    float *noisy;
    double *sum, *squares;
};

static enum luc_status open_smooth(struct smooth *s, struct luc_error *err)
{
    struct luc_arena *arena = s->run->arena;
    const size_t n = luc_numel(&s->input.shape);
    enum luc_status st = luc_gradient_open(s->run, &s->p->unit, &s->input, &s->g, err);
    if (!st && s->p->over == INTEGRATED_GRADIENTS) {
        s->path =
            (struct luc_path){ .g = &s->g, .baseline = &s->black, .steps = (size_t)s->p->steps };
        st = luc_fill_picture(s->run, LUC_FILL_BLACK, 0, &s->input, &s->black, err);
        if (!st)
            st = luc_path_open(&s->path, err);
    }
    if (st)
        return st;
    s->noisy = luc_arena_raw(arena, n, sizeof(*s->noisy));
    s->sum = luc_arena_alloc(arena, n, sizeof(*s->sum));
    s->squares = luc_arena_alloc(arena, n, sizeof(*s->squares));
    if (!s->noisy || !s->sum || !s->squares)
        return luc_fail_nomem(err, "smoothgrad", n * 2 * sizeof(*s->sum));
    return LUC_OK;
}

static void add(struct smooth *s, size_t i, double v)
{
    s->sum[i] += v;
    s->squares[i] += v * v;
}

/* What is computed for the noisy copy, added to the sums. */
static enum luc_status sample(struct smooth *s, double from, double to, struct luc_error *err)
{
    const size_t n = luc_numel(&s->input.shape);
    if (s->p->over == INTEGRATED_GRADIENTS) {
        const enum luc_status st = luc_path_walk(&s->path, s->noisy, from, to, err);
        for (size_t i = 0; !st && i < n; i++)
            add(s, i, ((double)s->noisy[i] - (double)s->black.data[i]) * s->path.sum[i]);
        return st;
    }
    luc_gradient_forward(&s->g, s->noisy);
    const struct luc_tensor *g =
        luc_gradient_back(&s->g, s->p->over == GUIDED_BACKPROP ? LUC_RELU_GUIDED : LUC_RELU_PLAIN);
    for (size_t i = 0; i < n; i++)
        add(s, i, (double)g->data[i] * (s->p->over == TIMES_INPUT ? (double)s->noisy[i] : 1.0));
    return luc_run_tick(s->run, to, err);
}

static enum luc_status sample_all(struct smooth *s, struct luc_error *err)
{
    const size_t samples = (size_t)s->p->samples;
    const double sigma = s->p->noise * luc_range(&s->input);
    enum luc_status st = LUC_OK;
    for (size_t k = 0; !st && k < luc_run_turns(s->run, samples); k++) {
        for (size_t i = 0; i < luc_numel(&s->input.shape); i++)
            s->noisy[i] = s->input.data[i] + (float)(sigma * luc_rng_normal(&s->run->rng));
        st = sample(s, (double)k / (double)samples, (double)(k + 1) / (double)samples, err);
    }
    return st;
}

/* What the variant makes of the sums, into out. */
static void finish(const struct smooth *s, enum variant variant, float *out)
{
    const double n = (double)s->p->samples;
    for (size_t i = 0; i < luc_numel(&s->input.shape); i++) {
        const double mean = s->sum[i] / n, square = s->squares[i] / n;
        out[i] = (float)(variant == MEAN      ? mean
                         : variant == SQUARED ? square
                                              : fmax(square - mean * mean, 0));
    }
}

static enum luc_status show(struct smooth *s, const struct luc_frame *frame, struct luc_error *err)
{
    const size_t n = luc_numel(&s->input.shape);
    struct luc_tensor out = { .shape = s->input.shape };
    out.data = luc_arena_raw(s->run->arena, n, sizeof(float));
    if (!out.data)
        return luc_fail_nomem(err, "smoothgrad", n * sizeof(float));
    finish(s, (enum variant)s->p->variant, out.data);
    return luc_show_gradient(s->run, "smoothgrad", &out, frame, (enum luc_show)s->p->show, err);
}

static enum luc_status run_smoothgrad(struct luc_run *run, const void *params,
                                      struct luc_error *err)
{
    struct smooth s = { .run = run, .p = params };
    struct luc_frame frame;
    enum luc_status st = luc_run_input(run, 0, &frame, &s.input, err);
    if (!st)
        st = open_smooth(&s, err);
    if (!st)
        st = sample_all(&s, err);
    if (!st)
        st = luc_unit_report(run, &s.g.unit, err);
    if (!st)
        st = luc_result_number(
            run->result, "passes",
            (double)(s.p->over == INTEGRATED_GRADIENTS ? s.p->samples * s.p->steps : s.p->samples),
            err);
    return st ? st : show(&s, &frame, err);
}

const struct luc_method luc_method_smoothgrad = {
    .name = "smoothgrad",
    .title = "SmoothGrad",
    .summary = "Saliency without most of its noise: the mean over many slightly noisy copies of "
               "the picture.",
    .paper = "Smilkov et al. 2017, arXiv:1706.03825",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_VIEW | LUC_GROUP_SEED,
    .images_min = 1,
    .images_max = 1,
    .makes_picture = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_smoothgrad,
};
