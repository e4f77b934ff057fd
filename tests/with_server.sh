#!/bin/sh
# usage: with_server.sh BUILD COMMAND...   Starts BUILD/lucida on a free port with whatever classifier
# is at hand, runs COMMAND with LUCIDA_TEST_URL set, stops the server, and ends with COMMAND's status
# (77, skipped, when there is no network to serve). The server must end by itself with status 0.
set -eu
cd "$(dirname "$0")/.."
build=$(cd "${1:?usage: with_server.sh BUILD COMMAND...}" && pwd)
shift
work=$(mktemp -d)
pid=
finish() {
    status=$?
    trap - EXIT
    if [ -n "$pid" ]; then
        kill -TERM "$pid" 2>/dev/null || :
        wait "$pid" || { echo "the server ended with status $?"; tail -n 5 "$work/log"; status=1; }
    fi
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM

shared=${LUCIDA_SHARED:-../shared}
pulled=${LUCIDA_TEST_MODELS:-}
mkdir "$work/models"
if [ -n "$pulled" ] && [ -e "$pulled/resnet50/model.json" ]; then
    model=resnet50
    models=$pulled
elif [ -e "$shared/models/squeezenet1_1.onnx" ]; then
    model=squeezenet1_1
    models=$work/models
    tests/make_shared_models.sh "$shared" "$models"
else
    echo 'skipped: needs ResNet-50 (lucida models pull) or ../shared/models/squeezenet1_1.onnx'
    exit 77
fi

: >"$work/out"
LUCIDA_DEFAULT_MODEL=$model LUCIDA_MODELS=$models LUCIDA_DATA=$work/data \
    "$build/lucida" serve --listen 127.0.0.1:0 >"$work/out" 2>"$work/log" </dev/null &
pid=$!
for _ in $(seq 300); do
    LUCIDA_TEST_URL=$(sed -n 's|^lucida answers on \(http://[^/]*\)/.*|\1|p' "$work/out")
    [ -z "$LUCIDA_TEST_URL" ] || break
    kill -0 "$pid" 2>/dev/null || { pid=; echo 'the server did not start:'; cat "$work/log"; exit 1; }
    sleep 0.1
done
[ -n "$LUCIDA_TEST_URL" ] || { echo 'the server did not say its address'; cat "$work/out" "$work/log"; exit 1; }
LUCIDA_TEST_BUILD=$build
LUCIDA_TEST_SERVED=$models
LUCIDA_TEST_SERVED_MODEL=$model
LUCIDA_TEST_DATA=$work/data
export LUCIDA_TEST_DATA
export LUCIDA_TEST_URL LUCIDA_TEST_BUILD LUCIDA_TEST_SERVED LUCIDA_TEST_SERVED_MODEL
"$@" </dev/null
