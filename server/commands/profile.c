#include "server/commands/profile.h"

#include <stdlib.h>
#include <string.h>

struct srv_profile_row {
    char name[64]; /* the end of a longer one, which tells more than its beginning */
    const struct luc_op *op;
    struct luc_shape shape;
    bool backward;
    size_t n;
    double ms, flops;
};

static const char *last_part(const char *name)
{
    const size_t n = strlen(name), room = sizeof(((struct srv_profile_row *)NULL)->name) - 1;
    return n > room ? name + n - room : name;
}

static struct srv_profile_row *find_row(const struct srv_profile *p, const struct luc_timing *t)
{
    const char *name = last_part(t->node->name);
    for (size_t i = 0; i < p->n; i++) {
        struct srv_profile_row *row = &p->rows[i];
        if (row->op == t->node->op && row->backward == t->backward && !strcmp(row->name, name) &&
            luc_shape_equal(&row->shape, t->shape))
            return row;
    }
    return NULL;
}

static struct srv_profile_row *add_row(struct srv_profile *p, const struct luc_timing *t)
{
    if (p->n == p->cap) {
        const size_t cap = p->cap ? 2 * p->cap : 256;
        struct srv_profile_row *rows = realloc(p->rows, cap * sizeof(*rows));
        if (!rows)
            return NULL;
        p->rows = rows, p->cap = cap;
    }
    struct srv_profile_row *row = &p->rows[p->n++];
    *row =
        (struct srv_profile_row){ .op = t->node->op, .shape = *t->shape, .backward = t->backward };
    snprintf(row->name, sizeof(row->name), "%s", last_part(t->node->name));
    return row;
}

void srv_profile_step(void *profile, const struct luc_timing *timing)
{
    struct srv_profile *p = profile;
    struct srv_profile_row *row = find_row(p, timing);
    if (!row)
        row = add_row(p, timing);
    if (!row) {
        p->short_of_memory = true;
        return;
    }
    row->n++;
    row->ms += timing->ms;
    row->flops += timing->flops;
}

static void print_row(const struct srv_profile_row *row, double total, FILE *to)
{
    char shape[96] = "";
    size_t used = 0;
    for (size_t i = 0; i < row->shape.rank && used < sizeof(shape) - 24; i++)
        used += (size_t)snprintf(shape + used, sizeof(shape) - used, i ? "x%zu" : "%zu",
                                 row->shape.dim[i]);
    fprintf(to, "%-22s %-32s %-16s %6zu %10.3f", row->op ? row->op->name : "sum", row->name, shape,
            row->n, row->ms);
    if (row->flops > 0 && row->ms > 0)
        fprintf(to, " %8.1f", row->flops / row->ms / 1e6);
    else
        fprintf(to, " %8s", "-");
    fprintf(to, " %6.1f%s\n", total > 0 ? 100 * row->ms / total : 0.0,
            row->backward ? "  gradient" : "");
}

void srv_profile_print(const struct srv_profile *p, FILE *to)
{
    struct srv_profile_row sum = { .name = "" };
    for (size_t i = 0; i < p->n; i++)
        sum.n += p->rows[i].n, sum.ms += p->rows[i].ms, sum.flops += p->rows[i].flops;
    fprintf(to, "%-22s %-32s %-16s %6s %10s %8s %6s\n", "operator", "name", "shape", "runs", "ms",
            "GFLOP/s", "%");
    for (size_t i = 0; i < p->n; i++)
        print_row(&p->rows[i], sum.ms, to);
    print_row(&sum, sum.ms, to);
    if (p->short_of_memory)
        fprintf(to, "memory was short: steps are missing\n");
}

void srv_profile_done(struct srv_profile *p)
{
    free(p->rows);
    *p = (struct srv_profile){ 0 };
}
