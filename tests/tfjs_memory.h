/* tfjs_memory.h -- TensorFlow.js networks out of memory, for tests and fuzzing. */
#ifndef TESTS_TFJS_MEMORY_H
#define TESTS_TFJS_MEMORY_H

#include "core/formats/tfjs.h"

#include <stdint.h>
#include <string.h>

/* "model.json" and the shards "a", "b", "c" and so on. */
struct tfjs_memory {
    struct luc_file json, shards[4];
    size_t n_open; /* files that were opened and not closed */
};

static inline enum luc_status tfjs_memory_open(void *ctx, const char *name, size_t limit,
                                               struct luc_file *f, struct luc_error *err)
{
    struct tfjs_memory *m = ctx;
    const struct luc_file *found = NULL;
    if (strcmp(name, "model.json") == 0)
        found = &m->json;
    else if (name[0] >= 'a' && name[0] < 'e' && name[1] == '\0')
        found = &m->shards[name[0] - 'a'];
    if (!found)
        return luc_fail(err, LUC_NOT_FOUND, "%s: not there", name);
    if (found->size > limit)
        return luc_fail(err, LUC_TOO_LARGE, "%s: too large", name);
    *f = *found;
    m->n_open++;
    return LUC_OK;
}

static inline void tfjs_memory_close(void *ctx, struct luc_file *f)
{
    struct tfjs_memory *m = ctx;
    m->n_open--;
    *f = (struct luc_file){ 0 };
}

static inline enum luc_status tfjs_memory_read(struct tfjs_memory *m, struct luc_graph *g,
                                               struct luc_error *err)
{
    const struct luc_tfjs_source source = { m, tfjs_memory_open, tfjs_memory_close };
    return luc_tfjs_read_from(&source, "model.json", g, err);
}

#endif
