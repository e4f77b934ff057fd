#include "api/accept.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How exactly the range [at, at + size) names `type`: 3 itself, 2 its family, 1 anything, 0 not. */
static int match(const char *at, size_t size, const char *type)
{
    const size_t family = strcspn(type, "/") + 1;
    if (size == strlen(type) && strncasecmp(at, type, size) == 0)
        return 3;
    if (size == family + 1 && strncasecmp(at, type, family) == 0 && at[family] == '*')
        return 2;
    return size == 3 && memcmp(at, "*/*", 3) == 0 ? 1 : 0;
}

/* "0.8" and the like; anything else counts as 1. */
static double quality(const char *params, size_t size)
{
    for (size_t i = 0; i + 2 < size; i++)
        if ((params[i] == 'q' || params[i] == 'Q') && params[i + 1] == '=' &&
            (params[i + 2] == '0' || params[i + 2] == '1')) {
            double q = params[i + 2] - '0', unit = 0.1;
            for (size_t k = i + 4; params[i + 2] == '0' && k < size && k < i + 7; k++) {
                if (params[k] < '0' || params[k] > '9')
                    break;
                q += unit * (params[k] - '0');
                unit /= 10;
            }
            return q;
        }
    return 1;
}

/* The quality that `accept` gives `type`: that of the most exact range. */
static double wanted(const char *accept, const char *type)
{
    double q = 0;
    int best = 0;
    for (const char *at = accept; *at;) {
        at += strspn(at, " \t,");
        const size_t whole = strcspn(at, ","), size = strcspn(at, ",; \t");
        const int how = match(at, size, type);
        if (how > best) {
            best = how;
            q = quality(at + size, whole - size);
        }
        at += whole;
    }
    return q;
}

size_t api_accept_best(const char *accept, const char *const *types, size_t n)
{
    size_t best = n;
    double best_q = 0;
    if (!accept || accept[strspn(accept, " \t")] == '\0')
        return 0;
    for (size_t i = 0; i < n; i++) {
        const double q = wanted(accept, types[i]);
        if (q > best_q) {
            best = i;
            best_q = q;
        }
    }
    return best;
}
