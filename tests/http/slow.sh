#!/bin/sh
# usage: slow.sh BUILD   Clients that stop in the middle of an upload, and clients that do not read a large
# answer: others are served as ever, and after `idle_s` the server has closed them all.
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/lib.sh"
uploads=200
readers=20
start --workers 2 --threads 1 --idle-s 5

noise='/style?model=any&style_layers=r0&content_layer=c0&beta=20&sizes=1664&steps=1&init=noise&parametrisation=pixel&optimiser=adam'
want 202 -F "image=@$cat_jpg" -F "image=@$cat_jpg" "$noise"
job=$(jq -r .id "$work/body")
for _ in $(seq 600); do
    [ "$(curl -s "$url/jobs/$job" | jq -r .state)" != succeeded ] || break
    sleep 0.1
done
want 200 "/jobs/$job/result"
large=$(wc -c <"$work/body")
check "the answer does not fit into a socket: $large bytes" [ "$large" -gt 4600000 ]

sockets() { find "/proc/$pid/fd" -lname 'socket:*' 2>/dev/null | wc -l; }
slowest_of() { # N: the slowest of N requests, in seconds
    slowest=0
    for _ in $(seq "$1"); do
        t=$(curl -s -o "$work/body" -w '%{time_total}' --max-time 20 -F "image=@$cat_jpg" "$url/saliency")
        slowest=$(echo "$t $slowest" | awk '{ print ($1 > $2) ? $1 : $2 }')
    done
    echo "$slowest"
}
idle=$(sockets)
alone=$(slowest_of 10)
"$build/tests/slow_clients" "${url##*:}" "$uploads" "$readers" "/jobs/$job/result" >"$work/slow" &
slow=$!
for _ in $(seq 100); do
    ! grep -q open "$work/slow" || break
    sleep 0.05
done
for _ in $(seq 50); do
    [ "$(sockets)" -lt $((uploads + readers)) ] || break
    sleep 0.1
done
check 'all are connected' [ "$(sockets)" -ge $((uploads + readers)) ]
beside=$(slowest_of 10)
echo "slowest of 10 requests: $alone s alone, $beside s beside $uploads half uploads and $readers who do not read"
check 'requests beside them are quick' awk "BEGIN { exit !($beside < 3) }"
waited=0
while [ "$(sockets)" -gt $((idle + 2)) ] && [ "$waited" -lt 30 ]; do
    sleep 1
    waited=$((waited + 1))
done
check "all are closed: $(sockets) sockets, $idle before, $waited s later" [ "$(sockets)" -le $((idle + 2)) ]
check 'the log says that answers were not taken' \
    [ "$(grep -c "/jobs/$job/result.*did not take the answer" "$work/log")" -ge "$readers" ]
[ -z "${KEEP:-}" ] || cp "$work/log" /tmp/queue/slow.log
kill "$slow" 2>/dev/null || :
wait "$slow" 2>/dev/null || :
want 200 -F "image=@$cat_jpg" /saliency
