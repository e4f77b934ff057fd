#include "core/formats/onnx.h"
#include "core/formats/raw_data.h"
#include "tests/onnx_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define DIMS(...)  ((const int64_t[]){ __VA_ARGS__ })
#define TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name

/* x -> Identity -> y, with a weight that nothing reads. */
static void small_network(struct onnx_build *b, int opset)
{
    ob_init(b, opset);
    ob_input(b, "x", 4, DIMS(1, 3, -1, 0));
    Onnx__TensorProto *w = ob_tensor(b, "w", TYPE(FLOAT), 1, DIMS(2));
    ob_raw(b, w, (const float[]){ 1.5f, -2 }, 8);
    ob_weight(b, w);
    ob_node(b, "Identity", "same", NAMES("x"), NAMES("y"));
    ob_output(b, "y");
}

static void expect(struct onnx_build *b, enum luc_status wanted, const char *part)
{
    struct luc_graph *g = NULL;
    struct luc_error err = { 0 };
    const enum luc_status st = ob_read(b, &g, &err);
    if (st != wanted || (part && !strstr(err.text, part)))
        fail_msg("got %s: \"%s\", wanted %s with \"%s\"", luc_status_text(st), err.text,
                 luc_status_text(wanted), part ? part : "");
    luc_graph_destroy(g);
    ob_done(b);
}

static void onnx__a_small_network_is_read_whole(void **state)
{
    (void)state;
    struct onnx_build b;
    struct luc_graph *g = NULL;
    small_network(&b, 13);
    ob_input(&b, "w", 1, DIMS(2)); /* as files of IR 3 do */
    assert_int_equal(ob_read(&b, &g, NULL), LUC_OK);
    assert_int_equal(g->opset, 13);
    assert_int_equal(g->n_inputs, 1);
    const struct luc_value *x = &g->values[g->inputs[0]];
    assert_string_equal(x->name, "x");
    assert_int_equal(x->decl.rank, 4);
    assert_int_equal(x->decl.dim[1], 3);
    assert_int_equal(x->decl.dim[2], 0);
    assert_int_equal(x->decl.dim[3], 0);
    assert_int_equal(g->n_nodes, 1);
    assert_string_equal(g->nodes[0].name, "same");
    assert_string_equal(g->nodes[0].op->name, "Identity");
    const struct luc_value *w = &g->values[luc_graph_find(g, "w")];
    assert_false(w->is_input);
    assert_memory_equal(w->constant.data, ((const float[]){ 1.5f, -2 }), 8);
    assert_int_equal(g->n_outputs, 1);
    luc_graph_destroy(g);
    ob_done(&b);
}

static void onnx__constant_nodes_become_constants(void **state)
{
    (void)state;
    struct onnx_build b;
    struct luc_graph *g = NULL;
    small_network(&b, 13);
    int64_t ints[] = { 3, -1, INT64_MAX };
    Onnx__AttributeProto *a =
        ob_attribute(&b, ob_node(&b, "Constant", "", NAMES(NULL), NAMES("c")), "value_ints");
    a->ints = ints, a->n_ints = 3;
    a = ob_attribute(&b, ob_node(&b, "Constant", "", NAMES(NULL), NAMES("f")), "value_float");
    a->has_f = 1, a->f = 0.5f;
    a = ob_attribute(&b, ob_node(&b, "Constant", "", NAMES(NULL), NAMES("t")), "value");
    a->t = ob_tensor(&b, "", TYPE(INT32), 2, DIMS(1, 2));
    a->t->int32_data = (int32_t[]){ 7, -8 }, a->t->n_int32_data = 2;
    assert_int_equal(ob_read(&b, &g, NULL), LUC_OK);
    const struct luc_tensor *c = &g->values[luc_graph_find(g, "c")].constant;
    assert_int_equal(c->dtype, LUC_I64);
    assert_int_equal(c->shape.rank, 1);
    assert_true(c->data[0] == 3 && c->data[1] == -1 && c->data[2] > 9e18f);
    const struct luc_tensor *f = &g->values[luc_graph_find(g, "f")].constant;
    assert_int_equal(f->shape.rank, 0);
    assert_true(f->data[0] == 0.5f);
    const struct luc_tensor *t = &g->values[luc_graph_find(g, "t")].constant;
    assert_int_equal(t->dtype, LUC_I32);
    assert_true(t->shape.rank == 2 && t->data[0] == 7 && t->data[1] == -8);
    luc_graph_destroy(g);
    ob_done(&b);
}

static void onnx__what_is_not_supported_is_named_with_its_node(void **state)
{
    (void)state;
    struct onnx_build b;
    small_network(&b, 13);
    ob_node(&b, "Foo", "conv_3", NAMES("x"), NAMES("z"));
    expect(&b, LUC_UNSUPPORTED, "node 'conv_3': operator 'Foo' is not supported");
    small_network(&b, 13);
    ob_node(&b, "Foo", "", NAMES("x"), NAMES("z"));
    expect(&b, LUC_UNSUPPORTED, "node making 'z': operator 'Foo'");
    small_network(&b, 13);
    b.nodes[0]->domain = (char[]){ "com.other" };
    expect(&b, LUC_UNSUPPORTED, "'com.other.Identity'");
    small_network(&b, 13);
    ob_attribute(&b, b.nodes[0], "colour")->has_i = 1;
    expect(&b, LUC_UNSUPPORTED, "node 'same' (Identity): attribute colour is not supported");
}

static void onnx__versions_outside_the_supported_are_refused(void **state)
{
    (void)state;
    struct onnx_build b;
    for (int opset = 7; opset <= 25; opset++) {
        small_network(&b, opset);
        expect(&b, LUC_OK, NULL);
    }
    small_network(&b, 6);
    expect(&b, LUC_UNSUPPORTED, "opset 6 is not supported, only 7 to 25");
    small_network(&b, 26);
    expect(&b, LUC_UNSUPPORTED, "opset 26");
    small_network(&b, 13);
    b.model.ir_version = 2;
    expect(&b, LUC_UNSUPPORTED, "IR version 2");
    small_network(&b, 13);
    b.model.has_ir_version = 0;
    expect(&b, LUC_FORMAT, "no IR version");
}

static void onnx__external_data_functions_and_sparse_weights_are_refused(void **state)
{
    (void)state;
    struct onnx_build b;
    small_network(&b, 13);
    b.weights[0]->has_data_location = 1;
    b.weights[0]->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    expect(&b, LUC_UNSUPPORTED, "tensor 'w': its data is in another file");

    small_network(&b, 13);
    Onnx__FunctionProto f, *functions[] = { &f };
    onnx__function_proto__init(&f);
    f.name = (char[]){ "mish" };
    b.model.functions = functions, b.model.n_functions = 1;
    expect(&b, LUC_UNSUPPORTED, "function 'mish'");

    small_network(&b, 13);
    Onnx__SparseTensorProto s, *sparse[] = { &s };
    onnx__sparse_tensor_proto__init(&s);
    b.graph.sparse_initializer = sparse, b.graph.n_sparse_initializer = 1;
    expect(&b, LUC_UNSUPPORTED, "sparse");
}

static void onnx__sizes_are_not_believed(void **state)
{
    (void)state;
    static const int64_t dims[][4] = {
        { 3, 1, 1, 1 },
        { -2, -1, 1, 1 },
        { INT64_MAX, INT64_MAX, INT64_MAX, 2 },
        { (int64_t)1 << 32, (int64_t)1 << 32, 1, 1 },
        { (int64_t)1 << 40, 1, 1, 1 },
        { 0, 1, 1, 1 },
    };
    for (size_t i = 0; i < sizeof(dims) / sizeof(dims[0]); i++) {
        struct onnx_build b;
        small_network(&b, 13);
        Onnx__TensorProto *w = ob_tensor(&b, "v", TYPE(FLOAT), 4, dims[i]);
        ob_raw(&b, w, "12345678", 8);
        ob_weight(&b, w);
        struct luc_graph *g = NULL;
        struct luc_error err = { 0 };
        const enum luc_status st = ob_read(&b, &g, &err);
        assert_true(st == LUC_FORMAT || st == LUC_TOO_LARGE);
        assert_non_null(strstr(err.text, "tensor 'v'"));
        luc_graph_destroy(g);
        ob_done(&b);
    }
    struct onnx_build b;
    small_network(&b, 13);
    b.weights[0]->raw_data.len = 7;
    expect(&b, LUC_FORMAT, "wants 2 elements");
}

static void onnx__every_prefix_and_every_flipped_byte_ends_in_a_status(void **state)
{
    (void)state;
    struct onnx_build b;
    small_network(&b, 13);
    size_t size = 0;
    const unsigned char *good = ob_pack(&b, &size);
    for (size_t n = 0; n < 2 * size; n++) {
        const size_t len = n < size ? n : size;
        unsigned char *bytes = malloc(len ? len : 1); /* exact: ASan sees an overrun */
        assert_non_null(bytes);
        memcpy(bytes, good, len);
        if (n >= size)
            bytes[n - size] ^= 0x55;
        struct luc_graph *g = luc_graph_create((size_t)1 << 20);
        struct luc_error err = { 0 };
        const enum luc_status st = luc_onnx_read(bytes, len, g, &err);
        assert_true(st == LUC_OK || err.text[0]);
        luc_graph_destroy(g);
        free(bytes);
    }
    ob_done(&b);
}

/* Puts a tag and the length of what follows before bytes[at..cap). */
static size_t wrap(unsigned char *bytes, size_t at, size_t cap, unsigned char tag)
{
    const size_t n = cap - at;
    bytes[--at] = (unsigned char)(n >> 14 & 0x7f);
    bytes[--at] = (unsigned char)(n >> 7 | 0x80);
    bytes[--at] = (unsigned char)(n | 0x80);
    bytes[--at] = tag;
    return at;
}

/* The type of an input: a sequence of sequences of ..., written inside out. */
static void onnx__messages_nested_without_end_are_refused(void **state)
{
    (void)state;
    const size_t cap = (size_t)1 << 20;
    unsigned char *bytes = malloc(cap);
    assert_non_null(bytes);
    size_t at = cap;
    while (at > 64) {
        at = wrap(bytes, at, cap, 0x0a); /* Sequence.elem_type */
        at = wrap(bytes, at, cap, 0x22); /* TypeProto.sequence_type */
    }
    at = wrap(bytes, at, cap, 0x12); /* ValueInfoProto.type */
    at = wrap(bytes, at, cap, 0x5a); /* GraphProto.input */
    at = wrap(bytes, at, cap, 0x3a); /* ModelProto.graph */
    struct luc_graph *g = luc_graph_create((size_t)1 << 20);
    struct luc_error err = { 0 };
    assert_int_equal(luc_onnx_read(bytes + at, cap - at, g, &err), LUC_FORMAT);
    luc_graph_destroy(g);
    free(bytes);
}

static void check_tensor(Onnx__TensorProto *t, enum luc_dtype dtype, float a, float c)
{
    const size_t size = onnx__tensor_proto__get_packed_size(t);
    unsigned char *bytes = malloc(size);
    assert_non_null(bytes);
    onnx__tensor_proto__pack(t, bytes);
    struct luc_arena *arena = luc_arena_create((size_t)1 << 20);
    struct luc_tensor out = { 0 };
    const char *name = NULL;
    struct luc_error err = { 0 };
    if (luc_onnx_tensor_read(bytes, size, arena, &out, &name, &err))
        fail_msg("%s", err.text);
    assert_string_equal(name, "t");
    assert_int_equal(out.dtype, dtype);
    assert_true(out.data[0] == a && out.data[1] == c);
    luc_arena_destroy(arena);
    free(bytes);
}

static void onnx__typed_fields_and_raw_data_mean_the_same(void **state)
{
    (void)state;
    struct onnx_build b;
    ob_init(&b, 13);
#define RAW(type, dtype, ctype, a, c, va, vc)                                                      \
    do {                                                                                           \
        Onnx__TensorProto *t = ob_tensor(&b, "t", TYPE(type), 1, DIMS(2));                         \
        ob_raw(&b, t, (const ctype[]){ a, c }, 2 * sizeof(ctype));                                 \
        check_tensor(t, dtype, va, vc);                                                            \
    } while (0)
#define TYPED(type, dtype, field, ctype, a, c, va, vc)                                             \
    do {                                                                                           \
        Onnx__TensorProto *t = ob_tensor(&b, "t", TYPE(type), 1, DIMS(2));                         \
        t->field = (ctype[]){ a, c }, t->n_##field = 2;                                            \
        check_tensor(t, dtype, va, vc);                                                            \
    } while (0)
    RAW(FLOAT, LUC_F32, float, 1.25f, -7, 1.25f, -7);
    TYPED(FLOAT, LUC_F32, float_data, float, 1.25f, -7, 1.25f, -7);
    RAW(DOUBLE, LUC_F64, double, 0.1, -7, 0.1f, -7);
    TYPED(DOUBLE, LUC_F64, double_data, double, 0.1, -7, 0.1f, -7);
    RAW(FLOAT16, LUC_F16, uint16_t, 0x3c00, 0xc500, 1, -5);
    TYPED(FLOAT16, LUC_F16, int32_data, int32_t, 0x3c00, 0xc500, 1, -5);
    RAW(BFLOAT16, LUC_F16, uint16_t, 0x3f80, 0xc0a0, 1, -5);
    TYPED(BFLOAT16, LUC_F16, int32_data, int32_t, 0x3f80, 0xc0a0, 1, -5);
    RAW(INT64, LUC_I64, int64_t, -1, INT64_MIN, -1, -0x1p63f);
    TYPED(INT64, LUC_I64, int64_data, int64_t, -1, 16777216, -1, 16777216);
    RAW(INT32, LUC_I32, int32_t, -1, INT32_MAX, -1, 0x1p31f);
    TYPED(INT32, LUC_I32, int32_data, int32_t, -1, 5, -1, 5);
    RAW(INT8, LUC_I8, int8_t, -128, 127, -128, 127);
    TYPED(INT8, LUC_I8, int32_data, int32_t, -128, 127, -128, 127);
    RAW(UINT8, LUC_U8, uint8_t, 255, 1, 255, 1);
    TYPED(UINT8, LUC_U8, int32_data, int32_t, 255, 1, 255, 1);
    RAW(BOOL, LUC_BOOL, uint8_t, 1, 0, 1, 0);
    TYPED(BOOL, LUC_BOOL, int32_data, int32_t, 1, 0, 1, 0);
    ob_done(&b);
}

static void onnx__integers_that_floats_cannot_hold_are_refused(void **state)
{
    (void)state;
    static const int64_t lost[] = { 16777217,      -16777217,    1000000007, ((int64_t)1 << 40) + 1,
                                    INT64_MAX - 2, INT64_MIN + 2 };
    static const int64_t kept[] = { 0,         16777216,  33554432,  INT32_MAX,
                                    INT32_MIN, INT64_MAX, INT64_MIN, -INT64_MAX };
    for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
        assert_false(luc_int_survives(lost[i]));
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        assert_true(luc_int_survives(kept[i]));
    struct onnx_build b;
    small_network(&b, 13);
    Onnx__TensorProto *t = ob_tensor(&b, "ids", TYPE(INT64), 1, DIMS(1));
    ob_raw(&b, t, &lost[0], 8);
    ob_weight(&b, t);
    expect(&b, LUC_UNSUPPORTED, "tensor 'ids': the integer 16777217 is beyond 2^24");
}

static void raw_data__half_floats_follow_ieee(void **state)
{
    (void)state;
    assert_true(luc_f16_to_f32(0x0001) == 0x1p-24f);
    assert_true(luc_f16_to_f32(0x03ff) == 1023 * 0x1p-24f);
    assert_true(luc_f16_to_f32(0x0400) == 0x1p-14f);
    assert_true(luc_f16_to_f32(0x7bff) == 65504);
    assert_true(isinf(luc_f16_to_f32(0x7c00)) && isnan(luc_f16_to_f32(0x7e00)));
    assert_true(signbit(luc_f16_to_f32(0x8000)) && luc_f16_to_f32(0x8000) == 0);
    assert_true(luc_f16_to_f32(0x3555) == 0x1.554p-2f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(onnx__a_small_network_is_read_whole),
        cmocka_unit_test(onnx__constant_nodes_become_constants),
        cmocka_unit_test(onnx__what_is_not_supported_is_named_with_its_node),
        cmocka_unit_test(onnx__versions_outside_the_supported_are_refused),
        cmocka_unit_test(onnx__external_data_functions_and_sparse_weights_are_refused),
        cmocka_unit_test(onnx__sizes_are_not_believed),
        cmocka_unit_test(onnx__every_prefix_and_every_flipped_byte_ends_in_a_status),
        cmocka_unit_test(onnx__messages_nested_without_end_are_refused),
        cmocka_unit_test(onnx__typed_fields_and_raw_data_mean_the_same),
        cmocka_unit_test(onnx__integers_that_floats_cannot_hold_are_refused),
        cmocka_unit_test(raw_data__half_floats_follow_ieee),
    };
    return cmocka_run_group_tests_name("onnx", tests, NULL, NULL);
}
