/* suggest.h -- "did you mean": names compared without case, '_' equal to ' ', and the nearest ones. */
#ifndef LUC_MODEL_SUGGEST_H
#define LUC_MODEL_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

#define LUC_SUGGEST_MAX 3

struct luc_suggest {
    const char *wanted;
    size_t wanted_len, n;
    struct {
        const char *name;
        size_t len, distance;
    } best[LUC_SUGGEST_MAX]; /* nearest first */
};

/* Borrows `wanted` and what is offered. Starts over with a zeroed list. */
void luc_suggest_init(struct luc_suggest *s, const char *wanted);
/* Keeps name[0..len) when it is among the nearest and near enough to be meant. */
void luc_suggest_offer(struct luc_suggest *s, const char *name, size_t len);
/* ": did you mean 'a', 'b' or 'c'?", or "" when nothing was near. Returns buf. */
const char *luc_suggest_print(const struct luc_suggest *s, char *buf, size_t size);

/* Whether two names are the same but for case and '_'. */
bool luc_name_equal(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
