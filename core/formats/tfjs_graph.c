/* Graph models: finds what the outputs need and converts it in order; tfjs_ops.c has the handlers. */
#include "core/formats/tfjs_node.h"

#include <stdlib.h>
#include <string.h>

#define NODES_MAX  ((size_t)1 << 17)
#define INPUTS_MAX 1024 /* of one node */
#define NAME_ROOM  512

struct node {
    const char *name, *op;
    const json_t *attr;
    size_t *in; /* node indices of data inputs */
    size_t n_in;
    bool read, open, done;
    bool is_norm; /* `norm` of node in[0]: see match_norm() */
    size_t norm_x;
    struct tfjs_norm norm;
    struct tfjs_value out;
};

struct walk {
    struct tfjs_build *b;
    struct luc_arena *arena;
    json_t *index; /* name -> position */
    struct node *nodes;
    size_t n;
};

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

bool luc_tfjs_decode_text(const json_t *s, char *buf, size_t size)
{
    size_t n = 0;
    unsigned bits = 0, held = 0;
    const char *text = json_string_value(s);
    if (json_is_array(s)) {
        for (; n < json_array_size(s) && n + 1 < size; n++)
            buf[n] = (char)json_integer_value(json_array_get(s, n));
        buf[n] = '\0';
        return n == json_array_size(s);
    }
    for (; text && base64_digit(*text) >= 0 && n + 1 < size; text++) {
        bits = (bits << 6 | (unsigned)base64_digit(*text)) & 0xffffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            buf[n++] = (char)(bits >> held & 0xff);
        }
    }
    buf[n] = '\0';
    return text && (*text == '\0' || *text == '=');
}

bool luc_tfjs_attr_text(const json_t *attr, const char *key, char *buf, size_t size)
{
    const json_t *s = json_object_get(json_object_get(attr, key), "s");
    return s && luc_tfjs_decode_text(s, buf, size);
}

static bool whole(const json_t *v, double *out)
{
    char *end = NULL;
    if (json_is_integer(v)) {
        *out = (double)json_integer_value(v);
        return true;
    }
    if (!json_is_string(v))
        return false;
    *out = (double)strtol(json_string_value(v), &end, 10);
    return end != json_string_value(v) && *end == '\0';
}

double luc_tfjs_attr_int(const json_t *attr, const char *key, double otherwise)
{
    double v = otherwise;
    return whole(json_object_get(json_object_get(attr, key), "i"), &v) ? v : otherwise;
}

bool luc_tfjs_attr_bool(const json_t *attr, const char *key, bool otherwise)
{
    return luc_tfjs_flag(json_object_get(attr, key), "b", otherwise);
}

size_t luc_tfjs_attr_ints(const json_t *attr, const char *key, double *v, size_t max)
{
    const json_t *list = json_object_get(json_object_get(json_object_get(attr, key), "list"), "i");
    const size_t n = json_array_size(list);
    if (n > max)
        return SIZE_MAX;
    for (size_t i = 0; i < n; i++)
        if (!whole(json_array_get(list, i), &v[i]))
            return SIZE_MAX;
    return n;
}

/* "name", "name:0" -> the node; LUC_NONE for "^name", an order without data. */
static enum luc_status find_node(const struct walk *w, const char *ref, const char *reader,
                                 size_t *at, struct luc_error *err)
{
    char name[NAME_ROOM];
    const char *colon = strrchr(ref, ':');
    const size_t n = colon ? (size_t)(colon - ref) : strlen(ref);
    *at = LUC_NONE;
    if (*ref == '^')
        return LUC_OK;
    if (colon && strcmp(colon, ":0") != 0)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "node '%.80s' reads '%.80s': only first outputs are "
                        "supported",
                        reader, ref);
    const json_t *found = NULL;
    if (n < sizeof(name)) {
        memcpy(name, ref, n);
        name[n] = '\0';
        found = json_object_get(w->index, name);
    }
    if (!found)
        return luc_fail(err, LUC_FORMAT, "node '%.80s' reads '%.80s', which is not there", reader,
                        ref);
    *at = (size_t)json_integer_value(found);
    return LUC_OK;
}

static enum luc_status read_inputs(struct walk *w, struct node *node, const json_t *inputs,
                                   struct luc_error *err)
{
    const size_t n = json_array_size(inputs);
    node->in = luc_arena_alloc(w->arena, n, sizeof(*node->in));
    if (!node->in)
        return luc_fail_nomem(err, "nodes", n * sizeof(*node->in));
    for (size_t i = 0; i < n; i++) {
        const char *ref = json_string_value(json_array_get(inputs, i));
        size_t at = LUC_NONE;
        const enum luc_status st =
            ref ? find_node(w, ref, node->name, &at, err)
                : luc_fail(err, LUC_FORMAT, "node '%.80s': an input is not a name", node->name);
        if (st)
            return st;
        if (at == LUC_NONE)
            continue;
        if (node->n_in == INPUTS_MAX)
            return luc_fail(err, LUC_TOO_LARGE, "node '%.80s': more than %d inputs", node->name,
                            INPUTS_MAX);
        node->in[node->n_in++] = at;
        w->nodes[at].read = true;
    }
    return LUC_OK;
}

static enum luc_status index_nodes(struct walk *w, const json_t *list, struct luc_error *err)
{
    w->n = json_array_size(list);
    w->nodes = luc_arena_alloc(w->arena, w->n, sizeof(*w->nodes));
    if (w->n == 0 || w->n > NODES_MAX || !w->nodes)
        return luc_fail(err, LUC_TOO_LARGE, "a graph of 1 to %zu nodes is wanted", NODES_MAX);
    for (size_t i = 0; i < w->n; i++) {
        const json_t *e = json_array_get(list, i);
        struct node *node = &w->nodes[i];
        node->name = luc_tfjs_text(e, "name", NULL);
        node->op = luc_tfjs_text(e, "op", "");
        node->attr = json_object_get(e, "attr");
        node->out.value = LUC_NONE;
        if (!node->name || !*node->name || json_object_get(w->index, node->name))
            return luc_fail(err, LUC_FORMAT, "a node has no name, or '%.80s' is there twice",
                            node->name ? node->name : "");
        if (json_object_set_new(w->index, node->name, json_integer((json_int_t)i)) != 0)
            return luc_fail_nomem(err, "nodes", 1);
    }
    for (size_t i = 0; i < w->n; i++) {
        const enum luc_status st =
            read_inputs(w, &w->nodes[i], json_object_get(json_array_get(list, i), "input"), err);
        if (st)
            return st;
    }
    return LUC_OK;
}

/* The k-th input of `node` when that is an `op`, else NULL. */
static struct node *input_of(const struct walk *w, const struct node *node, size_t k,
                             const char *op)
{
    if (!node || k >= node->n_in)
        return NULL;
    struct node *in = &w->nodes[node->in[k]];
    return strcmp(in->op, op) == 0 || (strcmp(op, "Add") == 0 && strcmp(in->op, "AddV2") == 0)
               ? in
               : NULL;
}

static const struct tfjs_weight *constant_of(const struct walk *w, const struct node *node,
                                             size_t k)
{
    const struct node *in = input_of(w, node, k, "Const");
    return in ? luc_tfjs_weight_find(&w->b->weights, in->name) : NULL;
}

static bool is_spatial_mean(const struct walk *w, const struct node *node)
{
    const struct tfjs_weight *axes = constant_of(w, node, 1);
    return node && axes && luc_numel(&axes->shape) == 2 && luc_tfjs_weight_at(axes, 0) == 1 &&
           luc_tfjs_weight_at(axes, 1) == 2 && luc_tfjs_attr_bool(node->attr, "keep_dims", false);
}

/* add(mul_1(x, m), sub(offset, mul_2(mean, m))), m = mul(rsqrt(add(variance, epsilon)), scale),
 * variance = mean(squared_difference(x, mean)): as layers of instance normalisation are written. */
static bool match_norm(const struct walk *w, struct node *node)
{
    if (strcmp(node->op, "Add") != 0 && strcmp(node->op, "AddV2") != 0)
        return false;
    const struct node *mul_1 = input_of(w, node, 0, "Mul"), *sub = input_of(w, node, 1, "Sub");
    const struct node *mul_2 = input_of(w, sub, 1, "Mul"), *m = input_of(w, mul_1, 1, "Mul");
    const struct node *rsqrt = input_of(w, m, 0, "Rsqrt"), *add = input_of(w, rsqrt, 0, "Add");
    const struct node *variance = input_of(w, add, 0, "Mean");
    const struct node *square = input_of(w, variance, 0, "SquaredDifference");
    const struct node *mean = input_of(w, mul_2, 0, "Mean");
    const struct tfjs_weight *scale = constant_of(w, m, 1), *offset = constant_of(w, sub, 0);
    const struct tfjs_weight *epsilon = constant_of(w, add, 1);
    if (!square || !mean || !scale || !offset || !epsilon || square->n_in != 2 || mean->n_in != 2 ||
        mul_2->n_in != 2 || mul_1->n_in != 2)
        return false;
    const size_t x = mul_1->in[0], mean_at = (size_t)(mean - w->nodes);
    if (mul_2->in[1] != mul_1->in[1] || mean->in[0] != x || square->in[0] != x ||
        square->in[1] != mean_at || !is_spatial_mean(w, mean) || !is_spatial_mean(w, variance) ||
        luc_numel(&epsilon->shape) != 1 || luc_numel(&scale->shape) != luc_numel(&offset->shape) ||
        scale->shape.rank == 0 ||
        scale->shape.dim[scale->shape.rank - 1] != luc_numel(&scale->shape))
        return false;
    node->norm_x = x;
    node->norm = (struct tfjs_norm){ scale, offset, luc_tfjs_weight_at(epsilon, 0) };
    return true;
}

static enum luc_status placeholder(struct walk *w, struct node *node, struct luc_error *err)
{
    static const size_t to_nchw[] = { 0, 2, 3, 1 };
    const json_t *shape =
        json_object_get(json_object_get(json_object_get(node->attr, "shape"), "shape"), "dim");
    const size_t rank = json_array_size(shape);
    if (rank < 1 || rank > 4)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "input '%.80s': a shape of 1 to 4 dimensions is wanted", node->name);
    struct luc_shape decl = { .rank = rank };
    for (size_t i = 0; i < rank; i++) {
        const char *text = luc_tfjs_text(json_array_get(shape, i), "size", "");
        double d = luc_tfjs_number(json_array_get(shape, i), "size", 0);
        d = *text ? (double)strtol(text, NULL, 10) : d;
        decl.dim[rank == 4 ? to_nchw[i] : i] = d > 0 && d <= LUC_EXACT_INT ? (size_t)d : 0;
    }
    node->out = (struct tfjs_value){ .value = LUC_NONE, .rank = rank, .picture = rank == 4 };
    enum luc_status st = luc_shape_check(&decl, node->name, err);
    if (!st)
        st = luc_tfjs_name(w->b, node->name, NULL, &node->out.value, err);
    return st ? st : luc_graph_add_input(w->b->g, node->out.value, &decl, err);
}

static enum luc_status constant(struct walk *w, struct node *node, struct luc_error *err)
{
    const struct tfjs_weight *found = luc_tfjs_weight_find(&w->b->weights, node->name);
    if (!found)
        return luc_fail(err, LUC_FORMAT, "constant '%.80s' is not in the weights manifest",
                        node->name);
    node->out =
        (struct tfjs_value){ .value = LUC_NONE, .weight = found, .rank = found->shape.rank };
    return LUC_OK;
}

static enum luc_status convert_with(struct walk *w, struct node *node, const size_t *in,
                                    size_t n_in, const struct tfjs_op_row *row,
                                    struct luc_error *err)
{
    struct tfjs_op o = { .b = w->b, .name = node->name, .attr = node->attr, .n_in = n_in };
    o.in = calloc(n_in + 1, sizeof(*o.in));
    if (!o.in)
        return luc_fail_nomem(err, node->name, n_in);
    for (size_t i = 0; i < n_in; i++)
        o.in[i] = &w->nodes[in[i]].out;
    o.arg = row ? row->arg : NULL;
    const enum luc_status st =
        row ? row->convert(&o, err) : luc_tfjs_instance_norm(&o, &node->norm, err);
    free(o.in);
    node->out = o.out;
    return st;
}

static enum luc_status convert(struct walk *w, struct node *node, struct luc_error *err)
{
    if (strcmp(node->op, "Placeholder") == 0)
        return placeholder(w, node, err);
    if (strcmp(node->op, "Const") == 0)
        return constant(w, node, err);
    if (node->is_norm)
        return convert_with(w, node, &node->norm_x, 1, NULL, err);
    const struct tfjs_op_row *row = luc_tfjs_op_find(node->op);
    if (!row)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "node '%.80s': TensorFlow operator '%.40s' is not supported", node->name,
                        node->op);
    if (node->n_in < row->n_in_min || node->n_in > row->n_in_max)
        return luc_fail(err, LUC_FORMAT, "node '%.80s' (%s): %zu inputs", node->name, row->name,
                        node->n_in);
    return convert_with(w, node, node->in, node->n_in, row, err);
}

/* What has to be converted before `node`. */
static void needs(const struct node *node, const size_t **in, size_t *n)
{
    *in = node->is_norm ? &node->norm_x : node->in;
    *n = node->is_norm ? 1 : node->n_in;
}

/* Depth first with an explicit stack: a node stays on it while its inputs are converted. */
static enum luc_status convert_up_to(struct walk *w, size_t root, size_t *stack,
                                     struct luc_error *err)
{
    size_t depth = 0;
    stack[depth++] = root;
    while (depth > 0) {
        struct node *node = &w->nodes[stack[depth - 1]];
        if (!node->open && !node->done)
            node->is_norm = match_norm(w, node);
        node->open = true;
        const size_t *in = NULL;
        size_t n = 0, next = LUC_NONE;
        needs(node, &in, &n);
        for (size_t i = 0; !node->done && next == LUC_NONE && i < n; i++)
            next = w->nodes[in[i]].done ? LUC_NONE : in[i];
        if (next != LUC_NONE && w->nodes[next].open)
            return luc_fail(err, LUC_FORMAT, "node '%.80s' depends on itself", node->name);
        if (next != LUC_NONE) {
            stack[depth++] = next;
            continue;
        }
        const enum luc_status st = node->done ? LUC_OK : convert(w, node, err);
        if (st)
            return st;
        node->done = true;
        depth--;
    }
    return LUC_OK;
}

static enum luc_status add_output(struct walk *w, size_t at, size_t *stack, struct luc_error *err)
{
    struct node *node = &w->nodes[at];
    size_t value = LUC_NONE;
    enum luc_status st = convert_up_to(w, at, stack, err);
    if (!st)
        st = node->out.picture ? luc_tfjs_as_picture(w->b, node->name, &node->out, &value, err)
                               : luc_tfjs_as_plain(w->b, node->name, &node->out, &value, err);
    return st ? st : luc_graph_add_output(w->b->g, value, err);
}

static const json_t *signature(const json_t *root)
{
    const json_t *s = json_object_get(json_object_get(root, "userDefinedMetadata"), "signature");
    s = s ? s : json_object_get(root, "signature");
    return json_object_get(s, "outputs");
}

/* The signature's outputs; without one, every node that nothing reads. */
static enum luc_status read_outputs(struct walk *w, const json_t *root, size_t *stack,
                                    struct luc_error *err)
{
    const json_t *named = signature(root);
    enum luc_status st = LUC_OK;
    const char *key;
    const json_t *entry;
    for (void *it = json_object_iter((json_t *)(uintptr_t)named); !st && it;
         it = json_object_iter_next((json_t *)(uintptr_t)named, it)) {
        key = json_object_iter_key(it);
        entry = json_object_iter_value(it);
        size_t at = LUC_NONE;
        st = find_node(w, luc_tfjs_text(entry, "name", key), "output", &at, err);
        if (!st && at == LUC_NONE)
            st = luc_fail(err, LUC_FORMAT, "output '%.80s' is no value", key);
        if (!st)
            st = add_output(w, at, stack, err);
    }
    for (size_t i = 0; !st && json_object_size(named) == 0 && i < w->n; i++) {
        const struct node *node = &w->nodes[i];
        if (!node->read && strcmp(node->op, "Const") != 0 && strcmp(node->op, "NoOp") != 0 &&
            strcmp(node->op, "Placeholder") != 0)
            st = add_output(w, i, stack, err);
    }
    if (!st && w->b->g->n_outputs == 0)
        st = luc_fail(err, LUC_FORMAT, "the network has no output");
    return st;
}

enum luc_status luc_tfjs_read_graph(struct tfjs_build *b, const json_t *root,
                                    const json_t *topology, struct luc_error *err)
{
    struct walk w = { .b = b,
                      .arena = luc_arena_create((size_t)256 << 20),
                      .index = json_object() };
    enum luc_status st = w.arena && w.index ? LUC_OK : luc_fail_nomem(err, "nodes", 1);
    if (!st)
        st = index_nodes(&w, json_object_get(topology, "node"), err);
    size_t *stack = st ? NULL : luc_arena_alloc(w.arena, w.n + 1, sizeof(*stack));
    if (!st && !stack)
        st = luc_fail_nomem(err, "nodes", w.n * sizeof(*stack));
    if (!st)
        st = read_outputs(&w, root, stack, err);
    json_decref(w.index);
    luc_arena_destroy(w.arena);
    return st;
}
