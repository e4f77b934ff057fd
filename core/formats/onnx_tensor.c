#include "core/formats/onnx.h"
#include "core/formats/onnx_parts.h"
#include "core/formats/raw_data.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_SHOWN 80

static const char *type_name(int type)
{
    const ProtobufCEnumValue *v =
        protobuf_c_enum_descriptor_get_value(&onnx__tensor_proto__data_type__descriptor, type);
    return v ? v->name : "of an unknown number";
}

/* Where a type's elements stand when they are not in raw_data. */
enum field { IN_FLOATS, IN_DOUBLES, IN_INT32S, IN_INT64S, IN_UINT64S };

static bool find_type(int onnx_type, enum luc_raw_type *raw, enum field *field)
{
    static const struct {
        int onnx;
        enum luc_raw_type raw;
        enum field field;
    } rows[] = {
        { ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, LUC_RAW_F32, IN_FLOATS },
        { ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE, LUC_RAW_F64, IN_DOUBLES },
        { ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16, LUC_RAW_F16, IN_INT32S },
        { ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16, LUC_RAW_BF16, IN_INT32S },
        { ONNX__TENSOR_PROTO__DATA_TYPE__INT64, LUC_RAW_I64, IN_INT64S },
        { ONNX__TENSOR_PROTO__DATA_TYPE__INT32, LUC_RAW_I32, IN_INT32S },
        { ONNX__TENSOR_PROTO__DATA_TYPE__INT8, LUC_RAW_I8, IN_INT32S },
        { ONNX__TENSOR_PROTO__DATA_TYPE__UINT8, LUC_RAW_U8, IN_INT32S },
        { ONNX__TENSOR_PROTO__DATA_TYPE__INT16, LUC_RAW_I16, IN_INT32S },
        { ONNX__TENSOR_PROTO__DATA_TYPE__UINT16, LUC_RAW_U16, IN_INT32S },
        { ONNX__TENSOR_PROTO__DATA_TYPE__UINT32, LUC_RAW_U32, IN_UINT64S },
        { ONNX__TENSOR_PROTO__DATA_TYPE__UINT64, LUC_RAW_U64, IN_UINT64S },
        { ONNX__TENSOR_PROTO__DATA_TYPE__BOOL, LUC_RAW_BOOL, IN_INT32S },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].onnx == onnx_type) {
            *raw = rows[i].raw;
            *field = rows[i].field;
            return true;
        }
    }
    return false;
}

static enum luc_status read_shape(const Onnx__TensorProto *p, const char *what,
                                  struct luc_shape *shape, struct luc_error *err)
{
    struct luc_shape s = { .rank = p->n_dims };
    if (s.rank > LUC_MAX_RANK)
        return luc_shape_check(&s, what, err);
    for (size_t i = 0; i < p->n_dims; i++) {
        if (p->dims[i] < 0)
            return luc_fail(err, LUC_FORMAT, "%s: a dimension of %" PRId64, what, p->dims[i]);
        s.dim[i] = (size_t)p->dims[i];
    }
    *shape = s;
    return luc_shape_check(&s, what, err);
}

/* An int32_data element as its own type would hold it. */
static float from_int32(enum luc_raw_type raw, int32_t v)
{
    if (raw == LUC_RAW_F16)
        return luc_f16_to_f32((uint16_t)v);
    if (raw == LUC_RAW_BF16)
        return luc_bf16_to_f32((uint16_t)v);
    return raw == LUC_RAW_BOOL ? (v != 0 ? 1.0f : 0.0f) : (float)v;
}

static enum luc_status read_field(const Onnx__TensorProto *p, enum luc_raw_type raw,
                                  enum field field, float *out, const char *what,
                                  struct luc_error *err)
{
    switch (field) {
    case IN_FLOATS:
        return luc_raw_read(LUC_RAW_F32, p->float_data, p->n_float_data, out, what, err);
    case IN_DOUBLES:
        return luc_raw_read(LUC_RAW_F64, p->double_data, p->n_double_data, out, what, err);
    case IN_INT64S:
        return luc_raw_read(LUC_RAW_I64, p->int64_data, p->n_int64_data, out, what, err);
    case IN_UINT64S: /* of UINT32 too */
        return luc_raw_read(LUC_RAW_U64, p->uint64_data, p->n_uint64_data, out, what, err);
    case IN_INT32S: break;
    }
    if (raw == LUC_RAW_I32)
        return luc_raw_read(LUC_RAW_I32, p->int32_data, p->n_int32_data, out, what, err);
    for (size_t i = 0; i < p->n_int32_data; i++)
        out[i] = from_int32(raw, p->int32_data[i]);
    return LUC_OK;
}

static size_t field_count(const Onnx__TensorProto *p, enum field field)
{
    switch (field) {
    case IN_FLOATS: return p->n_float_data;
    case IN_DOUBLES: return p->n_double_data;
    case IN_INT32S: return p->n_int32_data;
    case IN_INT64S: return p->n_int64_data;
    case IN_UINT64S: return p->n_uint64_data;
    }
    return 0;
}

static enum luc_status check_source(const Onnx__TensorProto *p, const char *what,
                                    struct luc_error *err)
{
    if ((p->has_data_location && p->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) ||
        p->n_external_data > 0)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "%s: its data is in another file; save the network as one file "
                        "(onnx.save with save_as_external_data=False)",
                        what);
    if (p->segment)
        return luc_fail(err, LUC_UNSUPPORTED, "%s: segmented tensors are not supported", what);
    return LUC_OK;
}

enum luc_status luc_onnx_tensor(const Onnx__TensorProto *p, const char *name,
                                struct luc_arena *arena, struct luc_tensor *t,
                                struct luc_error *err)
{
    char what[NAME_MAX_SHOWN + 16];
    snprintf(what, sizeof(what), "tensor '%.*s'", NAME_MAX_SHOWN, name ? name : "");
    enum luc_raw_type raw = LUC_RAW_F32;
    enum field field = IN_FLOATS;
    struct luc_shape shape = { 0 };
    enum luc_status st = check_source(p, what, err);
    if (!st && !find_type(p->data_type, &raw, &field))
        st = luc_fail(err, LUC_UNSUPPORTED, "%s: elements of type %s are not supported", what,
                      type_name(p->data_type));
    if (!st)
        st = read_shape(p, what, &shape, err);
    if (st)
        return st;

    const size_t n = luc_numel(&shape);
    const bool is_raw = p->has_raw_data && p->raw_data.len > 0;
    const size_t have = is_raw ? p->raw_data.len / luc_raw_size(raw) : field_count(p, field);
    char text[LUC_SHAPE_TEXT];
    if (have != n || (is_raw && p->raw_data.len % luc_raw_size(raw) != 0))
        return luc_fail(err, LUC_FORMAT, "%s: its shape %s wants %zu elements, the file has %zu",
                        what, luc_shape_print(&shape, text), n, have);
    float *data = luc_arena_raw(arena, n, sizeof(float));
    if (!data)
        return luc_fail_nomem(err, what, (unsigned long long)n * sizeof(float));
    st = is_raw ? luc_raw_read(raw, p->raw_data.data, n, data, what, err)
                : read_field(p, raw, field, data, what, err);
    if (!st)
        *t = (struct luc_tensor){ shape, luc_raw_dtype(raw), data };
    return st;
}

enum luc_status luc_onnx_tensor_read(const void *bytes, size_t size, struct luc_arena *arena,
                                     struct luc_tensor *t, const char **name, struct luc_error *err)
{
    struct onnx_memory mem;
    ProtobufCMessage *m = NULL;
    enum luc_status st =
        luc_onnx_unpack(&onnx__tensor_proto__descriptor, bytes, size, &mem, &m, err);
    if (st)
        return st;
    const Onnx__TensorProto *p = (const Onnx__TensorProto *)m;
    const char *copy = name ? luc_arena_strdup(arena, p->name ? p->name : "") : "";
    st = copy ? luc_onnx_tensor(p, p->name, arena, t, err) : luc_fail_nomem(err, "tensor name", 1);
    luc_onnx_free(m, &mem);
    if (!st && name)
        *name = copy;
    return st;
}
