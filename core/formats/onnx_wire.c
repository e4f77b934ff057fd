#include "core/formats/onnx_wire.h"

#include <stdint.h>
#include <stdlib.h>

#define DEPTH_MAX  32 /* messages inside one another; real files need about eight */
#define HEADER     16 /* bytes before each block, keeping its alignment */
#define BASE_LIMIT ((size_t)32 << 20)
#define PER_BYTE   4 /* small integers in typed fields grow that much; weights do not */

static void *take(void *data, size_t size)
{
    struct onnx_memory *mem = data;
    if (size > SIZE_MAX - HEADER || size + HEADER > mem->limit - mem->used) {
        mem->exceeded = true;
        return NULL;
    }
    size_t *block = malloc(size + HEADER);
    if (!block)
        return NULL;
    *block = size + HEADER;
    mem->used += *block;
    return (char *)block + HEADER;
}

static void give(void *data, void *p)
{
    struct onnx_memory *mem = data;
    if (!p)
        return;
    size_t *block = (size_t *)(void *)((char *)p - HEADER);
    mem->used -= *block;
    free(block);
}

struct wire {
    const unsigned char *at, *end;
};

static bool read_varint(struct wire *w, uint64_t *v)
{
    *v = 0;
    for (unsigned shift = 0; shift < 70 && w->at < w->end; shift += 7) {
        const unsigned char b = *w->at++;
        if (shift < 64)
            *v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return true;
    }
    return false;
}

static bool skip(struct wire *w, uint64_t n)
{
    if (n > (uint64_t)(w->end - w->at))
        return false;
    w->at += n;
    return true;
}

static bool is_sound(const ProtobufCMessageDescriptor *type, struct wire w, int depth);

static bool field_is_sound(const ProtobufCMessageDescriptor *type, struct wire *w, int depth)
{
    uint64_t tag = 0, n = 0;
    if (!read_varint(w, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX)
        return false;
    switch (tag & 7) {
    case 0: return read_varint(w, &n);
    case 1: return skip(w, 8);
    case 5: return skip(w, 4);
    case 2: break;
    default: return false;
    }
    if (!read_varint(w, &n) || n > (uint64_t)(w->end - w->at))
        return false;
    const struct wire inner = { w->at, w->at + n };
    w->at += n;
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
    if (!field || field->type != PROTOBUF_C_TYPE_MESSAGE)
        return true;
    return is_sound(field->descriptor, inner, depth + 1);
}

static bool is_sound(const ProtobufCMessageDescriptor *type, struct wire w, int depth)
{
    if (depth > DEPTH_MAX)
        return false;
    while (w.at < w.end)
        if (!field_is_sound(type, &w, depth))
            return false;
    return true;
}

enum luc_status luc_onnx_unpack(const ProtobufCMessageDescriptor *type, const void *bytes,
                                size_t size, struct onnx_memory *mem, ProtobufCMessage **message,
                                struct luc_error *err)
{
    const struct wire w = { bytes, (const unsigned char *)bytes + size };
    if (size == 0 || !is_sound(type, w, 0))
        return luc_fail(err, LUC_FORMAT, "not an ONNX file, or a damaged or truncated one");
    *mem = (struct onnx_memory){
        .limit =
            size > (SIZE_MAX - BASE_LIMIT) / PER_BYTE ? SIZE_MAX : BASE_LIMIT + PER_BYTE * size,
    };
    mem->allocator = (ProtobufCAllocator){ take, give, mem };
    ProtobufCMessage *m = protobuf_c_message_unpack(type, &mem->allocator, size, bytes);
    if (!m && mem->exceeded)
        return luc_fail(err, LUC_TOO_LARGE, "the ONNX file unpacks to more than %zu bytes",
                        mem->limit);
    if (!m)
        return luc_fail(err, LUC_FORMAT, "not an ONNX file, or a damaged one");
    *message = m;
    return LUC_OK;
}

void luc_onnx_free(ProtobufCMessage *message, struct onnx_memory *mem)
{
    if (message)
        protobuf_c_message_free_unpacked(message, &mem->allocator);
}
