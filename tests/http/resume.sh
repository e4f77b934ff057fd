#!/bin/sh
# usage: resume.sh BUILD   For every method with checkpoints: the server is killed with SIGKILL in the
# middle of a job and started again; the job goes on where it was and ends with the bytes of one that
# nothing disturbed.
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/lib.sh"

serve_slowly() { # a checkpoint after every step
    start --workers 2 --threads 1 --checkpoint-s 0 --lease-s 2
}

submit() { # CURL-ARGUMENTS PATH: $job
    want 202 -H 'Prefer: respond-async' "$@"
    job=$(jq -r .id "$work/body")
}

result() {
    until_has '.state == "succeeded"'
    curl -s -H 'Accept: image/png' "$url/jobs/$job/result" | sha256sum | cut -c1-64
}

# NAME STEP-TO-KILL-AT PATH: a job whose steps are many and quick
resumes() {
    name=$1 least=$2 path=$3
    given="image=@$cat_jpg"
    [ "$name" != visualize ] || given=seed=1 # made from nothing
    start --workers 2 --threads 1
    submit -F "$given" "$path"
    whole=$(result)
    stop
    serve_slowly
    submit -F "$given" "$path"
    until_has ".state == \"running\" and .step >= $least"
    kill -9 "$pid"
    wait "$pid" 2>/dev/null || :
    pid=
    serve_slowly
    until_has '.attempt == 2 and .step > 0'
    at=$(jq .step "$work/body")
    check "$name goes on: at step $at, killed after $least" [ "$at" -ge "$least" ]
    stop
    start --workers 2 --threads 1
    check "$name, killed, has the bytes of $name, not killed" [ "$(result)" = "$whole" ]
    body '.attempt >= 2'
    stop
    echo "$name: killed at step $least, seen again at $at"
}

resumes fool 800 '/fool?model=tiny&method=cw&steps=1000&starts=5'
resumes visualize 120 '/visualize?model=any&layer=r0&size=48&steps=400'
resumes invert 120 '/invert?model=any&layers=r0&size=48&steps=400'
resumes texture 120 '/texture?model=any&layers=r0&size=48&steps=400'
resumes dream 120 '/dream?model=any&layers=r0&size=96&steps=300'
