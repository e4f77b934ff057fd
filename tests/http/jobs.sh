#!/bin/sh
# usage: jobs.sh BUILD   Stored jobs, black box: submission, results, events, keys, cancelling, limits.
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/lib.sh"

async='Prefer: respond-async'

# submit CURL-ARGUMENTS PATH: a job; its id in $job
submit() {
    want 202 -H "$async" -F "image=@$cat_jpg" "$@"
    job=$(jq -r .id "$work/body")
}

# submit_long: a job that runs until it is cancelled
submit_long() {
    submit -F "image=@$cat_jpg" "$slow"
}

# until_is STATE: waits for $job
until_is() {
    for _ in $(seq 300); do
        ask "/jobs/$job" >/dev/null
        [ "$(jq -r .state "$work/body")" != "$1" ] || return 0
        sleep 0.05
    done
    complain "job $job does not become $1: $(jq -c ".state, .error, .detail" "$work/body" | tr "\n" " ")"
    exit 1
}

start --workers 2 --jobs 3 --results-s 3 --connections 64

# ---- from submission to result ----------------------------------------------------------------
submit '/occlusion?stride=1&patch=3'
has Location "/jobs/$job"
has Preference-Applied respond-async
body '.state == "queued" and .method == "occlusion" and .parameters.stride == 1 and .model == "tiny"'
body '.links.self and .links.events and (.created | test("^20.*Z$")) and .attempt == 0'
until_is succeeded
body '.progress == 1 and .attempt == 1 and .finished and .expires and .links.result and .eta_s == null'
want 200 "/jobs/$job/result"
has Content-Type image/png
has Lucida-Model tiny
has Lucida-Manifest '[0-9a-f]{64}'
tag=$(tr -d '\r' <"$work/head" | sed -n 's/^ETag: //p')
want 304 -H "If-None-Match: $tag" "/jobs/$job/result"
want 200 -H 'Accept: application/json' "/jobs/$job/result"
body '.method == "occlusion" and .result.occlusion'
jq -S 'del(.request)' "$work/body" >"$work/from_job"
want 200 -H 'Accept: application/json' -F "image=@$cat_jpg" '/occlusion?stride=1&patch=3'
jq -S 'del(.request)' "$work/body" >"$work/in_place"
check 'a job gives what a request in place gives' cmp -s "$work/from_job" "$work/in_place"
want 200 "/jobs/$job/result?format=npy"
has Content-Type application/x-npy
want 406 -H 'Accept: text/plain' "/jobs/$job/result"
first=$job
submit /classify # makes no previews, however long it takes
until_is succeeded
want 404 "/jobs/$job/preview"
job=$first
want 404 /jobs/nothing
want 404 /jobs/nothing/events
want 405 -X POST -H 'Content-Length: 0' "/jobs/$job"
has Allow 'GET, HEAD, DELETE, OPTIONS'
want 409 -X DELETE "/jobs/$job"

# ---- events -----------------------------------------------------------------------------------
curl -sN --max-time 20 "$url/jobs/$job/events" >"$work/events"
check 'events end with the job' grep -q '"state":"succeeded"' "$work/events"
check 'events begin with the queue' [ "$(head -1 "$work/events")" = 'id: 1' ]
last=$(sed -n 's/^id: //p' "$work/events" | tail -1)
curl -sN --max-time 20 -H "Last-Event-ID: $((last - 1))" "$url/jobs/$job/events" >"$work/replay"
check 'only what was missed is replayed' [ "$(grep -c '^id:' "$work/replay")" = 1 ]
check 'the replay is the same' grep -q "^id: $last\$" "$work/replay"
want 204 -H "Last-Event-ID: $last" "/jobs/$job/events"
want 400 -H 'Last-Event-ID: x' "/jobs/$job/events"

# ---- prefer -----------------------------------------------------------------------------------
want 200 -H 'Prefer: respond-async, wait=20' -F "image=@$cat_jpg" '/occlusion?stride=2&patch=3'
has Content-Type image/png
has Preference-Applied 'wait=20'
has Content-Location '/jobs/.*/result'
want 400 -H "$async" -F "image=@$cat_jpg" '/occlusion?stride=x'
body '.errors[0].parameter == "stride"'
want 400 -H "$async, wait=10" -F "image=@$cat_jpg" '/occlusion?target=nosuchclass'
body '.title and .detail'

# ---- keys -------------------------------------------------------------------------------------
submit -H 'Idempotency-Key: k1' '/occlusion?stride=3&patch=3'
first=$job
submit -H 'Idempotency-Key: k1' '/occlusion?stride=3&patch=3'
check 'the same key and request give the same job' [ "$first" = "$job" ]
want 422 -H "$async" -H 'Idempotency-Key: k1' -F "image=@$cat_jpg" '/occlusion?stride=4&patch=3'
body '.type == "/problems/idempotency-key-reused"'

# ---- list -------------------------------------------------------------------------------------
until_is succeeded
want 200 '/jobs?limit=2'
body '(.jobs | length) == 2 and .cursor'
cursor=$(jq -r .cursor "$work/body")
newest=$(jq -r '.jobs[0].id' "$work/body")
check 'newest first' [ "$newest" = "$job" ]
want 200 "/jobs?cursor=$cursor&state=succeeded"
body '.jobs | length >= 1'
want 400 '/jobs?state=odd'
want 400 '/jobs?limit=0'
want 400 '/jobs?what=1'

# ---- long jobs: cancelling, a full queue, lanes -----------------------------------------------
slow='/style?model=any&style_layers=r0&content_layer=c0&beta=20&sizes=96&steps=10000'
submit_long
until_is running
want 409 "/jobs/$job/result"
want 200 -X DELETE "/jobs/$job"
until_is cancelled
want 409 "/jobs/$job/result"
submit_long; a=$job
until_is running
for _ in 1 2 3; do submit_long; waiting="${waiting:-} $job"; done
body '.queue_position == 3'
want 503 -F "image=@$cat_jpg" -F "image=@$cat_jpg" "$slow"
has Retry-After '[0-9]'
want 200 /livez
job=$a
until_has '.links.preview'
body '.step > 0 and .n_steps == 10000 and .loss > 0 and .progress > 0'
want 200 "/jobs/$a/preview"
has Content-Type image/jpeg
curl -sN --max-time 2 "$url/jobs/$a/events" >"$work/events" || :
check 'previews are events' grep -q '^event: preview' "$work/events"
for job in $waiting $a; do want 200 -X DELETE "/jobs/$job"; done
for job in $waiting $a; do until_is cancelled; done

# ---- expiry -----------------------------------------------------------------------------------
job=$first
for _ in $(seq 100); do
    [ "$(ask "/jobs/$job/result")" != 410 ] || break
    sleep 0.1
done
want 410 "/jobs/$job/result"
want 200 "/jobs/$job"
want 200 /openapi.json
body '.paths["/jobs/{job}"].get and .paths["/jobs/{job}/events"].get'

# ---- metrics ----------------------------------------------------------------------------------
want 200 /metrics
has Content-Type 'text/plain; version=0.0.4'
for line in 'lucida_jobs{state="cancelled"} [1-9]' 'lucida_requests_total{method="occlusion",status="2xx"} [1-9]' \
    'lucida_request_seconds_bucket{method="style",le="+Inf"} [1-9]' 'lucida_model_loads_total [1-9]'; do
    check "metrics: $line" grep -q "^$line" "$work/body"
done
if command -v promtool >/dev/null; then
    check 'promtool takes the metrics' promtool check metrics <"$work/body"
fi

# ---- drain: what runs goes back to the queue, and on after a start --------------------------------
submit_long
until_has '.step > 200'
step=$(jq .step "$work/body")
stop
start --workers 2
ask "/jobs/$job" >/dev/null
body '.state == "queued" or .state == "running"'
until_has '.attempt == 2 and .eta_s'
body ".step > $step"

want 200 -X DELETE "/jobs/$job"
until_is cancelled

# ---- a job's time, over its attempts; what it has made stays -----------------------------------------
stop
start --workers 2 --run-s 8 --checkpoint-s 0 --lease-s 2
submit_long
until_has '.step > 5 and .links.preview'
sleep 2
kill -9 "$pid"
wait "$pid" 2>/dev/null || :
start --workers 2 --run-s 8 --checkpoint-s 0 --lease-s 2
until_is failed
body '.error.type == "/problems/time-limit" and (.error.detail | test("run_s")) and .attempt == 2 and .links.preview'
want 422 "/jobs/$job/result"
want 200 "/jobs/$job/preview"
sql() { sqlite3 "$work/data/jobs.sqlite" "$1"; }
check 'the checkpoint stays' [ "$(sql "SELECT count(*) FROM files JOIN jobs ON job = seq WHERE id = '$job' AND role = 'checkpoint'")" = 1 ]
seconds=$(sed -n "s/.*job $job: attempt 2 failed after \([0-9.]*\) s.*/\1/p" "$work/log")
check "the second attempt had the rest of the time only: $seconds s" awk "BEGIN { exit !($seconds > 0.5 && $seconds < 6.5) }"

# ---- readiness: the default network must be there ---------------------------------------------------
want 200 /readyz
mv "$work/models/tiny.onnx" "$work/models/gone.onnx" # nobody has asked it yet: it is not loaded
want 503 /readyz
body '.detail | test("tiny.onnx.*models pull tiny")'
has Retry-After '[0-9]'
echo damaged >"$work/models/tiny.onnx"
want 200 /readyz
ask -F "image=@$cat_jpg" /classify >/dev/null
want 503 /readyz
body '.detail | test("tiny")'
mv "$work/models/gone.onnx" "$work/models/tiny.onnx"
want 200 -F "image=@$cat_jpg" /classify
want 200 /readyz
stop
LUCIDA_TEST_DEFAULT=resnet50 start
want 503 /readyz
body '.detail | test("lucida models pull resnet50")'
