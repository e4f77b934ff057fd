#include "core/segment/maxflow.h"

#include <assert.h>
#include <string.h>

enum { FREE, SOURCE, SINK };                  /* tree */
enum { TERMINAL = 8, ORPHAN = 9, NONE = 10 }; /* parent, besides the eight ways */
#define NOBODY UINT32_MAX
#define FAR    UINT32_MAX

struct node {
    float link[LUC_N_WAYS]; /* residual capacity towards each neighbour */
    float terminal;         /* residual: from the source when positive, to the sink when negative */
    uint32_t stamp, distance; /* to the terminal, as known at time `stamp` */
    uint32_t next_active;     /* NOBODY: not in the queue; the last one points to itself */
    uint32_t next_orphan;
    uint8_t tree, parent;
};

struct luc_cut {
    size_t width, height, stride, n;
    struct node *node; /* with a rim of one pixel */
    ptrdiff_t step[LUC_N_WAYS];
    double flow;
    uint32_t time;
    uint32_t first_active, last_active;
    uint32_t first_orphan, last_orphan;
};

static uint32_t index_of(const struct luc_cut *c, size_t x, size_t y)
{
    assert(x < c->width && y < c->height);
    return (uint32_t)((y + 1) * c->stride + x + 1);
}

static uint32_t neighbour(const struct luc_cut *c, uint32_t p, unsigned way)
{
    return (uint32_t)((ptrdiff_t)p + c->step[way]);
}

enum luc_status luc_cut_create(size_t width, size_t height, struct luc_arena *arena,
                               struct luc_cut **cut, struct luc_error *err)
{
    if (width < 1 || height < 1 || width > LUC_CUT_PIXELS_MAX / height)
        return luc_fail(err, LUC_TOO_LARGE, "cannot cut a picture of %zux%zu pixels", width,
                        height);
    struct luc_cut *c = luc_arena_alloc(arena, 1, sizeof(*c));
    const size_t stride = width + 2, n = stride * (height + 2);
    struct node *node = luc_arena_raw(arena, n, sizeof(*node));
    if (!c || !node)
        return luc_fail_nomem(err, "cutting a picture", n * sizeof(*node));
    const ptrdiff_t s = (ptrdiff_t)stride;
    *c = (struct luc_cut){ .width = width,
                           .height = height,
                           .stride = stride,
                           .n = n,
                           .node = node,
                           .step = { 1, s + 1, s, s - 1, -1, -s - 1, -s, -s + 1 } };
    if (!luc_arena_is_dry(arena))
        luc_cut_clear(c);
    *cut = c;
    return LUC_OK;
}

void luc_cut_clear(struct luc_cut *cut)
{
    memset(cut->node, 0, cut->n * sizeof(*cut->node));
    cut->flow = 0;
}

void luc_cut_terminals(struct luc_cut *cut, size_t x, size_t y, float source, float sink)
{
    /* What both links can carry flows at once. */
    cut->node[index_of(cut, x, y)].terminal = source - sink;
    cut->flow += (double)(source < sink ? source : sink);
}

void luc_cut_link(struct luc_cut *cut, size_t x, size_t y, enum luc_way way, float there,
                  float back)
{
    const uint32_t p = index_of(cut, x, y), q = neighbour(cut, p, way);
    assert(q % cut->stride != 0 && q % cut->stride != cut->stride - 1);
    assert(q / cut->stride != 0 && q / cut->stride != cut->height + 1);
    cut->node[p].link[way] = there;
    cut->node[q].link[LUC_OPPOSITE(way)] = back;
}

/* ---- the queue of active nodes, and the list of orphans ------------------------------------------ */

static void activate(struct luc_cut *c, uint32_t p)
{
    struct node *n = &c->node[p];
    if (n->next_active != NOBODY)
        return;
    if (c->last_active != NOBODY)
        c->node[c->last_active].next_active = p;
    else
        c->first_active = p;
    c->last_active = p;
    n->next_active = p;
}

/* The next that is still in a tree, or NOBODY. */
static uint32_t take_active(struct luc_cut *c)
{
    while (c->first_active != NOBODY) {
        const uint32_t p = c->first_active;
        struct node *n = &c->node[p];
        if (n->next_active == p)
            c->first_active = c->last_active = NOBODY;
        else
            c->first_active = n->next_active;
        n->next_active = NOBODY;
        if (n->parent != NONE)
            return p;
    }
    return NOBODY;
}

static void orphan_first(struct luc_cut *c, uint32_t p)
{
    c->node[p].parent = ORPHAN;
    c->node[p].next_orphan = c->first_orphan;
    c->first_orphan = p;
    if (c->last_orphan == NOBODY)
        c->last_orphan = p;
}

static void orphan_last(struct luc_cut *c, uint32_t p)
{
    c->node[p].parent = ORPHAN;
    c->node[p].next_orphan = NOBODY;
    if (c->last_orphan != NOBODY)
        c->node[c->last_orphan].next_orphan = p;
    else
        c->first_orphan = p;
    c->last_orphan = p;
}

/* ---- growth: the trees spread over links with capacity left until they touch --------------------- */

struct touch {
    uint32_t p; /* on the source's side */
    unsigned way;
};

/* Residual capacity between p and its neighbour q in the tree's direction of flow. */
static float open_link(const struct node *p, const struct node *q, unsigned way)
{
    return p->tree == SOURCE ? p->link[way] : q->link[LUC_OPPOSITE(way)];
}

static bool grow(struct luc_cut *c, uint32_t p, struct touch *touch)
{
    struct node *a = &c->node[p];
    for (unsigned way = 0; way < LUC_N_WAYS; way++) {
        const uint32_t q = neighbour(c, p, way);
        struct node *b = &c->node[q];
        if (!(open_link(a, b, way) > 0))
            continue;
        if (b->tree == FREE) {
            b->tree = a->tree;
            b->parent = (uint8_t)LUC_OPPOSITE(way);
            b->stamp = a->stamp;
            b->distance = a->distance + 1;
            activate(c, q);
        } else if (b->tree != a->tree) {
            *touch = a->tree == SOURCE ? (struct touch){ p, way }
                                       : (struct touch){ q, LUC_OPPOSITE(way) };
            return true;
        } else if (b->stamp <= a->stamp && b->distance > a->distance) {
            b->parent = (uint8_t)LUC_OPPOSITE(way); /* a shorter way to the terminal */
            b->stamp = a->stamp;
            b->distance = a->distance + 1;
        }
    }
    return false;
}

/* ---- augmentation: what the narrowest link lets through flows along the path ---------------------- */

/* The link between p and its parent, in the direction of flow. */
static float *parent_link(struct luc_cut *c, uint32_t p)
{
    struct node *n = &c->node[p];
    return n->tree == SOURCE ? &c->node[neighbour(c, p, n->parent)].link[LUC_OPPOSITE(n->parent)]
                             : &n->link[n->parent];
}

static float *reverse_link(struct luc_cut *c, uint32_t p)
{
    struct node *n = &c->node[p];
    return n->tree == SOURCE ? &n->link[n->parent]
                             : &c->node[neighbour(c, p, n->parent)].link[LUC_OPPOSITE(n->parent)];
}

static float narrowest(struct luc_cut *c, uint32_t p, float least)
{
    for (; c->node[p].parent != TERMINAL; p = neighbour(c, p, c->node[p].parent)) {
        const float room = *parent_link(c, p);
        least = room < least ? room : least;
    }
    const float room = c->node[p].tree == SOURCE ? c->node[p].terminal : -c->node[p].terminal;
    return room < least ? room : least;
}

static void push(struct luc_cut *c, uint32_t p, float amount)
{
    while (c->node[p].parent != TERMINAL) {
        const uint32_t up = neighbour(c, p, c->node[p].parent);
        float *link = parent_link(c, p);
        *reverse_link(c, p) += amount;
        *link -= amount;
        if (!(*link > 0))
            orphan_first(c, p);
        p = up;
    }
    struct node *root = &c->node[p];
    root->terminal += root->tree == SOURCE ? -amount : amount;
    if (root->terminal == 0.0f)
        orphan_first(c, p);
}

static void augment(struct luc_cut *c, const struct touch *t)
{
    const uint32_t q = neighbour(c, t->p, t->way);
    float *link = &c->node[t->p].link[t->way];
    const float amount = narrowest(c, q, narrowest(c, t->p, *link));
    *link -= amount;
    c->node[q].link[LUC_OPPOSITE(t->way)] += amount;
    push(c, t->p, amount);
    push(c, q, amount);
    c->flow += (double)amount;
}

/* ---- adoption: nodes cut off find another parent or leave their tree ------------------------------ */

/* Steps from q up to its terminal; FAR when the way ends at an orphan. */
static uint32_t distance_of(const struct luc_cut *c, uint32_t q)
{
    for (uint32_t d = 0;; d++) {
        const struct node *n = &c->node[q];
        if (n->stamp == c->time)
            return d + n->distance;
        if (n->parent == TERMINAL)
            return d + 1;
        if (n->parent == ORPHAN)
            return FAR;
        q = neighbour(c, q, n->parent);
    }
}

/* Notes on the way from q, so that the next search ends early. */
static void mark_way(struct luc_cut *c, uint32_t q, uint32_t distance)
{
    while (c->node[q].stamp != c->time) {
        struct node *n = &c->node[q];
        n->stamp = c->time;
        n->distance = distance--;
        if (n->parent == TERMINAL)
            return;
        q = neighbour(c, q, n->parent);
    }
}

/* Residual capacity by which q could feed p, its neighbour that way, in p's tree. */
static float feeds(const struct node *p, const struct node *q, unsigned way)
{
    return p->tree == SOURCE ? q->link[LUC_OPPOSITE(way)] : p->link[way];
}

static void release(struct luc_cut *c, uint32_t p)
{
    struct node *a = &c->node[p];
    for (unsigned way = 0; way < LUC_N_WAYS; way++) {
        const uint32_t q = neighbour(c, p, way);
        struct node *b = &c->node[q];
        if (b->tree != a->tree || b->parent == NONE)
            continue;
        if (feeds(a, b, way) > 0)
            activate(c, q);
        if (b->parent == LUC_OPPOSITE(way))
            orphan_last(c, q);
    }
    a->tree = FREE;
    a->parent = NONE;
}

static void adopt(struct luc_cut *c, uint32_t p)
{
    struct node *a = &c->node[p];
    uint32_t nearest = FAR;
    unsigned best = NONE;
    for (unsigned way = 0; way < LUC_N_WAYS; way++) {
        const uint32_t q = neighbour(c, p, way);
        const struct node *b = &c->node[q];
        if (b->tree != a->tree || b->parent == NONE || !(feeds(a, b, way) > 0))
            continue;
        const uint32_t d = distance_of(c, q);
        if (d == FAR)
            continue;
        mark_way(c, q, d);
        if (d < nearest) {
            nearest = d;
            best = way;
        }
    }
    if (best == NONE) {
        release(c, p);
        return;
    }
    a->parent = (uint8_t)best;
    a->stamp = c->time;
    a->distance = nearest + 1;
}

static void adopt_all(struct luc_cut *c)
{
    while (c->first_orphan != NOBODY) {
        const uint32_t p = c->first_orphan;
        c->first_orphan = c->node[p].next_orphan;
        if (c->first_orphan == NOBODY)
            c->last_orphan = NOBODY;
        adopt(c, p);
    }
}

static void plant(struct luc_cut *c)
{
    c->first_active = c->last_active = c->first_orphan = c->last_orphan = NOBODY;
    c->time = 0;
    for (uint32_t p = 0; p < c->n; p++) {
        struct node *n = &c->node[p];
        n->next_active = NOBODY;
        n->stamp = 0;
        n->distance = 1;
        n->tree = n->terminal > 0 ? SOURCE : n->terminal < 0 ? SINK : FREE;
        n->parent = n->tree == FREE ? NONE : TERMINAL;
        if (n->tree != FREE)
            activate(c, p);
    }
}

double luc_cut_solve(struct luc_cut *cut)
{
    struct touch touch;
    plant(cut);
    for (uint32_t p = take_active(cut); p != NOBODY;) {
        if (!grow(cut, p, &touch)) {
            p = take_active(cut);
            continue;
        }
        cut->time++;
        augment(cut, &touch);
        adopt_all(cut);
        if (cut->node[p].parent == NONE)
            p = take_active(cut);
    }
    return cut->flow;
}

bool luc_cut_on_source_side(const struct luc_cut *cut, size_t x, size_t y)
{
    return cut->node[index_of(cut, x, y)].tree == SOURCE;
}
