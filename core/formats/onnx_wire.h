/* onnx_wire.h -- protobuf messages from bytes that nobody vouches for; private to the ONNX reader.
 *
 * protobuf-c itself recurses as deep and allocates as much as a file asks for. So the nesting is
 * checked before it runs, and it allocates under a limit that grows with the file.
 */
#ifndef LUC_FORMATS_ONNX_WIRE_H
#define LUC_FORMATS_ONNX_WIRE_H

#include "core/base/status.h"

#include <onnx.pb-c.h>
#include <stdbool.h>
#include <stddef.h>

struct onnx_memory {
    size_t used, limit; /* bytes */
    bool exceeded;
    ProtobufCAllocator allocator;
};

/* *message is to be freed with luc_onnx_free() and the same `mem`. LUC_FORMAT, LUC_TOO_LARGE. */
LUC_MUST_USE enum luc_status luc_onnx_unpack(const ProtobufCMessageDescriptor *type,
                                             const void *bytes, size_t size,
                                             struct onnx_memory *mem, ProtobufCMessage **message,
                                             struct luc_error *err);
void luc_onnx_free(ProtobufCMessage *message, struct onnx_memory *mem); /* NULL is fine */

#endif
