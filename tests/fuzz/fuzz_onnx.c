/* An ONNX file: read, and when it is a small network, planned, optimised and run. */
#include "core/formats/onnx.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/run_graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct luc_error err;
    struct luc_graph *g = luc_graph_create((size_t)8 << 20);
    if (g && luc_onnx_read(data, size, g, &err) == LUC_OK)
        fuzz_run_graph(g);
    luc_graph_destroy(g);
    return 0;
}
