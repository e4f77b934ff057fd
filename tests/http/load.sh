#!/bin/sh
# Many at once: equal bytes for everyone; a full queue says so; work is finished before the end.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
start --workers 2 --queue 100
want 200 -F "image=@$cat_jpg" /saliency
cp "$work/body" "$work/one"
seq 64 | xargs -P 64 -I{} curl -s -o "$work/many.{}" -F "image=@$cat_jpg" "$url/saliency"
same=0
for i in $(seq 64); do
    cmp -s "$work/one" "$work/many.$i" && same=$((same + 1))
done
check "64 at once are equal: $same are" test "$same" -eq 64
stop

# One worker, one place: of 24 at once some are turned away, with 503 and Retry-After, none fails.
start --workers 1 --queue 1
seq 24 | xargs -P 24 -I{} curl -s -o /dev/null -D "$work/head.{}" -w '%{http_code}\n' -F "image=@$cat_jpg" \
    "$url/saliency" >"$work/statuses"
check 'only 200 and 503' sh -c "! grep -vE '^(200|503)\$' '$work/statuses'"
check 'some are answered' grep -q 200 "$work/statuses"
check 'some are turned away' grep -q 503 "$work/statuses"
check 'and told when to come back' sh -c "grep -qi '^retry-after: [0-9]' '$work'/head.*"

stop

# SIGTERM while requests compute: what was taken is answered, nothing new is taken.
start --workers 1 --queue 50
seq 12 | xargs -P 12 -I{} curl -s -o /dev/null -w '%{http_code}\n' -F "image=@$cat_jpg" "$url/saliency" >"$work/last" &
askers=$!
for _ in $(seq 100); do # until the first answer shows that the others wait
    grep -q '"status":200' "$work/log" && break
    sleep 0.05
done
stop
wait "$askers" || :
check 'the port is closed' sh -c "! curl -s -o /dev/null '$url/livez'"
check 'what was taken was answered' sh -c "jq -e 'select(.request) | .status != 200 and .status != 503' '$work/log' | grep -q true && exit 1 || exit 0"
check 'requests were in work' grep -q 'going down: [1-9]' "$work/log"
check 'a client saw an answer or a closed port' sh -c "! grep -vE '^(200|503|000)\$' '$work/last'"

# Clients that leave: together they ask for far more than is done while they wait; their jobs are given
# up instead of computed.
start --workers 1 --queue 100
seq 60 | xargs -P 60 -I{} curl -s --max-time 0.1 -o /dev/null -F "image=@$cat_jpg" -F patch=3 -F stride=1 "$url/occlusion" || :
want 200 -F "image=@$cat_jpg" /saliency
stop
check 'jobs of clients that left are given up' grep -q '"status":503.*given up' "$work/log"
