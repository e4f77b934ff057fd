/* preprocess.c -- from an upload to a network's input. */
#include "core/model/resolve.h"
#include "core/tensor/resize.h"

#include <stdlib.h>
#include <string.h>

#define PROBE_BYTES ((size_t)256 << 20) /* for shapes alone; far more than any network needs */

/* Whether the network takes a picture of this size at all. */
static enum luc_status probe(const struct luc_model *m, size_t width, size_t height,
                             struct luc_error *err)
{
    struct luc_arena *arena = luc_arena_create(PROBE_BYTES);
    if (!arena)
        return luc_fail_nomem(err, "the shapes of a network", 4096);
    struct luc_infos x;
    struct luc_error why;
    enum luc_status s = luc_resolve_shapes(m, height, width, arena, &x, &why);
    if (!s && m->logits != LUC_NONE && luc_numel(&x.info[m->logits].shape) != m->n_classes)
        s = luc_fail(&why, LUC_SHAPE, "its classes would be others");
    luc_arena_destroy(arena);
    if (s == LUC_SHAPE || s == LUC_RANGE || s == LUC_INVALID)
        return luc_fail(err, LUC_RANGE,
                        "%s cannot take a picture of %zux%zu pixels as it is (%.100s): choose fit "
                        "resize or crop, or another size",
                        m->name, width, height, why.text);
    return s ? luc_fail(err, s, "%s", why.text) : LUC_OK;
}

static enum luc_status native_frame(const struct luc_model *m, size_t width, size_t height,
                                    struct luc_frame *f, struct luc_error *err)
{
    const struct luc_shape *decl = &m->graph->values[m->input].decl;
    if (decl->rank == 4 && (decl->dim[2] || decl->dim[3]))
        return luc_fail(err, LUC_INVALID,
                        "%s takes pictures of %zux%zu pixels only: choose fit resize or crop",
                        m->name, m->in.width, m->in.height);
    *f = (struct luc_frame){ 0, 0, (double)width, (double)height, width, height };
    return probe(m, width, height, err);
}

enum luc_status luc_model_frame(const struct luc_model *m, size_t width, size_t height,
                                enum luc_fit fit, struct luc_frame *frame, struct luc_error *err)
{
    struct luc_frame f = { 0, 0, (double)width, (double)height, m->in.width, m->in.height };
    if (width < 1 || height < 1)
        return luc_fail(err, LUC_RANGE, "the picture is empty");
    /* A network without a size of its own has nothing to resize to. */
    if (fit == LUC_FIT_NATIVE || m->in.width == 0) {
        enum luc_status s = native_frame(m, width, height, &f, err);
        if (s)
            return s;
    } else if (fit == LUC_FIT_CROP) {
        double across = (double)width / (double)m->in.width;
        double down = (double)height / (double)m->in.height;
        double scale = across < down ? across : down;
        f.width = across <= down ? (double)width : scale * (double)m->in.width;
        f.height = down <= across ? (double)height : scale * (double)m->in.height;
        f.x = ((double)width - f.width) / 2;
        f.y = ((double)height - f.height) / 2;
    }
    *frame = f;
    return LUC_OK;
}

/* Channel `c` of the network's from the picture's pixels. */
static void plane(const struct luc_model *m, const struct luc_image *image, size_t c, float *out)
{
    const size_t n = image->width * image->height, step = image->channels;
    const float mean = m->in.mean[c], scale = m->in.scale[c];
    if (m->in.channels == LUC_GRAY && step >= 3) {
        /* ITU-R BT.601 luma, as Pillow's and OpenCV's conversions to gray. */
        for (size_t i = 0; i < n; i++) {
            const uint8_t *p = image->data + i * step;
            float y = 0.299f * (float)p[0] + 0.587f * (float)p[1] + 0.114f * (float)p[2];
            out[i] = (y - mean) * scale;
        }
        return;
    }
    size_t from = step < 3 ? 0 : m->in.channels == LUC_BGR ? 2 - c : c;
    for (size_t i = 0; i < n; i++)
        out[i] = ((float)image->data[i * step + from] - mean) * scale;
}

/* The resized picture is rounded to bytes, as it is in every tool that resizes with Pillow: a
 * gradient is so sensitive that half a gray level moves it by a third. */
enum luc_status luc_model_preprocess(const struct luc_model *m, const struct luc_image *image,
                                     const struct luc_frame *frame, float *out,
                                     struct luc_error *err)
{
    struct luc_box box = { frame->x, frame->y, frame->width, frame->height };
    struct luc_image small;
    const size_t n = frame->in_width * frame->in_height;
    enum luc_status s =
        luc_image_resize(image, &box, frame->in_width, frame->in_height, LUC_BICUBIC, &small, err);
    if (s)
        return s;
    for (size_t c = 0; c < (m->in.channels == LUC_GRAY ? 1u : 3u); c++)
        plane(m, &small, c, out + c * n);
    luc_image_done(&small);
    return LUC_OK;
}
