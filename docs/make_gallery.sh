#!/bin/sh
# usage: docs/make_gallery.sh [LUCIDA [--models DIR]]
# Makes every picture of docs/gallery.md again. What the page shows under a picture is the command
# here: one line `make NAME METHOD [--PARAMETER VALUE]...` for each, all of static/cat.jpg (CC0).
set -eu
cd "$(dirname "$0")/.."
lucida=${1:-build/release/lucida}
[ $# -eq 0 ] || shift
models=$*

make() { # NAME METHOD ARGUMENTS...
    name=$1
    method=$2
    shift 2
    # shellcheck disable=SC2086
    "$lucida" run "$method" static/cat.jpg "$@" $models --format jpeg --quality 82 \
        -o "docs/gallery/$name.jpg" 2>/dev/null
    echo "docs/gallery/$name.jpg"
}

# explain
make saliency saliency
make smoothgrad smoothgrad
make integrated-gradients integrated-gradients
make guided-backprop guided-backprop
make grad-cam grad-cam
make grad-cam-vs grad-cam --target Egyptian_cat --vs tiger_cat
make score-cam score-cam
make occlusion occlusion --patch 48 --stride 16
make rise rise --masks 400
make evaluate evaluate --method grad-cam
make compare compare --methods "grad-cam, score-cam, rise masks=200, occlusion stride=32, \
integrated-gradients steps=20, guided-backprop, saliency"

# inspect: add lines here

# generate: add lines here

size=$(cat docs/gallery/*.jpg | wc -c)
[ "$size" -lt 1000000 ] || {
    echo "all pictures together must stay under 1 MB, they are $size bytes" >&2
    exit 1
}
