/* onnx_case.h -- runs one of the ONNX project's operator tests (Debian's libonnx-testdata). */
#ifndef TESTS_ONNX_CASE_H
#define TESTS_ONNX_CASE_H

#include "core/graph/graph.h"

enum case_result {
    CASE_PASSED,
    CASE_UNSUPPORTED, /* `why` says what */
    CASE_FAILED,
    CASE_FOREIGN, /* of an operator that is not in our table; `op` names it */
};

struct onnx_case {
    char op[64]; /* "" when the network has several operators */
    char why[LUC_ERROR_TEXT];
    enum case_result result;
};

/* `dir` holds model.onnx and test_data_set_0. */
void onnx_case_run(const char *dir, struct onnx_case *c);

#endif
