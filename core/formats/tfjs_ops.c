/* TensorFlow graph operators: the tables, and the steps that handlers share. tfjs_graph.c walks the
 * graph. */
#include "core/formats/tfjs_node.h"

#include <math.h>
#include <string.h>

enum luc_status luc_tfjs_refuse(const struct tfjs_op *o, const char *what, struct luc_error *err)
{
    return luc_fail(err, LUC_UNSUPPORTED, "node '%.80s': %s", o->name, what);
}

enum luc_status luc_tfjs_plain(struct tfjs_op *o, size_t i, size_t *value, struct luc_error *err)
{
    return luc_tfjs_as_plain(o->b, o->name, o->in[i], value, err);
}

enum luc_status luc_tfjs_picture(struct tfjs_op *o, size_t i, size_t *value, struct luc_error *err)
{
    return luc_tfjs_as_picture(o->b, o->name, o->in[i], value, err);
}

/* In whichever layout it is. */
enum luc_status luc_tfjs_as_it_is(struct tfjs_op *o, size_t i, size_t *value, struct luc_error *err)
{
    return o->in[i]->picture ? luc_tfjs_picture(o, i, value, err)
                             : luc_tfjs_plain(o, i, value, err);
}

enum luc_status luc_tfjs_op_emit(struct tfjs_op *o, const char *op, const char *suffix,
                                 const size_t *in, size_t n_in, const struct tfjs_attr *attrs,
                                 size_t *out, struct luc_error *err)
{
    return luc_tfjs_emit(o->b, op, o->name, suffix, in, n_in, attrs, out, err);
}

enum luc_status luc_tfjs_ints(struct tfjs_op *o, const char *suffix, const double *v, size_t n,
                              size_t *value, struct luc_error *err)
{
    return luc_tfjs_numbers(o->b, o->name, suffix, LUC_I64, v, n, 1, value, err);
}

/* The numbers of a constant input. */
enum luc_status luc_tfjs_known(const struct tfjs_op *o, size_t i, double *v, size_t max, size_t *n,
                               struct luc_error *err)
{
    const struct tfjs_weight *w = o->in[i]->weight;
    if (!w || luc_numel(&w->shape) > max)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "node '%.80s': input %zu must be a constant of at most %zu numbers",
                        o->name, i, max);
    *n = luc_numel(&w->shape);
    for (size_t k = 0; k < *n; k++)
        v[k] = luc_tfjs_weight_at(w, k);
    return LUC_OK;
}

/* Axes of input 0, none negative, each inside. */
enum luc_status luc_tfjs_axes(const struct tfjs_op *o, double *v, size_t n, struct luc_error *err)
{
    const double rank = (double)o->in[0]->rank;
    for (size_t i = 0; i < n; i++) {
        v[i] = v[i] < 0 ? v[i] + rank : v[i];
        if (!(v[i] >= 0 && v[i] < rank && v[i] == floor(v[i])))
            return luc_tfjs_refuse(o, "an axis is outside its input", err);
    }
    return LUC_OK;
}

enum luc_status luc_tfjs_together(struct tfjs_op *o, size_t to, size_t *values,
                                  struct luc_error *err)
{
    bool any = false;
    size_t rank = 0;
    for (size_t i = 0; i < to; i++) {
        any = any || o->in[i]->picture;
        rank = o->in[i]->rank > rank ? o->in[i]->rank : rank;
    }
    enum luc_status st = LUC_OK;
    for (size_t i = 0; !st && i < to; i++)
        st = any ? luc_tfjs_picture(o, i, &values[i], err) : luc_tfjs_plain(o, i, &values[i], err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = any ? 4 : rank, .picture = any };
    return st;
}

bool luc_tfjs_over_picture(const double *axes, size_t n)
{
    return n == 2 && ((axes[0] == 1 && axes[1] == 2) || (axes[0] == 2 && axes[1] == 1));
}

const struct tfjs_op_row *luc_tfjs_op_find(const char *name)
{
    const struct tfjs_op_row *const tables[] = { luc_tfjs_math_rows, luc_tfjs_picture_rows,
                                                 luc_tfjs_shape_rows };
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        for (const struct tfjs_op_row *row = tables[t]; row->name; row++)
            if (strcmp(row->name, name) == 0)
                return row;
    return NULL;
}
