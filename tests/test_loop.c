/* The loop as a whole, on a network of two layers. */
#include "core/generate/loop.h"
#include "tests/net_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT ((size_t)64 << 20)
#define H     9
#define W     11
#define N     (3 * H * W)

struct bed {
    struct net net;
    struct luc_model model;
    struct luc_pool *pool;
};

static int setup(void **state)
{
    struct bed *b = calloc(1, sizeof(*b));
    net_init(&b->net);
    net_input(&b->net, 0, 0);
    net_conv(&b->net, "x", "conv1", 3, 6, 3, "pads=1,1,1,1");
    net_node(&b->net, "Relu", "conv1", "a", "");
    net_conv(&b->net, "a", "conv2", 6, 5, 3, "pads=1,1,1,1 strides=2,2");
    net_node(&b->net, "Relu", "conv2", "b", "");
    net_conv(&b->net, "b", "last", 5, 4, 1, "");
    assert_int_equal(luc_graph_add_output(b->net.g, net_value(&b->net, "last"), NULL), LUC_OK);
    net_finish(&b->net);
    b->model = (struct luc_model){
        .name = "two",
        .graph = b->net.g,
        .in = { .channels = LUC_BGR, .mean = { 104, 117, 124 }, .scale = { 0.02f, 0.03f, 0.04f } },
        .input = net_value(&b->net, "x"),
        .logits = LUC_NONE
    };
    b->pool = luc_pool_create(3);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bed *b = *state;
    luc_pool_destroy(b->pool);
    net_done(&b->net);
    free(b);
    return 0;
}

/* One loop with everything that it needs; the same for the same settings. */
struct rig {
    struct luc_arena *arena;
    struct luc_paint paint;
    struct luc_loss losses[3];
    struct luc_loop_spec spec;
    struct luc_loop *loop;
};

static void begin(struct rig *r, struct bed *b, const struct luc_loop_spec *like, size_t count,
                  enum luc_paint_kind kind)
{
    const size_t channels = 5;
    float *picture = malloc(count * N * sizeof(*picture));
    struct luc_error err = { 0 };
    struct luc_rng rng;
    luc_rng_seed(&rng, 21);
    *r = (struct rig){ .arena = luc_arena_create(LIMIT), .spec = *like };
    for (size_t i = 0; i < count * N; i++)
        picture[i] = (float)(60 + 130 * luc_rng_uniform(&rng));
    const struct luc_paint_spec paint = { .kind = kind, .height = H, .width = W, .count = count };
    assert_int_equal(luc_paint_init(&r->paint, &paint, r->arena, NULL), LUC_OK);
    luc_paint_set(&r->paint, picture);
    const size_t layer = net_value(&b->net, "b");
    r->losses[0] =
        (struct luc_loss){ .kind = LUC_LOSS_CHANNEL, .value = layer, .weight = 1, .index = 2 };
    r->losses[1] = (struct luc_loss){ .kind = LUC_LOSS_ENERGY,
                                      .value = net_value(&b->net, "last"),
                                      .weight = 0.5 };
    assert_int_equal(luc_loss_diversity(&r->losses[2], layer, 2, count, channels, r->arena, NULL),
                     LUC_OK);
    r->spec.model = &b->model;
    r->spec.paint = &r->paint;
    r->spec.losses = r->losses;
    r->spec.n_losses = count > 1 && r->spec.n_losses == 0 ? 3 : 2;
    luc_rng_seed(&r->spec.rng, 99);
    if (luc_loop_create(&r->spec, r->arena, &r->loop, &err))
        fail_msg("%s", err.text);
    free(picture);
}

static void end(struct rig *r)
{
    luc_arena_destroy(r->arena);
}

static const struct luc_loop_spec everything = {
    .optimiser = { .kind = LUC_ASCENT, .rate = 0.5 },
    .regular = { .l2 = 0.5, .tv = 2, .alpha_weight = 0.5, .alpha = 6 },
    .views = { .jitter = 2, .zoom = 0.2, .rotate = 20, .border = LUC_BORDER_REFLECT },
    .softplus = 3,
};

/* Views, softplus, several pictures and losses, penalties: one gradient. An ascent's step tells it:
 * x - x' = rate * g / mean |g|. */
static void gradient__of_a_whole_step_matches_finite_differences(void **state)
{
    struct rig r, moved;
    double l1, l2;
    float before[2 * N];
    begin(&r, *state, &everything, 2, LUC_PIXEL);
    memcpy(before, r.paint.variable, sizeof(before));
    luc_loop_step(r.loop);
    luc_loop_gradient_norms(r.loop, &l1, &l2);
    const double mean = l1 / (2 * N);
    for (size_t i = 0; i < 2 * N; i += 7) {
        const double is = ((double)before[i] - (double)r.paint.variable[i]) * mean / 0.5;
        double at[2];
        for (int k = 0; k < 2; k++) {
            begin(&moved, *state, &everything, 2, LUC_PIXEL);
            moved.paint.variable[i] += k ? 0.5f : -0.5f;
            at[k] = luc_loop_step(moved.loop);
            end(&moved);
        }
        if (!(fabs(at[1] - at[0] - is) < 0.02 * mean + 0.01 * fabs(is)))
            fail_msg("variable %zu: %g, should be %g (mean %g)", i, is, at[1] - at[0], mean);
    }
    end(&r);
}

static const struct luc_loop_spec ways[] = {
    { .optimiser = { .kind = LUC_ADAM, .rate = 2 },
      .views = { .jitter = 3, .zoom = 0.1, .rotate = 5, .border = LUC_BORDER_REFLECT },
      .softplus = 3 },
    { .optimiser = { .kind = LUC_ASCENT, .rate = 2 },
      .regular = { .l2 = 1,
                   .blur = 0.5,
                   .blur_every = 2,
                   .small_pixels = 20,
                   .small_contributions = 20 },
      .views = { .jitter = 2 } },
    { .optimiser = { .kind = LUC_LBFGS, .rate = 1 }, .regular = { .tv = 10 } },
    { .optimiser = { .kind = LUC_LBFGS_SEARCH, .rate = 1 }, .regular = { .l2 = 50 } },
};
#define N_WAYS (sizeof(ways) / sizeof(ways[0]))

static void loop__goes_on_from_any_checkpoint_bit_for_bit(void **state)
{
    for (size_t k = 0; k < 2 * N_WAYS; k++) {
        struct rig whole, part;
        struct luc_str kept = { 0 };
        begin(&whole, *state, &ways[k / 2], 2, k % 2 ? LUC_FOURIER : LUC_PIXEL);
        for (int i = 0; i < 9; i++) {
            if (i == 4)
                luc_loop_save(whole.loop, &kept);
            luc_loop_step(whole.loop);
        }
        begin(&part, *state, &ways[k / 2], 2, k % 2 ? LUC_FOURIER : LUC_PIXEL);
        assert_int_equal(luc_loop_restore(part.loop, kept.data, kept.len, NULL), LUC_OK);
        assert_int_equal(luc_loop_steps(part.loop), 4);
        for (int i = 4; i < 9; i++)
            luc_loop_step(part.loop);
        luc_loop_finish(whole.loop);
        luc_loop_finish(part.loop);
        assert_memory_equal(whole.paint.variable, part.paint.variable,
                            whole.paint.n * sizeof(float));
        assert_int_equal(luc_loop_restore(part.loop, kept.data, kept.len - 1, NULL), LUC_FORMAT);
        luc_str_done(&kept);
        end(&whole);
        end(&part);
    }
}

static void loop__any_number_of_threads_gives_the_same_bits(void **state)
{
    struct bed *b = *state;
    for (size_t k = 0; k < N_WAYS; k++) {
        const struct luc_threads threads = { .pool = b->pool, .width = 4 };
        struct luc_loop_spec spec = ways[k];
        struct rig one, four;
        begin(&one, b, &spec, 2, LUC_FOURIER);
        spec.threads = &threads;
        begin(&four, b, &spec, 2, LUC_FOURIER);
        for (int i = 0; i < 5; i++)
            assert_true(luc_loop_step(one.loop) == luc_loop_step(four.loop));
        assert_memory_equal(one.paint.variable, four.paint.variable, one.paint.n * sizeof(float));
        end(&one);
        end(&four);
    }
}

/* Without diversity a picture goes the way that it goes alone. */
static void loop__pictures_do_not_touch_each_other(void **state)
{
    const struct luc_loop_spec spec = { .optimiser = { .kind = LUC_ADAM, .rate = 2 },
                                        .regular = { .l2 = 3 },
                                        .n_losses = 2 };
    struct rig alone, both;
    begin(&alone, *state, &spec, 1, LUC_PIXEL);
    begin(&both, *state, &spec, 2, LUC_PIXEL);
    for (int i = 0; i < 5; i++) {
        luc_loop_step(alone.loop);
        luc_loop_step(both.loop);
    }
    for (size_t i = 0; i < N; i++)
        assert_true(fabsf(alone.paint.variable[i] - both.paint.variable[i]) < 1e-3f);
    end(&alone);
    end(&both);
}

static void search__hands_out_the_best_picture(void **state)
{
    struct rig r;
    double last = INFINITY;
    begin(&r, *state, &ways[3], 1, LUC_PIXEL);
    for (int i = 0; i < 15; i++) {
        const double now = luc_loop_step(r.loop);
        assert_true(now <= last);
        last = now;
    }
    luc_loop_finish(r.loop);
    struct rig again;
    begin(&again, *state, &ways[3], 1, LUC_PIXEL);
    memcpy(again.paint.variable, r.paint.variable, N * sizeof(float));
    const double found = luc_loop_step(again.loop);
    assert_true(fabs(found - last) < 1e-9 * fabs(last));
    end(&r);
    end(&again);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(gradient__of_a_whole_step_matches_finite_differences),
        T(loop__goes_on_from_any_checkpoint_bit_for_bit),
        T(loop__any_number_of_threads_gives_the_same_bits),
        T(loop__pictures_do_not_touch_each_other),
        T(search__hands_out_the_best_picture),
    };
#undef T
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
