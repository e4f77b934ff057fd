#!/bin/sh
# usage: docs/make_gallery.sh [LUCIDA [--models DIR]]
# Makes every picture of docs/gallery.md again. What the page shows under a picture is the command
# here: one line `make NAME METHOD [--PARAMETER VALUE]...` for each, all of static/cat.jpg (CC0) but
# for those that need no picture.
set -eu
cd "$(dirname "$0")/.."
lucida=${1:-build/release/lucida}
[ $# -eq 0 ] || shift
models=$*

make() { # NAME METHOD ARGUMENTS...
    name=$1
    method=$2
    shift 2
    ask "$method" static/cat.jpg "$@"
}

ask() { # METHOD [PICTURE] ARGUMENTS..., into the picture called $name
    # shellcheck disable=SC2086
    "$lucida" run "$@" $models --format jpeg --quality 82 -o "docs/gallery/$name.jpg" 2>/dev/null
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

make segment segment --method grad-cam --output contour

# inspect
name=filters
ask filters --columns 16
make activations activations --layer res2c --channels 24 --columns 6

# generate
name=goose
ask visualize --target goose
name=volcano
ask visualize --target volcano
name=tabby
ask visualize --target tabby --seed 1
name=yosinski
ask visualize --target volcano --preset yosinski
name=simonyan
ask visualize --target volcano --preset simonyan
name=channels
ask visualize --layer res4c_2b --channel 0-5 --size 112
make dream dream --size 400
make invert invert --layers conv1,res2c,res3d,res4f --size 160
make texture texture --size 224 --sample_size 224 --layers conv1,res2c,res3d
make fool fool --target teapot --epsilon 4 --judge jpeg --jpeg_quality 82
make fast_style fast-style --model cartoon_hayao,cartoon_paprika

size=$(cat docs/gallery/*.jpg | wc -c)
[ "$size" -lt 1000000 ] || {
    echo "all pictures together must stay under 1 MB, they are $size bytes" >&2
    exit 1
}
