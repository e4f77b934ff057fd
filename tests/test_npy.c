#include "core/tensor/npy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct luc_str npy_of(const char *dict, const void *data, size_t size)
{
    struct luc_str s = { 0 };
    const unsigned char head[10] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)strlen(dict), 0
    };
    luc_str_put(&s, head, sizeof(head));
    luc_str_puts(&s, dict);
    luc_str_put(&s, data, size);
    return s;
}

static enum luc_status read_npy(struct luc_arena *arena, const char *dict, const void *data,
                                size_t size, struct luc_tensor *t)
{
    struct luc_str s = npy_of(dict, data, size);
    const enum luc_status st = luc_npy_read(s.data, s.len, arena, t, NULL);
    luc_str_done(&s);
    return st;
}

static void npy__what_is_written_reads_back(void **state)
{
    float data[6] = { 0, -1.5f, 3e38f, 1e-40f, 5, 6 };
    for (size_t rank = 0; rank <= 3; rank++) {
        struct luc_tensor t = { .data = data }, back;
        const size_t dims[3] = { 3, 2, 1 };
        t.shape.rank = rank;
        memcpy(t.shape.dim, dims, sizeof(dims));
        struct luc_str out = { 0 };
        luc_npy_write(&t, &out);
        assert_false(out.failed);
        assert_int_equal((out.len - 4 * luc_numel(&t.shape)) % 64, 0);
        assert_int_equal(luc_npy_read(out.data, out.len, *state, &back, NULL), LUC_OK);
        assert_true(luc_shape_equal(&t.shape, &back.shape));
        assert_memory_equal(back.data, data, 4 * luc_numel(&t.shape));
        for (size_t cut = 0; cut < out.len; cut++)
            assert_int_equal(luc_npy_read(out.data, cut, *state, &back, NULL), LUC_FORMAT);
        luc_str_done(&out);
    }
}

static void npy__other_element_types_become_floats(void **state)
{
    struct luc_tensor t;
    const double f8[2] = { 0.5, -2 };
    assert_int_equal(read_npy(*state, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }",
                              f8, sizeof(f8), &t),
                     LUC_OK);
    assert_true(t.dtype == LUC_F64 && t.data[0] == 0.5f && t.data[1] == -2.0f);
    const int8_t i1[2] = { -128, 127 };
    assert_int_equal(read_npy(*state, "{'descr': '|i1', 'fortran_order': False, 'shape': (2,), }",
                              i1, sizeof(i1), &t),
                     LUC_OK);
    assert_true(t.data[0] == -128.0f && t.data[1] == 127.0f);
    const int64_t i8[3] = { -7, INT64_MAX, INT64_MIN };
    assert_int_equal(read_npy(*state, "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }",
                              i8, sizeof(i8), &t),
                     LUC_OK);
    assert_true(t.data[0] == -7.0f && t.data[1] > 9e18f && t.data[2] < -9e18f);
    const int64_t big = 16777217;
    assert_int_equal(read_npy(*state, "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }",
                              &big, sizeof(big), &t),
                     LUC_UNSUPPORTED);
    const uint8_t u1[2] = { 0, 255 };
    assert_int_equal(read_npy(*state, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }",
                              u1, sizeof(u1), &t),
                     LUC_OK);
    assert_true(t.data[1] == 255.0f);
}

static void npy__hostile_headers_are_refused(void **state)
{
    struct luc_tensor t;
    const float v[4] = { 0 };
    static const char *const bad[] = {
        "{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999,9,9), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2 2), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }",
        "{'descr': '<f4', 'shape': (2,), }",
        "",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_not_equal(read_npy(*state, bad[i], v, sizeof(v), &t), LUC_OK);
}

static int make_arena(void **state)
{
    *state = luc_arena_create((size_t)1 << 20);
    return *state ? 0 : -1;
}

static int drop_arena(void **state)
{
    luc_arena_destroy(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_arena, drop_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(npy__what_is_written_reads_back),
        TEST(npy__other_element_types_become_floats),
        TEST(npy__hostile_headers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
