#include "tests/gradcheck.h"
#include "core/tensor/blas.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Exactly `size` bytes, so that the address sanitizer sees one byte too many; garbage inside. */
static void *garbage(size_t size)
{
    void *p = NULL;
    if (size == 0)
        return NULL;
    assert_int_equal(posix_memalign(&p, LUC_ALIGN, size), 0);
    memset(p, 0xFF, size); /* NaN as floats */
    return p;
}

static struct luc_tensor make(const struct luc_shape *s, enum luc_dtype dtype)
{
    const size_t n = luc_numel(s);
    return (struct luc_tensor){ *s, dtype, garbage((n ? n : 1) * sizeof(float)) };
}

static size_t bytes(const struct luc_tensor *t)
{
    return luc_numel(&t->shape) * sizeof(float);
}

static void fill(struct luc_tensor *t, const struct gradcheck_in *in, struct luc_rng *rng)
{
    const size_t n = luc_numel(&t->shape);
    const bool unit = in->lo == 0.0 && in->hi == 0.0;
    const double lo = unit ? -1.0 : in->lo, hi = unit ? 1.0 : in->hi;

    for (size_t i = 0; i < n; i++) {
        const double u = luc_rng_uniform(rng);
        const double v = lo + (hi - lo) * (in->distinct ? ((double)i + u / 2) / (double)n : u);
        t->data[i] =
            in->values ? in->values[i] : (float)(fabs(v) < in->kink ? copysign(in->kink, v) : v);
    }
    for (size_t i = n; in->distinct && !in->values && i > 1; i--) {
        const size_t j = luc_rng_below(rng, i);
        const float swap = t->data[i - 1];
        t->data[i - 1] = t->data[j], t->data[j] = swap;
    }
}

static int opset(const struct gradcheck *g)
{
    return g->opset ? g->opset : 17;
}

static void *make_attrs(const struct gradcheck *g)
{
    if (!g->op->attrs_size)
        return NULL;
    void *attrs = calloc(1, g->op->attrs_size);
    assert_non_null(attrs);
    luc_params_default(g->op->attrs, attrs);
    if (g->attrs)
        memcpy(attrs, g->attrs, g->op->attrs_size);
    return attrs;
}

/* Without `data`, only what infer() sees is made: it may be far larger than memory. */
static void make_inputs(struct op_rig *r, bool data)
{
    const struct gradcheck *g = r->g;
    struct luc_rng rng;
    luc_rng_seed(&rng, g->seed + 1);

    for (size_t i = 0; i < g->n_in; i++) {
        const struct gradcheck_in *in = &g->in[i];
        if (in->absent)
            continue;
        if (data || in->known) {
            r->in[i] = make(&in->shape, in->dtype);
            fill(&r->in[i], in, &rng);
            r->din[i] = make(&in->shape, LUC_F32);
        }
        r->info[i] = (struct luc_info){ in->shape, in->dtype, in->known ? r->in[i].data : NULL };
        r->info_at[i] = &r->info[i];
    }
    r->infer = (struct luc_infer){ .attrs = r->attrs,
                                   .opset = opset(g),
                                   .n_in = g->n_in,
                                   .in = r->info_at,
                                   .n_out = g->n_out ? g->n_out : 1 };
}

static void start(struct op_rig *r, const struct gradcheck *g, bool data)
{
    luc_blas_init();
    memset(r, 0, sizeof(*r));
    r->g = g;
    r->attrs = make_attrs(g);
    make_inputs(r, data);
}

enum luc_status op_infer(const struct gradcheck *g, struct luc_error *err)
{
    struct op_rig r;
    start(&r, g, false);
    const enum luc_status st = g->op->infer(&r.infer, err);
    op_rig_done(&r);
    return st;
}

void op_rig_init(struct op_rig *r, const struct gradcheck *g)
{
    struct luc_error err = { 0 };
    struct luc_rng rng;

    start(r, g, true);
    if (g->op->infer(&r->infer, &err) != LUC_OK)
        fail_msg("%s: infer: %s", g->op->name, err.text);
    luc_rng_seed(&rng, g->seed + 2);
    for (size_t i = 0; i < r->infer.n_out; i++) {
        const struct luc_info *out = &r->infer.out[i];
        r->out[i] = make(&out->shape, out->dtype), r->dout[i] = make(&out->shape, LUC_F32);
        fill(&r->dout[i], &(struct gradcheck_in){ 0 }, &rng);
    }
    r->saved = garbage(g->op->saved ? g->op->saved(&r->infer) : 0);
}

void op_rig_done(struct op_rig *r)
{
    for (size_t i = 0; i < GRADCHECK_MAX_IN; i++)
        free(r->in[i].data), free(r->din[i].data);
    for (size_t i = 0; i < LUC_OP_MAX_OUT; i++)
        free(r->out[i].data), free(r->dout[i].data);
    free(r->saved), free(r->attrs);
    luc_arena_destroy(r->arena);
}

/* What the executor would pass. `tensor` holds the views that the pointers point at. */
struct wiring {
    struct luc_tensor in_view[GRADCHECK_MAX_IN], out_view[LUC_OP_MAX_OUT];
    const struct luc_tensor *in[GRADCHECK_MAX_IN], *dout[LUC_OP_MAX_OUT];
    struct luc_tensor *out[LUC_OP_MAX_OUT], *din[GRADCHECK_MAX_IN];
    bool fresh[GRADCHECK_MAX_IN];
    struct luc_op_call call;
};

static void wire(struct op_rig *r, struct wiring *w)
{
    memset(w, 0, sizeof(*w));
    for (size_t i = 0; i < r->g->n_in; i++)
        if (r->in[i].data)
            w->in_view[i] = r->in[i], w->in[i] = &w->in_view[i];
    for (size_t i = 0; i < r->infer.n_out; i++)
        w->out_view[i] = r->out[i], w->out[i] = &w->out_view[i];
    w->call = (struct luc_op_call){ .attrs = r->attrs,
                                    .opset = opset(r->g),
                                    .prepared = r->prepared,
                                    .packed = r->packed,
                                    .n_in = r->g->n_in,
                                    .n_out = r->infer.n_out,
                                    .in = w->in,
                                    .out = w->out,
                                    .saved = r->saved,
                                    .threads = r->threads,
                                    .relu = r->g->relu,
                                    .relu_rule = r->g->relu_rule,
                                    .softplus = r->g->softplus };
}

static void *make_scratch(const struct op_rig *r, bool backward)
{
    const struct luc_op *op = r->g->op;
    return garbage(op->scratch ? op->scratch(&r->infer, backward, luc_lanes(r->threads)) : 0);
}

void op_rig_prepare(struct op_rig *r)
{
    struct wiring w;
    struct luc_error err = { 0 };
    wire(r, &w);
    for (size_t i = 0; i < r->g->n_in; i++)
        if (!r->g->in[i].constant)
            w.in_view[i].data = NULL;
    r->arena = luc_arena_create((size_t)1 << 30);
    assert_non_null(r->arena);
    if (r->g->op->prepare(&w.call, r->arena, &r->prepared, &err) != LUC_OK)
        fail_msg("%s: prepare: %s", r->g->op->name, err.text);
    if (r->g->op->pack && r->g->op->pack(&w.call, r->arena, &r->packed, &err) != LUC_OK)
        fail_msg("%s: pack: %s", r->g->op->name, err.text);
}

static void forward(struct op_rig *r, bool saved)
{
    struct wiring w;
    wire(r, &w);
    if (!saved)
        w.call.saved = NULL;
    w.call.scratch = make_scratch(r, false);
    r->g->op->forward(&w.call);
    free(w.call.scratch);
}

void op_rig_forward(struct op_rig *r)
{
    forward(r, true);
}

uint32_t op_rig_wanted(const struct op_rig *r)
{
    uint32_t wanted = 0;
    for (size_t i = 0; i < r->g->n_in; i++)
        if (r->in[i].data && !luc_dtype_is_int(r->in[i].dtype) && !r->g->in[i].no_grad &&
            !r->g->in[i].known && !(r->prepared && r->g->in[i].constant))
            wanted |= 1u << i;
    return wanted;
}

void op_rig_backward(struct op_rig *r, uint32_t wanted, bool fresh)
{
    const struct luc_op *op = r->g->op;
    const uint32_t reads = op->reads ? op->reads(r->attrs, wanted) : LUC_READS_ALL;
    struct wiring w;
    wire(r, &w);

    for (size_t i = 0; i < r->g->n_in; i++) {
        if (!(reads & LUC_READS_IN(i)))
            w.in_view[i].data = NULL;
        w.fresh[i] = fresh;
        if (wanted & (1u << i))
            w.din[i] = &r->din[i];
        if (w.din[i] && fresh)
            memset(r->din[i].data, 0xFF, bytes(&r->din[i]));
    }
    for (size_t i = 0; i < r->infer.n_out; i++) {
        if (i > 0 || !(reads & LUC_READS_OUT))
            w.out_view[i].data = op->reads ? NULL : w.out_view[i].data;
        w.dout[i] = luc_dtype_is_int(r->out[i].dtype) ? NULL : &r->dout[i];
    }
    w.call.dout = w.dout, w.call.din = w.din;
    w.call.din_fresh = op->flags & LUC_OP_SETS_DIN ? w.fresh : NULL;
    w.call.scratch = make_scratch(r, true);
    op->backward(&w.call);
    free(w.call.scratch);
}

void assert_close(const char *what, const float *a, const float *b, size_t n, double tol)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= tol * (1.0 + fabs((double)b[i]))))
            fail_msg("%s[%zu]: %.9g, should be %.9g", what, i, (double)a[i], (double)b[i]);
}

static void assert_same_bits(const char *what, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof(float)) != 0)
            fail_msg("%s[%zu]: %.9g and %.9g", what, i, (double)a[i], (double)b[i]);
}

static float *copy(const struct luc_tensor *t)
{
    float *p = garbage(bytes(t) ? bytes(t) : 1);
    memcpy(p, t->data, bytes(t));
    return p;
}

static double loss(struct op_rig *r)
{
    double sum = 0.0; /* double: float32 rounding would drown the difference */
    op_rig_forward(r);
    for (size_t k = 0; k < r->infer.n_out; k++)
        for (size_t i = 0; !luc_dtype_is_int(r->out[k].dtype) && i < luc_numel(&r->out[k].shape);
             i++)
            sum += (double)r->dout[k].data[i] * (double)r->out[k].data[i];
    return sum;
}

static double numeric(struct op_rig *r, float *x)
{
    const double step = r->g->step > 0 ? r->g->step : 1e-2;
    const float x0 = *x;
    const float hi = (float)((double)x0 + step), lo = (float)((double)x0 - step);
    *x = hi;
    const double up = loss(r);
    *x = lo;
    const double down = loss(r);
    *x = x0;
    return (up - down) / ((double)hi - (double)lo); /* the step actually taken */
}

static void check_numeric(struct op_rig *r, uint32_t wanted)
{
    const double tol = r->g->tol > 0 ? r->g->tol : 2e-3;
    for (size_t i = 0; i < r->g->n_in; i++)
        for (size_t j = 0; (wanted & (1u << i)) && j < luc_numel(&r->in[i].shape); j++) {
            const double a = (double)r->din[i].data[j];
            const double n = numeric(r, &r->in[i].data[j]);
            if (!(fabs(a - n) <= tol * (1.0 + fabs(a) + fabs(n))))
                fail_msg("%s%s: d/d in[%zu][%zu]: backward %.6g, numeric %.6g", r->g->op->name,
                         r->prepared ? " (prepared)" : "", i, j, a, n);
        }
    op_rig_forward(r);
}

static void clear_din(struct op_rig *r, uint32_t wanted, float value)
{
    for (size_t i = 0; i < r->g->n_in; i++)
        for (size_t j = 0; (wanted & (1u << i)) && j < luc_numel(&r->din[i].shape); j++)
            r->din[i].data[j] = value;
}

/* `base` + `times` * expected, for every wanted input. */
static void check_din(struct op_rig *r, uint32_t wanted, float *const *expected, double base,
                      double times, const char *what)
{
    for (size_t i = 0; i < r->g->n_in; i++)
        for (size_t j = 0; (wanted & (1u << i)) && j < luc_numel(&r->din[i].shape); j++) {
            const double want = base + times * (double)expected[i][j];
            const double got = (double)r->din[i].data[j];
            if (!(fabs(got - want) <= 1e-4 * (1.0 + fabs(want))))
                fail_msg("%s: %s: din[%zu][%zu] is %.7g, should be %.7g", r->g->op->name, what, i,
                         j, got, want);
        }
}

static void check_backward(struct op_rig *r)
{
    const uint32_t all = op_rig_wanted(r);
    float *expected[GRADCHECK_MAX_IN] = { 0 };

    if (!r->g->op->backward || r->g->relu || !all)
        return;
    clear_din(r, all, 0.0f);
    op_rig_backward(r, all, false);
    for (size_t i = 0; i < r->g->n_in; i++)
        expected[i] = all & (1u << i) ? copy(&r->din[i]) : NULL;
    check_numeric(r, all);

    for (uint32_t bit = 1; bit <= all; bit <<= 1) {
        const uint32_t wanted = all & bit ? bit : all;
        clear_din(r, wanted, 0.5f);
        op_rig_backward(r, wanted, false);
        op_rig_backward(r, wanted, false);
        check_din(r, wanted, expected, 0.5, 2.0, "backward must add to din");
        if (r->g->op->flags & LUC_OP_SETS_DIN) {
            op_rig_backward(r, wanted, true);
            check_din(r, wanted, expected, 0.0, 1.0, "backward must set a fresh din");
        }
    }
    for (size_t i = 0; i < r->g->n_in; i++)
        free(expected[i]);
}

static void check_forward(struct op_rig *r)
{
    float *first = copy(&r->out[0]);
    const size_t n = luc_numel(&r->out[0].shape);
    memset(r->out[0].data, 0xFF, bytes(&r->out[0]));
    forward(r, false);
    assert_same_bits("forward without saved", r->out[0].data, first, n);

    if (r->g->op->flags & LUC_OP_IN_PLACE && luc_shape_equal(&r->out[0].shape, &r->in[0].shape)) {
        float *x = copy(&r->in[0]), *y = r->out[0].data;
        r->out[0].data = r->in[0].data;
        forward(r, true);
        assert_same_bits("forward in place", r->in[0].data, first, n);
        r->out[0].data = y;
        memcpy(r->in[0].data, x, bytes(&r->in[0]));
        free(x);
    }
    op_rig_forward(r);
    free(first);
}

void gradcheck_run(const struct gradcheck *g)
{
    struct op_rig r;
    op_rig_init(&r, g);
    op_rig_forward(&r);
    check_forward(&r);
    check_backward(&r);
    if (g->op->prepare) {
        float *plain = copy(&r.out[0]);
        op_rig_prepare(&r);
        op_rig_forward(&r);
        assert_close("prepared forward", r.out[0].data, plain, luc_numel(&r.out[0].shape), 1e-4);
        free(plain);
        check_backward(&r);
    }
    op_rig_done(&r);
}

static void run_wide(struct op_rig *r, const struct gradcheck *g, size_t width)
{
    struct luc_pool *pool = width > 1 ? luc_pool_create(width - 1) : NULL;
    const struct luc_threads threads = { .pool = pool, .width = width };
    op_rig_init(r, g);
    r->threads = &threads;
    if (g->op->prepare)
        op_rig_prepare(r);
    op_rig_forward(r);
    if (g->op->backward && !g->relu) {
        clear_din(r, op_rig_wanted(r), 0.0f);
        op_rig_backward(r, op_rig_wanted(r), false);
    }
    r->threads = NULL;
    luc_pool_destroy(pool);
}

void gradcheck_threads(const struct gradcheck *g)
{
    static const size_t widths[] = { 2, 3, 7 };
    struct op_rig one, many;
    run_wide(&one, g, 1);
    for (size_t k = 0; k < sizeof(widths) / sizeof(widths[0]); k++) {
        run_wide(&many, g, widths[k]);
        for (size_t i = 0; i < one.infer.n_out; i++)
            assert_same_bits("out", many.out[i].data, one.out[i].data,
                             luc_numel(&one.out[i].shape));
        for (size_t i = 0; g->op->backward && !g->relu && i < g->n_in; i++)
            if (op_rig_wanted(&one) & (1u << i))
                assert_same_bits("din", many.din[i].data, one.din[i].data,
                                 luc_numel(&one.din[i].shape));
        op_rig_done(&many);
    }
    op_rig_done(&one);
}
