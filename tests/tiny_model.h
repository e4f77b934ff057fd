/* tiny_model.h -- a classifier of four classes, written as an ONNX file, and a folder for it.
 *
 *   x [1, 3, H, W] -> c0 (3x3, pad 1, 5 maps) -> r0 (ReLU) -> c1 (8x8, 4 maps) -> flat -> prob
 *
 * H and W are 8, or open; weights are fixed numbers. Test programs that use it link core and
 * protobuf-c. */
#ifndef TESTS_TINY_MODEL_H
#define TESTS_TINY_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#define TINY_DESCRIPTION(name)                                                                     \
    "{\"name\": \"" name "\", \"file\": \"tiny.onnx\", \"input\": {\"channels\": \"RGB\","         \
    " \"mean\": [1, 2, 3], \"scale\": 0.5, \"size\": [8, 8]}}"

/* A new empty folder below $TMPDIR; the caller frees the path and removes the folder. */
char *tiny_folder(void);
void tiny_remove(char *folder); /* with everything in it; frees */
void tiny_write(const char *folder, const char *name, const void *bytes, size_t size);
void tiny_write_text(const char *folder, const char *name, const char *text);
/* The network as FOLDER/tiny.onnx; `weights` more floats make it larger. */
void tiny_write_onnx(const char *folder, bool any_size, size_t weights);

#endif
