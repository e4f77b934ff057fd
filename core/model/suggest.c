#include "core/model/suggest.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LONGEST 80 /* characters compared; longer names are near only as far as they are equal */

static char fold(char c)
{
    return c == '_' ? ' ' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool luc_name_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
    if (a_len != b_len)
        return false;
    for (size_t i = 0; i < a_len; i++)
        if (fold(a[i]) != fold(b[i]))
            return false;
    return true;
}

static bool contains(const char *text, size_t len, const char *part, size_t part_len)
{
    for (size_t i = 0; i + part_len <= len; i++)
        if (luc_name_equal(text + i, part_len, part, part_len))
            return true;
    return false;
}

/* Levenshtein distance. */
static size_t edits(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t change = diagonal + (fold(a[i - 1]) != fold(b[j - 1]));
            size_t one_more = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < one_more ? change : one_more;
        }
    }
    return row[b_len];
}

void luc_suggest_init(struct luc_suggest *s, const char *wanted)
{
    *s = (struct luc_suggest){ .wanted = wanted, .wanted_len = strlen(wanted) };
}

/* SIZE_MAX: too far to be meant. A name that holds the other counts as two slips at most. */
static size_t distance(const struct luc_suggest *s, const char *name, size_t len)
{
    if (!len || len > LONGEST || !s->wanted_len || s->wanted_len > LONGEST)
        return SIZE_MAX;
    if (s->wanted_len > 2 && contains(name, len, s->wanted, s->wanted_len))
        return len == s->wanted_len ? 0 : 1 + (len - s->wanted_len) / 8;
    size_t d = edits(s->wanted, s->wanted_len, name, len);
    size_t most = s->wanted_len / 3 > 1 ? s->wanted_len / 3 : 1;
    return d <= most ? d : SIZE_MAX;
}

void luc_suggest_offer(struct luc_suggest *s, const char *name, size_t len)
{
    size_t d = distance(s, name, len), at = s->n;
    for (size_t i = 0; i < s->n; i++)
        if (luc_name_equal(s->best[i].name, s->best[i].len, name, len))
            return;
    while (at > 0 && s->best[at - 1].distance > d)
        at--;
    if (d == SIZE_MAX || at == LUC_SUGGEST_MAX)
        return;
    if (s->n < LUC_SUGGEST_MAX)
        s->n++;
    memmove(&s->best[at + 1], &s->best[at], (s->n - 1 - at) * sizeof s->best[0]);
    s->best[at].name = name;
    s->best[at].len = len;
    s->best[at].distance = d;
}

const char *luc_suggest_print(const struct luc_suggest *s, char *buf, size_t size)
{
    size_t used = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < s->n && used < size; i++) {
        const char *before = i == 0 ? ": did you mean " : i + 1 < s->n ? ", " : " or ";
        used += (size_t)snprintf(buf + used, size - used, "%s'%.*s'%s", before, (int)s->best[i].len,
                                 s->best[i].name, i + 1 < s->n ? "" : "?");
    }
    return buf;
}
