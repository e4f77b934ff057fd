/* Einsum -- https://onnx.ai/onnx/operators/onnx__Einsum.html
 *
 *   in   x..   tensors, each with one letter an axis in the equation
 *   out  y     one axis a letter after "->"; without "->", the letters that come once, sorted
 *   attr equation  "bij,bjk->bik"; "..." stands for leading axes that are broadcast
 *
 *   y = the product of all inputs, summed over letters that y does not have
 *   dx = the product of dy and the other inputs, summed over letters that x does not have
 *
 * A plain loop, summed in double: exporters write matrix products as MatMul.
 */
#include "core/ops/common.h"

#include <string.h>

#define MAX_IN     4
#define MAX_LABELS 16

struct attrs {
    char equation[LUC_TEXT_MAX];
};

static const struct luc_param attr_table[] = {
    LUC_TEXT(struct attrs, equation, "", "Which axes are multiplied and which are summed"),
    LUC_PARAM_END,
};

/* What an axis is: a letter, or the i-th from the right of "...". */
struct equation {
    size_t n_in, n_labels;
    size_t size[MAX_LABELS];
    int name[MAX_LABELS];                   /* a letter, or -1 - i */
    size_t rank[MAX_IN + 1];                /* the last: y's */
    size_t label[MAX_IN + 1][LUC_MAX_RANK]; /* of each axis */
    size_t step[MAX_IN + 1][MAX_LABELS];    /* elements; 0: not there, or broadcast */
};

static enum luc_status label_of(struct equation *e, int name, size_t size, size_t *to,
                                struct luc_error *err)
{
    for (size_t i = 0; i < e->n_labels; i++)
        if (e->name[i] == name) {
            if (e->size[i] != size && size != 1 && e->size[i] != 1)
                return luc_fail(err, LUC_SHAPE, "an axis is %zu and %zu long", e->size[i], size);
            e->size[i] = size > e->size[i] ? size : e->size[i];
            *to = i;
            return LUC_OK;
        }
    if (e->n_labels == MAX_LABELS)
        return luc_fail(err, LUC_UNSUPPORTED, "more than %d axes", MAX_LABELS);
    *to = e->n_labels;
    e->name[e->n_labels] = name;
    e->size[e->n_labels++] = size;
    return LUC_OK;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Axis `axis` of a term is called `name`. shape NULL: y's, whose sizes are known. */
static enum luc_status name_axis(struct equation *e, size_t term, size_t axis, int name,
                                 const struct luc_shape *shape, struct luc_error *err)
{
    if (axis >= (shape ? shape->rank : LUC_MAX_RANK))
        return luc_fail(err, LUC_SHAPE, "equation: term %zu has too many axes", term + 1);
    return label_of(e, name, shape ? shape->dim[axis] : 1, &e->label[term][axis], err);
}

/* One term, up to ',' '-' or the end; *text moves behind it. */
static enum luc_status read_term(struct equation *e, size_t term, const char **text,
                                 const struct luc_shape *shape, size_t n_dots,
                                 struct luc_error *err)
{
    size_t axis = 0;
    enum luc_status st = LUC_OK;
    for (; **text && **text != ',' && **text != '-' && !st; (*text)++) {
        if (strncmp(*text, "...", 3) == 0) {
            for (size_t i = 0; i < n_dots && !st; i++)
                st = name_axis(e, term, axis++, -(int)(n_dots - i), shape, err);
            *text += 2;
        } else if (is_letter(**text)) {
            st = name_axis(e, term, axis++, **text, shape, err);
        } else if (**text != ' ') {
            st = luc_fail(err, LUC_INVALID, "equation: '%c' is no axis", **text);
        }
    }
    e->rank[term] = axis;
    if (!st && shape && axis != shape->rank)
        st = luc_fail(err, LUC_SHAPE, "equation: term %zu has %zu axes, the input %zu", term + 1,
                      axis, shape->rank);
    return st;
}

static size_t letters_in(const char *text)
{
    size_t n = 0;
    for (; *text && *text != ',' && *text != '-'; text++)
        n += is_letter(*text);
    return n;
}

/* Without "->": broadcast axes, then letters that come once, in the alphabet's order. */
static void imply_output(struct equation *e, const char *equation, size_t n_dots)
{
    size_t *label = e->label[e->n_in], rank = 0;
    for (size_t d = n_dots; d-- > 0;)
        for (size_t i = 0; i < e->n_labels; i++)
            if (e->name[i] == -(int)(d + 1) && rank < LUC_MAX_RANK)
                label[rank++] = i;
    for (int c = 'A'; c <= 'z'; c++) {
        const char *first = strchr(equation, c);
        for (size_t i = 0; first && !strchr(first + 1, c) && i < e->n_labels; i++)
            if (e->name[i] == c && rank < LUC_MAX_RANK)
                label[rank++] = i;
    }
    e->rank[e->n_in] = rank;
}

/* Elements from one place to the next along each label. Terms that name one twice step along both. */
static void find_steps(struct equation *e, size_t term, const struct luc_shape *shape)
{
    size_t step = 1;
    memset(e->step[term], 0, sizeof(e->step[term]));
    for (size_t d = shape->rank; d-- > 0;) {
        e->step[term][e->label[term][d]] += shape->dim[d] > 1 ? step : 0;
        step *= shape->dim[d];
    }
}

static struct luc_shape output_shape(const struct equation *e)
{
    struct luc_shape s = { .rank = e->rank[e->n_in] };
    for (size_t d = 0; d < s.rank; d++)
        s.dim[d] = e->size[e->label[e->n_in][d]];
    return s;
}

static enum luc_status read(const char *equation, const struct luc_shape *const *in, size_t n_in,
                            struct equation *e, struct luc_error *err)
{
    const char *text = equation;
    size_t most_dots = 0;
    enum luc_status st = LUC_OK;
    *e = (struct equation){ .n_in = n_in };
    if (n_in > MAX_IN)
        return luc_fail(err, LUC_UNSUPPORTED, "%zu inputs, at most %d are supported", n_in, MAX_IN);
    for (size_t i = 0; !st && i < n_in; i++) {
        const size_t letters = letters_in(text);
        const size_t n_dots = in[i]->rank > letters ? in[i]->rank - letters : 0;
        most_dots = n_dots > most_dots ? n_dots : most_dots;
        st = read_term(e, i, &text, in[i], n_dots, err);
        if (!st && (*text == ',') != (i + 1 < n_in))
            st = luc_fail(err, LUC_SHAPE, "equation: %zu inputs were given", n_in);
        text += *text == ',';
    }
    if (st)
        return st;
    if (*text == '-') {
        text += text[1] == '>' ? 2 : 1;
        const size_t n_labels = e->n_labels;
        st = read_term(e, n_in, &text, NULL, most_dots, err);
        if (!st && (*text || e->n_labels > n_labels))
            st = luc_fail(err, LUC_INVALID, "equation: the output has an axis of its own");
    } else {
        imply_output(e, equation, most_dots);
    }
    for (size_t i = 0; !st && i < n_in; i++)
        find_steps(e, i, in[i]);
    const struct luc_shape out = output_shape(e);
    find_steps(e, n_in, &out);
    return st;
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const struct luc_shape *shapes[MAX_IN] = { NULL };
    struct equation e;
    enum luc_status st = luc_infer_need(x, x->n_in, err);
    for (size_t i = 0; !st && i < x->n_in && i < MAX_IN; i++)
        shapes[i] = &x->in[i]->shape;
    if (!st)
        st = read(((const struct attrs *)x->attrs)->equation, shapes, x->n_in, &e, err);
    if (st)
        return st;
    x->out[0].shape = output_shape(&e);
    x->out[0].dtype = x->in[0]->dtype;
    return luc_shape_check(&x->out[0].shape, "output", err);
}

/* to[target's places] (+)= sum over the other labels of the product of `from`. */
struct job {
    const struct equation *e;
    size_t target;
    const float *from[MAX_IN + 1]; /* NULL: not a factor */
    float *to;
    bool add;
    size_t n_own, n_other;
    size_t own[MAX_LABELS], other[MAX_LABELS]; /* labels of the target, and the rest */
    size_t n_places, n_terms;
};

static void place(const struct equation *e, const size_t *labels, size_t n, size_t i,
                  size_t at[MAX_IN + 1])
{
    for (size_t k = n; k-- > 0;) {
        const size_t l = labels[k], c = i % e->size[l];
        i /= e->size[l];
        for (size_t t = 0; t <= e->n_in; t++)
            at[t] += c * e->step[t][l];
    }
}

static void sum_range(void *ctx, size_t begin, size_t end)
{
    const struct job *j = ctx;
    const struct equation *e = j->e;
    for (size_t i = begin; i < end; i++) {
        size_t base[MAX_IN + 1] = { 0 };
        double sum = 0;
        place(e, j->own, j->n_own, i, base);
        for (size_t k = 0; k < j->n_terms; k++) {
            size_t at[MAX_IN + 1];
            double product = 1;
            memcpy(at, base, sizeof(at));
            place(e, j->other, j->n_other, k, at);
            for (size_t t = 0; t <= e->n_in; t++)
                product *= j->from[t] ? (double)j->from[t][at[t]] : 1;
            sum += product;
        }
        float *to = &j->to[base[j->target]];
        *to = (j->add ? *to : 0.0f) + (float)sum;
    }
}

/* Labels that the target steps along; those that it broadcasts belong to the sum. */
static void split_labels(struct job *j)
{
    const struct equation *e = j->e;
    j->n_places = j->n_terms = 1;
    for (size_t l = 0; l < e->n_labels; l++) {
        bool own = false;
        for (size_t d = 0; d < e->rank[j->target]; d++)
            own |= e->label[j->target][d] == l && (e->step[j->target][l] > 0 || e->size[l] == 1);
        if (own)
            j->own[j->n_own++] = l, j->n_places *= e->size[l];
        else
            j->other[j->n_other++] = l, j->n_terms *= e->size[l];
    }
}

static void run(const struct luc_op_call *c, size_t target, float *to, bool add)
{
    const struct luc_shape *shapes[MAX_IN] = { NULL };
    struct equation e;
    for (size_t i = 0; i < c->n_in; i++)
        shapes[i] = &c->in[i]->shape;
    if (read(((const struct attrs *)c->attrs)->equation, shapes, c->n_in, &e, NULL))
        return; /* infer() has seen it succeed */
    struct job j = { .e = &e, .target = target, .to = to, .add = add };
    for (size_t i = 0; i < c->n_in; i++)
        j.from[i] = i == target ? NULL : c->in[i]->data;
    j.from[c->n_in] = target == c->n_in ? NULL : c->dout[0]->data;
    split_labels(&j);
    luc_ranges(c->threads, j.n_places, LUC_BLOCK / (j.n_terms + 1) + 1, sum_range, &j);
}

static void forward(const struct luc_op_call *c)
{
    run(c, c->n_in, c->out[0]->data, false);
}

static void backward(const struct luc_op_call *c)
{
    for (size_t i = 0; i < c->n_in; i++)
        if (c->din[i])
            run(c, i, c->din[i]->data, true);
}

const struct luc_op luc_op_einsum = {
    .name = "Einsum",
    .since = 12,
    .n_in_min = 1,
    .n_in_max = MAX_IN,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
