#!/bin/sh
# usage: make_shared_models.sh SHARED OUTDIR
# Makes OUTDIR a models directory of the networks in SHARED/models: a link to each file and the JSON
# that describes it. Exits with 77 when they are not there.
set -eu
shared=$1/models out=$2
[ -f "$shared/squeezenet1_1.onnx" ] || { echo "skipped: needs ../shared/models"; exit 77; }
mkdir -p "$out"
shared=$(cd "$shared" && pwd)

# describe NAME TITLE TASK INPUT REST: REST are further members, "" or starting with a comma
describe() {
    ln -sf "$shared/$1.onnx" "$out/$1.onnx"
    cat >"$out/$1.json.new" <<EOF
{ "name": "$1", "title": "$2", "task": "$3", "licence": "for tests", "file": "$1.onnx",
  "input": $4$5 }
EOF
    mv "$out/$1.json.new" "$out/$1.json"
}

# counted OPERATOR NAME..: one alias per name, for the first, second, .. node of the operator
counted() {
    op=$1 nth=0
    shift
    for name; do
        printf '%s"%s": {"op": "%s", "nth": %d}' "${comma-}" "$name" "$op" "$nth"
        comma=', ' nth=$((nth + 1))
    done
}

vgg_names() { # PREFIX
    for layer in 1_1 1_2 2_1 2_2 3_1 3_2 3_3 3_4 4_1 4_2 4_3 4_4 5_1 5_2 5_3 5_4; do
        echo "$1$layer"
    done
}

fires=$(counted Concat fire2 fire3 fire4 fire5 fire6 fire7 fire8 fire9)
describe squeezenet1_1 "SqueezeNet 1.1" classify \
    '{"channels": "RGB", "mean": [123.675, 116.28, 103.53],
    "scale": [0.0171247538317, 0.0175070028011, 0.0174291938998], "size": [224, 224]}' \
    ", \"labels\": \"imagenet\",
  \"aliases\": { \"conv1\": {\"op\": \"Relu\", \"nth\": 0}, $fires,
    \"conv10\": {\"op\": \"Relu\", \"nth\": 25} }"

# shellcheck disable=SC2046  # the names are words without blanks
vgg=$(counted Conv $(vgg_names conv) && comma=', ' && counted Relu $(vgg_names relu) &&
    comma=', ' && counted MaxPool pool1 pool2 pool3 pool4 pool5)
describe vgg19_features "VGG-19, its convolutions" features \
    '{"channels": "RGB", "mean": [123.68, 116.779, 103.939], "scale": 1, "size": null}' \
    ", \"aliases\": { $vgg }"

for style in candy mosaic; do
    describe "style_$style" "Fast style transfer: $style" style \
        '{"channels": "RGB", "mean": 0, "scale": 1, "size": null}' \
        ', "output": {"channels": "RGB", "mean": 0, "scale": 1}'
done
