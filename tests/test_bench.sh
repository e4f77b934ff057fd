#!/bin/sh
# The benchmark itself: it lists its cases, refuses an unknown one, names what is missing, and times a
# network without any peer. Needs the release build; the last part needs ../shared.
set -eu
cd "$(dirname "$0")/.."
export LUCIDA_SHARED="${LUCIDA_SHARED:-../shared}"
fail() { echo "test_bench: $*"; exit 1; }

tests/bench/run --list | grep -qx squeezenet || fail "squeezenet is not listed"
tests/bench/run --list vgg19 | grep -qx vgg19-512 || fail "vgg19 does not choose vgg19-512"
if tests/bench/run nonesuch >/dev/null 2>&1; then fail "took an unknown case"; fi

if said=$(LUCIDA_SHARED=/nonexistent tests/bench/run squeezenet --turns 1 --peers ''); then
    fail "succeeded without a network"
fi
echo "$said" | grep -q '^missing: squeezenet: .*squeezenet1_1.onnx' || fail "does not name the network"

[ -f "$LUCIDA_SHARED/models/squeezenet1_1.onnx" ] || {
    echo "skipped: needs $LUCIDA_SHARED/models/squeezenet1_1.onnx"
    exit 77
}
said=$(NODE_PATH=/nonexistent tests/bench/run squeezenet --turns 1 --threads 1 --peers '')
echo "$said" | grep -q '^squeezenet  *1  *[0-9.]*  *[0-9.]* .* %$' || fail "no row with a share of the peak: $said"
echo "$said" | grep -q '^1 threads: peak [0-9.]* GFLOP/s' || fail "does not say the machine's peak: $said"

# one command, both thread counts, for a closing note; without a peer no goal is met or missed
said=$(tests/bench/run squeezenet --turns 1 --threads 1,2 --peers '' --markdown)
for n in 1 2; do
    echo "$said" | grep -q "^| squeezenet | $n | [0-9.]* | .* | 1x | - | [0-9]* | .*% |\$" ||
        fail "no Markdown row for $n threads: $said"
done
if tests/bench/run squeezenet --threads one >/dev/null 2>&1; then fail "took a word for a number"; fi
