/* Keras layers models: the walk over the layers; tfjs_keras.c turns each into nodes. */
#include "core/formats/tfjs_keras.h"

#include <stdlib.h>
#include <string.h>

#define LAYERS_MAX    10000
#define HISTORY_DEPTH 8 /* of lists around the name of an input */

struct walk {
    struct tfjs_build *b;
    json_t *index; /* layer name -> position in values */
    struct tfjs_value *values;
    size_t n;
};

static enum luc_status remember(struct walk *w, const char *name, struct tfjs_value v,
                                struct luc_error *err)
{
    if (json_object_get(w->index, name))
        return luc_fail(err, LUC_FORMAT, "layer '%.80s' is there twice", name);
    if (json_object_set_new(w->index, name, json_integer((json_int_t)w->n)) != 0)
        return luc_fail_nomem(err, "layers", 1);
    w->values[w->n++] = v;
    return LUC_OK;
}

static enum luc_status recall(const struct walk *w, const char *layer, const char *name,
                              struct tfjs_value *v, struct luc_error *err)
{
    const json_t *at = name ? json_object_get(w->index, name) : NULL;
    if (!at)
        return luc_fail(err, LUC_FORMAT,
                        "layer '%.80s' reads '%.80s', which no layer before it "
                        "puts out",
                        layer, name ? name : "");
    *v = w->values[json_integer_value(at)];
    return LUC_OK;
}

static enum luc_status add_input(struct walk *w, const char *name, const json_t *shape,
                                 struct luc_error *err)
{
    static const size_t to_nhwc[] = { 0, 2, 3, 1 };
    const size_t rank = json_array_size(shape);
    if (rank < 1 || rank > 4)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "input '%.80s': a shape of 1 to 4 dimensions is wanted", name);
    struct luc_shape decl = { .rank = rank };
    for (size_t i = 0; i < rank; i++) {
        const json_int_t d = json_integer_value(json_array_get(shape, i)); /* null is 0: any */
        decl.dim[rank == 4 ? to_nhwc[i] : i] = d > 0 ? (size_t)d : 0;
    }
    struct tfjs_value v = { .value = LUC_NONE, .rank = rank, .picture = rank == 4 };
    enum luc_status st = luc_shape_check(&decl, name, err);
    if (!st)
        st = luc_tfjs_name(w->b, name, NULL, &v.value, err);
    if (!st)
        st = luc_graph_add_input(w->b->g, v.value, &decl, err);
    return st ? st : remember(w, name, v, err);
}

static const json_t *input_shape(const json_t *config)
{
    const json_t *s = json_object_get(config, "batch_input_shape");
    return s ? s : json_object_get(config, "batch_shape");
}

/* Appends the names that `inbound` mentions, of either Keras notation:
 * [[["name", 0, 0, {}], ..]] or [{"args": [.. {"keras_history": ["name", 0, 0]} ..]}]. */
static bool collect(const json_t *v, json_t *names, int depth)
{
    if (depth > HISTORY_DEPTH)
        return false;
    const json_t *history = json_object_get(v, "keras_history");
    if (history)
        v = history;
    json_t *first = json_array_get(v, 0);
    if (json_is_string(first))
        return json_integer_value(json_array_get(v, 1)) == 0 &&
               json_integer_value(json_array_get(v, 2)) == 0 &&
               json_array_append(names, first) == 0;
    if (json_is_object(v)) {
        const json_t *args = json_object_get(v, "args");
        return collect(args ? args : json_object_get(v, "config"), names, depth + 1);
    }
    for (size_t i = 0; i < json_array_size(v); i++)
        if (!collect(json_array_get(v, i), names, depth + 1))
            return false;
    return true;
}

static enum luc_status find_inputs(struct walk *w, struct tfjs_layer *l, const json_t *inbound,
                                   struct luc_error *err)
{
    json_t *names = json_array();
    enum luc_status st = LUC_OK;
    if (!names)
        return luc_fail_nomem(err, "layers", 1);
    if (json_array_size(inbound) != 1 || !collect(inbound, names, 0))
        st = luc_fail(err, LUC_UNSUPPORTED,
                      "layer '%.80s': layers used more than once are not supported", l->name);
    l->n_in = json_array_size(names);
    l->in = st ? NULL : calloc(l->n_in + 1, sizeof(*l->in));
    if (!st && !l->in)
        st = luc_fail_nomem(err, "layers", l->n_in * sizeof(*l->in));
    for (size_t i = 0; !st && i < l->n_in; i++)
        st = recall(w, l->name, json_string_value(json_array_get(names, i)), &l->in[i], err);
    json_decref(names);
    return st;
}

static enum luc_status convert(struct walk *w, struct tfjs_layer *l, const char *class_name,
                               struct luc_error *err)
{
    const struct tfjs_layer_row *row = luc_tfjs_layer_find(class_name);
    if (!row)
        return luc_fail(err, LUC_UNSUPPORTED, "layer '%.80s': Keras layer '%.40s' is not supported",
                        l->name, class_name);
    if (l->n_in < row->n_in_min || l->n_in > row->n_in_max)
        return luc_fail(err, LUC_FORMAT, "layer '%.80s' (%s): %zu inputs", l->name, class_name,
                        l->n_in);
    const enum luc_status st = row->convert(l, err);
    return st ? st : remember(w, l->name, l->out, err);
}

/* One layer; `previous` is its input in a Sequential model, NULL in a functional one. */
static enum luc_status read_layer(struct walk *w, const json_t *layer,
                                  const struct tfjs_value *previous, struct luc_error *err)
{
    const json_t *config = json_object_get(layer, "config");
    const char *class_name = luc_tfjs_text(layer, "class_name", "");
    const char *name = luc_tfjs_text(layer, "name", luc_tfjs_text(config, "name", NULL));
    if (!name || !*name)
        return luc_fail(err, LUC_FORMAT, "a layer has no name");
    if (strcmp(class_name, "InputLayer") == 0)
        return add_input(w, name, input_shape(config), err);
    struct tfjs_layer l = { .b = w->b, .name = name, .config = config };
    struct tfjs_value one = { 0 };
    if (previous) {
        one = *previous;
        l.in = &one;
        l.n_in = 1;
        return convert(w, &l, class_name, err);
    }
    enum luc_status st = find_inputs(w, &l, json_object_get(layer, "inbound_nodes"), err);
    if (!st)
        st = convert(w, &l, class_name, err);
    free(l.in);
    return st;
}

static enum luc_status read_functional(struct walk *w, const json_t *layers, const json_t *outputs,
                                       struct luc_error *err)
{
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const enum luc_status st = read_layer(w, json_array_get(layers, i), NULL, err);
        if (st)
            return st;
    }
    json_t *names = json_array();
    if (!names || !collect(outputs, names, 0) || json_array_size(names) == 0) {
        json_decref(names);
        return luc_fail(err, LUC_FORMAT, "the network names no output layer");
    }
    enum luc_status st = LUC_OK;
    for (size_t i = 0; !st && i < json_array_size(names); i++) {
        struct tfjs_value v = { .value = LUC_NONE };
        st = recall(w, "output", json_string_value(json_array_get(names, i)), &v, err);
        if (!st)
            st = luc_graph_add_output(w->b->g, v.value, err);
    }
    json_decref(names);
    return st;
}

static enum luc_status read_sequential(struct walk *w, const json_t *layers, struct luc_error *err)
{
    const json_t *first = json_array_get(layers, 0), *config = json_object_get(first, "config");
    enum luc_status st = LUC_OK;
    if (strcmp(luc_tfjs_text(first, "class_name", ""), "InputLayer") != 0)
        st = add_input(w, "input", input_shape(config), err);
    for (size_t i = 0; !st && i < json_array_size(layers); i++) {
        const struct tfjs_value last = w->n ? w->values[w->n - 1] : (struct tfjs_value){ 0 };
        st = read_layer(w, json_array_get(layers, i), w->n ? &last : NULL, err);
    }
    return st ? st : luc_graph_add_output(w->b->g, w->values[w->n - 1].value, err);
}

enum luc_status luc_tfjs_read_layers(struct tfjs_build *b, const json_t *topology,
                                     struct luc_error *err)
{
    const json_t *model = json_object_get(topology, "model_config");
    model = model ? model : topology;
    const json_t *config = json_object_get(model, "config");
    const json_t *layers = json_is_array(config) ? config : json_object_get(config, "layers");
    const size_t n = json_array_size(layers);
    if (n == 0 || n > LAYERS_MAX)
        return luc_fail(err, n ? LUC_TOO_LARGE : LUC_FORMAT,
                        "a Keras network of 1 to %d layers is wanted, not %zu", LAYERS_MAX, n);
    struct walk w = { .b = b, .index = json_object(), .values = calloc(n + 1, sizeof(*w.values)) };
    enum luc_status st = LUC_OK;
    if (!w.index || !w.values)
        st = luc_fail_nomem(err, "layers", n * sizeof(*w.values));
    if (!st)
        st = strcmp(luc_tfjs_text(model, "class_name", ""), "Sequential") == 0
                 ? read_sequential(&w, layers, err)
                 : read_functional(&w, layers, json_object_get(config, "output_layers"), err);
    json_decref(w.index);
    free(w.values);
    return st;
}
