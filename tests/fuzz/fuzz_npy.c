#include "core/tensor/npy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct luc_arena *arena = luc_arena_create((size_t)1 << 24);
    struct luc_tensor t;
    struct luc_error err;
    if (arena && luc_npy_read(data, size, arena, &t, &err) == LUC_OK) {
        struct luc_str out = { 0 };
        luc_npy_write(&t, &out);
        luc_str_done(&out);
    }
    luc_arena_destroy(arena);
    return 0;
}
