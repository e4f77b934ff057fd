#define _GNU_SOURCE /* memmem */
#include "api/multipart.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define BOUNDARY_MAX 70   /* RFC 2046, section 5.1.1 */
#define HEAD_MAX     4096 /* bytes of one part's header lines */

bool api_media_is(const char *content_type, const char *want)
{
    const size_t n = strlen(want);
    if (!content_type || strncasecmp(content_type, want, n) != 0)
        return false;
    const char after = content_type[n];
    return want[n - 1] == '/' ? isalnum((unsigned char)after) != 0
                              : after == '\0' || after == ';' || after == ' ' || after == '\t';
}

static struct api_view skip_space(struct api_view v)
{
    while (v.size && (*v.at == ' ' || *v.at == '\t'))
        v.at++, v.size--;
    return v;
}

/* Takes one value, quoted or not, from the front of *v. */
static struct api_view take_value(struct api_view *v)
{
    struct api_view value = { v->at, 0 };
    const bool quoted = v->size && *v->at == '"';
    size_t i = quoted ? 1 : 0;
    if (quoted)
        value.at++;
    for (; i < v->size && (quoted ? v->at[i] != '"' : v->at[i] != ';'); i++)
        if (quoted && v->at[i] == '\\' && i + 1 < v->size)
            i++;
    value.size = i - (quoted ? 1 : 0);
    while (!quoted && value.size && (value.at[value.size - 1] == ' '))
        value.size--;
    if (quoted && i < v->size)
        i++;
    else if (quoted)
        value.size = 0; /* the quote never ends */
    v->at += i, v->size -= i;
    return value;
}

/* The parameter `key` of a header value such as `form-data; name="a"; filename="b;c"`. */
static bool find_parameter(struct api_view v, const char *key, struct api_view *value)
{
    const size_t n = strlen(key);
    take_value(&v); /* the value before the first parameter */
    while (v.size) {
        v.at++, v.size--; /* the semicolon, or what stands in its place */
        v = skip_space(v);
        const char *equals = memchr(v.at, '=', v.size);
        if (!equals)
            return false;
        const size_t name_size = (size_t)(equals - v.at);
        const bool found = name_size == n && strncasecmp(v.at, key, n) == 0;
        v.at = equals + 1, v.size -= name_size + 1;
        struct api_view taken = take_value(&v);
        if (found)
            return *value = taken, true;
        v = skip_space(v);
    }
    return false;
}

/* The next header line; false at the empty line that ends the head. */
static bool take_line(struct api_view *head, struct api_view *line)
{
    const char *end = memmem(head->at, head->size, "\r\n", 2);
    line->at = head->at;
    line->size = end ? (size_t)(end - head->at) : head->size;
    const size_t used = line->size + (end ? 2 : 0);
    head->at += used, head->size -= used;
    return line->size > 0;
}

static bool part_name(struct api_view head, struct api_view *name, struct api_view *file)
{
    static const char want[] = "content-disposition:";
    struct api_view line;
    while (take_line(&head, &line)) {
        if (line.size < sizeof(want) - 1 || strncasecmp(line.at, want, sizeof(want) - 1) != 0)
            continue;
        line.at += sizeof(want) - 1, line.size -= sizeof(want) - 1;
        line = skip_space(line);
        if (!find_parameter(line, "filename", file))
            *file = (struct api_view){ line.at, 0 };
        return line.size >= 9 && strncasecmp(line.at, "form-data", 9) == 0 &&
               find_parameter(line, "name", name) && name->size > 0;
    }
    return false;
}

/* "\r\n--boundary" into `mark`; returns its size, 0 when the header has no usable boundary. */
static size_t read_boundary(const char *content_type, char mark[BOUNDARY_MAX + 4])
{
    struct api_view v = { content_type, strlen(content_type) }, boundary;
    if (!api_media_is(content_type, "multipart/form-data") ||
        !find_parameter(v, "boundary", &boundary) || boundary.size == 0 ||
        boundary.size > BOUNDARY_MAX)
        return 0;
    memcpy(mark, "\r\n--", 4);
    memcpy(mark + 4, boundary.at, boundary.size);
    return boundary.size + 4;
}

/* One part at the front of *rest, which begins behind a delimiter line. */
static enum luc_status take_part(struct api_view *rest, const char *mark, size_t mark_size,
                                 struct api_part *part, struct luc_error *err)
{
    const size_t window = rest->size < HEAD_MAX ? rest->size : HEAD_MAX;
    const char *body = memmem(rest->at, window, "\r\n\r\n", 4);
    if (!body)
        return luc_fail(err, LUC_INVALID, "form: a part's header lines do not end");
    const struct api_view head = { rest->at, (size_t)(body - rest->at) + 2 };
    if (!part_name(head, &part->name, &part->file))
        return luc_fail(err, LUC_INVALID, "form: a part has no name");
    /* The CRLF that belongs to the delimiter may be the one that ends an empty part's head. */
    rest->size -= (size_t)(body + 2 - rest->at), rest->at = body + 2;
    const char *end = memmem(rest->at, rest->size, mark, mark_size);
    if (!end)
        return luc_fail(err, LUC_INVALID, "form: cut off before its last boundary");
    part->bytes = (struct api_view){ rest->at + 2, 0 };
    if (end >= rest->at + 2)
        part->bytes.size = (size_t)(end - rest->at) - 2;
    rest->size -= (size_t)(end - rest->at) + mark_size;
    rest->at = end + mark_size;
    return LUC_OK;
}

/* Behind a boundary: true when another part follows, false at the closing "--". */
static enum luc_status after_boundary(struct api_view *rest, bool *more, struct luc_error *err)
{
    if (rest->size >= 2 && memcmp(rest->at, "--", 2) == 0)
        return *more = false, LUC_OK;
    *rest = skip_space(*rest);
    if (rest->size < 2 || memcmp(rest->at, "\r\n", 2) != 0)
        return luc_fail(err, LUC_INVALID, "form: a boundary line is damaged");
    rest->at += 2, rest->size -= 2;
    return *more = true, LUC_OK;
}

void api_file_name(struct api_view file, char name[API_NAME_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < file.size; i++)
        if (file.at[i] == '/' || file.at[i] == '\\')
            file.at += i + 1, file.size -= i + 1, i = SIZE_MAX; /* from its front again */
    for (; n < file.size && n + 1 < API_NAME_MAX; n++)
        name[n] = (unsigned char)file.at[n] < ' ' || file.at[n] == 127 ? '?' : file.at[n];
    while (n > 0 && n + 1 == API_NAME_MAX && ((unsigned char)name[n - 1] & 0xc0) == 0x80)
        n--; /* a character that was cut */
    if (n > 0 && n < file.size && (unsigned char)name[n - 1] >= 0xc0)
        n--;
    name[n] = '\0';
}

enum luc_status api_form_parse(const char *content_type, const void *body, size_t size,
                               struct api_form *form, struct luc_error *err)
{
    char mark[BOUNDARY_MAX + 4];
    const size_t mark_size = read_boundary(content_type, mark);
    if (mark_size == 0)
        return luc_fail(err, LUC_INVALID, "form: Content-Type states no usable boundary");
    struct api_view rest = { body, size };
    form->n_parts = 0;
    /* The first delimiter may stand at the very start, without its CRLF. */
    if (size >= mark_size - 2 && memcmp(rest.at, mark + 2, mark_size - 2) == 0) {
        rest.at += mark_size - 2, rest.size -= mark_size - 2;
    } else {
        const char *first = size ? memmem(rest.at, rest.size, mark, mark_size) : NULL;
        if (!first)
            return luc_fail(err, LUC_INVALID, "form: the boundary never comes");
        rest.size -= (size_t)(first - rest.at) + mark_size;
        rest.at = first + mark_size;
    }
    for (;;) {
        bool more = false;
        enum luc_status st = after_boundary(&rest, &more, err);
        if (st || !more)
            return st;
        if (form->n_parts == API_PARTS_MAX)
            return luc_fail(err, LUC_INVALID, "form: more than %d parts", API_PARTS_MAX);
        st = take_part(&rest, mark, mark_size, &form->part[form->n_parts], err);
        if (st)
            return st;
        form->n_parts++;
    }
}
