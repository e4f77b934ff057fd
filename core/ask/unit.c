#include "core/ask/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void luc_unit_of_class(const char target[LUC_TEXT_MAX], const char vs[LUC_TEXT_MAX],
                       struct luc_unit_params *p)
{
    *p = (struct luc_unit_params){ .position = "max" };
    memcpy(p->target, target, LUC_TEXT_MAX);
    memcpy(p->vs, vs, LUC_TEXT_MAX);
}

enum luc_status luc_unit_value(struct luc_run *run, const struct luc_unit_params *p, size_t *value,
                               struct luc_error *err)
{
    if (*p->layer) {
        if (*p->vs)
            return luc_fail_param(err, LUC_INVALID, "vs",
                                  "vs: compares two classes; leave layer out or vs");
        const enum luc_status st = luc_model_layer(run->model, p->layer, value, err);
        if (st && err)
            memcpy(err->param, "layer", sizeof("layer"));
        return st;
    }
    if (run->model->logits == LUC_NONE)
        return luc_fail_param(err, LUC_INVALID, "layer",
                              "layer: '%.60s' knows no classes; name the layer to explain",
                              run->model->name);
    if (p->channel.given || strcmp(p->position, "max") != 0)
        return luc_fail_param(err, LUC_INVALID, "layer",
                              "layer: channel and position need the layer they lie in");
    *value = run->model->logits;
    return LUC_OK;
}

/* "max", or "ROW,COLUMN" inside height x width. */
static enum luc_status parse_position(const char *text, size_t height, size_t width, bool *any,
                                      size_t at[2], struct luc_error *err)
{
    const size_t limit[2] = { height, width };
    *any = strcmp(text, "max") == 0;
    for (int i = 0; i < 2 && !*any; i++) {
        char *end = NULL;
        if (*text < '0' || *text > '9')
            return luc_fail_param(err, LUC_INVALID, "position",
                                  "position: '%.40s' is not max or ROW,COLUMN", text);
        const unsigned long v = strtoul(text, &end, 10);
        if (*end != (i ? '\0' : ','))
            return luc_fail_param(err, LUC_INVALID, "position",
                                  "position: '%.40s' is not max or ROW,COLUMN", text);
        if (v >= limit[i])
            return luc_fail_param(err, LUC_RANGE, "position",
                                  "position: %s %lu, but the layer has %zu", i ? "column" : "row",
                                  v, limit[i]);
        at[i] = v;
        text = end + 1;
    }
    return LUC_OK;
}

static enum luc_status find_neuron(const struct luc_unit_params *p, const struct luc_tensor *held,
                                   struct luc_unit *u, struct luc_error *err)
{
    char text[LUC_SHAPE_TEXT];
    const struct luc_shape *s = &held->shape;
    if ((s->rank != 2 && s->rank != 4) || s->dim[0] != 1 || luc_numel(s) == 0)
        return luc_fail_param(err, LUC_SHAPE, "layer",
                              "layer: '%.60s' is %s, not channels of one picture", p->layer,
                              luc_shape_print(s, text));
    const size_t channels = s->dim[1], h = s->rank == 4 ? s->dim[2] : 1;
    const size_t w = s->rank == 4 ? s->dim[3] : 1, plane = h * w;
    bool any = true;
    size_t at[2] = { 0, 0 }, best = LUC_NONE;
    if (p->channel.v >= (int64_t)channels)
        return luc_fail_param(err, LUC_RANGE, "channel",
                              "channel: %lld, but the layer has %zu channels",
                              (long long)p->channel.v, channels);
    const enum luc_status st = parse_position(p->position, h, w, &any, at, err);
    if (st)
        return st;
    for (size_t i = 0; i < channels * plane; i++) {
        if (!isfinite(held->data[i]))
            return luc_fail(err, LUC_INVALID,
                            "the layer's answer is not finite: check the model's preprocessing");
        if ((!p->channel.given || i / plane == (size_t)p->channel.v) &&
            (any || i % plane == at[0] * w + at[1]) &&
            (best == LUC_NONE || held->data[i] > held->data[best]))
            best = i;
    }
    u->plane = plane;
    u->width = w;
    u->channel = best / plane;
    u->row = best % plane / w;
    u->column = best % w;
    return LUC_OK;
}

enum luc_status luc_unit_find(struct luc_run *run, const struct luc_unit_params *p,
                              const struct luc_tensor *held, size_t value, struct luc_unit *unit,
                              struct luc_error *err)
{
    struct luc_unit u = { .value = value, .is_class = !*p->layer, .against = LUC_NONE };
    enum luc_status st = LUC_OK;
    if (u.is_class) {
        struct luc_target other = { 0 };
        st = luc_target_find(run, p->target, held, &u.target, err);
        if (!st && *p->vs) {
            st = luc_target_find(run, p->vs, held, &other, err);
            u.against = other.index;
            if (st && err)
                memcpy(err->param, "vs", sizeof("vs"));
            else if (!st && other.index == u.target.index)
                st = luc_fail_param(err, LUC_INVALID, "vs", "vs: is the same class as target");
        }
    } else {
        st = find_neuron(p, held, &u, err);
    }
    if (st)
        return st;
    u.score = luc_unit_score(&u, held);
    *unit = u;
    return LUC_OK;
}

double luc_unit_score(const struct luc_unit *u, const struct luc_tensor *held)
{
    if (!u->is_class)
        return (double)held->data[u->channel * u->plane + u->row * u->width + u->column];
    const double s = (double)held->data[u->target.index];
    return u->against == LUC_NONE ? s : s - (double)held->data[u->against];
}

void luc_unit_seed(const struct luc_unit *u, struct luc_tensor *seed)
{
    memset(seed->data, 0, luc_numel(&seed->shape) * sizeof(float));
    if (!u->is_class) {
        seed->data[u->channel * u->plane + u->row * u->width + u->column] = 1.0f;
        return;
    }
    seed->data[u->target.index] = 1.0f;
    if (u->against != LUC_NONE)
        seed->data[u->against] = -1.0f;
}

static enum luc_status report_neuron(struct luc_run *run, const struct luc_unit *u,
                                     struct luc_error *err)
{
    const struct {
        const char *key;
        double value;
    } all[] = { { "channel", (double)u->channel },
                { "row", (double)u->row },
                { "column", (double)u->column },
                { "activation", u->score } };
    enum luc_status st =
        luc_result_text(run->result, "layer", run->model->graph->values[u->value].name, err);
    for (size_t i = 0; !st && i < sizeof(all) / sizeof(all[0]); i++)
        st = luc_result_number(run->result, all[i].key, all[i].value, err);
    return st;
}

enum luc_status luc_unit_report(struct luc_run *run, const struct luc_unit *u,
                                struct luc_error *err)
{
    char buf[32];
    if (!u->is_class)
        return report_neuron(run, u, err);
    enum luc_status st = luc_target_report(run, &u->target, err);
    if (!st && u->against != LUC_NONE) {
        st = luc_result_text(run->result, "vs", luc_model_label(run->model, u->against, buf), err);
        if (!st)
            st = luc_result_number(run->result, "difference", u->score, err);
    }
    return st;
}

enum luc_status luc_unit_of(enum luc_status st, struct luc_error *err)
{
    static const char *const keys[] = { "layer", "channel", "position" };
    for (size_t i = 0; st && err && i < sizeof(keys) / sizeof(keys[0]); i++) {
        char text[LUC_ERROR_TEXT];
        if (strcmp(err->param, keys[i]) != 0)
            continue;
        const bool named = strncmp(err->text, keys[i], strlen(keys[i])) == 0;
        snprintf(text, sizeof(text), "%s%.240s", named ? LUC_UNIT_OF : "", err->text);
        luc_fail_param(err, st, "", "%s", text);
        snprintf(err->param, sizeof(err->param), LUC_UNIT_OF "%s", keys[i]);
        break;
    }
    return st;
}
