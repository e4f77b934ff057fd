#include "core/graph/exec.h"

#include "core/graph/plan_private.h"
#include "core/kernels/walk.h"

#include <assert.h>
#include <string.h>
#include <time.h>

/* Floating point operations of a run for which helpers are called: less takes no longer than to
 * wake them. */
#define WORTH_WAKING 2e6

static const struct luc_threads alone = { .width = 1 };

struct luc_exec {
    const struct luc_plan *plan;
    const struct luc_threads *threads;
    struct luc_threads team;         /* *threads while running, helpers called */
    unsigned char *memory;           /* plan->bytes */
    struct luc_tensor *value, *grad; /* [n_values]; data NULL where there is none */
    float **bound;                   /* [n_values]; NULL: the constant's own */
    /* one call's arguments, [plan->max_in] */
    const struct luc_tensor **in;
    struct luc_tensor *in_view, **din;
    bool *din_fresh;
    bool *stale; /* [n_values]: a seed that counts as zero and was not made so yet */
    bool dry;    /* its arena is: nothing is computed */
    const struct luc_probe *probe; /* may be NULL */
};

static void *at_buffer(const struct luc_exec *x, size_t buffer)
{
    return buffer == LUC_NONE ? NULL : x->memory + x->plan->buffers[buffer].offset;
}

/* Where a value's bytes are: its own or its root's buffer, what was bound, or known contents. */
static float *find_data(const struct luc_exec *x, size_t value)
{
    const struct luc_plan *plan = x->plan;
    const struct luc_spot *root = &plan->spots[plan->spots[value].root];
    const struct luc_value *v = &plan->graph->values[plan->spots[value].root];
    if (x->bound[plan->spots[value].root])
        return x->bound[plan->spots[value].root];
    if (root->buffer != LUC_NONE)
        return at_buffer(x, root->buffer);
    if (v->constant.data)
        return v->constant.data;
    return (float *)(uintptr_t)plan->infos.info[value].known; /* read-only: nothing writes it */
}

static void refresh(struct luc_exec *x)
{
    for (size_t i = 0; i < x->plan->graph->n_values; i++)
        if (x->plan->infos.have[i])
            x->value[i].data = find_data(x, i);
}

static void set_up(struct luc_exec *x)
{
    const struct luc_plan *plan = x->plan;
    for (size_t i = 0; i < plan->graph->n_values; i++) {
        if (!plan->infos.have[i])
            continue;
        const struct luc_info *info = &plan->infos.info[i];
        x->value[i] = (struct luc_tensor){ info->shape, info->dtype, NULL };
        x->grad[i] = (struct luc_tensor){ info->shape, LUC_F32, at_buffer(x, plan->spots[i].grad) };
    }
    refresh(x);
    for (size_t i = 0; i < plan->graph->n_inputs && !x->dry; i++) {
        struct luc_tensor *t = &x->value[plan->graph->inputs[i]];
        memset(t->data, 0, luc_numel(&t->shape) * sizeof(float));
    }
}

enum luc_status luc_exec_create(const struct luc_plan *plan, struct luc_arena *arena,
                                const struct luc_threads *threads, struct luc_exec **exec,
                                struct luc_error *err)
{
    assert(luc_lanes(threads) <= plan->lanes);
    const size_t n = plan->graph->n_values, k = plan->max_in + 1;
    struct luc_exec *x = luc_arena_alloc(arena, 1, sizeof(*x));
    if (!x)
        return luc_fail_nomem(err, "run", sizeof(*x));
    x->plan = plan;
    x->threads = threads ? threads : &alone;
    x->team = *x->threads;
    x->probe = x->threads->probe;
    x->dry = luc_arena_is_dry(arena);
    x->memory = luc_arena_raw(arena, plan->bytes, 1);
    x->value = luc_arena_alloc(arena, n, sizeof(*x->value));
    x->grad = luc_arena_alloc(arena, n, sizeof(*x->grad));
    x->bound = luc_arena_alloc(arena, n, sizeof(*x->bound));
    x->in = luc_arena_alloc(arena, k, sizeof(struct luc_tensor *));
    x->in_view = luc_arena_alloc(arena, k, sizeof(*x->in_view));
    x->din = luc_arena_alloc(arena, k, sizeof(struct luc_tensor *));
    x->din_fresh = luc_arena_alloc(arena, k, sizeof(*x->din_fresh));
    x->stale = luc_arena_alloc(arena, n, sizeof(*x->stale));
    if (!x->stale || !x->memory || !x->value || !x->grad || !x->bound || !x->in || !x->in_view ||
        !x->din || !x->din_fresh)
        return luc_fail(err, LUC_NOMEM,
                        "the run needs %zu bytes, %zu are left: use a smaller picture or raise the "
                        "job memory limit",
                        plan->bytes, luc_arena_limit(arena) - luc_arena_used(arena));
    set_up(x);
    *exec = x;
    return LUC_OK;
}

struct luc_tensor *luc_exec_input(struct luc_exec *x, size_t i)
{
    return &x->value[x->plan->graph->inputs[i]];
}

void luc_exec_bind(struct luc_exec *x, size_t value, float *data)
{
    assert(x->plan->graph->values[value].constant.data);
    x->bound[value] = data;
    refresh(x);
}

static bool reads_bound(const struct luc_exec *x, const struct luc_node *node)
{
    for (size_t k = 0; k < node->n_in; k++)
        if (node->in[k] != LUC_NONE && x->bound[x->plan->spots[node->in[k]].root])
            return true;
    return false;
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static struct luc_op_call base_call(struct luc_exec *x, const struct luc_step *step)
{
    const struct luc_node *node = step->node;
    const bool own = !reads_bound(x, node); /* the weights that were packed */
    return (struct luc_op_call){ .attrs = node->attrs,
                                 .opset = x->plan->graph->opset,
                                 .prepared = own ? step->packed.prepared : NULL,
                                 .packed = own ? step->packed.packed : NULL,
                                 .n_in = node->n_in,
                                 .n_out = node->n_out,
                                 .in = x->in,
                                 .saved = at_buffer(x, step->saved),
                                 .threads = &x->team,
                                 .relu = step->relu != NULL,
                                 .softplus = x->plan->softplus };
}

static size_t step_output(const struct luc_step *step, size_t k)
{
    return k == 0 ? step->out0 : step->node->out[k];
}

static void forward_step(struct luc_exec *x, const struct luc_step *step)
{
    const struct luc_node *node = step->node;
    struct luc_tensor *out[LUC_OP_MAX_OUT] = { NULL };
    if (step->view)
        return;
    for (size_t k = 0; k < node->n_in; k++)
        x->in[k] = node->in[k] == LUC_NONE ? NULL : &x->value[node->in[k]];
    for (size_t k = 0; k < node->n_out; k++)
        out[k] = step_output(step, k) == LUC_NONE ? NULL : &x->value[step_output(step, k)];
    struct luc_op_call call = base_call(x, step);
    call.out = out;
    call.scratch = at_buffer(x, step->forward_scratch);
    call.plus = step->plus == LUC_NONE ? NULL : x->value[step->plus].data;
    node->op->forward(&call);
}

static void tell(const struct luc_exec *x, const struct luc_step *step, bool backward, double ms)
{
    const struct luc_timing timing = { .node = step->node,
                                       .shape = &x->value[step->out0].shape,
                                       .backward = backward,
                                       .ms = ms,
                                       .flops = step->flops };
    x->probe->step(x->probe->ctx, &timing);
}

/* What follows is called a run: its loops have helpers that were woken before the first. */
static void begin(struct luc_exec *x)
{
    x->team = x->plan->flops < WORTH_WAKING ? *x->threads : luc_parallel_begin(x->threads);
}

void luc_exec_forward(struct luc_exec *x)
{
    const struct luc_plan *plan = x->plan;
    if (x->dry)
        return;
    begin(x);
    for (size_t i = 0; i < plan->n_steps; i++) {
        const double start = x->probe ? now_ms() : 0;
        forward_step(x, &plan->steps[i]);
        if (x->probe)
            tell(x, &plan->steps[i], false, now_ms() - start);
    }
    luc_parallel_end(&x->team);
    for (size_t i = 0; i < plan->graph->n_values; i++)
        x->stale[i] = plan->spots[i].seeded;
}

const struct luc_tensor *luc_exec_value(const struct luc_exec *x, size_t value)
{
    return &x->value[value];
}

struct luc_tensor *luc_exec_seed_raw(struct luc_exec *x, size_t value)
{
    assert(x->plan->spots[value].seeded);
    x->stale[value] = false;
    return &x->grad[value];
}

static void clear_stale(struct luc_exec *x, size_t value)
{
    if (x->stale[value])
        memset(x->grad[value].data, 0, luc_numel(&x->grad[value].shape) * sizeof(float));
    x->stale[value] = false;
}

struct luc_tensor *luc_exec_seed(struct luc_exec *x, size_t value)
{
    clear_stale(x, value);
    return luc_exec_seed_raw(x, value);
}

/* The fused ReLU's backward, in place on the gradient of its output. */
static void backward_relu(struct luc_exec *x, const struct luc_step *step, enum luc_relu_rule rule)
{
    static const bool fresh = true;
    struct luc_tensor *y = &x->value[step->out0], *dy = &x->grad[step->out0];
    const struct luc_tensor no_x = { .shape = y->shape }, *in = &no_x, *dout = dy;
    step->relu->op->backward(&(struct luc_op_call){ .attrs = step->relu->attrs,
                                                    .opset = x->plan->graph->opset,
                                                    .n_in = 1,
                                                    .n_out = 1,
                                                    .in = &in,
                                                    .out = &y,
                                                    .dout = &dout,
                                                    .din = &dy,
                                                    .din_fresh = &fresh,
                                                    .threads = &x->team,
                                                    .relu_rule = rule });
}

/* Points the call's inputs and their gradients; zeroes those that the operator will only add to. */
static void set_inputs(struct luc_exec *x, const struct luc_step *step)
{
    const struct luc_node *node = step->node;
    bool sets = (node->op->flags & LUC_OP_SETS_DIN) != 0;
    for (size_t k = 0; sets && k < node->n_in; k++)
        for (size_t j = 0; j < k; j++)
            if (step->din_wanted[k] && node->in[j] == node->in[k])
                sets = false; /* Mul(x, x): both gradients are one buffer */
    for (size_t k = 0; k < node->n_in; k++) {
        const size_t v = node->in[k];
        x->in[k] = NULL;
        x->din[k] = NULL;
        x->din_fresh[k] = false;
        if (v == LUC_NONE)
            continue;
        x->in_view[k] = x->value[v];
        if (!(step->reads & LUC_READS_IN(k < 30 ? k : 30)))
            x->in_view[k].data = NULL;
        x->in[k] = &x->in_view[k];
        if (!step->din_wanted[k])
            continue;
        x->din[k] = &x->grad[v];
        x->din_fresh[k] = sets && step->din_fresh[k];
        if (step->din_fresh[k] && !sets)
            memset(x->grad[v].data, 0, luc_numel(&x->grad[v].shape) * sizeof(float));
    }
}

/* The fused sum's backward: its other operand gets the gradient as it is. */
static void backward_plus(struct luc_exec *x, const struct luc_step *step)
{
    const struct luc_tensor *dy = &x->grad[step->out0];
    const struct luc_walk all = { .rank = 1,
                                  .dim = { luc_numel(&dy->shape) },
                                  .step = { { 1 }, { 1 } } };
    luc_walk_copy(all, &x->team, dy->data, x->grad[step->plus].data, !step->plus_fresh);
}

static void backward_step(struct luc_exec *x, const struct luc_step *step, enum luc_relu_rule rule)
{
    const struct luc_node *node = step->node;
    struct luc_tensor out_view[LUC_OP_MAX_OUT], *out[LUC_OP_MAX_OUT] = { NULL };
    const struct luc_tensor *dout[LUC_OP_MAX_OUT] = { NULL };
    for (size_t k = 0; k < node->n_out; k++) {
        const size_t v = step_output(step, k);
        if (v == LUC_NONE)
            continue;
        out_view[k] = x->value[v];
        if (k > 0 || !(step->reads & LUC_READS_OUT))
            out_view[k].data = NULL;
        out[k] = &out_view[k];
        dout[k] = x->plan->spots[v].reaches ? &x->grad[v] : NULL;
    }
    set_inputs(x, step);
    struct luc_op_call call = base_call(x, step);
    call.out = out;
    call.dout = dout;
    call.din = x->din;
    call.din_fresh = x->din_fresh;
    call.relu_rule = rule;
    call.scratch = at_buffer(x, step->backward_scratch);
    if (step->relu && rule == LUC_RELU_PLAIN && !(x->plan->softplus > 0) && !step->plus_wanted &&
        node->op->gates && node->op->gates(&call))
        call.gate = x->value[step->out0].data;
    else if (step->relu)
        backward_relu(x, step, rule);
    node->op->backward(&call);
    if (step->plus_wanted)
        backward_plus(x, step);
}

void luc_exec_backward(struct luc_exec *x, enum luc_relu_rule rule)
{
    const struct luc_plan *plan = x->plan;
    if (x->dry)
        return;
    for (size_t i = 0; i < plan->graph->n_values; i++)
        clear_stale(x, i);
    begin(x);
    for (size_t i = plan->n_steps; i-- > 0;) {
        const struct luc_step *step = &plan->steps[i];
        if (!step->backward)
            continue;
        const double start = x->probe ? now_ms() : 0;
        backward_step(x, step, rule);
        if (x->probe)
            tell(x, step, true, now_ms() - start);
    }
    luc_parallel_end(&x->team);
}

const struct luc_tensor *luc_exec_grad(const struct luc_exec *x, size_t value)
{
    assert(x->plan->spots[value].wanted);
    return &x->grad[value];
}

bool luc_exec_is_dry(const struct luc_exec *x)
{
    return x->dry;
}
