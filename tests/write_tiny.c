/* usage: write_tiny DIR   The tiny network of tiny_model.h as DIR/tiny.onnx and DIR/tiny.json. */
#include "tests/tiny_model.h"

#include <stdio.h>

static const char description[] =
    "{ \"name\": \"tiny\", \"title\": \"Tiny\", \"task\": \"classify\", \"licence\": \"for "
    "tests\",\n"
    "  \"file\": \"tiny.onnx\", \"labels\": [\"ant\", \"bee, honeybee\", \"cat\", \"dog\"],\n"
    "  \"input\": { \"channels\": \"RGB\", \"mean\": 127.5, \"scale\": 0.02, \"size\": [8, 8] } "
    "}\n";

int main(int argc, char **argv)
{
    if (argc != 2)
        return fprintf(stderr, "usage: write_tiny DIR\n"), 2;
    tiny_write_onnx(argv[1], false, 0);
    tiny_write_text(argv[1], "tiny.json", description);
    return 0;
}
