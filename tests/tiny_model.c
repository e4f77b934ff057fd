#define _XOPEN_SOURCE 700
#include "tests/tiny_model.h"

#include "tests/onnx_build.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not assert(): the release preset leaves that out. */
static void must(bool ok)
{
    if (!ok)
        abort();
}

char *tiny_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    char path[512];
    snprintf(path, sizeof(path), "%s/lucida-test-XXXXXX", tmp ? tmp : "/tmp");
    char *made = mkdtemp(path);
    must(made != NULL);
    return strdup(made);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

void tiny_remove(char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(folder);
}

void tiny_write(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    must(f != NULL);
    const size_t n = fwrite(bytes, 1, size, f);
    must(n == size);
    fclose(f);
}

void tiny_write_text(const char *folder, const char *name, const char *text)
{
    tiny_write(folder, name, text, strlen(text));
}

static void weight(struct onnx_build *b, const char *name, size_t rank, const int64_t *dims)
{
    size_t n = 1;
    for (size_t i = 0; i < rank; i++)
        n *= (size_t)dims[i];
    float *v = malloc(n * sizeof(*v));
    must(v != NULL);
    for (size_t i = 0; i < n; i++)
        v[i] = (float)((i * 7919) % 101) / 101 - 0.5f;
    Onnx__TensorProto *t = ob_tensor(b, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, rank, dims);
    ob_raw(b, t, v, n * sizeof(*v));
    ob_weight(b, t);
    free(v);
}

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

void tiny_write_onnx(const char *folder, bool any_size, size_t weights)
{
    struct onnx_build b;
    ob_init(&b, 13);
    const int64_t side = any_size ? -1 : 8, more = (int64_t)weights;
    ob_input(&b, "x", 4, (int64_t[]){ 1, 3, side, side });
    weight(&b, "w0", 4, (int64_t[]){ 5, 3, 3, 3 });
    weight(&b, "w1", 4, (int64_t[]){ 4, 5, 8, 8 });
    if (weights > 0)
        weight(&b, "ballast", 1, &more);
    Onnx__AttributeProto *pads =
        ob_attribute(&b, ob_node(&b, "Conv", "n0", LIST("x", "w0"), LIST("c0")), "pads");
    int64_t ones[] = { 1, 1, 1, 1 };
    pads->has_type = 1;
    pads->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
    pads->ints = ones;
    pads->n_ints = 4;
    ob_node(&b, "Relu", "n1", LIST("c0"), LIST("r0"));
    ob_node(&b, "Conv", "n2", LIST("r0", "w1"), LIST("c1"));
    ob_node(&b, "Flatten", "n3", LIST("c1"), LIST("flat"));
    ob_node(&b, "Softmax", "n4", LIST("flat"), LIST("prob"));
    ob_output(&b, "prob");
    size_t size;
    const unsigned char *bytes = ob_pack(&b, &size);
    tiny_write(folder, "tiny.onnx", bytes, size);
    ob_done(&b);
}
