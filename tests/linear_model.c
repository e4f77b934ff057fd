#include "tests/linear_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT ((size_t)16 << 20)

static enum luc_status linear_infer(struct luc_infer *x, struct luc_error *err)
{
    (void)err;
    x->out[0].shape = (struct luc_shape){ 2, { x->in[0]->shape.dim[0], x->in[1]->shape.dim[0] } };
    return LUC_OK;
}

static void linear_forward(const struct luc_op_call *c)
{
    const size_t n = LINEAR_PIXELS, classes = LINEAR_CLASSES;
    for (size_t i = 0; i < c->out[0]->shape.dim[0] * classes; i++) {
        const float *w = c->in[1]->data + i % classes * n, *x = c->in[0]->data + i / classes * n;
        c->out[0]->data[i] = 0;
        for (size_t k = 0; k < n; k++)
            c->out[0]->data[i] += w[k] * x[k];
    }
}

static void linear_backward(const struct luc_op_call *c)
{
    const size_t n = luc_numel(&c->in[0]->shape);
    for (size_t k = 0; k < c->out[0]->shape.dim[1]; k++)
        for (size_t i = 0; i < n; i++)
            c->din[0]->data[i] += c->in[1]->data[k * n + i] * c->dout[0]->data[k];
}

static const struct luc_op linear = { .name = "Linear",
                                      .n_in_min = 2,
                                      .n_in_max = 2,
                                      .infer = linear_infer,
                                      .forward = linear_forward,
                                      .backward = linear_backward };

static size_t value(struct luc_graph *g, const char *name)
{
    size_t v = LUC_NONE;
    assert_int_equal(luc_graph_value(g, name, &v, NULL), LUC_OK);
    return v;
}

static void build_graph(struct linear_model *m, struct luc_graph *g)
{
    const struct luc_shape in = luc_shape4(1, 3, LINEAR_SIZE, LINEAR_SIZE);
    const size_t io[2] = { value(g, "x"), value(g, "w") }, out = value(g, "logits");
    struct luc_tensor w = { .shape = { 2, { LINEAR_CLASSES, LINEAR_PIXELS } } };
    w.data = luc_arena_alloc(g->arena, LINEAR_CLASSES * LINEAR_PIXELS, sizeof(float));
    struct luc_rng rng;
    luc_rng_seed(&rng, 1);
    for (size_t i = 0; i < LINEAR_CLASSES * LINEAR_PIXELS; i++)
        w.data[i] = (float)(luc_rng_normal(&rng) * 0.001);
    m->weights = w.data;
    assert_int_equal(luc_graph_add_input(g, io[0], &in, NULL), LUC_OK);
    assert_int_equal(luc_graph_set_constant(g, io[1], &w, NULL), LUC_OK);
    assert_int_equal(luc_graph_add_node(g, &linear, "fc", io, 2, &out, 1, NULL, NULL), LUC_OK);
    assert_int_equal(luc_graph_add_output(g, out, NULL), LUC_OK);
    assert_int_equal(luc_graph_finish(g, NULL), LUC_OK);
}

void linear_model_init(struct linear_model *m)
{
    static const char *const labels[] = { "ant", "bee, honeybee", "cat", "dog", "eel" };
    memset(m, 0, sizeof(*m));
    struct luc_graph *g = luc_graph_create(LIMIT);
    build_graph(m, g);
    m->model = (struct luc_model){ .name = "linear",
                                   .title = "Linear",
                                   .licence = "",
                                   .hash = "",
                                   .graph = g,
                                   .in = { .channels = LUC_RGB,
                                           .scale = { 1, 1, 1 },
                                           .width = LINEAR_SIZE,
                                           .height = LINEAR_SIZE },
                                   .input = luc_graph_find(g, "x"),
                                   .logits = luc_graph_find(g, "logits"),
                                   .n_classes = LINEAR_CLASSES,
                                   .n_labels = LINEAR_CLASSES,
                                   .labels = labels };
    assert_int_equal(luc_image_create(LINEAR_SIZE, LINEAR_SIZE, 3, &m->photo, NULL), LUC_OK);
    for (size_t i = 0; i < LINEAR_PIXELS; i++)
        m->photo.data[i] = (uint8_t)(i * 5);
    luc_params_default(luc_input_rows, &m->input);
    linear_model_again(m);
}

void linear_model_again(struct linear_model *m)
{
    luc_result_done(&m->result);
    luc_arena_destroy(m->arena);
    m->arena = luc_arena_create(LIMIT);
    luc_result_init(&m->result, m->arena);
    m->run = (struct luc_run){ .model = &m->model,
                               .pictures = luc_source_of(&m->photo),
                               .n_images = 1,
                               .input = &m->input,
                               .arena = m->arena,
                               .result = &m->result };
}

void linear_model_done(struct linear_model *m)
{
    luc_result_done(&m->result);
    luc_arena_destroy(m->arena);
    luc_image_done(&m->photo);
    luc_graph_destroy(m->model.graph);
}
