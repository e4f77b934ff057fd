/* names.c -- classes and layers by the names people use. */
#include "core/model/model.h"
#include "core/model/suggest.h"

#include <stdio.h>
#include <string.h>

static const char *label_at(const struct luc_model *m, size_t index)
{
    return index < m->n_labels && m->labels[index] ? m->labels[index] : "";
}

const char *luc_model_label(const struct luc_model *m, size_t index, char buf[32])
{
    if (*label_at(m, index))
        return m->labels[index];
    snprintf(buf, 32, "class %zu", index);
    return buf;
}

/* The next of a label's names, separated by ", "; NULL at the end. */
static const char *next_name(const char **rest, size_t *len)
{
    const char *name = *rest;
    if (!*name)
        return NULL;
    const char *end = strstr(name, ", ");
    *len = end ? (size_t)(end - name) : strlen(name);
    *rest = end ? end + 2 : name + *len;
    return name;
}

static bool label_matches(const char *label, const char *name, bool whole)
{
    size_t n = strlen(name), len;
    if (whole)
        return *label && luc_name_equal(label, strlen(label), name, n);
    for (const char *rest = label, *one; (one = next_name(&rest, &len));)
        if (luc_name_equal(one, len, name, n))
            return true;
    return false;
}

static enum luc_status ambiguous(const struct luc_model *m, const char *name, bool whole,
                                 struct luc_error *err)
{
    char list[120] = "";
    size_t used = 0;
    for (size_t i = 0; i < m->n_labels && used < sizeof list; i++)
        if (label_matches(label_at(m, i), name, whole))
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%zu", used ? ", " : "", i);
    return luc_fail(err, LUC_INVALID, "'%.60s' names several classes: give the index, one of %s",
                    name, list);
}

/* *found tells how many labels match; *index is the first. */
static size_t count_matches(const struct luc_model *m, const char *name, bool whole, size_t *index)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n_labels; i++)
        if (label_matches(label_at(m, i), name, whole) && n++ == 0)
            *index = i;
    return n;
}

static enum luc_status by_index(const struct luc_model *m, const char *text, size_t *index,
                                struct luc_error *err)
{
    size_t i = 0;
    for (const char *p = text; *p; p++)
        i = i > m->n_classes ? i : i * 10 + (size_t)(*p - '0');
    if (i >= m->n_classes)
        return luc_fail(err, LUC_RANGE, "class %.20s is out of range: %s knows 0 to %zu", text,
                        m->name, m->n_classes - 1);
    *index = i;
    return LUC_OK;
}

enum luc_status luc_model_class(const struct luc_model *m, const char *name, size_t *index,
                                struct luc_error *err)
{
    if (m->logits == LUC_NONE)
        return luc_fail(err, LUC_INVALID, "%s is not a classifier and has no classes", m->name);
    if (*name && name[strspn(name, "0123456789")] == '\0')
        return by_index(m, name, index, err);
    for (int whole = 1; whole >= 0; whole--) {
        size_t first = 0, n = count_matches(m, name, whole, &first);
        if (n > 1)
            return ambiguous(m, name, whole, err);
        if (n == 1) {
            *index = first;
            return LUC_OK;
        }
    }
    if (!m->n_labels)
        return luc_fail(err, LUC_NOT_FOUND, "%s has no class names: give an index, 0 to %zu",
                        m->name, m->n_classes - 1);
    struct luc_suggest s;
    luc_suggest_init(&s, name);
    for (size_t i = 0; i < m->n_labels; i++) {
        size_t len;
        for (const char *rest = label_at(m, i), *one; (one = next_name(&rest, &len));)
            luc_suggest_offer(&s, one, len);
    }
    char buf[140];
    return luc_fail(err, LUC_NOT_FOUND, "%s knows no class '%.60s'%s", m->name, name,
                    luc_suggest_print(&s, buf, sizeof buf));
}

static bool is_layer(const struct luc_graph *g, size_t value)
{
    const struct luc_value *v = &g->values[value];
    return v->is_input || v->producer != LUC_NONE;
}

static enum luc_status no_layer(const struct luc_model *m, const char *name, struct luc_error *err)
{
    struct luc_suggest s;
    luc_suggest_init(&s, name);
    for (size_t i = 0; i < m->n_aliases; i++)
        if (is_layer(m->graph, m->aliases[i].value))
            luc_suggest_offer(&s, m->aliases[i].name, strlen(m->aliases[i].name));
    for (size_t i = 0; i < m->graph->n_values; i++)
        if (is_layer(m->graph, i))
            luc_suggest_offer(&s, m->graph->values[i].name, strlen(m->graph->values[i].name));
    char buf[160];
    return luc_fail(err, LUC_NOT_FOUND, "%s has no layer '%.60s'%s", m->name, name,
                    luc_suggest_print(&s, buf, sizeof buf));
}

enum luc_status luc_model_layer(const struct luc_model *m, const char *name, size_t *value,
                                struct luc_error *err)
{
    size_t v = LUC_NONE;
    for (size_t i = 0; v == LUC_NONE && i < m->n_aliases; i++)
        if (!strcmp(m->aliases[i].name, name))
            v = m->aliases[i].value;
    if (v == LUC_NONE)
        v = luc_graph_find(m->graph, name);
    if (v == LUC_NONE)
        return no_layer(m, name, err);
    if (m->graph->values[v].constant.data)
        return luc_fail(err, LUC_NOT_FOUND, "'%.80s' is a weight of %s, not a layer", name,
                        m->name);
    if (!is_layer(m->graph, v))
        return luc_fail(err, LUC_NOT_FOUND,
                        "'%.80s' of %s was folded into the layer that follows it and cannot be "
                        "read: name that one",
                        name, m->name);
    *value = v;
    return LUC_OK;
}
