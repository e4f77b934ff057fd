/* Runs a fuzz target over every file of the corpus directories given, without libFuzzer: what the
 * fuzzer once found stays found in ordinary builds. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) {
        fprintf(stderr, "cannot read %s\n", path);
        return 1;
    }
    const long size = ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1); /* exact: overruns show under ASan */
    const int bad = !bytes || size < 0 || fread(bytes, 1, (size_t)size, f) != (size_t)size;
    fclose(f);
    if (!bad)
        LLVMFuzzerTestOneInput(bytes, (size_t)size);
    free(bytes);
    return bad;
}

static int run_directory(const char *directory, int *n)
{
    struct dirent **list = NULL;
    const int found = scandir(directory, &list, NULL, alphasort);
    if (found < 0) {
        fprintf(stderr, "no directory %s\n", directory);
        return 1;
    }
    int bad = 0;
    for (int i = 0; i < found; i++) {
        char path[4096];
        const int len = snprintf(path, sizeof(path), "%s/%s", directory, list[i]->d_name);
        if (list[i]->d_name[0] != '.' && len > 0 && (size_t)len < sizeof(path)) {
            bad |= run_file(path);
            ++*n;
        }
        free(list[i]);
    }
    free(list);
    return bad;
}

int main(int argc, char **argv)
{
    int n = 0, bad = 0;
    for (int i = 1; i < argc; i++)
        bad |= run_directory(argv[i], &n);
    printf("%d inputs replayed\n", n);
    return bad || n == 0;
}
