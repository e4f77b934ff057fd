#include "core/graph/region_build.h"

#include "core/graph/optimise.h"

#include <string.h>

/* The whole picture's run; what it keeps becomes the regional graph's constants. */
static enum luc_status run_whole(struct luc_region *r, double *flops, struct luc_error *err)
{
    const struct luc_region_spec *s = &r->spec;
    for (size_t i = 0; i < s->n_values; i++)
        r->kept[r->n_kept + i] = s->values[i];
    const struct luc_plan_spec ask = { .graph = s->graph,
                                       .inputs = &s->input->shape,
                                       .taps = r->kept,
                                       .n_taps = r->n_kept + s->n_values,
                                       .lanes = luc_lanes(s->threads),
                                       .threads = s->threads,
                                       .fast = true };
    const struct luc_plan *plan = NULL;
    enum luc_status st = luc_plan_create(&ask, r->arena, &plan, err);
    if (!st)
        st = luc_exec_create(plan, r->arena, s->threads, &r->whole, err);
    if (st)
        return st;
    if (!luc_exec_is_dry(r->whole))
        memcpy(luc_exec_input(r->whole, 0)->data, s->input->data,
               luc_numel(&s->input->shape) * sizeof(float));
    luc_exec_forward(r->whole);
    *flops = luc_plan_flops(plan);
    for (size_t i = 0; !st && i < r->n_kept; i++)
        st = luc_graph_set_constant(r->graph, r->parts[r->kept[i]].kept,
                                    luc_exec_value(r->whole, r->kept[i]), err);
    return st;
}

static enum luc_status make_exec(struct luc_region *r, double whole_flops, struct luc_error *err)
{
    const struct luc_region_spec *s = &r->spec;
    const struct luc_shape *x = &s->input->shape;
    const struct luc_shape shape = luc_shape4(s->batch, x->dim[1], s->patch_h, s->patch_w);
    size_t *taps = luc_arena_alloc(r->arena, s->n_values, sizeof(*taps));
    enum luc_status st = taps ? luc_graph_finish(r->graph, err) : luc_fail_nomem(err, "regions", 8);
    if (st)
        return st;
    for (size_t i = 0; i < s->n_values; i++)
        taps[i] = r->parts[s->values[i]].value;
    const struct luc_plan_spec ask = { .graph = r->graph,
                                       .inputs = &shape,
                                       .taps = taps,
                                       .n_taps = s->n_values,
                                       .lanes = luc_lanes(s->threads),
                                       .threads = s->threads,
                                       .fast = true };
    const struct luc_plan *plan = NULL;
    st = luc_plan_create(&ask, r->arena, &plan, err);
    if (st)
        return st;
    for (size_t i = 0; i < s->n_values; i++)
        if (luc_plan_shape(plan, taps[i])->dim[0] != s->batch)
            return luc_fail(err, LUC_UNSUPPORTED, "the network takes one picture at a time");
    r->share = luc_plan_flops(plan) / ((double)s->batch * (whole_flops > 0 ? whole_flops : 1));
    return luc_exec_create(plan, r->arena, s->threads, &r->exec, err);
}

static enum luc_status allocate(struct luc_region *r, struct luc_error *err)
{
    const size_t n = r->spec.graph->n_values;
    r->graph = luc_graph_create(luc_arena_limit(r->arena)); /* small: it holds no weights */
    r->parts = luc_arena_alloc(r->arena, n, sizeof(*r->parts));
    r->kept = luc_arena_alloc(r->arena, n + r->spec.n_values, sizeof(*r->kept));
    for (size_t k = 0; k < 2; k++)
        r->at[k] = luc_arena_alloc(r->arena, r->spec.batch, sizeof(*r->at[k]));
    if (!r->graph || !r->parts || !r->kept || !r->at[0] || !r->at[1])
        return luc_fail_nomem(err, "regions", n * sizeof(*r->parts));
    for (size_t i = 0; i < n; i++)
        r->parts[i] = (struct luc_region_part){
            .state = LUC_REGION_CLEAN, .value = LUC_NONE, .kept = LUC_NONE, .cut = LUC_NONE
        };
    r->graph->precision = r->spec.graph->precision;
    return LUC_OK;
}

enum luc_status luc_region_create(const struct luc_region_spec *spec, struct luc_arena *arena,
                                  struct luc_region **region, struct luc_error *err)
{
    struct luc_region *r = luc_arena_alloc(arena, 1, sizeof(*r));
    double flops = 0;
    if (!r)
        return luc_fail_nomem(err, "regions", sizeof(*r));
    r->spec = *spec;
    r->arena = arena;
    if (spec->graph->n_inputs != 1 || spec->input->shape.rank != 4)
        return luc_fail(err, LUC_UNSUPPORTED, "not a network of one picture");
    enum luc_status st = allocate(r, err);
    if (!st)
        st = luc_infos_init(&r->infos, spec->graph, &spec->input->shape, arena, err);
    if (!st)
        st = luc_region_build(r, err);
    if (!st)
        st = run_whole(r, &flops, err);
    if (!st)
        st = make_exec(r, flops, err);
    if (!st)
        *region = r;
    else
        luc_region_done(r);
    return st;
}

void luc_region_done(struct luc_region *r)
{
    r->graph = luc_graph_destroy(r->graph);
}

const struct luc_tensor *luc_region_whole(const struct luc_region *r, size_t value)
{
    return luc_exec_value(r->whole, value);
}

float *luc_region_patches(struct luc_region *r)
{
    return luc_exec_input(r->exec, 0)->data;
}

void luc_region_place(struct luc_region *r, size_t slot, size_t iy, size_t ix)
{
    r->at[0][slot] = iy;
    r->at[1][slot] = ix;
}

void luc_region_run(struct luc_region *r)
{
    luc_exec_forward(r->exec);
}

const struct luc_tensor *luc_region_value(const struct luc_region *r, size_t value)
{
    return luc_exec_value(r->exec, r->parts[value].value);
}

double luc_region_share(const struct luc_region *r)
{
    return r->share;
}
