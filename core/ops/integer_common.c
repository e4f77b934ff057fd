#include "core/ops/integer_common.h"

#include <limits.h>
#include <string.h>

const struct luc_param luc_integer_conv_attrs[] = {
    LUC_WINDOW_ROWS(struct luc_window_attrs),
    LUC_INT(struct luc_integer_conv_attrs, group, 1, 1, INT_MAX, "",
            "Groups that channels are split into"),
    LUC_PARAM_END,
};

_Static_assert(offsetof(struct luc_integer_conv_attrs, win) == 0, "win comes first");

static enum luc_status conv_of(const struct luc_integer_conv_attrs *a, const struct luc_shape *x,
                               const struct luc_shape *w, struct luc_int_conv *g,
                               struct luc_error *err)
{
    const size_t group = (size_t)a->group;
    if (w->rank != x->rank || w->rank < 3 || w->rank > 4)
        return luc_fail(err, LUC_SHAPE, "x has rank %zu, weights rank %zu: want 4 (or 3) for both",
                        x->rank, w->rank);
    const size_t kernel[2] = { w->rank == 4 ? w->dim[2] : 1, w->dim[w->rank - 1] };
    const enum luc_status st = luc_window_resolve(&a->win, x, kernel, false, &g->win, err);
    if (st)
        return st;
    if (w->dim[0] == 0 || x->dim[1] % group != 0 || w->dim[0] % group != 0 ||
        w->dim[1] != x->dim[1] / group)
        return luc_fail(err, LUC_SHAPE,
                        "%zu channels in %zu groups do not fit weights of %zu x %zu channels",
                        x->dim[1], group, w->dim[0], w->dim[1]);
    g->n = x->dim[0], g->c_in = x->dim[1], g->c_out = w->dim[0], g->groups = group;
    return LUC_OK;
}

static size_t numel_of(const struct luc_infer *x, size_t i)
{
    return i != LUC_ABSENT && luc_infer_has(x, i) ? luc_numel(&x->in[i]->shape) : 0;
}

/* One for all, or `n`; absent is fine. */
static enum luc_status check_count(const struct luc_infer *x, size_t i, size_t n, const char *what,
                                   struct luc_error *err)
{
    const size_t have = numel_of(x, i);
    if (have <= 1 || have == n)
        return LUC_OK;
    return luc_fail(err, LUC_SHAPE, "%s has %zu numbers, wanted 1 or %zu", what, have, n);
}

static enum luc_status check_scales(const struct luc_infer *x, const struct luc_integer_inputs *in,
                                    size_t n_rows, size_t n_channels, struct luc_error *err)
{
    enum luc_status st = check_count(x, in->a_zero, n_rows, "the first zero point", err);
    if (!st)
        st = check_count(x, in->a_scale, 1, "the first scale", err);
    if (!st)
        st = check_count(x, in->b_zero, n_channels, "the second zero point", err);
    if (!st)
        st = check_count(x, in->b_scale, n_channels, "the second scale", err);
    if (!st)
        st = check_count(x, in->y_scale, 1, "y's scale", err);
    if (!st)
        st = check_count(x, in->y_zero, 1, "y's zero point", err);
    return st;
}

/* Sums have 32 bits; quantised again, they have the type of y's zero point. */
static void set_type(struct luc_infer *x, const struct luc_integer_inputs *in)
{
    const bool again = in->y_zero != LUC_ABSENT;
    x->out[0].dtype = !again                         ? LUC_I32
                      : luc_infer_has(x, in->y_zero) ? x->in[in->y_zero]->dtype
                                                     : LUC_U8;
}

enum luc_status luc_infer_integer_conv(struct luc_infer *x, const struct luc_integer_inputs *in,
                                       struct luc_error *err)
{
    struct luc_int_conv g = { .n = 0 };
    enum luc_status st = luc_shape_check(&x->in[in->b]->shape, "weights", err);
    if (!st)
        st = conv_of(x->attrs, &x->in[in->a]->shape, &x->in[in->b]->shape, &g, err);
    if (!st)
        st = check_scales(x, in, 1, g.c_out, err);
    if (!st && in->bias != LUC_ABSENT && luc_infer_has(x, in->bias) &&
        numel_of(x, in->bias) != g.c_out)
        st = luc_fail(err, LUC_SHAPE, "the bias must be [%zu]", g.c_out);
    if (st)
        return st;
    set_type(x, in);
    x->out[0].shape = luc_window_shape(&x->in[in->a]->shape, g.c_out, g.win.oh, g.win.ow);
    return luc_shape_check(&x->out[0].shape, "output", err);
}

size_t luc_scratch_integer_conv(const struct luc_infer *x, const struct luc_integer_inputs *in,
                                size_t lanes)
{
    struct luc_int_conv g = { .n = 0 };
    const enum luc_status st =
        conv_of(x->attrs, &x->in[in->a]->shape, &x->in[in->b]->shape, &g, NULL);
    return st ? 0 : luc_int_conv_scratch(&g, lanes);
}

static const float *data_of(const struct luc_op_call *c, size_t i)
{
    return i != LUC_ABSENT && luc_call_has(c, i) ? c->in[i]->data : NULL;
}

static struct luc_per per_of(const struct luc_op_call *c, size_t i)
{
    const float *v = data_of(c, i);
    return (struct luc_per){ v, v ? luc_numel(&c->in[i]->shape) : 0 };
}

static struct luc_requantise requantise_of(const struct luc_op_call *c,
                                           const struct luc_integer_inputs *in)
{
    const float *y_scale = data_of(c, in->y_scale), *y_zero = data_of(c, in->y_zero);
    struct luc_requantise r = { .bias = data_of(c, in->bias),
                                .x_scale = data_of(c, in->a_scale),
                                .w_scale = per_of(c, in->b_scale),
                                .y_scale = y_scale ? *y_scale : 1,
                                .y_zero = y_zero ? *y_zero : 0 };
    luc_int_bounds(c->out[0]->dtype, &r.lo, &r.hi);
    return r;
}

void luc_call_integer_conv(const struct luc_op_call *c, const struct luc_integer_inputs *in)
{
    const float *x_zero = data_of(c, in->a_zero);
    struct luc_int_conv g = { .x_zero = x_zero ? *x_zero : 0,
                              .w_zero = per_of(c, in->b_zero),
                              .then = requantise_of(c, in) };
    if (!conv_of(c->attrs, &c->in[in->a]->shape, &c->in[in->b]->shape, &g, NULL))
        luc_int_conv(&g, c->in[in->a]->data, c->in[in->b]->data, c->out[0]->data, c->scratch,
                     c->threads);
}

enum luc_status luc_infer_integer_product(struct luc_infer *x, const struct luc_integer_inputs *in,
                                          struct luc_error *err)
{
    const struct luc_shape *a = &x->in[in->a]->shape, *b = &x->in[in->b]->shape;
    struct luc_shape *out = &x->out[0].shape;
    if (a->rank < 2 || b->rank < 2 || a->dim[a->rank - 1] != b->dim[b->rank - 2])
        return luc_fail(err, LUC_SHAPE, "the matrices do not fit: rows of %zu, columns of %zu",
                        a->rank ? a->dim[a->rank - 1] : 0, b->rank > 1 ? b->dim[b->rank - 2] : 0);
    if (b->rank > 2 &&
        (a->rank != b->rank || memcmp(a->dim, b->dim, (a->rank - 2) * sizeof(size_t))))
        return luc_fail(err, LUC_UNSUPPORTED, "stacks of matrices that are broadcast");
    *out = *a;
    out->dim[a->rank - 1] = b->dim[b->rank - 1];
    set_type(x, in);
    const enum luc_status st = check_scales(x, in, a->dim[a->rank - 2], b->dim[b->rank - 1], err);
    return st ? st : luc_shape_check(out, "output", err);
}

void luc_call_integer_product(const struct luc_op_call *c, const struct luc_integer_inputs *in)
{
    const struct luc_shape *a = &c->in[in->a]->shape, *b = &c->in[in->b]->shape;
    const struct luc_int_product p = { .stack = luc_dims(a, 0, a->rank - 2),
                                       .m = a->dim[a->rank - 2],
                                       .n = b->dim[b->rank - 1],
                                       .k = a->dim[a->rank - 1],
                                       .a_step = luc_dims(a, a->rank - 2, a->rank),
                                       .b_step =
                                           b->rank > 2 ? luc_dims(b, b->rank - 2, b->rank) : 0,
                                       .a_zero = per_of(c, in->a_zero),
                                       .b_zero = per_of(c, in->b_zero),
                                       .then = requantise_of(c, in) };
    luc_int_product(&p, c->in[in->a]->data, c->in[in->b]->data, c->out[0]->data, c->threads);
}
