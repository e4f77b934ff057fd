#include "tests/onnx_case.h"

#include "core/base/file.h"
#include "core/formats/onnx.h"
#include "core/graph/exec.h"
#include "core/graph/optimise.h"

#include <math.h>
#include <onnx.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)64 << 20)
#define IO_MAX   64
#define RTOL     1e-3 /* as the ONNX project's own runner has it */
#define ATOL     1e-7

/* The files of a case, unpacked. */
struct files {
    Onnx__ModelProto *model;
    Onnx__TensorProto *in[IO_MAX], *out[IO_MAX];
    size_t n_in, n_out;
};

static void *read_message(const char *path, const ProtobufCMessageDescriptor *type)
{
    char *bytes = NULL;
    size_t size = 0;
    if (luc_file_read(path, FILE_MAX, &bytes, &size, NULL) != LUC_OK)
        return NULL;
    ProtobufCMessage *m = protobuf_c_message_unpack(type, NULL, size, (const unsigned char *)bytes);
    free(bytes);
    return m;
}

static size_t read_tensors(const char *dir, const char *what, size_t max, Onnx__TensorProto **list)
{
    char path[4096];
    size_t n = 0;
    for (; n < max && n < IO_MAX; n++) {
        snprintf(path, sizeof(path), "%s/test_data_set_0/%s_%zu.pb", dir, what, n);
        list[n] = read_message(path, &onnx__tensor_proto__descriptor);
        if (!list[n])
            break;
    }
    return n;
}

static void files_done(struct files *f)
{
    for (size_t i = 0; i < f->n_in; i++)
        onnx__tensor_proto__free_unpacked(f->in[i], NULL);
    for (size_t i = 0; i < f->n_out; i++)
        onnx__tensor_proto__free_unpacked(f->out[i], NULL);
    if (f->model)
        onnx__model_proto__free_unpacked(f->model, NULL);
}

static void finish(struct onnx_case *c, enum case_result result, const char *why)
{
    c->result = result;
    snprintf(c->why, sizeof(c->why), "%s", why);
}

static bool is_bfloat16(const Onnx__ValueInfoProto *v)
{
    return v->type && v->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE &&
           v->type->tensor_type->elem_type == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16;
}

/* NumPy knows no bfloat16, so that the files of such cases contradict their network. */
static bool holds_bits(const struct files *f)
{
    const Onnx__GraphProto *g = f->model->graph;
    for (size_t i = 0; i < f->n_in && i < g->n_input; i++)
        if (is_bfloat16(g->input[i]) &&
            f->in[i]->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__UINT16)
            return true;
    for (size_t i = 0; i < f->n_out && i < g->n_output; i++)
        if (is_bfloat16(g->output[i]) &&
            f->out[i]->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__UINT16)
            return true;
    return false;
}

/* False, with the case judged, when there is nothing for us to run. */
static bool is_ours(const struct files *f, struct onnx_case *c)
{
    const Onnx__GraphProto *g = f->model->graph;
    size_t n_ops = 0;
    for (size_t i = 0; i < g->n_node; i++) {
        if (strcmp(g->node[i]->op_type, "Constant") == 0 && g->n_node > 1)
            continue;
        snprintf(c->op, sizeof(c->op), "%s", g->node[i]->op_type);
        n_ops++;
        if ((!luc_op_find(c->op) && strcmp(c->op, "Constant") != 0) ||
            (g->node[i]->domain && *g->node[i]->domain)) {
            finish(c, CASE_FOREIGN, "");
            return false;
        }
    }
    if (n_ops != 1)
        c->op[0] = '\0';
    for (size_t i = 0; i < g->n_input + g->n_output; i++) {
        const Onnx__ValueInfoProto *v = i < g->n_input ? g->input[i] : g->output[i - g->n_input];
        if (v->type && v->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE) {
            finish(c, CASE_UNSUPPORTED, "values that are not tensors are not supported");
            return false;
        }
    }
    if (holds_bits(f)) {
        finish(c, CASE_UNSUPPORTED, "its files hold bfloat16 as unsigned integers");
        return false;
    }
    if (f->n_in != g->n_input && f->n_in + g->n_initializer != g->n_input) {
        finish(c, CASE_FAILED, "inputs are missing among the files");
        return false;
    }
    if (f->n_out != g->n_output) {
        finish(c, CASE_FAILED, "outputs are missing among the files");
        return false;
    }
    return true;
}

/* Whether input i is given while running. Integers decide shapes and scalars are settings, so they
 * must be constants; with `packed`, everything but the first input is, as weights are. */
static bool runs_as_input(const struct files *f, size_t i, bool packed)
{
    return f->in[i]->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT &&
           (i == 0 || (!packed && f->in[i]->n_dims > 0));
}

/* The case's network with the other inputs turned into weights. Inputs that are weights already
 * (old files) come after the given ones. */
static enum luc_status read_graph(const struct files *f, bool packed, struct luc_graph *g,
                                  struct luc_error *err)
{
    Onnx__ModelProto model = *f->model;
    Onnx__GraphProto graph = *f->model->graph;
    Onnx__ValueInfoProto *inputs[IO_MAX];
    Onnx__TensorProto named[IO_MAX];
    Onnx__TensorProto **weights = calloc(graph.n_initializer + IO_MAX, sizeof(Onnx__TensorProto *));
    if (!weights)
        return luc_fail_nomem(err, "case", graph.n_initializer);
    model.graph = &graph;
    graph.input = inputs;
    graph.n_input = 0;
    for (size_t i = 0; i < graph.n_initializer; i++)
        weights[i] = graph.initializer[i];
    graph.initializer = weights;
    for (size_t i = 0; i < f->n_in; i++) {
        Onnx__ValueInfoProto *v = f->model->graph->input[i];
        if (runs_as_input(f, i, packed)) {
            inputs[graph.n_input++] = v;
            continue;
        }
        named[i] = *f->in[i];
        named[i].name = v->name;
        weights[graph.n_initializer++] = &named[i];
    }
    const size_t size = onnx__model_proto__get_packed_size(&model);
    unsigned char *bytes = malloc(size + 1);
    if (bytes)
        onnx__model_proto__pack(&model, bytes);
    free(weights);
    enum luc_status st =
        bytes ? luc_onnx_read(bytes, size, g, err) : luc_fail_nomem(err, "case", size);
    free(bytes);
    if (!st)
        st = luc_graph_finish(g, err);
    return st || !packed ? st : luc_graph_optimise(g, LUC_PREPARE, err);
}

static enum luc_status tensor_of(const Onnx__TensorProto *p, struct luc_arena *arena,
                                 struct luc_tensor *t, struct luc_error *err)
{
    const size_t size = onnx__tensor_proto__get_packed_size(p);
    unsigned char *bytes = malloc(size + 1);
    if (!bytes)
        return luc_fail_nomem(err, "case", size);
    onnx__tensor_proto__pack(p, bytes);
    const enum luc_status st = luc_onnx_tensor_read(bytes, size, arena, t, NULL, err);
    free(bytes);
    return st;
}

static bool close_enough(float got, float want)
{
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got);
    if (isinf(want) || isinf(got))
        return got == want;
    return fabs((double)got - (double)want) <= ATOL + RTOL * fabs((double)want);
}

static enum luc_status compare(const struct luc_tensor *got, const struct luc_tensor *want,
                               size_t output, struct luc_error *err)
{
    char a[LUC_SHAPE_TEXT], b[LUC_SHAPE_TEXT];
    if (!luc_shape_equal(&got->shape, &want->shape))
        return luc_fail(err, LUC_INTERNAL, "output %zu: shape %s, wanted %s", output,
                        luc_shape_print(&got->shape, a), luc_shape_print(&want->shape, b));
    for (size_t i = 0; i < luc_numel(&want->shape); i++)
        if (!close_enough(got->data[i], want->data[i]))
            return luc_fail(err, LUC_INTERNAL, "output %zu, element %zu: %.9g, wanted %.9g", output,
                            i, (double)got->data[i], (double)want->data[i]);
    return LUC_OK;
}

static enum luc_status run_planned(const struct files *f, bool packed, const struct luc_graph *g,
                                   struct luc_arena *arena, struct luc_error *err)
{
    struct luc_tensor in[IO_MAX], want[IO_MAX];
    struct luc_shape shapes[IO_MAX];
    size_t n_in = 0;
    enum luc_status st = LUC_OK;
    for (size_t i = 0; !st && i < f->n_in; i++)
        if (runs_as_input(f, i, packed)) {
            st = tensor_of(f->in[i], arena, &in[n_in], err);
            shapes[n_in] = in[n_in].shape;
            n_in++;
        }
    for (size_t i = 0; !st && i < f->n_out; i++)
        st = tensor_of(f->out[i], arena, &want[i], err);
    const struct luc_plan_spec spec = {
        .graph = g, .inputs = shapes, .taps = g->outputs, .n_taps = g->n_outputs
    };
    const struct luc_plan *plan = NULL;
    struct luc_exec *x = NULL;
    if (!st)
        st = luc_plan_create(&spec, arena, &plan, err);
    if (!st)
        st = luc_exec_create(plan, arena, NULL, &x, err);
    if (st)
        return st;
    for (size_t i = 0; i < n_in; i++)
        memcpy(luc_exec_input(x, i)->data, in[i].data, luc_numel(&in[i].shape) * sizeof(float));
    luc_exec_forward(x);
    for (size_t i = 0; !st && i < f->n_out; i++)
        st = compare(luc_exec_value(x, g->outputs[i]), &want[i], i, err);
    return st;
}

static enum luc_status run_once(const struct files *f, bool packed, struct luc_error *err)
{
    struct luc_graph *g = luc_graph_create((size_t)256 << 20);
    struct luc_arena *arena = luc_arena_create((size_t)1 << 30);
    enum luc_status st = g && arena ? LUC_OK : luc_fail_nomem(err, "case", 1);
    if (!st)
        st = read_graph(f, packed, g, err);
    if (!st)
        st = run_planned(f, packed, g, arena, err);
    luc_arena_destroy(arena);
    luc_graph_destroy(g);
    return st;
}

/* Raises the opset of an old case to 7, which changed few operators; the old number, or 0. */
static int64_t raise_opset(Onnx__ModelProto *m)
{
    Onnx__OperatorSetIdProto *o = m->n_opset_import > 0 ? m->opset_import[0] : NULL;
    if (!o || o->version >= LUC_ONNX_OPSET_MIN)
        return 0;
    const int64_t old = o->version;
    o->version = LUC_ONNX_OPSET_MIN;
    return old;
}

static void run(const struct files *f, struct onnx_case *c)
{
    struct luc_error err = { 0 };
    const int64_t old = raise_opset(f->model);
    enum luc_status st = run_once(f, false, &err);
    if (st == LUC_UNSUPPORTED && strstr(err.text, "must be known before the run"))
        st =
            LUC_OK; /* a float that decides a shape (Resize's scales) is never given while running */
    if (!st)
        st = run_once(f, true, &err);
    finish(c, !st ? CASE_PASSED : (st == LUC_UNSUPPORTED || old ? CASE_UNSUPPORTED : CASE_FAILED),
           err.text);
    if (st && old)
        snprintf(c->why, sizeof(c->why), "opset %d read as 7: %.200s", (int)old, err.text);
}

void onnx_case_run(const char *dir, struct onnx_case *c)
{
    char path[4096];
    struct files f = { 0 };
    *c = (struct onnx_case){ 0 };
    snprintf(path, sizeof(path), "%s/model.onnx", dir);
    f.model = read_message(path, &onnx__model_proto__descriptor);
    if (!f.model || !f.model->graph) {
        finish(c, CASE_FAILED, "cannot read model.onnx");
        files_done(&f);
        return;
    }
    f.n_in = read_tensors(dir, "input", f.model->graph->n_input, f.in);
    f.n_out = read_tensors(dir, "output", f.model->graph->n_output, f.out);
    if (is_ours(&f, c))
        run(&f, c);
    files_done(&f);
}
