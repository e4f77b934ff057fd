#!/bin/sh
# usage: keys.sh BUILD   Keys and their limits, black box: who may ask, who sees what, how much.
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/lib.sh"

keys() { "$build/lucida" keys "$@" --config /dev/null --data "$work/data" 2>"$work/said"; }
code() { curl -s -o /dev/null -w '%{http_code}' "$@"; }

# ---- without keys -------------------------------------------------------------------------------
start
want 202 -H 'Prefer: respond-async' -F "image=@$cat_jpg" '/occlusion?patch=3'
before=$(jq -r .id "$work/body")
want 200 "/jobs/$before"

# ---- the first key closes the server while it runs ------------------------------------------------
a=$(keys add "Ada's laptop")
check 'a key is shown' sh -c "echo '$a' | grep -qE '^lucida_[0-9a-f]{12}_[0-9a-f]{48}\$'"
check 'and said to be shown once' grep -q 'shown once' "$work/said"
check 'its secret is not in the store' sh -c "! grep -rqa '${a##*_}' '$work/data'"
for _ in $(seq 40); do
    [ "$(code "$url/methods")" != 401 ] || break
    sleep 0.1
done
for path in /methods /models /jobs "/jobs/$before" /metrics /openapi.json /nothing; do
    want 401 "$path"
    has WWW-Authenticate Bearer
    body '.type == "/problems/unauthorized" and (.detail | test("Bearer"))'
done
want 401 -F "image=@$cat_jpg" /saliency
want 401 -X OPTIONS /saliency
for path in / /static/lab.js /livez /readyz; do want 200 "$path"; done
for bad in "Bearer $a"x "Bearer ${a%?}" "Basic $a" "$a" 'Bearer ' 'Bearer lucida_'; do
    want 401 -H "Authorization: $bad" /methods
done
want 200 -H "Authorization: Bearer $a" /methods
want 200 -H "authorization: bearer $a" /methods
want 404 -H "Authorization: Bearer $a" "/jobs/$before"

# ---- what belongs to one key is nobody else's -----------------------------------------------------
b=$(keys add b)
for _ in $(seq 40); do
    [ "$(code -H "Authorization: Bearer $b" "$url/methods")" != 200 ] || break
    sleep 0.1
done
submit() { # KEY IDEMPOTENCY-KEY PATH
    want 202 -H "Authorization: Bearer $1" -H "Idempotency-Key: $2" -H 'Prefer: respond-async' -F "image=@$cat_jpg" "$3"
    job=$(jq -r .id "$work/body")
}
submit "$a" k1 '/occlusion?patch=3'
of_a=$job
submit "$b" k1 '/occlusion?patch=3&stride=2'
of_b=$job
check 'owners do not see each other'"'"'s Idempotency-Keys' [ "$of_a" != "$of_b" ]
for _ in $(seq 100); do
    [ "$(curl -s -H "Authorization: Bearer $a" "$url/jobs/$of_a" | jq -r .state)" != succeeded ] || break
    sleep 0.1
done
want 200 -H "Authorization: Bearer $a" "/jobs/$of_a/result"
for path in "/jobs/$of_a" "/jobs/$of_a/result" "/jobs/$of_a/events" "/jobs/$of_a/preview"; do
    want 404 -H "Authorization: Bearer $b" "$path"
done
want 404 -H "Authorization: Bearer $b" -X DELETE "/jobs/$of_a"
want 200 -H "Authorization: Bearer $b" /jobs
body "[.jobs[].id] == [\"$of_b\"]"

# ---- revoking -----------------------------------------------------------------------------------
check 'keys are listed' sh -c "'$build/lucida' keys list --config /dev/null --data '$work/data' | grep -q \"Ada's laptop\""
id=${a#lucida_}
id=${id%_*}
check 'a key is revoked' keys revoke "$id"
check 'not twice' sh -c "! '$build/lucida' keys revoke $id --config /dev/null --data '$work/data' 2>/dev/null"
for _ in $(seq 40); do
    [ "$(code -H "Authorization: Bearer $a" "$url/methods")" != 401 ] || break
    sleep 0.1
done
want 401 -H "Authorization: Bearer $a" /methods
want 200 -H "Authorization: Bearer $b" /methods
stop

# ---- limits; and with keys any address may be listened on -----------------------------------------
start --listen 0.0.0.0:0 --key-requests 30 --key-queued 2 --key-running 1 --workers 4
url=$(echo "$url" | sed 's/0\.0\.0\.0/127.0.0.1/')
slow='/style?model=any&style_layers=r0&content_layer=c0&beta=20&sizes=96&steps=10000'
post_slow() { want "$1" -H "Authorization: Bearer $b" -F "image=@$cat_jpg" -F "image=@$cat_jpg" "$slow"; }
post_slow 202
first=$(jq -r .id "$work/body")
for _ in $(seq 100); do # asks of the store, so that the requests of this minute are left for below
    [ "$(sqlite3 "$work/data/jobs.sqlite" "SELECT state FROM jobs WHERE id = '$first'")" != 1 ] || break
    sleep 0.1
done
post_slow 202
post_slow 202
states=$(sqlite3 "$work/data/jobs.sqlite" 'SELECT group_concat(state) FROM (SELECT state FROM jobs WHERE state < 2 ORDER BY seq)')
check "one runs, the others wait: $states" [ "$states" = 1,0,0 ]
post_slow 429
body '.type == "/problems/too-many-requests" and (.detail | test("key_queued"))'
has Retry-After '[1-9]'
for job in $(sqlite3 "$work/data/jobs.sqlite" 'SELECT id FROM jobs WHERE state < 2'); do
    want 200 -H "Authorization: Bearer $b" -X DELETE "/jobs/$job"
done
for _ in $(seq 40); do
    got=$(ask -H "Authorization: Bearer $b" /methods)
    [ "$got" = 200 ] || break
done
check 'too many in a minute are refused' [ "$got" = 429 ]
body '.type == "/problems/too-many-requests" and (.detail | test("key_requests"))'
after=$(tr -d '\r' <"$work/head" | sed -n 's/^[Rr]etry-[Aa]fter: //p')
check "Retry-After is true: $after s" [ "$after" -ge 1 ]
for path in /livez /readyz /; do want 200 "$path"; done
sleep "$after"
want 200 -H "Authorization: Bearer $b" /methods
