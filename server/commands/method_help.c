#include "server/commands/method_help.h"

#include <stdio.h>

static void print_bounds(const struct luc_param *p)
{
    switch (p->type) {
    case LUC_PARAM_INT:
    case LUC_PARAM_REAL:
        printf(" (%.15g to %.15g%s%s, default %.15g)", p->min, p->max, *p->unit ? " " : "", p->unit,
               p->def);
        break;
    case LUC_PARAM_BOOL: printf(" (default %s)", p->def != 0 ? "true" : "false"); break;
    case LUC_PARAM_CHOICE:
        for (size_t i = 0; p->choices[i]; i++)
            printf("%s%s%s", i ? " | " : " (", p->choices[i],
                   i == (size_t)p->def ? " [default]" : "");
        printf(")");
        break;
    case LUC_PARAM_TEXT:
    case LUC_PARAM_INTS:
    case LUC_PARAM_REALS: printf(" (default '%s')", p->def_text ? p->def_text : ""); break;
    }
}

void srv_method_help(const struct api_method *what)
{
    const struct luc_method *m = what->method;
    const struct luc_param *rows;
    printf("usage: lucida run %s%s [-o FILE] [--PARAMETER VALUE]...\n\n%s\n", m->name,
           m->images_max == 0   ? ""
           : m->images_max == 1 ? " IMAGE"
                                : " IMAGE...",
           m->summary);
    if (*m->paper)
        printf("%s\n", m->paper);
    printf("\n");
    for (size_t i = 0; (rows = api_method_table(m, i)); i++)
        for (const struct luc_param *p = rows; p->key; p++) {
            printf("  --%-16s %s", p->key, p->doc);
            print_bounds(p);
            printf("\n");
        }
}
