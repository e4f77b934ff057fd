#include "core/tensor/codec.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct luc_decode how = { .max_pixels = (size_t)1 << 18, .background = { 1, 2, 3 } };
    struct luc_image_info info = { 0 };
    struct luc_image image = { 0 };
    struct luc_error err;
    const enum luc_status probed = luc_image_probe(data, size, &info, &err);
    const enum luc_status st = luc_image_decode(data, size, &how, &image, &err);
    if (st == LUC_OK && (probed != LUC_OK || image.width != info.width ||
                         image.height != info.height || image.channels != 3))
        abort(); /* the probe and the decoder must agree */
    luc_image_done(&image);
    return 0;
}
