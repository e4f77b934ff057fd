#include "core/generate/fft.h"

#include <kiss_fft.h>

struct luc_fft {
    size_t height, width;
    kiss_fft_cfg rows, rows_back, columns, columns_back;
    kiss_fft_cpx *line, *out; /* one row or column */
    kiss_fft_cpx *half;       /* [W/2 + 1][H]: columns, turned so that each lies together */
};

static kiss_fft_cfg make(size_t n, int inverse, struct luc_arena *arena)
{
    size_t bytes = 0;
    (void)kiss_fft_alloc((int)n, inverse, NULL, &bytes);
    void *memory = luc_arena_alloc(arena, 1, bytes);
    return memory ? kiss_fft_alloc((int)n, inverse, memory, &bytes) : NULL;
}

enum luc_status luc_fft_create(size_t height, size_t width, struct luc_arena *arena,
                               struct luc_fft **fft, struct luc_error *err)
{
    const size_t longest = height > width ? height : width;
    struct luc_fft *f = luc_arena_alloc(arena, 1, sizeof(*f));
    if (!f)
        return luc_fail_nomem(err, "FFT", sizeof(*f));
    f->height = height;
    f->width = width;
    f->rows = make(width, 0, arena);
    f->rows_back = make(width, 1, arena);
    f->columns = make(height, 0, arena);
    f->columns_back = make(height, 1, arena);
    f->line = luc_arena_alloc(arena, longest, sizeof(*f->line));
    f->out = luc_arena_alloc(arena, longest, sizeof(*f->out));
    f->half = luc_arena_alloc(arena, luc_fft_columns(width) * height, sizeof(*f->half));
    if (!f->rows || !f->rows_back || !f->columns || !f->columns_back || !f->line || !f->out ||
        !f->half)
        return luc_fail_nomem(err, "FFT", height * width * sizeof(*f->half));
    *fft = f;
    return LUC_OK;
}

void luc_fft_forward(struct luc_fft *f, const float *real, float *spectrum)
{
    const size_t h = f->height, w = f->width, columns = luc_fft_columns(w);
    for (size_t y = 0; y < h; y++) {
        for (size_t x = 0; x < w; x++)
            f->line[x] = (kiss_fft_cpx){ real[y * w + x], 0 };
        kiss_fft(f->rows, f->line, f->out);
        for (size_t x = 0; x < columns; x++)
            f->half[x * h + y] = f->out[x];
    }
    for (size_t x = 0; x < columns; x++) {
        kiss_fft(f->columns, f->half + x * h, f->out);
        for (size_t y = 0; y < h; y++) {
            spectrum[2 * (y * columns + x)] = f->out[y].r;
            spectrum[2 * (y * columns + x) + 1] = f->out[y].i;
        }
    }
}

/* A whole row from its half: the other half is the mirrored conjugate. */
static void unfold(const struct luc_fft *f, size_t y)
{
    const size_t h = f->height, w = f->width, columns = luc_fft_columns(w);
    for (size_t x = 0; x < columns; x++)
        f->line[x] = f->half[x * h + y];
    for (size_t x = columns; x < w; x++) {
        const kiss_fft_cpx mirror = f->half[(w - x) * h + y];
        f->line[x] = (kiss_fft_cpx){ mirror.r, -mirror.i };
    }
}

void luc_fft_inverse(struct luc_fft *f, const float *spectrum, float *real)
{
    const size_t h = f->height, w = f->width, columns = luc_fft_columns(w);
    const float scale = 1.0f / (float)(h * w);
    for (size_t x = 0; x < columns; x++) {
        for (size_t y = 0; y < h; y++)
            f->line[y] = (kiss_fft_cpx){ spectrum[2 * (y * columns + x)],
                                         spectrum[2 * (y * columns + x) + 1] };
        kiss_fft(f->columns_back, f->line, f->half + x * h);
    }
    for (size_t y = 0; y < h; y++) {
        unfold(f, y);
        kiss_fft(f->rows_back, f->line, f->out);
        for (size_t x = 0; x < w; x++)
            real[y * w + x] = f->out[x].r * scale;
    }
}
