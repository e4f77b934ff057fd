/* Pad -- https://onnx.ai/onnx/operators/onnx__Pad.html
 *
 *   in   x      any shape
 *   in   pads   since opset 11: elements to add before each axis, then after each; negative ones
 *               are cut away; must be known before the run
 *   in   value  since opset 11, optional: what constant mode fills with (0)
 *   in   axes   since opset 18, optional: the axes that pads is about
 *   out  y      the padded tensor
 *   attr pads, value  before opset 11, instead of the inputs
 *   attr mode   constant, reflect (mirror, edge not repeated), edge (repeat it), wrap (start anew)
 *
 *   y[o] = x[t(o)] with t per axis, o' = o - before:
 *     reflect  o' mirrored at 0 and n - 1;  edge  o' clamped;  wrap  o' mod n
 *   dx[t(o)] += dy[o]
 */
#include "core/kernels/remap.h"
#include "core/ops/common.h"

#include <math.h>

struct attrs {
    int64_t mode;
    struct luc_ints pads;
    double value;
};

static const char *const modes[] = { "constant", "reflect", "edge", "wrap", NULL };

static const struct luc_param attr_table[] = {
    LUC_CHOICE(struct attrs, mode, LUC_PAD_CONSTANT, 4, modes, "What the border is filled with"),
    LUC_INTS(struct attrs, pads, "", -0x1p62, 0x1p62, "", "Elements before, then after each axis"),
    LUC_REAL(struct attrs, value, 0, -HUGE_VAL, HUGE_VAL, "", "Filling of constant mode"),
    LUC_PARAM_END,
};

/* Elements added before and after each axis. */
struct amounts {
    int64_t before[LUC_MAX_RANK], after[LUC_MAX_RANK];
};

static struct amounts spread(const struct luc_ints *pads, const struct luc_ints *axes, size_t rank)
{
    struct amounts a = { { 0 }, { 0 } };
    const size_t n = pads->n / 2;
    for (size_t i = 0; i < n; i++) {
        const int64_t named = axes ? axes->v[i] : (int64_t)i;
        const size_t d = (size_t)(named < 0 ? named + (int64_t)rank : named);
        a.before[d] = pads->v[i];
        a.after[d] = pads->v[n + i];
    }
    return a;
}

static enum luc_status read_amounts(const struct luc_infer *x, struct amounts *to,
                                    struct luc_error *err)
{
    const size_t rank = x->in[0]->shape.rank;
    const bool has_axes = luc_infer_has(x, 3);
    struct luc_ints pads = ((const struct attrs *)x->attrs)->pads, axes = { 0 };
    bool chosen[LUC_MAX_RANK];
    enum luc_status st = LUC_OK;
    if (luc_infer_has(x, 1))
        st = luc_infer_ints(x, 1, "pads", &pads, err);
    if (!st && has_axes)
        st = luc_infer_ints(x, 3, "axes", &axes, err);
    if (!st && has_axes)
        st = luc_infer_axes(&axes, rank, chosen, err);
    if (st)
        return st;
    const size_t want = has_axes ? axes.n : rank;
    if (pads.n != 2 * want)
        return luc_fail(err, LUC_SHAPE, "pads holds %zu values, want %zu", pads.n, 2 * want);
    *to = spread(&pads, has_axes ? &axes : NULL, rank);
    return LUC_OK;
}

/* Size after padding; -1 when it would be negative or absurd. */
static int64_t padded(size_t n, int64_t before, int64_t after)
{
    const int64_t limit = (int64_t)1 << 40;
    if (n > (size_t)limit || before > limit || after > limit || before < -limit || after < -limit)
        return -1;
    const int64_t sum = (int64_t)n + before + after;
    return sum < 0 ? -1 : sum;
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    struct amounts a;
    enum luc_status st = luc_infer_need(x, 1, err);
    if (!st)
        st = read_amounts(x, &a, err);
    if (st)
        return st;
    if (luc_infer_has(x, 2) && luc_numel(&x->in[2]->shape) != 1)
        return luc_fail(err, LUC_SHAPE, "the value to fill with must be one number");

    const int64_t mode = ((const struct attrs *)x->attrs)->mode;
    struct luc_shape out = x->in[0]->shape;
    for (size_t d = 0; d < out.rank; d++) {
        const int64_t size = padded(out.dim[d], a.before[d], a.after[d]);
        if (size < 0 || (size > 0 && out.dim[d] == 0 && mode != LUC_PAD_CONSTANT))
            return luc_fail(err, LUC_SHAPE, "cannot pad %zu elements of axis %zu by %lld and %lld",
                            out.dim[d], d, (long long)a.before[d], (long long)a.after[d]);
        out.dim[d] = (size_t)size;
    }
    x->out[0].shape = out;
    x->out[0].dtype = x->in[0]->dtype;
    return luc_shape_check(&out, "padded tensor", err);
}

static void make_map(const struct luc_op_call *c, struct luc_remap *m)
{
    const struct attrs *attrs = c->attrs;
    const bool has_axes = luc_call_has(c, 3);
    const struct luc_ints pads = luc_call_has(c, 1) ? luc_call_ints(c, 1) : attrs->pads;
    const struct luc_ints axes = luc_call_ints(c, 3);
    const struct luc_shape *in = &c->in[0]->shape;
    const struct amounts a = spread(&pads, has_axes ? &axes : NULL, in->rank);

    luc_remap_init(m, in, &c->out[0]->shape, c->scratch);
    for (size_t d = 0; d < in->rank; d++)
        for (size_t o = 0; o < m->out[d]; o++)
            m->table[d][o] =
                luc_pad_source((enum luc_pad_mode)attrs->mode,
                               (ptrdiff_t)o - (ptrdiff_t)a.before[d], (ptrdiff_t)m->in[d]);
}

static void forward(const struct luc_op_call *c)
{
    const struct attrs *attrs = c->attrs;
    struct luc_remap m;
    make_map(c, &m);
    luc_remap_forward(&m, c->threads, c->in[0]->data, c->out[0]->data,
                      luc_call_has(c, 2) ? c->in[2]->data[0] : (float)attrs->value);
}

static void backward(const struct luc_op_call *c)
{
    struct luc_remap m;
    if (!c->din[0])
        return;
    make_map(c, &m);
    luc_call_clear(c, 0);
    luc_remap_backward(&m, c->threads, c->dout[0]->data, c->din[0]->data);
}

static size_t scratch(const struct luc_infer *x, bool backward, size_t lanes)
{
    (void)backward, (void)lanes;
    return luc_remap_tables(&x->out[0].shape) * sizeof(ptrdiff_t);
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return LUC_READS_IN(1) | LUC_READS_IN(3);
}

const struct luc_op luc_op_pad = {
    .name = "Pad",
    .since = 2,
    .n_in_min = 1,
    .n_in_max = 4,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .scratch = scratch,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
