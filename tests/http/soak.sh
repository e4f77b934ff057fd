#!/bin/sh
# usage: soak.sh BUILD [N]   N mixed requests (2,000; 20,000 by hand) over 64 connections: every answer's
# bytes are those that a server with one worker and one thread gave alone, and memory stays.
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/lib.sh"
n=${2:-2000}
images=tests/golden/images
plan=$work/plan
kind=0
line() { # STATUS METHOD PATH TYPE BODY
    kind=$((kind + 1))
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$@" "$work/answer.$kind" >>"$plan"
}

for picture in rgb.png gray.png lossy.webp orient6.jpg; do
    [ -e "$images/$picture" ] || continue
    case $picture in *.png) type=image/png ;; *.webp) type=image/webp ;; *) type=image/jpeg ;; esac
    file=$images/$picture
    line 200 POST /classify?format=json $type $file
    line 200 POST /saliency $type $file
    line 200 POST '/grad-cam?layer=c0&format=json&embed=true' $type $file
    line 200 POST '/occlusion?patch=3&stride=2' $type $file
    line 200 POST '/guided-backprop?format=npy' $type $file
    line 200 POST '/smoothgrad?samples=4&seed=7' $type $file
    line 400 POST /classify?k=0 $type $file
    line 400 POST /saliency?target=unicorn $type $file
    line 404 POST /nothing $type $file
done
line 413 POST /classify image/png $images/huge.png
line 413 POST /classify image/jpeg =999999999
line 415 POST /classify image/jpeg static/index.html
line 400 POST /classify 'multipart/form-data; boundary=X' static/index.html
line 405 GET /classify - -
line 200 GET /methods/saliency - -
line 200 GET /livez - -
line 404 GET /jobs/nothing - -

start --workers 1 --threads 1 --image-pixels 1000000
check 'each alone' "$build/tests/load" "${url##*:}" "$plan" record
stop
start --workers 2 --queue 200 --key-requests 0 --image-pixels 1000000
warm=$((n / 10 < 1000 ? 1000 : n / 10))
check 'warm-up' "$build/tests/load" "${url##*:}" "$plan" "$warm" 64
sleep 1 # until the connections are closed, which hold 64 KiB each
before=$(rss_kib)
check 'every answer is as alone' "$build/tests/load" "${url##*:}" "$plan" "$n" 64
sleep 1
after=$(rss_kib)
check "memory stays: $before, then $after KiB" test "$((after * 100))" -le "$((before * 105))"
echo "$kind kinds; memory $before KiB after $warm, $after KiB after $n more"
