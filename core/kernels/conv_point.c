#include "core/kernels/conv_point.h"
#include "core/kernels/sizes.h"
#include "core/kernels/wide.h"

#define STRIPS 4   /* of an item at most */
#define ITEMS  8   /* what an image is split into at least, where it can be */
#define LARGE  400 /* pixels of a map that reads its weights again for each strip */
#define LINE   16  /* floats of a cache line */

struct job {
    const struct luc_conv *g;
    const float *x, *panels;
    const struct luc_conv_finish *fin;
    float *y, *sums; /* sums: [lanes][SUMS] */
    uint32_t *offsets;
    size_t pixels, cols, n_cols; /* of a plane, of an item; items of a plane */
    bool narrow;
};

#define SUMS ((size_t)LUC_STRIP * LUC_STRIP_ROWS)

bool luc_conv_point_can(const struct luc_conv *g)
{
    const struct luc_window *w = &g->win;
    return g->groups == 1 && w->kh == 1 && w->kw == 1 && w->sh == 1 && w->sw == 1 && w->pt == 0 &&
           w->pl == 0 && w->oh == w->h && w->ow == w->w && w->h * w->w >= LUC_STRIP &&
           g->c_in <= UINT32_MAX / (w->h * w->w);
}

bool luc_conv_point_pays(const struct luc_conv *g)
{
    return luc_conv_point_can(g) && g->win.h * g->win.w >= LARGE;
}

/* What is left of a plane after whole vectors: the last pixels are summed with some before them, so
 * that nothing beyond the picture is read, and only they are stored. */
static void finish_rest(const struct luc_strip *s, size_t skip, float *y, const float *plus)
{
    for (size_t r = 0; r < s->rows; r++)
        for (size_t p = skip; p < s->vectors * LUC_LANES; p++) {
            float v = s->sum[r * LUC_STRIP + p] + (s->bias ? s->bias[r] : 0.0f);
            v += plus ? plus[r * s->pitch + p] : 0.0f;
            y[r * s->pitch + p] = s->relu && v < 0.0f ? 0.0f : v;
        }
}

/* A share of the next strip's pixels, which lie too far apart for the processor to foresee. */
static void ask_for(const struct job *j, const float *x, size_t c0, size_t c1, size_t pixels)
{
    for (size_t c = c0; c < c1; c++)
        for (size_t p = 0; p < pixels; p += LINE)
            __builtin_prefetch(x + c * j->pixels + p);
}

static void strip(const struct job *j, size_t image, size_t first, size_t width, size_t next,
                  float *sums)
{
    const struct luc_conv *g = j->g;
    const size_t vectors = luc_div_up(width, LUC_LANES), skip = vectors * LUC_LANES - width;
    const size_t parts = luc_div_up(g->c_out, LUC_STRIP_ROWS);
    const float *x = j->x + image * g->c_in * j->pixels + first;
    struct luc_strip s = { .x = x - skip, .offset = j->offsets, .n = g->c_in };
    s.vectors = vectors, s.sum = sums, s.pitch = j->pixels, s.relu = j->fin->relu;
    for (size_t i = 0; i < parts; i++) {
        const size_t row = i * LUC_STRIP_ROWS;
        const size_t at = (image * g->c_out + row) * j->pixels + first - skip;
        const float *plus = j->fin->add ? j->y + at : j->fin->plus ? j->fin->plus + at : NULL;
        s.panel = j->panels + (row / LUC_PANEL * g->c_in) * LUC_PANEL + row % LUC_PANEL;
        s.rows = luc_min(LUC_STRIP_ROWS, g->c_out - row);
        s.bias = j->fin->bias ? j->fin->bias + row : NULL;
        s.y = skip ? NULL : j->y + at;
        s.plus = plus;
        ask_for(j, x + width, g->c_in * i / parts, g->c_in * (i + 1) / parts, next);
        luc_strip_sum(&s, j->narrow);
        if (skip)
            finish_rest(&s, skip, j->y + at, plus);
    }
}

static void item(void *ctx, size_t it, size_t lane)
{
    const struct job *j = ctx;
    const size_t first = it % j->n_cols * j->cols, end = luc_min(first + j->cols, j->pixels);
    for (size_t p = first; p < end; p += LUC_STRIP) {
        const size_t width = luc_min(LUC_STRIP, end - p);
        strip(j, it / j->n_cols, p, width, luc_min(LUC_STRIP, end - p - width),
              j->sums + lane * SUMS);
    }
}

size_t luc_conv_point_scratch(const struct luc_conv *g, size_t lanes)
{
    return (luc_div_up(g->c_in, LINE) * LINE + lanes * SUMS) * sizeof(float);
}

void luc_conv_point_y(const struct luc_conv *g, const float *x, const float *panels,
                      const struct luc_conv_finish *fin, float *y, bool narrow, void *scratch,
                      const struct luc_threads *threads)
{
    struct job j = { .g = g, .x = x, .panels = panels, .fin = fin, .y = y, .narrow = narrow };
    j.pixels = g->win.h * g->win.w;
    const size_t strips = luc_div_up(j.pixels, LUC_STRIP);
    j.cols = luc_min(STRIPS, luc_div_up(strips, ITEMS)) * LUC_STRIP;
    j.n_cols = luc_div_up(j.pixels, j.cols);
    j.offsets = scratch;
    j.sums = (float *)scratch + luc_div_up(g->c_in, LINE) * LINE;
    for (size_t c = 0; c < g->c_in; c++)
        j.offsets[c] = (uint32_t)(c * j.pixels);
    luc_parallel_for(threads, g->n * j.n_cols, item, &j);
}
