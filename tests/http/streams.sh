#!/bin/sh
# usage: streams.sh BUILD [N]   N idle event streams (1,000) starve nobody, and end when their job does.
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/lib.sh"
n=${2:-1000}
start --workers 2 --threads 1
long='/style?model=any&style_layers=r0&content_layer=c0&beta=20&sizes=64&steps=10000'
want 202 -F "image=@$cat_jpg" -F "image=@$cat_jpg" "$long"
first=$(jq -r .id "$work/body")
want 202 -F "image=@$cat_jpg" -F "image=@$cat_jpg" "$long"
job=$(jq -r .id "$work/body") # waits behind the first: its streams are idle

"$build/tests/many_streams" "${url##*:}" "/jobs/$job/events" "$n" '"state":"cancelled"' >"$work/streams" &
streams=$!
for _ in $(seq 300); do
    ! grep -q open "$work/streams" || break
    sleep 0.1
done
check "$n streams open" grep -q open "$work/streams"
before=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
sleep 3
after=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
echo "$n streams open; $(rss_kib) KiB"

slowest=0
for _ in $(seq 20); do
    t=$(curl -s -o "$work/body" -w '%{time_total}' --max-time 20 -F "image=@$cat_jpg" "$url/saliency")
    slowest=$(echo "$t $slowest" | awk '{ print ($1 > $2) ? $1 : $2 }')
done
echo "slowest of 20 requests beside them: $slowest s; the server used $((after - before)) ticks of 10 ms in 3 s"
check 'requests beside them are quick' awk "BEGIN { exit !($slowest < 3) }"
want 200 -X DELETE "/jobs/$job"
wait "$streams" || :
check "every stream saw the end: $(tail -1 "$work/streams")" grep -q "ended $n" "$work/streams"
want 200 -X DELETE "/jobs/$first"
want 200 /livez
