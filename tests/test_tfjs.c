#include "core/formats/tfjs.h"
#include "core/graph/exec.h"
#include "tests/tfjs_memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_MAX 8192

/* A network under test; ' stands for " in its JSON. */
struct net {
    char json[TEXT_MAX];
    struct tfjs_memory memory;
    struct luc_graph *g;
    struct luc_arena *arena;
    struct luc_error err;
};

static void set_json(struct net *n, const char *topology, const char *weights)
{
    const int len = snprintf(n->json, sizeof(n->json),
                             "{'modelTopology':%s,'weightsManifest':[{'paths':['a','b'],"
                             "'weights':[%s]}]}",
                             topology, weights);
    assert_true(len > 0 && len < TEXT_MAX);
    for (char *c = n->json; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    n->memory.json = (struct luc_file){ (const unsigned char *)n->json, (size_t)len };
}

/* The weights' bytes, cut in two shards at `cut`. */
static void set_bytes(struct net *n, const void *bytes, size_t size, size_t cut)
{
    const unsigned char *b = bytes;
    n->memory.shards[0] = (struct luc_file){ b, cut };
    n->memory.shards[1] = (struct luc_file){ b + cut, size - cut };
}

static enum luc_status read_net(struct net *n)
{
    n->g = luc_graph_create((size_t)16 << 20);
    n->arena = luc_arena_create((size_t)64 << 20);
    assert_true(n->g && n->arena);
    enum luc_status st = tfjs_memory_read(&n->memory, n->g, &n->err);
    assert_int_equal(n->memory.n_open, 0);
    return st ? st : luc_graph_finish(n->g, &n->err);
}

static void close_net(struct net *n)
{
    n->arena = luc_arena_destroy(n->arena);
    n->g = luc_graph_destroy(n->g);
}

static void read_or_fail(struct net *n)
{
    if (read_net(n))
        fail_msg("%s", n->err.text);
}

static void refused(struct net *n, enum luc_status wanted, const char *part)
{
    const enum luc_status st = read_net(n);
    if (st != wanted || !strstr(n->err.text, part))
        fail_msg("got %s: \"%s\", wanted %s with \"%s\"", luc_status_text(st), n->err.text,
                 luc_status_text(wanted), part);
    close_net(n);
}

/* Output 0 for a ramp as NCHW picture: x[n] = (n % 23) / 8 - 1. */
static const struct luc_tensor *run(struct net *n, struct luc_shape in)
{
    const struct luc_plan *plan = NULL;
    struct luc_exec *x = NULL;
    const struct luc_plan_spec spec = {
        .graph = n->g, .inputs = &in, .taps = n->g->outputs, .n_taps = n->g->n_outputs
    };
    if (luc_plan_create(&spec, n->arena, &plan, &n->err) ||
        luc_exec_create(plan, n->arena, NULL, &x, &n->err))
        fail_msg("%s", n->err.text);
    struct luc_tensor *t = luc_exec_input(x, 0);
    for (size_t i = 0; i < luc_numel(&t->shape); i++)
        t->data[i] = (float)(i % 23) / 8 - 1;
    luc_exec_forward(x);
    return luc_exec_value(x, n->g->outputs[0]);
}

static float ramp(size_t c, size_t y, size_t x, size_t h, size_t w)
{
    return (float)(((c * h + y) * w + x) % 23) / 8 - 1;
}

#define INPUT(shape)                                                                               \
    "{'name':'x','class_name':'InputLayer','config':{'batch_input_shape':" shape                   \
    "},'inbound_nodes':[]}"
#define LAYER(cls, name, config, from)                                                             \
    "{'name':'" name "','class_name':'" cls "','config':{" config "},'inbound_nodes':[[['" from    \
    "',0,0,{}]]]}"
#define MODEL(layers, out)                                                                         \
    "{'model_config':{'class_name':'Model','config':{'layers':[" layers                            \
    "],'output_layers':[['" out "',0,0]]}}}"
#define F32(name, shape) "{'name':'" name "','shape':" shape ",'dtype':'float32'}"
#define NODE(op, name, inputs, attr)                                                               \
    "{'op':'" op "','name':'" name "','input':[" inputs "],'attr':{" attr "}}"
#define PICTURE                                                                                    \
    "{'op':'Placeholder','name':'x','attr':{'shape':{'shape':{'dim':[{'size':'-1'},{'size':'-1'}," \
    "{'size':-1},{'size':'2'}]}}}}"
#define CONST(name)      "{'op':'Const','name':'" name "'}"
#define I32(name, shape) "{'name':'" name "','shape':" shape ",'dtype':'int32'}"
#define STRIDES          "'strides':{'list':{'i':['1','2','2','1']}}"
#define SAME             "'padding':{'s':'U0FNRQ=='}"
#define VALID            "'padding':{'s':[86,65,76,73,68]}"

/* Conv2D, kernel HWIO [2, 2, 2, 3], padding same, ReLU, at one place of the output. */
static double conv_at(const float *k, const float *bias, size_t o, size_t y, size_t x)
{
    double sum = (double)bias[o];
    for (size_t dy = 0; dy < 2; dy++)
        for (size_t dx = 0; dx < 2; dx++)
            for (size_t c = 0; c < 2; c++)
                if (y + dy < 4 && x + dx < 5) /* TensorFlow pads after, not before */
                    sum += (double)ramp(c, y + dy, x + dx, 4, 5) *
                           (double)k[((dy * 2 + dx) * 2 + c) * 3 + o];
    return sum > 0 ? sum : 0;
}

static void fill(float *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        v[i] = (float)((i * 7 + 3) % 11) / 10 - 0.4f;
}

static void layers__keep_tensorflows_order_and_names(void **state)
{
    (void)state;
    float w[24 + 3 + 60 * 2 + 2];
    fill(w, sizeof(w) / sizeof(w[0]));
    struct net n = { 0 };
    set_json(
        &n,
        MODEL(INPUT("[null,4,5,2]") "," LAYER(
                  "Conv2D", "conv1",
                  "'padding':'same','kernel_size':[2,2],"
                  "'activation':'relu'",
                  "x") "," LAYER("Flatten", "flat", "",
                                 "conv1") "," LAYER("Dense", "fc", "'activation':'linear'", "flat"),
              "fc"),
        F32("conv1/kernel", "[2,2,2,3]") "," F32("conv1/bias", "[3]") "," F32(
            "fc/kernel", "[60,2]") "," F32("fc/bias", "[2]"));
    set_bytes(&n, w, sizeof(w), 30); /* in the middle of a number */
    read_or_fail(&n);
    assert_true(luc_graph_find(n.g, "conv1") != LUC_NONE);
    assert_true(luc_graph_find(n.g, "conv1/linear") != LUC_NONE);
    assert_string_equal(n.g->values[n.g->outputs[0]].name, "fc");
    const struct luc_tensor *y = run(&n, luc_shape4(1, 2, 4, 5));
    assert_int_equal(y->shape.rank, 2);
    for (size_t j = 0; j < 2; j++) {
        double sum = (double)w[24 + 3 + 120 + j];
        for (size_t i = 0; i < 60; i++) /* [y, x, o]: as TensorFlow flattens */
            sum += conv_at(w, w + 24, i % 3, i / 15, i / 3 % 5) * (double)w[27 + i * 2 + j];
        assert_true(fabs(sum - (double)y->data[j]) < 1e-4);
    }
    close_net(&n);
}

static void layers__sequential_without_an_input_layer(void **state)
{
    (void)state;
    struct net n = { 0 };
    set_json(&n,
             "{'class_name':'Sequential','config':[{'class_name':'MaxPooling2D','config':"
             "{'name':'pool','batch_input_shape':[null,null,null,2]}},{'class_name':"
             "'GlobalAveragePooling2D','config':{'name':'gap'}}]}",
             "");
    read_or_fail(&n);
    const struct luc_tensor *y = run(&n, luc_shape4(1, 2, 4, 4));
    assert_int_equal(y->shape.rank, 2);
    assert_int_equal(y->shape.dim[1], 2);
    double want = 0;
    for (size_t i = 0; i < 4; i++) /* the ramp grows: the last of each 2x2 is the largest */
        want += (double)ramp(0, i / 2 * 2 + 1, i % 2 * 2 + 1, 4, 4) / 4;
    assert_true(fabs(want - (double)y->data[0]) < 1e-6);
    close_net(&n);
}

static void layers__what_is_wrong_is_named(void **state)
{
    (void)state;
    struct net n = { 0 };
    set_json(&n, MODEL(INPUT("[null,4,4,2]") "," LAYER("LSTM", "memory", "", "x"), "memory"), "");
    refused(&n, LUC_UNSUPPORTED, "layer 'memory': Keras layer 'LSTM' is not supported");
    set_json(&n, MODEL(INPUT("[null,4,4,2]") "," LAYER("Conv2D", "c", "'kernel_size':3", "x"), "c"),
             "");
    refused(&n, LUC_FORMAT, "no 'c/kernel'");
    set_json(
        &n,
        MODEL(INPUT("[null,4,4,2]") "," LAYER("Activation", "a", "'activation':'gelu'", "x"), "a"),
        "");
    refused(&n, LUC_UNSUPPORTED, "layer 'a': activation 'gelu'");
    set_json(&n, MODEL(LAYER("Flatten", "f", "", "y") "," INPUT("[null,4,4,2]"), "f"), "");
    refused(&n, LUC_FORMAT, "layer 'f' reads 'y'");
    set_json(&n, MODEL(INPUT("[null,4,4,2]"), "z"), "");
    refused(&n, LUC_FORMAT, "'z'");
    set_json(&n,
             MODEL(INPUT("[null,4,4,2]") "," LAYER("MaxPooling2D", "p",
                                                   "'data_format':'channels_first'", "x"),
                   "p"),
             "");
    refused(&n, LUC_UNSUPPORTED, "layer 'p': data_format");
}

static void weights__quantised_and_half_are_widened(void **state)
{
    (void)state;
    struct net n = { 0 };
    unsigned char bytes[2 + 4 + 4] = { 0, 255 };
    const uint16_t wide[2] = { 1, 65535 }, half[2] = { 0x3c00, 0xc500 };
    memcpy(bytes + 2, wide, 4), memcpy(bytes + 6, half, 4);
    set_json(
        &n,
        MODEL(INPUT("[null,4,4,2]") "," LAYER("BatchNormalization", "bn", "'center':false", "x"),
              "bn"),
        "{'name':'bn/gamma','shape':[2],'dtype':'float32','quantization':"
        "{'dtype':'uint8','scale':0.5,'min':-1}},"
        "{'name':'bn/moving_mean','shape':[2],'dtype':'float32','quantization':"
        "{'dtype':'uint16','scale':0.25,'min':3}},"
        "{'name':'bn/moving_variance','shape':[2],'dtype':'float32','quantization':"
        "{'dtype':'float16'}}");
    set_bytes(&n, bytes, sizeof(bytes), 3);
    read_or_fail(&n);
    const struct {
        const char *name;
        float v[2];
    } want[] = { { "bn/gamma", { -1, 126.5f } },
                 { "bn/moving_mean", { 3.25f, 16386.75f } },
                 { "bn/moving_variance", { 1, -5 } },
                 { "bn/beta", { 0, 0 } } };
    for (size_t i = 0; i < 4; i++) {
        const size_t v = luc_graph_find(n.g, want[i].name);
        assert_true(v != LUC_NONE);
        assert_memory_equal(n.g->values[v].constant.data, want[i].v, 8);
    }
    close_net(&n);
}

static void weights__sizes_and_paths_are_not_believed(void **state)
{
    (void)state;
    struct net n = { 0 };
    float w[4] = { 0 };
    static const char model[] = MODEL(INPUT("[null,4,4,2]"), "x");
    set_bytes(&n, w, sizeof(w), 5);
    set_json(&n, model, F32("w", "[5]"));
    refused(&n, LUC_FORMAT, "weight 'w': wants 20 bytes, its files have 16 left");
    set_json(&n, model, F32("w", "[4294967296,4294967296,4294967296]"));
    refused(&n, LUC_TOO_LARGE, "w");
    set_json(&n, model, F32("w", "[-1]"));
    refused(&n, LUC_FORMAT, "weight 'w'");
    set_json(&n, model, F32("w", "[1]") "," F32("w", "[1]"));
    refused(&n, LUC_FORMAT, "weight 'w': it is there twice");
    set_json(&n, model, "{'name':'w','shape':[1],'dtype':'string'}");
    refused(&n, LUC_UNSUPPORTED, "'string'");
    set_json(&n, model,
             "{'name':'w','shape':[1],'dtype':'float32','quantization':{'dtype':'int4'}}");
    refused(&n, LUC_UNSUPPORTED, "'int4'");
    static const char *const paths[] = { "../a", "/etc/passwd", "a/../b", "" };
    for (size_t i = 0; i < 4; i++) {
        set_json(&n, model, "");
        const int len = snprintf(n.json, sizeof(n.json),
                                 "{\"modelTopology\":{},\"weightsManifest\":[{\"paths\":[\"%s\"],"
                                 "\"weights\":[]}]}",
                                 paths[i]);
        n.memory.json.size = (size_t)len;
        refused(&n, LUC_FORMAT, "not a file below");
    }
}

/* x -> fused conv 1x1 -> concat with x along channels -> reshape to [-1]. */
static void graph__channels_stay_last_where_tensorflow_sees_them(void **state)
{
    (void)state;
    const float k[4] = { 1, 10, 100, 1000 }, bias[2] = { 0.5f, -1000 };
    const int32_t axis = -1, flat = -1;
    unsigned char bytes[16 + 8 + 8];
    memcpy(bytes, k, 16), memcpy(bytes + 16, bias, 8);
    memcpy(bytes + 24, &axis, 4), memcpy(bytes + 28, &flat, 4);
    struct net n = { 0 };
    set_json(
        &n,
        "{'node':[" PICTURE
        "," CONST("k") "," CONST("b") "," CONST("axis") "," CONST("flat") "," NODE(
            "_FusedConv2D", "conv", "'x','k','b'",
            SAME ",'fused_ops':{'list':{'s':['Qmlhc0FkZA==','UmVsdQ=="
                 "']}}") "," NODE("ConcatV2", "both", "'conv','x:0','axis'",
                                  "") "," NODE("Reshape", "y", "'both','flat'", "") "]}",
        F32("k", "[1,1,2,2]") "," F32("b", "[2]") "," I32("axis", "[]") "," I32("flat", "[1]"));
    set_bytes(&n, bytes, sizeof(bytes), 8);
    read_or_fail(&n);
    const struct luc_tensor *y = run(&n, luc_shape4(1, 2, 3, 2));
    assert_int_equal(y->shape.rank, 1);
    assert_int_equal(y->shape.dim[0], 24);
    for (size_t i = 0; i < 6; i++) {
        const float a = ramp(0, i / 2, i % 2, 3, 2), b = ramp(1, i / 2, i % 2, 3, 2);
        const float first = a * 1 + b * 100 + 0.5f, second = a * 10 + b * 1000 - 1000;
        const float want[4] = { first > 0 ? first : 0, second > 0 ? second : 0, a, b };
        for (size_t c = 0; c < 4; c++)
            assert_true(fabsf(y->data[4 * i + c] - want[c]) < 1e-3f);
    }
    close_net(&n);
}

/* Transposed convolution, kernel [k, k, 1, 2] of ones, stride 2, whose shape is given. */
static void transposed(const char *padding_attr, size_t k, const int32_t shape[4], struct net *n)
{
    static unsigned char bytes[(2 * 5 * 5 + 4) * 4];
    const size_t n_kernel = 2 * k * k;
    const float one = 1;
    char topology[2048], weights[256];
    for (size_t i = 0; i < n_kernel; i++)
        memcpy(bytes + 4 * i, &one, 4);
    memcpy(bytes + 4 * n_kernel, shape, 16);
    snprintf(topology, sizeof(topology),
             "{'node':[" PICTURE "," CONST("k") "," CONST(
                 "shape") ",{'op':'Conv2DBackpropInput',"
                          "'name':'y','input':['shape','k','x'],'attr':{%s," STRIDES "}}]}",
             padding_attr);
    snprintf(weights, sizeof(weights), F32("k", "[%zu,%zu,1,2]") "," I32("shape", "[4]"), k, k);
    set_json(n, topology, weights);
    set_bytes(n, bytes, 4 * n_kernel + 16, 0);
}

static void graph__transposed_convolutions_put_out_what_tensorflow_does(void **state)
{
    (void)state;
    const struct {
        const char *padding;
        size_t k, before; /* rows of the full result that are cut in front */
        int32_t shape[4];
    } rows[] = { { VALID, 3, 0, { 1, 7, 9, 1 } }, { SAME, 3, 0, { 1, 6, 8, 1 } },
                 { SAME, 4, 1, { 1, 6, 8, 1 } },  { SAME, 5, 1, { 1, 6, 8, 1 } },
                 { SAME, 1, 0, { 1, 6, 8, 1 } },  { VALID, 1, 0, { 1, 6, 8, 1 } } };
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct net n = { 0 };
        const size_t k = rows[r].k, before = rows[r].before;
        transposed(rows[r].padding, k, rows[r].shape, &n);
        read_or_fail(&n);
        const struct luc_tensor *y = run(&n, luc_shape4(1, 2, 3, 4));
        const size_t h = (size_t)rows[r].shape[1], w = (size_t)rows[r].shape[2];
        assert_int_equal(y->shape.dim[2], h);
        assert_int_equal(y->shape.dim[3], w);
        for (size_t i = 0; i < h * w; i++) {
            double want = 0;
            for (size_t p = 0; p < 12; p++) { /* every input pixel paints k x k; size_t wraps */
                const size_t dy = i / w + before - p / 4 * 2, dx = i % w + before - p % 4 * 2;
                if (dy < k && dx < k)
                    want += (double)(ramp(0, p / 4, p % 4, 3, 4) + ramp(1, p / 4, p % 4, 3, 4));
            }
            assert_true(fabs(want - (double)y->data[i]) < 1e-5);
        }
        close_net(&n);
    }
    struct net n = { 0 };
    const int32_t odd[4] = { 1, 5, 8, 1 }; /* not what stride 2 over 3 rows gives */
    transposed(SAME, 3, odd, &n);
    read_or_fail(&n);
    const struct luc_shape in = luc_shape4(1, 2, 3, 4);
    const struct luc_plan *plan = NULL;
    const struct luc_plan_spec spec = {
        .graph = n.g, .inputs = &in, .taps = n.g->outputs, .n_taps = 1
    };
    assert_int_not_equal(luc_plan_create(&spec, n.arena, &plan, &n.err), LUC_OK);
    close_net(&n);
}

/* Instance normalisation as graphs spell it; m's operands in one order or the other. */
static void norm_net(struct net *n, const char *m_inputs)
{
    static unsigned char bytes[8 + 8 + 8 + 4];
    const int32_t axes[2] = { 1, 2 };
    const float scale[2] = { 2, -0.5f }, offset[2] = { 0.25f, 3 }, eps = 0.01f;
    char topology[4096];
    memcpy(bytes, axes, 8), memcpy(bytes + 8, scale, 8);
    memcpy(bytes + 16, offset, 8), memcpy(bytes + 24, &eps, 4);
    snprintf(
        topology, sizeof(topology),
        /* clang-format off */
        "{'node':[" PICTURE
        "," CONST("axes")
        "," CONST("scale")
        "," CONST("offset")
        "," CONST("eps")
        "," NODE("Mean", "mean", "'x','axes'", "'keep_dims':{'b':true}")
        "," NODE("SquaredDifference", "sd", "'x','mean'", "")
        "," NODE("Mean", "var", "'sd','axes'", "'keep_dims':{'b':true}")
        "," NODE("Add", "ve", "'var','eps'", "")
        "," NODE("Rsqrt", "r", "'ve'", "")
        "," NODE("Mul", "m", "%s", "")
        "," NODE("Mul", "xm", "'x','m'", "")
        "," NODE("Mul", "mm", "'mean','m'", "")
        "," NODE("Sub", "sub", "'offset','mm'", "")
        "," NODE("Add", "y", "'xm','sub'", "") "]}",
        /* clang-format on */
        m_inputs);
    set_json(
        n, topology,
        I32("axes", "[2]") "," F32("scale", "[2]") "," F32("offset", "[2]") "," F32("eps", "[]"));
    set_bytes(n, bytes, sizeof(bytes), 28);
}

static void graph__spelled_out_instance_norm_becomes_one_node(void **state)
{
    (void)state;
    struct net one = { 0 }, many = { 0 };
    norm_net(&one, "'r','scale'");
    norm_net(&many, "'scale','r'"); /* not recognised, same numbers */
    read_or_fail(&one);
    read_or_fail(&many);
    assert_int_equal(one.g->n_nodes, 1);
    assert_string_equal(one.g->nodes[0].op->name, "InstanceNormalization");
    assert_string_equal(one.g->values[one.g->outputs[0]].name, "y");
    assert_true(many.g->n_nodes > 5);
    const struct luc_tensor *a = run(&one, luc_shape4(1, 2, 5, 6));
    const struct luc_tensor *b = run(&many, luc_shape4(1, 2, 5, 6));
    assert_true(luc_shape_equal(&a->shape, &b->shape));
    for (size_t i = 0; i < luc_numel(&a->shape); i++)
        assert_true(fabsf(a->data[i] - b->data[i]) < 1e-5f);
    close_net(&one);
    close_net(&many);
}

/* Shape, slices with a single index, Pack and Reshape: arithmetic on the picture's own size. */
static void graph__shapes_are_told_in_tensorflows_order(void **state)
{
    (void)state;
    const int32_t v[] = { 0, 3, 1, 2, -1 };
    struct net n = { 0 };
    set_json(
        &n,
        /* clang-format off */
        "{'node':[" PICTURE
        "," CONST("0")
        "," CONST("3")
        "," CONST("1")
        "," CONST("rest")
        "," NODE("Shape", "s", "'x'", "")
        "," NODE("StridedSlice", "c", "'s','3','rest','1'", "'shrink_axis_mask':{'i':'1'}")
        "," NODE("Pack", "p", "'c','minus'", "'axis':{'i':'0'}")
        "," CONST("minus")
        "," NODE("Reshape", "y", "'x','p'", "") "]}",
        /* clang-format on */
        I32("0", "[1]") "," I32("3", "[1]") "," I32("1", "[1]") "," I32("rest", "[1]") "," I32(
            "minus", "[]"));
    set_bytes(&n, v, sizeof(v), 4);
    read_or_fail(&n);
    const struct luc_tensor *y = run(&n, luc_shape4(1, 2, 3, 5));
    assert_int_equal(y->shape.rank, 2);
    assert_int_equal(y->shape.dim[0], 2); /* the channels, TensorFlow's axis 3 */
    assert_int_equal(y->shape.dim[1], 15);
    assert_true(y->data[1] == ramp(1, 0, 0, 3, 5)); /* second in memory: the next channel */
    close_net(&n);
}

static void graph__what_is_wrong_is_named(void **state)
{
    (void)state;
    struct net n = { 0 };
    set_json(&n, "{'node':[" PICTURE "," NODE("Sin", "wave", "'x'", "") "]}", "");
    refused(&n, LUC_UNSUPPORTED, "node 'wave': TensorFlow operator 'Sin' is not supported");
    set_json(&n, "{'node':[" PICTURE "," NODE("Relu", "r", "'q'", "") "]}", "");
    refused(&n, LUC_FORMAT, "node 'r' reads 'q', which is not there");
    set_json(&n,
             "{'node':[" NODE("Add", "a", "'b','b'", "") "," NODE("Relu", "b", "'a'", "") "," NODE(
                 "Relu", "y", "'b'", "") "]}",
             "");
    refused(&n, LUC_FORMAT, "depends on itself");
    set_json(&n, "{'node':[" PICTURE "," NODE("Relu", "r", "'x','x'", "") "]}", "");
    refused(&n, LUC_FORMAT, "node 'r' (Relu): 2 inputs");
    set_json(&n, "{'node':[" PICTURE "," CONST("c") "," NODE("Add", "a", "'x','c'", "") "]}", "");
    refused(&n, LUC_FORMAT, "constant 'c' is not in the weights manifest");
    set_json(&n, "{'node':[" PICTURE "," NODE("Relu", "r", "'x:1'", "") "]}", "");
    refused(&n, LUC_UNSUPPORTED, "only first outputs");
    set_json(&n,
             "{'node':[" PICTURE "," NODE("MaxPool", "p", "'x'",
                                          VALID ",'data_format':"
                                                "{'s':'TkNIVw=='}") "]}",
             "");
    refused(&n, LUC_UNSUPPORTED, "node 'p': data_format must be NHWC");
}

static void tfjs__every_prefix_and_every_changed_byte_ends_in_a_status(void **state)
{
    (void)state;
    struct net n = { 0 };
    norm_net(&n, "'r','scale'");
    const size_t size = n.memory.json.size;
    for (size_t i = 0; i < 2 * size; i++) {
        const size_t len = i < size ? i : size;
        char *exact = malloc(len ? len : 1); /* ASan sees an overrun */
        assert_non_null(exact);
        memcpy(exact, n.json, len);
        if (i >= size)
            exact[i - size] ^= 1;
        n.memory.json = (struct luc_file){ (const unsigned char *)exact, len };
        n.err.text[0] = '\0';
        const enum luc_status st = read_net(&n);
        assert_true(st == LUC_OK || n.err.text[0]);
        close_net(&n);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers__keep_tensorflows_order_and_names),
        cmocka_unit_test(layers__sequential_without_an_input_layer),
        cmocka_unit_test(layers__what_is_wrong_is_named),
        cmocka_unit_test(weights__quantised_and_half_are_widened),
        cmocka_unit_test(weights__sizes_and_paths_are_not_believed),
        cmocka_unit_test(graph__channels_stay_last_where_tensorflow_sees_them),
        cmocka_unit_test(graph__transposed_convolutions_put_out_what_tensorflow_does),
        cmocka_unit_test(graph__spelled_out_instance_norm_becomes_one_node),
        cmocka_unit_test(graph__shapes_are_told_in_tensorflows_order),
        cmocka_unit_test(graph__what_is_wrong_is_named),
        cmocka_unit_test(tfjs__every_prefix_and_every_changed_byte_ends_in_a_status),
    };
    return cmocka_run_group_tests_name("tfjs", tests, NULL, NULL);
}
