#!/bin/sh
# usage: cross_aarch64.sh BUILD   Builds the kernels for aarch64 and runs them under qemu beside their
# definitions. Needs gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user.
set -eu
cd "$(dirname "$0")/.."
build=${1:?usage: cross_aarch64.sh BUILD}
for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
    command -v "$tool" >/dev/null || { echo "skipped: needs $tool"; exit 77; }
done
program=$build/cross_kernels_aarch64
# All of core/kernels; of core/base what needs no other library (hash.c needs OpenSSL).
# shellcheck disable=SC2046  # file names are words
aarch64-linux-gnu-gcc -std=gnu17 -O2 -ffp-contract=fast -Wall -Wextra -Wno-psabi -I. -static \
    -ffunction-sections -fdata-sections -Wl,--gc-sections -o "$program" \
    tests/cross_kernels.c $(find core/kernels core/base -name '*.c' ! -name hash.c) \
    core/tensor/tensor.c -lm -pthread
exec qemu-aarch64 "$program"
