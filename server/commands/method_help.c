#include "server/commands/method_help.h"

#include <stdio.h>

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
            struct luc_str help = { 0 };
            luc_param_help(p, &help);
            printf("  --%-16s %s %s\n", p->key, p->doc, help.data ? help.data : "");
            luc_str_done(&help);
        }
}
