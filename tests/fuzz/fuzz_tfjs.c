/* A TensorFlow.js network: the JSON up to the first NUL byte, then the bytes of its shards "a" and
 * "b", cut in the middle. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/run_graph.h"
#include "tests/tfjs_memory.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct luc_error err;
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    const size_t n_json = end ? (size_t)(end - data) : size;
    const uint8_t *bytes = end ? end + 1 : data + size;
    const size_t n_bytes = (size_t)(data + size - bytes), half = n_bytes / 2;
    struct tfjs_memory m = {
        .json = { data, n_json },
        .shards = { { bytes, half }, { bytes + half, n_bytes - half } },
    };
    struct luc_graph *g = luc_graph_create((size_t)8 << 20);
    if (g && tfjs_memory_read(&m, g, &err) == LUC_OK)
        fuzz_run_graph(g);
    if (m.n_open != 0)
        abort(); /* a file was left open */
    luc_graph_destroy(g);
    return 0;
}
