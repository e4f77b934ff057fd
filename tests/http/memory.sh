#!/bin/sh
# usage: memory.sh BUILD   Admission by memory, black box: what never fits is refused with the numbers,
# what does not fit now waits while smaller jobs pass it, requests keep their quarter.
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/lib.sh"

slow='/style?model=any&style_layers=r0&content_layer=c0&beta=20&steps=10000'
memory() { curl -s "$url/metrics" | sed -n "s/^lucida_memory_bytes{for=\"$1\"} //p"; }
state_of() { curl -s "$url/jobs/$1" | jq -r .state; }
until_is() { # STATE JOB
    for _ in $(seq 300); do
        [ "$(state_of "$2")" != "$1" ] || return 0
        sleep 0.05
    done
    complain "job $2 is $(state_of "$2"), not $1"
}
submit() { # QUERY
    want 202 -F "image=@$cat_jpg" -F "image=@$cat_jpg" "$slow&$1"
    job=$(jq -r .id "$work/body")
}

start --workers 4 --memory-bytes 100000000
want 413 -F "image=@$cat_jpg" -F "image=@$cat_jpg" "$slow&sizes=2048"
body '.type == "/problems/too-large" and (.detail | test("needs [0-9]+ bytes .*gives 75000000 .*smaller"))'
needed=$(jq -r .detail "$work/body" | sed 's/[^0-9]*\([0-9]*\).*/\1/')
check "the number is one: $needed" [ "$needed" -gt 75000000 ]
want 400 -F "image=@$cat_jpg" -F "image=@$cat_jpg" '/style?model=any&content_layer=nolayer&style_layers=r0&beta=2'
want 400 -F "image=@$cat_jpg" -F "image=@$cat_jpg" '/style?model=nothing'
body '.errors[0].parameter == "model"'
check 'nothing of them is kept' [ "$(curl -s "$url/jobs" | jq '.jobs | length')" = 0 ]

submit 'sizes=512'; first=$job
until_is running "$first"
held=$(memory jobs)
check "a running job's memory is counted: $held" [ "$held" -gt 37500000 ]
submit 'sizes=512'; second=$job
submit 'sizes=32'; small=$job
until_is running "$small"
check 'what does not fit waits' [ "$(state_of "$second")" = queued ]
for _ in $(seq 100); do
    [ "$(memory promised)" -le 0 ] || break
    sleep 0.05
done
check 'and is promised what it needs' [ "$(memory promised)" = "$held" ]
want 200 -F "image=@$cat_jpg" /saliency
want 200 -X DELETE "/jobs/$first"
until_is running "$second"
want 200 -X DELETE "/jobs/$second"
want 200 -X DELETE "/jobs/$small"
until_is cancelled "$second"
until_is cancelled "$small"
for _ in $(seq 100); do
    [ "$(memory jobs)$(memory promised)$(memory requests)" != 000 ] || break
    sleep 0.05
done
check 'everything was given back' [ "$(memory jobs)$(memory promised)$(memory requests)" = 000 ]
stop

start --workers 1 --memory-bytes 1000000
want 413 -F "image=@$cat_jpg" /saliency
body '.detail | test("needs [0-9]+ bytes")'
want 200 -F 'image=@tests/golden/images/rgb.png' /saliency
