#include "core/kernels/conv_panel.h"
#include "core/kernels/copy_row.h"
#include "core/kernels/sizes.h"

#include <assert.h>
#include <string.h>

#define STAGE  ((size_t)1 << 16) /* floats of a staged block: 256 KiB */
#define TERMS  768               /* of a sum at a time; their panel is 96 KiB */
#define SMALL  400               /* pixels of a map that is shared out by channels */
#define WIDE   224               /* pixels of a block */
#define PHASES 16                /* of columns that are strided over, at most */
#define ITEMS  8                 /* what a loop is split into at least, where it can be */

/* `size` cut into equal pieces of at most `most`. */
static size_t even(size_t size, size_t most)
{
    return luc_div_up(size, luc_div_up(size, luc_max(most, 1)));
}

/* How a convolution is computed. Outputs are cut into blocks of rows and columns, and blocks of
 * panels; what is summed into blocks of channels. A 1x1 convolution without stride and padding is
 * one of a single long row. */
struct cut {
    struct luc_window win;
    size_t taps, extent_h, extent_w;
    size_t rows, n_rows, cols, n_cols; /* outputs of a block; blocks */
    size_t panels, n_panels;           /* panels of an item; items */
    size_t channels, n_channels;       /* summed at a time; times */
    size_t tile, lines;                /* columns and rows of a tile */
    bool in_place;                     /* x is read where it is */
    bool shared;                       /* whole images are staged once for all items */
    /* the staged block of one channel: rows of `phases` times `phase` floats */
    size_t stage_rows, phases, phase, plane;
};

struct job {
    const struct luc_conv *g;
    struct cut cut;
    const float *x, *panels;
    const struct luc_conv_finish *fin;
    float *y, *staged, *scratch; /* staged: [n, c_in, plane], when shared */
    uint32_t *offsets;
    size_t lane_floats;
    bool narrow;
};

/* One block of outputs. */
struct area {
    size_t n, row, rows, col, cols, panel, panels;
};

static bool is_point(const struct luc_window *w)
{
    return w->kh == 1 && w->kw == 1 && w->sh == 1 && w->sw == 1 && w->pt == 0 && w->pl == 0 &&
           w->oh == w->h && w->ow == w->w;
}

static void cut_outputs(struct cut *c, const struct luc_conv *g)
{
    const size_t all = luc_div_up(g->c_out, LUC_PANEL), pixels = c->win.oh * c->win.ow;
    c->cols = even(c->win.ow, WIDE);
    c->rows = even(c->win.oh, luc_max(1, WIDE / c->cols));
    c->panels = all;
    if (pixels <= SMALL) {
        c->rows = c->win.oh, c->cols = c->win.ow;
        c->panels = g->n < ITEMS ? luc_max(1, all * g->n / ITEMS) : all;
    }
    c->n_rows = luc_div_up(c->win.oh, c->rows), c->n_cols = luc_div_up(c->win.ow, c->cols);
    c->n_panels = luc_div_up(all, c->panels);
    c->tile = even(c->cols, LUC_TILE);
    c->lines = c->cols == c->win.ow && 2 * c->cols <= LUC_TILE && c->rows > 1 ? 2 : 1;
    c->shared = !c->in_place && c->n_panels > 1;
}

/* The staged block: every row and column that a block of outputs looks at, and no other. */
static void cut_stage(struct cut *c)
{
    const struct luc_window *w = &c->win;
    c->extent_h = luc_extent(w->kh, w->dh), c->extent_w = luc_extent(w->kw, w->dw);
    c->stage_rows = w->kh == 1 ? c->rows : (c->rows - 1) * w->sh + c->extent_h;
    c->phases = w->kw == 1 ? 1 : w->sw;
    c->phase = c->cols + (c->extent_w - 1) / w->sw;
    c->plane = c->in_place ? w->h * w->w : c->stage_rows * c->phases * c->phase;
}

static struct cut cut(const struct luc_conv *g)
{
    struct cut c = { .win = g->win, .taps = g->win.kh * g->win.kw };
    if (is_point(&c.win)) {
        c.in_place = c.win.h * c.win.w <= SMALL;
        c.win.w = c.win.ow = c.win.h * c.win.w;
        c.win.h = c.win.oh = 1;
    }
    cut_outputs(&c, g);
    cut_stage(&c);
    c.channels = luc_max(1, TERMS / c.taps);
    if (!c.in_place && !c.shared)
        c.channels = luc_max(1, luc_min(c.channels, STAGE / c.plane));
    c.channels = even(g->c_in, c.channels);
    c.n_channels = luc_div_up(g->c_in, c.channels);
    return c;
}

bool luc_conv_panel_weights_pay(const struct luc_conv *g)
{
    const size_t taps = g->win.kh * g->win.kw, few = 8; /* for which conv_rows.h is faster */
    return g->c_out >= 8 && (taps == 1 ? g->c_in >= 16 : g->c_in >= few) && taps <= TERMS &&
           luc_panels_floats(g->c_out, g->c_in * taps) > 0;
}

bool luc_conv_panel_pays(const struct luc_conv *g)
{
    const struct luc_window *w = &g->win;
    const double high = (double)luc_min(w->oh, WIDE) * (double)w->sh +
                        (double)luc_extent(w->kh, w->dh),
                 wide = (double)luc_min(w->ow, WIDE) * (double)w->sw +
                        (double)luc_extent(w->kw, w->dw);
    return g->groups == 1 && w->sw <= PHASES && luc_conv_panel_weights_pay(g) &&
           w->oh * w->ow >= 4 && high * wide < (double)(16 * STAGE);
}

bool luc_conv_panel_mirror(const struct luc_conv *g, struct luc_conv *m)
{
    const struct luc_window *w = &g->win;
    const size_t up = luc_extent(w->kh, w->dh) - 1, left = luc_extent(w->kw, w->dw) - 1;
    if (w->sh != 1 || w->sw != 1 || w->pt > up || w->pl > left)
        return false;
    *m = *g;
    m->c_in = g->c_out, m->c_out = g->c_in;
    m->win.h = w->oh, m->win.w = w->ow, m->win.oh = w->h, m->win.ow = w->w;
    m->win.pt = up - w->pt, m->win.pl = left - w->pl;
    return true;
}

struct luc_weights luc_conv_panel_weights(const struct luc_conv *g, const float *w, bool mirror)
{
    const size_t taps = g->win.kh * g->win.kw, c_in = g->c_in;
    if (mirror)
        return (struct luc_weights){ w, c_in, g->c_out, taps, taps, c_in * taps, true };
    return (struct luc_weights){ w, g->c_out, c_in, taps, c_in * taps, taps, false };
}

/* -- staging ------------------------------------------------------------------------------- */

/* One phase of a row of the staged block: of its `n` columns [lo, hi) lie inside of the picture, the
 * first of them at `from`; all others are padding. */
struct run {
    size_t n, lo, hi, from, step;
};

static struct run run_of(const struct cut *c, const struct area *a, size_t phase)
{
    const struct luc_window *w = &c->win;
    const size_t col = a->col * w->sw + phase;
    struct run r = { .n = c->phase, .step = w->sw };
    luc_window_range(w->w, w->sw, col, w->pl, 0, r.n, &r.lo, &r.hi);
    r.hi = luc_max(r.lo, r.hi);
    r.from = r.hi > r.lo ? r.lo * w->sw + col - w->pl : 0;
    return r;
}

LUC_INLINE void stage_row(const struct run *r, const float *row, float *to)
{
    const size_t hi = row ? r->hi : r->n, lo = row ? r->lo : r->n;
    for (size_t i = 0; i < lo; i++)
        to[i] = 0.0f;
    if (hi > lo && r->step == 1)
        luc_copy_row(to + lo, row + r->from, hi - lo);
    else if (hi > lo && r->step == 2)
        luc_halve_row(to + lo, row + r->from, hi - lo);
    else
        for (size_t i = lo; i < hi; i++)
            to[i] = row[r->from + (i - lo) * r->step];
    for (size_t i = hi; i < r->n; i++)
        to[i] = 0.0f;
}

/* The block of channels that `a` reads. */
LUC_CLONES static void stage(const struct job *j, const struct area *a, size_t c0, size_t channels,
                             float *to)
{
    const struct cut *c = &j->cut;
    const struct luc_window *w = &c->win;
    struct run runs[PHASES];
    for (size_t f = 0; f < c->phases; f++)
        runs[f] = run_of(c, a, f);
    for (size_t i = c0; i < c0 + channels; i++) {
        const float *plane = j->x + (a->n * j->g->c_in + i) * w->h * w->w;
        for (size_t r = 0; r < c->stage_rows; r++) {
            const size_t h = w->kh == 1 ? (a->row + r) * w->sh : a->row * w->sh + r;
            const bool inside = h >= w->pt && h - w->pt < w->h;
            const float *row = inside ? plane + (h - w->pt) * w->w : NULL;
            for (size_t f = 0; f < c->phases; f++, to += c->phase)
                stage_row(&runs[f], row, to);
        }
    }
}

#define TOGETHER 8 /* channels of an item of staging */

static void stage_item(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const size_t pieces = luc_div_up(j->g->c_in, TOGETHER), c0 = item % pieces * TOGETHER;
    const struct area whole = { .n = item / pieces };
    (void)lane;
    stage(j, &whole, c0, luc_min(TOGETHER, j->g->c_in - c0),
          j->staged + (whole.n * j->g->c_in + c0) * j->cut.plane);
}

/* Where the terms of one block of channels lie, relative to an output's first. */
static void fill_offsets(const struct cut *c, uint32_t *offsets)
{
    const struct luc_window *w = &c->win;
    for (size_t i = 0; i < c->channels; i++)
        for (size_t t = 0; t < c->taps; t++) {
            const size_t down = t / w->kw * w->dh, right = t % w->kw * w->dw;
            offsets[i * c->taps + t] =
                (uint32_t)(i * c->plane + (down * c->phases + right % w->sw) * c->phase +
                           right / w->sw);
        }
}

/* -- sums ---------------------------------------------------------------------------------- */

/* A lane's scratch: the staged block, sums in panels, and one panel's sums turned to rows. */
struct room {
    float *stage, *sums, *turned;
};

static size_t n_tiles(const struct cut *c)
{
    return luc_div_up(c->rows, c->lines) * luc_div_up(c->cols, c->tile);
}

static size_t pitch(const struct cut *c)
{
    return c->rows * c->cols + 16; /* the last tile of a row writes past it */
}

static size_t stage_floats(const struct cut *c)
{
    return c->in_place || c->shared ? 0 : (c->channels * c->plane + 15) / 16 * 16;
}

static struct room room(const struct job *j, size_t lane)
{
    const struct cut *c = &j->cut;
    struct room r = { .stage = j->scratch + lane * j->lane_floats };
    r.sums = r.stage + stage_floats(c);
    r.turned = r.sums + (c->n_channels > 1 ? c->panels * n_tiles(c) : 1) * LUC_TILE * LUC_PANEL;
    return r;
}

static size_t lane_floats(const struct cut *c)
{
    const size_t tiles = c->n_channels > 1 ? c->panels * n_tiles(c) : 1;
    const size_t all = stage_floats(c) + tiles * LUC_TILE * LUC_PANEL + LUC_PANEL * pitch(c);
    return (all + 15) / 16 * 16;
}

LUC_CLONES static void finish_row(float *y, const float *sums, const float *plus, size_t n,
                                  float bias, bool relu)
{
    for (size_t i = 0; i < n; i++) {
        float v = sums[i] + bias;
        if (plus)
            v += plus[i];
        y[i] = relu && v < 0.0f ? 0.0f : v;
    }
}

/* Rows of one panel, from `turned` to y. */
static void finish(const struct job *j, const struct area *a, size_t panel, const float *turned)
{
    const struct cut *c = &j->cut;
    const bool whole = a->cols == c->win.ow;
    const size_t lines = whole ? 1 : a->rows, length = whole ? a->rows * a->cols : a->cols;
    const size_t rows = luc_min(LUC_PANEL, j->g->c_out - panel * LUC_PANEL);
    assert(j->y);
    for (size_t r = 0; r < rows; r++) {
        const size_t m = panel * LUC_PANEL + r;
        const float bias = j->fin->bias ? j->fin->bias[m] : 0.0f;
        for (size_t i = 0; i < lines; i++) {
            const size_t at =
                ((a->n * j->g->c_out + m) * c->win.oh + a->row + i) * c->win.ow + a->col;
            const float *plus = j->fin->add ? j->y + at : j->fin->plus ? j->fin->plus + at : NULL;
            finish_row(j->y + at, turned + r * pitch(c) + i * length, plus, length, bias,
                       j->fin->relu);
        }
    }
}

/* One panel of the area, channels [c0, c0 + channels); at the last of them, into y. */
static void sum_panel(const struct job *j, const struct area *a, size_t panel, size_t c0,
                      size_t channels, const float *x, const struct room *room)
{
    const struct cut *c = &j->cut;
    const size_t sum = j->g->c_in * c->taps;
    const bool last = c0 + channels == j->g->c_in;
    struct luc_tile t = { .offset = j->offsets, .n = channels * c->taps, .add = c0 > 0 };
    t.panel = j->panels + (panel * sum + c0 * c->taps) * LUC_PANEL;
    t.rows = luc_min(LUC_PANEL, j->g->c_out - panel * LUC_PANEL);
    t.sum = room->sums;
    if (c->n_channels > 1)
        t.sum += (panel - a->panel) * n_tiles(c) * LUC_TILE * LUC_PANEL;

    t.gap = (c->win.kh == 1 ? 1 : c->win.sh) * c->phases * c->phase;
    for (size_t r = 0; r < a->rows; r += c->lines) {
        t.lines = luc_min(c->lines, a->rows - r);
        for (size_t p = 0; p < a->cols; p += c->tile) {
            t.x = x + r * t.gap + p;
            t.width = luc_min(c->tile, a->cols - p);
            luc_tile_sum(&t, j->narrow);
            if (last)
                luc_tile_turn(t.sum, room->turned + r * a->cols + p, pitch(c), j->narrow);
            if (c->n_channels > 1)
                t.sum += LUC_TILE * LUC_PANEL;
        }
    }
    if (last)
        finish(j, a, panel, room->turned);
}

static struct area area_of(const struct job *j, size_t item)
{
    const struct cut *c = &j->cut;
    struct area a = { 0 };
    a.panel = item % c->n_panels * c->panels, item /= c->n_panels;
    a.col = item % c->n_cols * c->cols, item /= c->n_cols;
    a.row = item % c->n_rows * c->rows;
    a.n = item / c->n_rows;
    a.panels = luc_min(c->panels, luc_div_up(j->g->c_out, LUC_PANEL) - a.panel);
    a.rows = luc_min(c->rows, c->win.oh - a.row), a.cols = luc_min(c->cols, c->win.ow - a.col);
    return a;
}

static void sum_item(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const struct cut *c = &j->cut;
    const struct area a = area_of(j, item);
    const struct room room_ = room(j, lane);
    for (size_t c0 = 0; c0 < j->g->c_in; c0 += c->channels) {
        const size_t channels = luc_min(c->channels, j->g->c_in - c0);
        const float *x = room_.stage;
        if (c->in_place || c->shared)
            x = (c->shared ? j->staged : j->x) + (a.n * j->g->c_in + c0) * c->plane;
        else
            stage(j, &a, c0, channels, room_.stage);
        for (size_t p = a.panel; p < a.panel + a.panels; p++)
            sum_panel(j, &a, p, c0, channels, x, &room_);
    }
}

static size_t offset_floats(const struct cut *c)
{
    return (c->channels * c->taps + 15) / 16 * 16;
}

static size_t shared_floats(const struct luc_conv *g, const struct cut *c)
{
    return c->shared ? (g->n * g->c_in * c->plane + 15) / 16 * 16 : 0;
}

size_t luc_conv_panel_scratch(const struct luc_conv *g, size_t lanes)
{
    const struct cut c = cut(g);
    return (offset_floats(&c) + shared_floats(g, &c) + lanes * lane_floats(&c)) * sizeof(float);
}

void luc_conv_panel_y(const struct luc_conv *g, const float *x, const float *panels,
                      const struct luc_conv_finish *fin, float *y, bool narrow, void *scratch,
                      const struct luc_threads *threads)
{
    struct job j = { .g = g, .x = x, .panels = panels, .fin = fin, .y = y, .narrow = narrow };
    j.cut = cut(g);
    j.offsets = scratch;
    j.staged = (float *)scratch + offset_floats(&j.cut);
    j.scratch = j.staged + shared_floats(g, &j.cut);
    j.lane_floats = lane_floats(&j.cut);
    fill_offsets(&j.cut, j.offsets);
    if (j.cut.shared)
        luc_parallel_for(threads, g->n * luc_div_up(g->c_in, TOGETHER), stage_item, &j);
    luc_parallel_for(threads, g->n * j.cut.n_rows * j.cut.n_cols * j.cut.n_panels, sum_item, &j);
}
