#include "core/tensor/npy.h"

#include <math.h>
#include <string.h>

#define MAGIC      "\x93NUMPY"
#define MAGIC_SIZE 6
#define HEADER_MAX 4096 /* characters; an honest header has about 118 */

static void put_u32(unsigned char b[4], uint32_t v)
{
    for (int i = 0; i < 4; i++)
        b[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t get_le(const unsigned char *b, size_t n)
{
    uint64_t v = 0;
    for (size_t i = n; i-- > 0;)
        v = v << 8 | b[i];
    return v;
}

static void put_floats(const float *v, size_t n, struct luc_str *out)
{
    unsigned char block[4 * 1024];
    for (size_t i = 0; i < n;) {
        size_t k = 0;
        for (; k < sizeof(block) && i < n; k += 4, i++) {
            uint32_t bits;
            memcpy(&bits, &v[i], sizeof(bits));
            put_u32(block + k, bits);
        }
        luc_str_put(out, block, k);
    }
}

void luc_npy_write(const struct luc_tensor *tensor, struct luc_str *out)
{
    const struct luc_shape *s = &tensor->shape;
    struct luc_str dict = { 0 };
    luc_str_puts(&dict, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (size_t i = 0; i < s->rank; i++)
        luc_str_printf(&dict, i + 1 < s->rank ? "%zu, " : s->rank == 1 ? "%zu," : "%zu", s->dim[i]);
    luc_str_puts(&dict, "), }");
    while ((MAGIC_SIZE + 4 + dict.len + 1) % 64 && !dict.failed)
        luc_str_puts(&dict, " ");
    luc_str_puts(&dict, "\n");
    const unsigned char head[4] = { 1, 0, dict.len & 0xff, (dict.len >> 8) & 0xff };
    luc_str_put(out, MAGIC, MAGIC_SIZE);
    luc_str_put(out, head, sizeof(head));
    luc_str_put(out, dict.data ? dict.data : "", dict.len);
    put_floats(tensor->data, luc_numel(s), out);
    out->failed = out->failed || dict.failed;
    luc_str_done(&dict);
}

struct element {
    const char *descr;
    enum luc_dtype dtype;
    size_t size;
    uint64_t sign; /* the sign bit, of signed integers */
};

static const struct element elements[] = {
    { "<f4", LUC_F32, 4, 0 },
    { "<f8", LUC_F64, 8, 0 },
    { "<i4", LUC_I32, 4, (uint64_t)1 << 31 },
    { "<i8", LUC_I64, 8, (uint64_t)1 << 63 },
    { "|u1", LUC_U8, 1, 0 },
    { "|i1", LUC_I8, 1, (uint64_t)1 << 7 },
    { "|b1", LUC_BOOL, 1, 0 },
};

static bool element_value(const struct element *e, const unsigned char *b, float *out)
{
    const uint64_t bits = get_le(b, e->size);
    if (e->dtype == LUC_F32) {
        memcpy(out, &(uint32_t){ (uint32_t)bits }, sizeof(*out));
        return true;
    }
    if (e->dtype == LUC_F64) {
        double v;
        memcpy(&v, &bits, sizeof(v));
        *out = (float)v;
        return true;
    }
    if (e->dtype == LUC_U8 || e->dtype == LUC_BOOL) {
        *out = (float)bits;
        return true;
    }
    const uint64_t extended = (bits ^ e->sign) - e->sign; /* two's complement, widened */
    int64_t v;
    memcpy(&v, &extended, sizeof(v));
    *out = (float)v;
    return fabs((double)v) <= LUC_EXACT_INT || v == INT64_MIN || v == INT64_MAX;
}

/* The text after 'key': in the header's dict, or NULL. */
static const char *member(const char *dict, const char *key)
{
    const char *p = strstr(dict, key);
    if (!p)
        return NULL;
    p += strlen(key);
    p += strspn(p, " ");
    if (*p++ != ':')
        return NULL;
    return p + strspn(p, " ");
}

static enum luc_status parse_shape(const char *p, struct luc_shape *shape, struct luc_error *err)
{
    struct luc_shape s = { 0 };
    if (!p || *p++ != '(')
        return luc_fail(err, LUC_FORMAT, "npy: the header has no shape");
    for (p += strspn(p, " "); *p != ')'; p += strspn(p, " ")) {
        size_t v = 0, digits = 0;
        for (; *p >= '0' && *p <= '9' && digits < 18; p++, digits++)
            v = v * 10 + (size_t)(*p - '0');
        if (digits == 0 || digits == 18)
            return luc_fail(err, LUC_FORMAT, "npy: the shape is not a list of sizes");
        if (s.rank == LUC_MAX_RANK)
            return luc_fail(err, LUC_UNSUPPORTED, "npy: more than %d dimensions", LUC_MAX_RANK);
        s.dim[s.rank++] = v;
        p += strspn(p, " ");
        if (*p == ',')
            p++;
        else if (*p != ')')
            return luc_fail(err, LUC_FORMAT, "npy: the shape is not a list of sizes");
    }
    *shape = s;
    return luc_shape_check(shape, "npy", err);
}

static enum luc_status parse_header(const char *dict, const struct element **element,
                                    struct luc_shape *shape, struct luc_error *err)
{
    const char *order = member(dict, "'fortran_order'"), *descr = member(dict, "'descr'");
    if (!order || !descr)
        return luc_fail(err, LUC_FORMAT, "npy: the header lacks descr or fortran_order");
    if (strncmp(order, "False", 5) != 0)
        return luc_fail(err, LUC_UNSUPPORTED, "npy: save it in C order (numpy.ascontiguousarray)");
    for (size_t i = 0; i < sizeof(elements) / sizeof(*elements); i++)
        if (descr[0] == '\'' && strncmp(descr + 1, elements[i].descr, 3) == 0 && descr[4] == '\'') {
            *element = &elements[i];
            return parse_shape(member(dict, "'shape'"), shape, err);
        }
    return luc_fail(err, LUC_UNSUPPORTED, "npy: element type %.8s is not supported, use float32",
                    descr);
}

/* Where the header's text starts and how long it is. */
static enum luc_status find_header(const unsigned char *b, size_t size, size_t *start, size_t *len,
                                   struct luc_error *err)
{
    if (size < MAGIC_SIZE + 6 || memcmp(b, MAGIC, MAGIC_SIZE) != 0)
        return luc_fail(err, LUC_FORMAT, "not an npy file");
    const unsigned version = b[MAGIC_SIZE];
    if (version < 1 || version > 3)
        return luc_fail(err, LUC_UNSUPPORTED, "npy: version %u", version);
    const size_t width = version == 1 ? 2 : 4;
    *start = MAGIC_SIZE + 2 + width;
    *len = (size_t)get_le(b + MAGIC_SIZE + 2, width);
    if (*len > HEADER_MAX)
        return luc_fail(err, LUC_FORMAT, "npy: a header of %zu bytes", *len);
    if (*len > size - *start)
        return luc_fail(err, LUC_FORMAT, "npy: the file ends inside its header");
    return LUC_OK;
}

enum luc_status luc_npy_read(const void *bytes, size_t size, struct luc_arena *arena,
                             struct luc_tensor *tensor, struct luc_error *err)
{
    const unsigned char *b = bytes;
    size_t start = 0, len = 0;
    enum luc_status st = find_header(b, size, &start, &len, err);
    if (st)
        return st;
    char dict[HEADER_MAX + 1];
    memcpy(dict, b + start, len);
    dict[len] = '\0';
    const struct element *e = NULL;
    struct luc_tensor t = { 0 };
    st = parse_header(dict, &e, &t.shape, err);
    if (st || !e)
        return st;
    const size_t n = luc_numel(&t.shape), have = size - start - len;
    if (have / e->size < n)
        return luc_fail(err, LUC_FORMAT, "npy: the file is truncated: %zu of %zu elements",
                        have / e->size, n);
    t.dtype = e->dtype;
    t.data = luc_arena_raw(arena, n, sizeof(float));
    if (!t.data)
        return luc_fail_nomem(err, "npy", n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        if (!element_value(e, b + start + len + i * e->size, &t.data[i]))
            return luc_fail(err, LUC_UNSUPPORTED, "npy: an integer above 2^24 would lose digits");
    *tensor = t;
    return LUC_OK;
}
