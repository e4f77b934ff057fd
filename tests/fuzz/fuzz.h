/* fuzz.h -- the one function of a fuzz target, by libFuzzer's name. It must neither crash, leak nor
 * print, whatever the bytes, and returns 0. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
