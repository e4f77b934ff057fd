/* segment: cuts out what the network saw, without labels and without training.
 *
 *   map of another method -> percentiles -> seeds -> GrabCut -> mask
 *
 * Input:  one picture.
 * Output: the picture `mask`, `cutout` (RGBA), `contour` or `boxes`, at the upload's size; the picture
 *         `seeds` at the size worked at: black background, dark perhaps background, light perhaps
 *         foreground, white foreground; numbers of area and box; table `regions`; energy, iterations;
 *         text `note` where seeds had to be widened or a result replaced.
 * Cost:   one run of the other method, and a minimum cut for each iteration.
 * Errors: those of the other method; LUC_INVALID percentiles in the wrong order; LUC_NOMEM.
 * Source: Simonyan, Vedaldi & Zisserman, "Deep Inside Convolutional Networks", 2013, arXiv:1312.6034,
 *         section 3.2; Rother, Kolmogorov & Blake, "GrabCut", 2004. Differs: the map is smoothed
 *         first, since a gradient's single pixels say little of regions; the cut is iterated.
 */
#include "core/judge/explainer.h"
#include "core/segment/regions.h"
#include "core/segment/seeds.h"
#include "core/tensor/blur.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define REGIONS_MAX 20

struct params {
    char method[LUC_TEXT_MAX], params[LUC_TEXT_MAX], target[LUC_TEXT_MAX];
    double fg_percentile, bg_percentile, smooth, gamma;
    int64_t iterations, components, output, keep, size;
};

static const char *const output_names[] = { "mask", "cutout", "contour", "boxes", NULL };
static const char *const keep_names[] = { "none", "foreground", "background", "both", NULL };

static const struct luc_param rows[] = {
    LUC_TEXT(struct params, method, "saliency",
             "Where the seeds come from: saliency, smoothgrad, grad-cam, occlusion, or any other "
             "method that gives a map"),
    LUC_TEXT(struct params, params, "", LUC_SETTINGS_DOC),
    LUC_TEXT(struct params, target, "top",
             "Class whose object is cut out: its index, its name, top or top:K"),
    LUC_CHOICE(struct params, output, LUC_MASK_PLAIN, 4, output_names,
               "The picture: white on black, the object alone (transparent elsewhere), its outline "
               "or the boxes around its parts over the photograph"),
    LUC_REAL(struct params, fg_percentile, 95, 1, 100, "%",
             "Pixels of the map from this percentile on are foreground seeds"),
    LUC_REAL(struct params, bg_percentile, 30, 0, 99, "%",
             "Pixels of the map up to this percentile are background seeds"),
    LUC_REAL(struct params, smooth, 4, 0, 20, "%",
             "The map is blurred by this much of the picture's long side first"),
    LUC_CHOICE(struct params, keep, 3, 4, keep_names,
               "Seeds that stay what they are, whatever their colour"),
    LUC_INT(struct params, iterations, 5, 1, 50, "", "Cuts, at most"),
    LUC_INT(struct params, components, 5, 1, LUC_MIXTURE_MAX, "",
            "Gaussians for the colours of each side"),
    LUC_REAL(struct params, gamma, LUC_GAMMA, 0, 1000, "", "Weight of the outline against colour"),
    LUC_INT(struct params, size, 640, 32, 4096, "px",
            "Long side of the picture that is cut; larger uploads are scaled down for it"),
    LUC_PARAM_END,
};

struct segment {
    struct luc_run *run;
    const struct params *p;
    const struct luc_image *photo;
    struct luc_image small;   /* what is cut */
    uint8_t *seeds;           /* of the small picture; sides in the end */
    uint8_t *before;          /* the seeds as the cut got them */
    uint8_t *mask;            /* of the photograph, 0 or 1 */
    char class[LUC_TEXT_MAX]; /* that the map explains; "": none */
    double class_index, probability;
    char note[2 * LUC_SEEDING_TEXT];
};

/* ---- seeds ---------------------------------------------------------------------------------------- */

static enum luc_status explain(struct segment *s, float *map, struct luc_error *err)
{
    struct luc_explainer e;
    struct luc_explained found = { 0 };
    const struct luc_box all = { 0, 0, (double)s->photo->width, (double)s->photo->height };
    enum luc_status st = luc_explainer_find(s->run, s->p->method, s->p->params, &e, err);
    if (!st && luc_explainer_takes(&e, "target") && strcmp(s->p->target, "top") != 0)
        st = luc_explainer_set(&e, "target", s->p->target, err);
    if (!st)
        st = luc_explainer_run(s->run, &e, &(struct luc_question){ .to = 0.5 }, &found, err);
    if (!st && !luc_run_is_dry(s->run))
        st = luc_explained_on(&found, &all, s->small.width, s->small.height, map, err);
    const struct luc_item *class = st ? NULL : luc_result_find(&found.result, "class");
    if (class && class->kind == LUC_ITEM_TEXT) {
        snprintf(s->class, sizeof(s->class), "%s", class->text);
        s->class_index = luc_explained_number(&found, "class_index", 0);
        s->probability = luc_explained_number(&found, "probability", 0);
    }
    luc_explained_done(&found);
    return st;
}

static enum luc_status make_seeds(struct segment *s, struct luc_error *err)
{
    const struct params *p = s->p;
    const size_t w = s->small.width, h = s->small.height, side = w > h ? w : h;
    const struct luc_arena_mark mark = luc_arena_mark(s->run->arena);
    struct luc_seeding_report report = { 0 };
    const struct luc_seeding how = { .fore_percentile = p->fg_percentile,
                                     .back_percentile = p->bg_percentile,
                                     .fore_stays = p->keep & 1,
                                     .back_stays = p->keep & 2 };
    float *map = luc_arena_raw(s->run->arena, w * h + side, sizeof(*map));
    if (!map)
        return luc_fail_nomem(err, "seeds", (w * h + side) * sizeof(*map));
    enum luc_status st = explain(s, map, err);
    if (!st && !luc_run_is_dry(s->run))
        luc_blur(map, h, w, p->smooth / 100 * (double)side, map + w * h);
    if (!st)
        st = luc_seeds_from_map(map, w, h, &how, s->seeds, s->run->arena, &report, err);
    memcpy(s->note, report.text, sizeof(report.text));
    luc_arena_release(s->run->arena, mark);
    return st;
}

static enum luc_status put_seeds(struct segment *s, struct luc_error *err)
{
    struct luc_image picture = { 0 };
    static const uint8_t shade[] = { 0, 255, 85, 170 };
    enum luc_status st = luc_image_create(s->small.width, s->small.height, 1, &picture, err);
    for (size_t i = 0; !st && i < picture.width * picture.height && !luc_run_is_dry(s->run); i++)
        picture.data[i] = shade[s->before[i]];
    if (!st)
        st = luc_result_picture(s->run->result, "seeds", &picture, err);
    luc_image_done(&picture);
    return st;
}

/* ---- the cut -------------------------------------------------------------------------------------- */

static enum luc_status after_cut(void *ctx, size_t iterations, struct luc_error *err)
{
    struct segment *s = ctx;
    return luc_run_tick(s->run, 0.5 + 0.5 * (double)iterations / (double)(s->p->iterations + 1),
                        err);
}

/* A result without one of its sides says nothing: the seeds are better. */
static void replace_nothing(struct segment *s)
{
    const size_t n = s->small.width * s->small.height, used = strlen(s->note);
    const size_t fore = luc_seeds_count(s->seeds, n, 1);
    if (fore > 0 && fore < n)
        return;
    memcpy(s->seeds, s->before, n);
    snprintf(s->note + used, sizeof(s->note) - used,
             "%sthe colours left no %s, so the seeds themselves are the result", used ? "; " : "",
             fore ? "background" : "foreground");
}

static enum luc_status cut(struct segment *s, struct luc_grabcut *found, struct luc_error *err)
{
    struct luc_run *run = s->run;
    const size_t n = s->small.width * s->small.height;
    const struct luc_grabcut_spec spec = { .rgb = s->small.data,
                                           .width = s->small.width,
                                           .height = s->small.height,
                                           .components = (size_t)s->p->components,
                                           .iterations = (size_t)s->p->iterations,
                                           .gamma = s->p->gamma,
                                           .rng = run->rng,
                                           .threads = run->threads,
                                           .tick = after_cut,
                                           .tick_ctx = s };
    enum luc_status st = luc_grabcut_guess(&spec, s->seeds, run->arena, err);
    if (!st && !luc_run_is_dry(run))
        memcpy(s->before, s->seeds, n);
    if (!st)
        st = luc_grabcut_run(&spec, s->seeds, run->arena, found, err);
    if (!st && !luc_run_is_dry(run))
        replace_nothing(s);
    return st;
}

/* From the small picture's sides to the photograph's mask. */
static enum luc_status enlarge(struct segment *s, struct luc_error *err)
{
    const size_t n = s->small.width * s->small.height, all = s->photo->width * s->photo->height;
    const struct luc_box whole = { 0, 0, (double)s->small.width, (double)s->small.height };
    const struct luc_arena_mark mark = luc_arena_mark(s->run->arena);
    float *from = luc_arena_raw(s->run->arena, n, sizeof(*from));
    float *to = luc_arena_raw(s->run->arena, all, sizeof(*to));
    enum luc_status st = LUC_OK;
    if (!from || !to)
        return luc_fail_nomem(err, "a mask", (n + all) * sizeof(*to));
    if (!luc_run_is_dry(s->run)) {
        for (size_t i = 0; i < n; i++)
            from[i] = LUC_SIDE(s->seeds[i]) ? 1.0f : 0.0f;
        st = luc_map_resize(from, s->small.width, s->small.height, &whole, s->photo->width,
                            s->photo->height, to, err);
        for (size_t i = 0; i < all && !st; i++)
            s->mask[i] = to[i] >= 0.5f;
    }
    luc_arena_release(s->run->arena, mark);
    return st;
}

/* ---- results -------------------------------------------------------------------------------------- */

static enum luc_status put_regions(struct segment *s, const struct luc_region *r, size_t n,
                                   size_t all, struct luc_error *err)
{
    static const char *const columns[] = { "x", "y", "width", "height", "area" };
    struct luc_table *table = NULL;
    enum luc_status st = luc_result_number(s->run->result, "n_regions", (double)all, err);
    if (!st)
        st = luc_result_table(s->run->result, "regions", columns, 5, n, &table, err);
    for (size_t i = 0; i < n && !st; i++) {
        const size_t v[] = { r[i].x, r[i].y, r[i].width, r[i].height, r[i].area };
        for (size_t k = 0; k < 5; k++)
            table->cells[5 * i + k].number = (double)v[k];
    }
    return st;
}

/* The box around everything, and how much of the picture is inside the mask. */
static enum luc_status put_extent(struct segment *s, struct luc_error *err)
{
    const size_t w = s->photo->width, h = s->photo->height;
    size_t x0 = w, y0 = h, x1 = 0, y1 = 0, area = 0;
    for (size_t i = 0; i < w * h && !luc_run_is_dry(s->run); i++) {
        if (!s->mask[i])
            continue;
        const size_t x = i % w, y = i / w;
        x0 = x < x0 ? x : x0;
        y0 = y < y0 ? y : y0;
        x1 = x >= x1 ? x + 1 : x1;
        y1 = y + 1;
        area++;
    }
    const struct {
        const char *key;
        double value;
    } all[] = { { "area", (double)area },
                { "area_share", (double)area / (double)(w * h) },
                { "box_x", (double)(area ? x0 : 0) },
                { "box_y", (double)(area ? y0 : 0) },
                { "box_width", (double)(area ? x1 - x0 : 0) },
                { "box_height", (double)(area ? y1 - y0 : 0) } };
    enum luc_status st = LUC_OK;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && !st; i++)
        st = luc_result_number(s->run->result, all[i].key, all[i].value, err);
    return st;
}

static enum luc_status put_class(struct segment *s, struct luc_error *err)
{
    struct luc_result *r = s->run->result;
    if (!*s->class)
        return LUC_OK;
    enum luc_status st = luc_result_text(r, "class", s->class, err);
    if (!st)
        st = luc_result_number(r, "class_index", s->class_index, err);
    return st ? st : luc_result_number(r, "probability", s->probability, err);
}

static enum luc_status put_result(struct segment *s, const struct luc_grabcut *found,
                                  struct luc_error *err)
{
    struct luc_result *r = s->run->result;
    struct luc_region regions[REGIONS_MAX];
    struct luc_image picture = { 0 };
    size_t n = 0, all = 0;
    enum luc_status st = luc_regions_find(s->mask, s->photo->width, s->photo->height, regions,
                                          REGIONS_MAX, &n, &all, s->run->arena, err);
    if (luc_run_is_dry(s->run)) { /* the most that there can be to tell */
        memset(regions, 0, sizeof(regions));
        memset(s->note, '.', sizeof(s->note) - 1);
        n = REGIONS_MAX;
    }
    if (!st)
        st = luc_mask_draw(s->mask, s->photo, (enum luc_mask_view)s->p->output, regions, n,
                           &picture, err);
    if (!st)
        st = luc_result_picture(r, output_names[s->p->output], &picture, err);
    luc_image_done(&picture);
    if (!st)
        st = put_seeds(s, err);
    if (!st)
        st = put_class(s, err);
    if (!st)
        st = put_extent(s, err);
    if (!st)
        st = put_regions(s, regions, n, all, err);
    if (!st)
        st = luc_result_number(r, "energy", found->energy, err);
    if (!st)
        st = luc_result_number(r, "iterations", (double)found->iterations, err);
    if (!st && *s->note)
        st = luc_result_text(r, "note", s->note, err);
    return st;
}

/* ---- the method ----------------------------------------------------------------------------------- */

static enum luc_status make_small(struct segment *s, struct luc_error *err)
{
    const size_t w = s->photo->width, h = s->photo->height, side = w > h ? w : h;
    const double scale = fmin(1, (double)s->p->size / (double)side);
    const size_t sw = (size_t)fmax(1, nearbyint(scale * (double)w));
    const size_t sh = (size_t)fmax(1, nearbyint(scale * (double)h));
    s->seeds = luc_arena_raw(s->run->arena, sw * sh, 1);
    s->before = luc_arena_raw(s->run->arena, sw * sh, 1);
    s->mask = luc_arena_raw(s->run->arena, w * h, 1);
    if (!s->seeds || !s->before || !s->mask)
        return luc_fail_nomem(err, "a mask", w * h + 2 * sw * sh);
    return luc_image_resize(s->photo, NULL, sw, sh, LUC_BICUBIC, &s->small, err);
}

static enum luc_status run_segment(struct luc_run *run, const void *params, struct luc_error *err)
{
    struct segment s = { .run = run, .p = params };
    struct luc_grabcut found = { 0 };
    if (s.p->bg_percentile >= s.p->fg_percentile)
        return luc_fail_param(err, LUC_INVALID, "bg_percentile",
                              "bg_percentile: must be below fg_percentile, which is %g",
                              s.p->fg_percentile);
    enum luc_status st = luc_run_image(run, 0, &s.photo, err);
    if (!st && s.photo->width * s.photo->height < 2)
        st = luc_fail(err, LUC_RANGE, "a single pixel cannot be divided");
    if (!st)
        st = make_small(&s, err);
    if (!st)
        st = make_seeds(&s, err);
    if (!st)
        st = cut(&s, &found, err);
    if (!st)
        st = enlarge(&s, err);
    if (!st)
        st = put_result(&s, &found, err);
    luc_image_done(&s.small);
    return st ? st : luc_run_tick(run, 1.0, err);
}

const struct luc_method luc_method_segment = {
    .name = "segment",
    .title = "Segmentation",
    .summary =
        "The object itself, cut out along its outline: an explanation says where it is, colours "
        "and edges how far it reaches.",
    .paper = "Simonyan et al. 2013, arXiv:1312.6034, section 3.2; Rother et al. 2004, GrabCut",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_SEED,
    .images_min = 1,
    .images_max = 1,
    .makes_picture = true,
    .asks_others = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_segment,
};
