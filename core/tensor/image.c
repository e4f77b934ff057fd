#include "core/tensor/image.h"

#include <stdlib.h>

enum luc_status luc_image_create(size_t width, size_t height, size_t channels,
                                 struct luc_image *image, struct luc_error *err)
{
    if (channels == 0 || width > SIZE_MAX / 2 / channels ||
        (width && height > SIZE_MAX / 2 / channels / width))
        return luc_fail(err, LUC_TOO_LARGE, "a picture of %zu x %zu pixels is too large", width,
                        height);
    const size_t size = width * height * channels;
    uint8_t *data = calloc(size ? size : 1, 1);
    if (!data)
        return luc_fail_nomem(err, "picture", size);
    *image = (struct luc_image){ width, height, channels, data };
    return LUC_OK;
}

void luc_image_done(struct luc_image *image)
{
    free(image->data);
    *image = (struct luc_image){ 0 };
}
