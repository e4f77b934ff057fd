#include "core/base/rng.h"
#include "core/generate/loss.h"
#include "core/generate/optimiser.h"
#include "core/generate/paint.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT ((size_t)64 << 20)

static int setup(void **state)
{
    *state = luc_arena_create(LIMIT);
    return 0;
}

static int teardown(void **state)
{
    luc_arena_destroy(*state);
    return 0;
}

static const size_t sizes[][2] = { { 1, 1 }, { 2, 2 },  { 3, 5 },   { 4, 7 },
                                   { 8, 6 }, { 13, 9 }, { 16, 16 }, { 5, 12 } };
#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* ---- Fourier ---- */

static void fft__is_the_sum_that_defines_it(void **state)
{
    const double two_pi = 6.283185307179586;
    struct luc_rng rng;
    luc_rng_seed(&rng, 3);
    for (size_t k = 0; k < N_SIZES; k++) {
        const size_t h = sizes[k][0], w = sizes[k][1], columns = luc_fft_columns(w);
        float real[256], spectrum[2 * 256], back[256];
        struct luc_fft *f = NULL;
        assert_int_equal(luc_fft_create(h, w, *state, &f, NULL), LUC_OK);
        for (size_t i = 0; i < h * w; i++)
            real[i] = (float)luc_rng_normal(&rng);
        luc_fft_forward(f, real, spectrum);
        for (size_t v = 0; v < h; v++)
            for (size_t u = 0; u < columns; u++) {
                double re = 0, im = 0;
                for (size_t y = 0; y < h; y++)
                    for (size_t x = 0; x < w; x++) {
                        const double angle =
                            two_pi * ((double)(v * y) / (double)h + (double)(u * x) / (double)w);
                        re += (double)real[y * w + x] * cos(angle);
                        im -= (double)real[y * w + x] * sin(angle);
                    }
                assert_true(fabs(re - (double)spectrum[2 * (v * columns + u)]) < 1e-4);
                assert_true(fabs(im - (double)spectrum[2 * (v * columns + u) + 1]) < 1e-4);
            }
        luc_fft_inverse(f, spectrum, back);
        for (size_t i = 0; i < h * w; i++)
            assert_true(fabsf(back[i] - real[i]) < 1e-5f);
    }
}

/* ---- pictures ---- */

static void paint__gives_back_the_picture_it_was_set_to(void **state)
{
    struct luc_rng rng;
    luc_rng_seed(&rng, 4);
    for (int kind = LUC_PIXEL; kind <= LUC_FOURIER; kind++)
        for (size_t k = 0; k < N_SIZES; k++) {
            const size_t h = sizes[k][0], w = sizes[k][1];
            float picture[3 * 256], got[3 * 256];
            struct luc_paint p;
            assert_int_equal(
                luc_paint_init(&p,
                               &(struct luc_paint_spec){
                                   .kind = (enum luc_paint_kind)kind, .height = h, .width = w },
                               *state, NULL),
                LUC_OK);
            for (size_t i = 0; i < 3 * h * w; i++)
                picture[i] = (float)(10 + luc_rng_uniform(&rng) * 235);
            luc_paint_set(&p, picture);
            luc_paint_get(&p, got);
            for (size_t i = 0; i < 3 * h * w; i++)
                assert_true(fabsf(got[i] - picture[i]) < 0.02f);
        }
}

static double weighted(struct luc_paint *p, float *picture, const float *weights)
{
    double sum = 0;
    luc_paint_get(p, picture);
    for (size_t i = 0; i < 3 * p->height * p->width; i++)
        sum += (double)picture[i] * (double)weights[i];
    return sum;
}

static void paint__fourier_gradient_matches_finite_difference(void **state)
{
    struct luc_rng rng;
    luc_rng_seed(&rng, 5);
    for (size_t k = 1; k < N_SIZES; k++) {
        const size_t h = sizes[k][0], w = sizes[k][1];
        float picture[3 * 256], weights[3 * 256], gradient[3 * 2 * 256];
        struct luc_paint p;
        assert_int_equal(
            luc_paint_init(&p,
                           &(struct luc_paint_spec){ .kind = LUC_FOURIER, .height = h, .width = w },
                           *state, NULL),
            LUC_OK);
        luc_paint_noise(&p, 0.3, &rng);
        for (size_t i = 0; i < 3 * h * w; i++)
            weights[i] = (float)luc_rng_normal(&rng);
        weighted(&p, picture, weights);
        luc_paint_backward(&p, picture, weights, gradient);
        for (size_t i = 0; i < p.n; i++) {
            const float at = p.variable[i], step = 0.02f;
            p.variable[i] = at + step;
            const double up = weighted(&p, picture, weights);
            p.variable[i] = at - step;
            const double down = weighted(&p, picture, weights);
            p.variable[i] = at;
            const double want = (up - down) / (2 * (double)step);
            assert_true(fabs(want - (double)gradient[i]) <
                        2e-2 * (1 + fabs(want) + fabs((double)gradient[i])));
        }
    }
}

/* ---- losses ---- */

#define C 3
#define H 4
#define W 5

static void fill(float *v, size_t n, uint64_t seed, double scale)
{
    struct luc_rng rng;
    luc_rng_seed(&rng, seed);
    for (size_t i = 0; i < n; i++)
        v[i] = (float)(scale * luc_rng_normal(&rng));
}

static void losses__gradients_match_finite_differences(void **state)
{
    float target[C * H * W], f[C * H * W], g[C * H * W] = { 0 }, unused[C * H * W];
    const struct luc_tensor style = { luc_shape4(1, C, H, W), LUC_F32, target };
    const struct luc_tensor features = { luc_shape4(1, C, H, W), LUC_F32, f };
    struct luc_tensor gradient = { luc_shape4(1, C, H, W), LUC_F32, g };
    struct luc_tensor dump = { luc_shape4(1, C, H, W), LUC_F32, unused };
    struct luc_loss loss[3];
    fill(target, C * H * W, 6, 1);
    fill(f, C * H * W, 7, 1);
    assert_int_equal(luc_loss_gram(&loss[0], 0, 2.5, NULL, &style, *state, NULL), LUC_OK);
    luc_loss_feature(&loss[1], 0, 1.5, &style);
    loss[2] = (struct luc_loss){ .kind = LUC_LOSS_ENERGY, .weight = 1.3 };
    for (size_t k = 0; k < 3; k++) {
        memset(g, 0, sizeof(g));
        luc_loss_eval(&loss[k], NULL, &features, &gradient);
        luc_loss_eval(&loss[k], NULL, &features, &gradient); /* adds */
        for (size_t i = 0; i < C * H * W; i++) {
            const float at = f[i], step = 0.01f;
            f[i] = at + step;
            const double up = luc_loss_eval(&loss[k], NULL, &features, &dump);
            f[i] = at - step;
            const double down = luc_loss_eval(&loss[k], NULL, &features, &dump);
            f[i] = at;
            assert_true(fabs((up - down) / 0.02 - (double)g[i] / 2) < 2e-3);
        }
    }
}

/* Two pictures at once: sums over them, and their likeness. */
static void objectives__gradients_match_finite_differences(void **state)
{
    enum { N = 2 * C * H * W };
    float v[C] = { 0.5f, -2, 1 }, f[N], g[N], unused[N];
    struct luc_tensor features = { luc_shape4(2, C, H, W), LUC_F32, f };
    struct luc_tensor gradient = { luc_shape4(2, C, H, W), LUC_F32, g };
    struct luc_tensor dump = { luc_shape4(2, C, H, W), LUC_F32, unused };
    struct luc_loss loss[] = {
        { .kind = LUC_LOSS_ENERGY, .weight = 1.3 },
        { .kind = LUC_LOSS_CHANNEL, .weight = 2, .index = 1 },
        { .kind = LUC_LOSS_NEURON, .weight = 2, .index = 2, .row = 3, .column = 4 },
        { .kind = LUC_LOSS_DIRECTION, .weight = 0.7, .target = v },
        { .kind = LUC_LOSS_CLASS, .weight = 1.1, .index = 1 },
        { .kind = LUC_LOSS_CLASS, .weight = 1.1, .index = 2, .sharpen = 4 },
        { .kind = LUC_LOSS_DIVERSITY },
    };
    assert_int_equal(luc_loss_diversity(&loss[6], 0, 5, 2, C, *state, NULL), LUC_OK);
    fill(f, N, 7, 1);
    for (size_t k = 0; k < sizeof(loss) / sizeof(loss[0]); k++) {
        const bool classes = loss[k].kind == LUC_LOSS_CLASS;
        features.shape = gradient.shape = dump.shape =
            classes ? (struct luc_shape){ 2, { 2, C * H * W } } : luc_shape4(2, C, H, W);
        memset(g, 0, sizeof(g));
        luc_loss_eval(&loss[k], NULL, &features, &gradient);
        luc_loss_eval(&loss[k], NULL, &features, &gradient); /* adds */
        for (size_t i = 0; i < N; i++) {
            const float at = f[i], step = 0.01f;
            f[i] = at + step;
            const double up = luc_loss_eval(&loss[k], NULL, &features, &dump);
            f[i] = at - step;
            const double down = luc_loss_eval(&loss[k], NULL, &features, &dump);
            f[i] = at;
            if (fabs((up - down) / 0.02 - (double)g[i] / 2) >= 1e-3)
                fail_msg("objective %zu at %zu: %g, should be %g", k, i, (double)g[i] / 2,
                         (up - down) / 0.02);
        }
    }
}

static void objectives__are_what_they_are_called(void **state)
{
    float f[2 * C * H * W], g[2 * C * H * W] = { 0 };
    const struct luc_tensor features = { luc_shape4(2, C, H, W), LUC_F32, f };
    struct luc_tensor gradient = { luc_shape4(2, C, H, W), LUC_F32, g };
    struct luc_loss neuron = {
        .kind = LUC_LOSS_NEURON, .weight = 3, .index = 1, .row = 2, .column = 3
    };
    struct luc_loss channel = { .kind = LUC_LOSS_CHANNEL, .weight = 1, .index = 1 };
    struct luc_loss likeness;
    fill(f, 2 * C * H * W, 17, 1);
    const size_t at = 1 * H * W + 2 * W + 3;
    luc_loss_eval(&neuron, NULL, &features, &gradient);
    assert_true(fabs(neuron.latest + (double)f[at] + (double)f[C * H * W + at]) < 1e-6);
    assert_true(g[at] == -3 && g[C * H * W + at] == -3);
    double sum = 0;
    for (size_t i = H * W; i < 2 * H * W; i++)
        sum += (double)f[i] + (double)f[C * H * W + i];
    luc_loss_eval(&channel, NULL, &features, &gradient);
    assert_true(fabs(channel.latest + sum / (H * W)) < 1e-6);
    /* the same picture twice, one of them brighter: as like as can be */
    for (size_t i = 0; i < C * H * W; i++)
        f[C * H * W + i] = 3 * f[i];
    assert_int_equal(luc_loss_diversity(&likeness, 0, 1, 2, C, *state, NULL), LUC_OK);
    luc_loss_eval(&likeness, NULL, &features, &gradient);
    assert_true(fabs(likeness.latest - 1) < 1e-5);
}

/* ---- optimisers ---- */

/* f = sum_i c_i (x_i - i)^2 with condition 100; returns f, gradient in g. */
static double bowl(const float *x, float *g, size_t n)
{
    double f = 0;
    for (size_t i = 0; i < n; i++) {
        const double c = 1 + 99.0 * (double)i / (double)(n - 1), d = (double)x[i] - (double)i;
        f += c * d * d;
        g[i] = (float)(2 * c * d);
    }
    return f;
}

static void adam__first_step_is_the_rate_whatever_the_gradient(void **state)
{
    struct luc_optimiser o;
    float x[3] = { 0, 0, 0 }, g[3] = { 1e-3f, -50, 7 };
    const struct luc_optimiser_spec spec = { .kind = LUC_ADAM, .rate = 0.25 };
    assert_int_equal(luc_optimiser_init(&o, &spec, 3, *state, NULL), LUC_OK);
    luc_optimiser_step(&o, x, 0, g);
    assert_float_equal(x[0], -0.25f, 1e-4f);
    assert_float_equal(x[1], 0.25f, 1e-6f);
    assert_float_equal(x[2], -0.25f, 1e-6f);
}

/* Under an even gradient a step is the rate, or its part while it warms. */
static void adam__warms_evenly_up_to_its_rate(void **state)
{
    struct luc_optimiser o;
    float x = 0, before = 0;
    const struct luc_optimiser_spec spec = { .kind = LUC_ADAM, .rate = 0.5, .warm = 4 };
    assert_int_equal(luc_optimiser_init(&o, &spec, 1, *state, NULL), LUC_OK);
    for (int i = 1; i <= 6; i++) {
        float g = 3;
        luc_optimiser_step(&o, &x, 0, &g);
        assert_float_equal(before - x, i < 4 ? 0.125f * (float)i : 0.5f, 1e-5f);
        before = x;
    }
}

static double descend(struct luc_arena *arena, enum luc_optimiser_kind kind, double rate, int steps)
{
    struct luc_optimiser o;
    float x[20] = { 0 }, g[20];
    const struct luc_optimiser_spec spec = { .kind = kind, .rate = rate };
    assert_int_equal(luc_optimiser_init(&o, &spec, 20, arena, NULL), LUC_OK);
    for (int i = 0; i < steps; i++) {
        const double f = bowl(x, g, 20);
        luc_optimiser_step(&o, x, f, g);
    }
    return bowl(x, g, 20);
}

/* Rosenbrock's valley in pairs of variables, with a wall: not finite beyond x_0 = 1.5. */
static double valley(const float *x, float *g, size_t n)
{
    double f = 0;
    for (size_t i = 0; i + 1 < n; i += 2) {
        const double a = (double)x[i], b = (double)x[i + 1], d = b - a * a;
        f += 100 * d * d + (1 - a) * (1 - a);
        g[i] = (float)(-400 * d * a - 2 * (1 - a));
        g[i + 1] = (float)(200 * d);
    }
    return x[0] > 1.5f ? HUGE_VAL : f;
}

/* Each best point is at least as good as the one before, and the valley's end is found. */
static void search__never_goes_on_from_a_worse_point(void **state)
{
    struct luc_optimiser o;
    float x[6] = { -1.2f, 1, -0.5f, 2, 0, 0 }, best[6], g[6];
    double last = INFINITY;
    int worse = 0;
    const struct luc_optimiser_spec spec = { .kind = LUC_LBFGS_SEARCH, .rate = 1, .pairs = 7 };
    assert_int_equal(luc_optimiser_init(&o, &spec, 6, *state, NULL), LUC_OK);
    for (int i = 0; i < 150; i++) {
        const double f = valley(x, g, 6);
        worse += !(f <= last);
        luc_optimiser_step(&o, x, f, g);
        memcpy(best, x, sizeof(x));
        luc_optimiser_best(&o, best);
        const double now = valley(best, g, 6);
        assert_true(now <= last && now == o.at.loss);
        last = now;
    }
    assert_true(worse > 0); /* steps that had to be taken back */
    assert_true(last < 1e-6);
}

static void optimisers__reach_the_bottom_of_a_bowl(void **state)
{
    assert_true(descend(*state, LUC_LBFGS, 1.0, 60) < 1e-3);
    assert_true(descend(*state, LUC_LBFGS_SEARCH, 1.0, 60) < 1e-3);
    assert_true(descend(*state, LUC_ADAM, 0.5, 500) < 1e-2);
    assert_true(descend(*state, LUC_ASCENT, 0.02, 2000) < 100); /* from 98,800 */
}

static void optimiser__goes_on_from_its_saved_state_bit_for_bit(void **state)
{
    for (int kind = LUC_ADAM; kind <= LUC_LBFGS_SEARCH; kind++) {
        struct luc_optimiser a, b;
        float xa[20] = { 0 }, xb[20], g[20];
        const struct luc_optimiser_spec spec = { .kind = (enum luc_optimiser_kind)kind,
                                                 .rate = 0.1,
                                                 .pairs = 5 };
        assert_int_equal(luc_optimiser_init(&a, &spec, 20, *state, NULL), LUC_OK);
        assert_int_equal(luc_optimiser_init(&b, &spec, 20, *state, NULL), LUC_OK);
        for (int i = 0; i < 40; i++) {
            if (i == 17) { /* what a checkpoint does */
                float *own = b.state;
                memcpy(own, a.state, a.state_n * sizeof(float));
                b = a;
                b.state = own;
                memcpy(xb, xa, sizeof(xa));
            }
            const double fa = bowl(xa, g, 20);
            luc_optimiser_step(&a, xa, fa, g);
            if (i >= 17) {
                const double fb = bowl(xb, g, 20);
                luc_optimiser_step(&b, xb, fb, g);
            }
        }
        assert_memory_equal(xa, xb, sizeof(xa));
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(fft__is_the_sum_that_defines_it),
        T(paint__gives_back_the_picture_it_was_set_to),
        T(paint__fourier_gradient_matches_finite_difference),
        T(losses__gradients_match_finite_differences),
        T(objectives__gradients_match_finite_differences),
        T(objectives__are_what_they_are_called),
        T(adam__first_step_is_the_rate_whatever_the_gradient),
        T(adam__warms_evenly_up_to_its_rate),
        T(search__never_goes_on_from_a_worse_point),
        T(optimisers__reach_the_bottom_of_a_bowl),
        T(optimiser__goes_on_from_its_saved_state_bit_for_bit),
    };
#undef T
    return cmocka_run_group_tests_name("generate", tests, NULL, NULL);
}
