/* embed.h -- files that are part of the program; cmake/embed.cmake makes the tables. */
#ifndef LUC_BASE_EMBED_H
#define LUC_BASE_EMBED_H

#include <stddef.h>

struct luc_embedded {
    const char *name;          /* path below the embedded folder; NULL ends a table */
    const unsigned char *data; /* a zero byte follows the last one */
    size_t size;
};

#endif
