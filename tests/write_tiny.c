/* usage: write_tiny DIR   The tiny network of tiny_model.h as DIR/tiny.onnx and DIR/tiny.json. */
#include "tests/tiny_model.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static const char description[] =
    "{ \"name\": \"tiny\", \"title\": \"Tiny\", \"task\": \"classify\", \"licence\": \"for "
    "tests\",\n"
    "  \"file\": \"tiny.onnx\", \"labels\": [\"ant\", \"bee, honeybee\", \"cat\", \"dog\"],\n"
    "  \"input\": { \"channels\": \"RGB\", \"mean\": 127.5, \"scale\": 0.02, \"size\": [8, 8] } "
    "}\n";

/* The same for pictures of any size; it names no classes. For jobs that take as long as they are told
 * to: style with many steps. */
static const char any[] =
    "{ \"name\": \"any\", \"title\": \"Any size\", \"task\": \"features\", \"licence\": \"for "
    "tests\",\n"
    "  \"file\": \"any/tiny.onnx\",\n"
    "  \"input\": { \"channels\": \"RGB\", \"mean\": 127.5, \"scale\": 0.02, \"size\": [64, 64] } "
    "}\n";

int main(int argc, char **argv)
{
    if (argc != 2)
        return fprintf(stderr, "usage: write_tiny DIR\n"), 2;
    tiny_write_onnx(argv[1], false, 0);
    tiny_write_text(argv[1], "tiny.json", description);
    char below[4096];
    if (snprintf(below, sizeof(below), "%s/any", argv[1]) >= (int)sizeof(below) ||
        (mkdir(below, 0700) != 0 && errno != EEXIST))
        return 1;
    tiny_write_onnx(below, true, 0);
    tiny_write_text(argv[1], "any.json", any);
    return 0;
}
