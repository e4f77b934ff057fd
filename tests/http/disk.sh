#!/bin/sh
# usage: disk.sh BUILD   A data directory that is full, and one that cannot be written: a clear answer,
# and nothing that was accepted is lost. Needs to mount a small tmpfs.
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/lib.sh"
mkdir "$work/data"
mount -t tmpfs -o size=2m none "$work/data" 2>/dev/null || {
    echo 'skipped: needs to mount a tmpfs'
    exit 77
}
trap 'status=$?; trap - EXIT; stop; umount -l "$work/data"; rm -rf "$work"; [ $status -ne 0 ] || status=$failed; [ $status -ne 0 ] || echo "$checks checks passed"; exit $status' EXIT

post() { want "$1" -H 'Prefer: respond-async' -F "image=@$cat_jpg" "$2"; }
state_of() { curl -s "$url/jobs/$1" | jq -r .state; }

start --workers 1
long='/style?model=any&style_layers=r0&content_layer=c0&beta=20&sizes=64&steps=600'
want 202 -F "image=@$cat_jpg" -F "image=@$cat_jpg" "$long"
running=$(jq -r .id "$work/body")
post 202 '/occlusion?patch=3'
waiting=$(jq -r .id "$work/body")
dd if=/dev/zero of="$work/data/ballast" bs=4k 2>/dev/null || :

head -c 100000 /dev/urandom >"$work/noise"
cat "$cat_jpg" "$work/noise" >"$work/other.jpg" # another picture to the store
want 503 -H 'Prefer: respond-async' -F "image=@$work/other.jpg" '/occlusion?patch=3'
body '.detail | test("disk is full")'
has Retry-After '[0-9]'
check 'the log says why' grep -q 'disk is full' "$work/log"
want 200 -F "image=@$cat_jpg" '/occlusion?patch=3'
for _ in $(seq 200); do
    ! grep -q 'cannot store its outcome' "$work/log" || break
    sleep 0.1
done
check 'a result that cannot be stored is kept' grep -q 'cannot store its outcome' "$work/log"
rm "$work/data/ballast"
for _ in $(seq 200); do
    [ "$(state_of "$running")$(state_of "$waiting")" != succeededsucceeded ] || break
    sleep 0.1
done
check 'what ran is there' [ "$(state_of "$running")" = succeeded ]
check 'what waited was run' [ "$(state_of "$waiting")" = succeeded ]
check 'it was computed once' [ "$(curl -s "$url/jobs/$running" | jq .attempt)" = 1 ]
want 200 "/jobs/$running/result"
stop

mount -o remount,ro "$work/data"
status=0
"$build/lucida" serve --config /dev/null --listen 127.0.0.1:0 --models "$work/models" --data "$work/data" \
    >"$work/out" 2>"$work/log" </dev/null || status=$?
check 'a server that cannot keep jobs does not start' [ "$status" = 1 ]
check 'it says what to do' grep -q 'cannot write.*Read-only' "$work/log"
mount -o remount,rw "$work/data"
start --workers 1
want 200 "/jobs/$running/result"
