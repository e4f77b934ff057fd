/* Convolution with one input channel per group (depthwise): each tap is a multiple of a shifted
 * plane, too little work per value for a matrix product.
 *
 * A block of rows is staged with its padding, and for strides in phases: column s lies at s / sw
 * of phase s % sw, rows alike. Then what a tap sees is the staged block at an offset, for all
 * outputs of the block alike, and the block is summed as one long row whatever its width; what
 * comes of the columns between two rows is dropped. */
#include "core/kernels/conv.h"
#include "core/kernels/sizes.h"
#include "core/kernels/wide.h"

#include <string.h>

#define BLOCK    4096 /* outputs of a block, about: staged and summed they stay in the first cache */
#define TOGETHER 8192                    /* products of an item at least, by joining planes */
#define STEP     ((size_t)4 * LUC_LANES) /* sums held in registers */

/* Taps that see a staged block at an offset each. */
struct taps {
    size_t n;
    const uint32_t *offset;
    const float *w;
};

/* How planes are cut, forward or back. `out`: what is summed; `in`: what is staged. */
struct cut {
    size_t rows, n_rows;       /* of `out` in a block; blocks */
    size_t width;              /* columns of `out` */
    size_t phases_h, phases_w; /* of `in` */
    size_t lines, pitch;       /* of a staged phase */
    size_t planes, n_items;    /* planes of an item; items */
};

struct job {
    const struct luc_conv *g;
    const float *x, *w, *dy;
    const struct luc_conv_finish *fin;
    float *y, *dx, *dw;
    bool add;
    struct cut cut;
    float *scratch;
};

static size_t n_taps(const struct luc_window *w)
{
    return w->kh * w->kw;
}

/* `height` rows of `width` are summed, for each of `planes` planes. */
static void cut_rows(struct cut *c, const struct luc_window *w, size_t height, size_t width,
                     size_t planes)
{
    c->width = width;
    c->n_rows = luc_div_up(height, luc_min(height, BLOCK / width + 1));
    c->rows = luc_div_up(height, c->n_rows);
    c->planes = luc_min(planes, TOGETHER / (height * width * n_taps(w)) + 1);
    c->n_items = luc_div_up(planes, c->planes) * c->n_rows;
}

static struct cut cut_y(const struct luc_conv *g)
{
    const struct luc_window *w = &g->win;
    struct cut c = { .phases_h = w->sh, .phases_w = w->sw };
    cut_rows(&c, w, w->oh, w->ow, g->n * g->c_out);
    c.lines = c.rows + (luc_extent(w->kh, w->dh) - 1) / w->sh;
    c.pitch = c.width + (luc_extent(w->kw, w->dw) - 1) / w->sw;
    return c;
}

/* Rows and columns of the gradient come in phases, of which `rows` by `width` are those of one. */
static struct cut cut_dx(const struct luc_conv *g)
{
    const struct luc_window *w = &g->win;
    struct cut c = { .phases_h = 1, .phases_w = 1 };
    cut_rows(&c, w, (w->h - 1 + w->pt) / w->sh + 1, (w->w - 1 + w->pl) / w->sw + 1, g->n * g->c_in);
    c.lines = c.rows + (luc_extent(w->kh, w->dh) - 1) / w->sh;
    c.pitch = c.width + (luc_extent(w->kw, w->dw) - 1) / w->sw;
    return c;
}

/* A lane's scratch: the staged block, its sums, taps. */
static size_t sum_floats(const struct cut *c)
{
    return luc_round_up(c->rows * c->pitch, STEP);
}

static size_t stage_floats(const struct cut *c)
{
    return luc_round_up(c->phases_h * c->phases_w * c->lines * c->pitch + STEP, LUC_LANES);
}

static size_t tap_floats(const struct luc_window *w)
{
    return luc_round_up(n_taps(w), LUC_LANES);
}

static size_t lane_floats(const struct cut *c, const struct luc_window *w)
{
    return stage_floats(c) + sum_floats(c) + 2 * tap_floats(w);
}

struct room {
    float *stage, *sums, *w;
    uint32_t *offset;
};

static struct room room(const struct job *j, size_t lane)
{
    const struct cut *c = &j->cut;
    struct room r = { .stage = j->scratch + lane * lane_floats(c, &j->g->win) };
    r.sums = r.stage + stage_floats(c);
    r.w = r.sums + sum_floats(c);
    r.offset = (uint32_t *)(void *)(r.w + tap_floats(&j->g->win));
    return r;
}

size_t luc_conv_direct_scratch(const struct luc_conv *g, size_t lanes)
{
    const struct cut y = cut_y(g), dx = cut_dx(g);
    const size_t forward = lane_floats(&y, &g->win), back = lane_floats(&dx, &g->win);
    return lanes * (forward > back ? forward : back) * sizeof(float);
}

/* -- sums ---------------------------------------------------------------------------------- */

LUC_INLINE void sum_some(const float *x, const uint32_t *offset, const float *w, const size_t taps,
                         size_t n, float *sums)
{
    for (size_t p = 0; p < n; p += STEP) {
        luc_wide sum[4] = { { 0 } };
        for (size_t t = 0; t < taps; t++)
            LUC_UNROLL for (size_t v = 0; v < 4; v++) sum[v] +=
                w[t] * LUC_LOAD(x + p + offset[t] + v * LUC_LANES);
        LUC_UNROLL for (size_t v = 0; v < 4; v++) LUC_STORE(sums + p + v * LUC_LANES, sum[v]);
    }
}

/* sums[p] = the sum of w[t] x[p + offset[t]] for p < n; writes up to the next multiple of STEP. */
LUC_CLONES static void sum_taps(const float *x, const struct taps *t, size_t n, float *sums)
{
    if (t->n == 9)
        sum_some(x, t->offset, t->w, 9, n, sums);
    else
        sum_some(x, t->offset, t->w, t->n, n, sums);
}

/* `rows` rows of the staged block. */
static void sum_block(const struct job *j, const struct room *r, const struct taps *t, size_t rows)
{
    sum_taps(r->stage, t, (rows - 1) * j->cut.pitch + j->cut.width, r->sums);
}

/* -- forward ------------------------------------------------------------------------------- */

/* Lines of a plane that go into one phase of the staged block: from row `first` on every `step`-th,
 * of each the columns `col`, `col` + the stride, ... Both count from the padding's first. */
struct lines {
    const float *plane;
    size_t height, width; /* of the plane */
    size_t top, left;     /* zeros before its first row and column */
    size_t first, step, n;
    size_t col, stride, pitch;
};

LUC_CLONES static void stage(const struct lines *s, float *to)
{
    const size_t stride = s->stride, pitch = s->pitch;
    size_t lo, hi;
    luc_window_range(s->width, stride, s->col, s->left, 0, pitch, &lo, &hi);
    for (size_t l = 0; l < s->n; l++, to += pitch) {
        const size_t h = s->first + l * s->step - s->top; /* wraps above the plane */
        if (h >= s->height || lo == hi) {
            memset(to, 0, pitch * sizeof(*to));
            continue;
        }
        const float *from = s->plane + h * s->width + (lo * stride + s->col - s->left);
        for (size_t i = 0; i < lo; i++)
            to[i] = 0.0f;
        if (stride == 1)
            for (size_t i = 0; i < hi - lo; i++)
                to[lo + i] = from[i];
        else if (stride == 2)
            for (size_t i = 0; i < hi - lo; i++)
                to[lo + i] = from[2 * i];
        else
            for (size_t i = 0; i < hi - lo; i++)
                to[lo + i] = from[i * stride];
        for (size_t i = hi; i < pitch; i++)
            to[i] = 0.0f;
    }
}

/* What outputs from row `first` on see of the plane x. */
static void stage_x(const struct job *j, const float *x, size_t first, float *to)
{
    const struct luc_window *w = &j->g->win;
    const struct cut *c = &j->cut;
    struct lines s = { x, w->h, w->w, w->pt, w->pl, 0, w->sh, c->lines, 0, w->sw, c->pitch };
    for (size_t a = 0; a < c->phases_h; a++)
        for (size_t b = 0; b < c->phases_w; b++, to += c->lines * c->pitch) {
            s.first = first * w->sh + a;
            s.col = b;
            stage(&s, to);
        }
}

static void taps_y(const struct job *j, uint32_t *offset)
{
    const struct luc_window *w = &j->g->win;
    const struct cut *c = &j->cut;
    for (size_t i = 0; i < n_taps(w); i++) {
        const size_t down = i / w->kw * w->dh, right = i % w->kw * w->dw;
        const size_t phase = down % w->sh * w->sw + right % w->sw;
        offset[i] = (uint32_t)((phase * c->lines + down / w->sh) * c->pitch + right / w->sw);
    }
}

/* Rows of sums, `pitch` apart, to rows of y. */
LUC_CLONES static void finish(const float *sums, size_t pitch, size_t rows, size_t n, float bias,
                              const struct luc_conv_finish *fin, float *y)
{
    const bool relu = fin->relu;
    for (size_t r = 0; r < rows; r++, sums += pitch, y += n) {
        for (size_t i = 0; fin->add && i < n; i++)
            y[i] += sums[i] + bias;
        for (size_t i = 0; !fin->add && i < n; i++) {
            const float v = sums[i] + bias;
            y[i] = relu && v < 0.0f ? 0.0f : v;
        }
    }
}

static void y_block(const struct job *j, const struct room *r, size_t plane, size_t first,
                    size_t rows)
{
    const struct luc_conv *g = j->g;
    const size_t n = plane / g->c_out, m = plane % g->c_out, per = g->c_out / g->groups;
    const size_t taps = n_taps(&g->win);
    const float bias = j->fin->bias ? j->fin->bias[m] : 0.0f;
    float *y = j->y + (plane * g->win.oh + first) * g->win.ow;
    stage_x(j, j->x + (n * g->groups + m / per) * g->win.h * g->win.w, first, r->stage);
    sum_block(j, r, &(struct taps){ taps, r->offset, j->w + m * taps }, rows);
    finish(r->sums, j->cut.pitch, rows, g->win.ow, bias, j->fin, y);
}

static void y_item(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const struct cut *c = &j->cut;
    const struct room r = room(j, lane);
    const size_t first = item % c->n_rows * c->rows, from = item / c->n_rows * c->planes;
    taps_y(j, r.offset);
    for (size_t p = from; p < luc_min(from + c->planes, j->g->n * j->g->c_out); p++)
        y_block(j, &r, p, first, luc_min(c->rows, j->g->win.oh - first));
}

void luc_conv_direct_y(const struct luc_conv *g, const float *x, const float *w,
                       const struct luc_conv_finish *fin, float *y, void *scratch,
                       const struct luc_threads *threads)
{
    struct job j = { .g = g, .x = x, .w = w, .fin = fin, .y = y, .scratch = scratch };
    j.cut = cut_y(g);
    luc_parallel_for(threads, j.cut.n_items, y_item, &j);
}

/* -- gradient with respect to x ------------------------------------------------------------ */

/* Row q of the cut stands for the rows h = q * sh + a - pt of phase a, columns alike. Tap i reaches
 * phase i * dh % sh only, from row q - i * dh / sh of dy. */

static size_t margin(size_t kernel, size_t dilation, size_t stride)
{
    return (luc_extent(kernel, dilation) - 1) / stride;
}

/* What rows from q on of one plane receive of dy. */
static void stage_dy(const struct job *j, const float *dy, size_t q, float *to)
{
    const struct luc_window *w = &j->g->win;
    const struct cut *c = &j->cut;
    stage(&(struct lines){ dy, w->oh, w->ow, margin(w->kh, w->dh, w->sh),
                           margin(w->kw, w->dw, w->sw), q, 1, c->lines, 0, 1, c->pitch },
          to);
}

/* The taps that reach phase (a, b). */
static struct taps taps_dx(const struct job *j, const struct room *r, const float *w, size_t a,
                           size_t b)
{
    const struct luc_window *win = &j->g->win;
    const size_t above = margin(win->kh, win->dh, win->sh);
    const size_t left = margin(win->kw, win->dw, win->sw);
    struct taps t = { .offset = r->offset, .w = r->w };
    for (size_t i = 0; i < n_taps(win); i++) {
        const size_t down = i / win->kw * win->dh, right = i % win->kw * win->dw;
        if (down % win->sh != a || right % win->sw != b)
            continue;
        r->offset[t.n] =
            (uint32_t)((above - down / win->sh) * j->cut.pitch + left - right / win->sw);
        r->w[t.n++] = w[i];
    }
    return t;
}

/* One row of sums is spread over the row h of dx, from column b - pl on. */
LUC_CLONES static void spread_row(const struct luc_window *w, const float *sums, size_t b, size_t n,
                                  float *dx)
{
    size_t lo, hi;
    luc_window_range(w->w, w->sw, b, w->pl, 0, n, &lo, &hi);
    if (w->sw == 1)
        for (size_t i = lo; i < hi; i++)
            dx[i + b - w->pl] += sums[i];
    else
        for (size_t i = lo; i < hi; i++)
            dx[i * w->sw + b - w->pl] += sums[i];
}

static void dx_block(const struct job *j, const struct room *r, const float *w, float *dx, size_t q,
                     size_t rows)
{
    const struct luc_window *win = &j->g->win;
    for (size_t phase = 0; phase < win->sh * win->sw; phase++) {
        const size_t a = phase / win->sw, b = phase % win->sw;
        const struct taps t = taps_dx(j, r, w, a, b);
        if (t.n == 0)
            continue;
        sum_block(j, r, &t, rows);
        for (size_t i = 0; i < rows; i++) {
            const size_t h = (q + i) * win->sh + a - win->pt; /* wraps above the picture */
            if (h < win->h)
                spread_row(win, r->sums + i * j->cut.pitch, b, j->cut.width, dx + h * win->w);
        }
    }
}

/* The rows of dx that rows [q, q + rows) of all phases stand for. */
static void clear_rows(const struct luc_window *w, size_t q, size_t rows, float *dx)
{
    const size_t from = q * w->sh > w->pt ? q * w->sh - w->pt : 0;
    const size_t past = (q + rows) * w->sh > w->pt ? (q + rows) * w->sh - w->pt : 0;
    if (luc_min(past, w->h) > from)
        memset(dx + from * w->w, 0, (luc_min(past, w->h) - from) * w->w * sizeof(*dx));
}

static void dx_item(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const struct luc_conv *g = j->g;
    const struct cut *c = &j->cut;
    const struct room r = room(j, lane);
    const size_t per = g->c_out / g->groups, taps = n_taps(&g->win), all = g->n * g->c_in;
    const size_t q = item % c->n_rows * c->rows, from = item / c->n_rows * c->planes;
    const size_t height = (g->win.h - 1 + g->win.pt) / g->win.sh + 1;
    const size_t rows = luc_min(c->rows, height - q);
    for (size_t p = from; p < luc_min(from + c->planes, all); p++) {
        float *dx = j->dx + p * g->win.h * g->win.w;
        if (!j->add)
            clear_rows(&g->win, q, rows, dx);
        for (size_t m = p % g->groups * per; m < (p % g->groups + 1) * per; m++) {
            const size_t plane = p / g->groups * g->c_out + m;
            stage_dy(j, j->dy + plane * g->win.oh * g->win.ow, q, r.stage);
            dx_block(j, &r, j->w + m * taps, dx, q, rows);
        }
    }
}

void luc_conv_direct_dx(const struct luc_conv *g, const float *dy, const float *w, bool add,
                        float *dx, void *scratch, const struct luc_threads *threads)
{
    struct job j = { .g = g, .dy = dy, .w = w, .add = add, .dx = dx, .scratch = scratch };
    j.cut = cut_dx(g);
    luc_parallel_for(threads, j.cut.n_items, dx_item, &j);
}

/* -- gradient with respect to w ------------------------------------------------------------ */

/* The input row that tap row i of output row oh sees, or false in the padding. */
static inline bool input_row(const struct luc_window *win, size_t oh, size_t i, size_t *h)
{
    *h = oh * win->sh + i * win->dh - win->pt; /* wraps below zero: then it is not < h */
    return *h < win->h;
}

/* The sum of x times dy over one plane, for one tap. */
static double plane_dw(const struct luc_window *win, const float *x, const float *dy, size_t tap)
{
    const size_t at = tap % win->kw * win->dw;
    double sum = 0.0;
    size_t lo, hi, h;
    luc_window_range(win->w, win->sw, at, win->pl, 0, win->ow, &lo, &hi);
    for (size_t oh = 0; oh < win->oh; oh++)
        for (size_t o = lo; input_row(win, oh, tap / win->kw, &h) && o < hi; o++)
            sum +=
                (double)x[h * win->w + o * win->sw + at - win->pl] * (double)dy[oh * win->ow + o];
    return sum;
}

static void dw_item(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const struct luc_conv *g = j->g;
    const size_t taps = g->win.kh * g->win.kw, m = item / taps, per = g->c_out / g->groups;
    double sum = 0.0;
    (void)lane;
    for (size_t n = 0; n < g->n; n++)
        sum += plane_dw(&g->win, j->x + (n * g->groups + m / per) * g->win.h * g->win.w,
                        j->dy + (n * g->c_out + m) * g->win.oh * g->win.ow, item % taps);
    j->dw[item] = (float)((double)j->dw[item] + sum);
}

void luc_conv_direct_dw(const struct luc_conv *g, const float *x, const float *dy, float *dw,
                        const struct luc_threads *threads)
{
    struct job j = { .g = g, .x = x, .dy = dy, .dw = dw };
    luc_parallel_for(threads, g->c_out * g->win.kh * g->win.kw, dw_item, &j);
}
