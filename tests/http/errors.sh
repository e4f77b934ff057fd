#!/bin/sh
# What a bad client sees: the right 4xx with a problem that names what is wrong.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
start --body-bytes 200000 --image-pixels 1000000 --idle-s 2

problem() { # STATUS SLUG CURL-ARGUMENTS
    code=$1 slug=$2
    shift 2
    want "$code" "$@"
    has Content-Type application/problem.json
    body ".type == \"/problems/$slug\" and .status == $code and (.detail | length > 5) and (.request | length > 5)"
}

problem 400 bad-parameter -F "image=@$cat_jpg" -F k=0 /classify
body '.errors[0].parameter == "k" and (.errors[0].message | test("1"))'
problem 400 bad-parameter -F "image=@$cat_jpg" -F k=1 -F k=1 /classify
problem 400 bad-parameter -F "image=@$cat_jpg" -F k=1 '/classify?k=1'
problem 400 bad-parameter -F "image=@$cat_jpg" -F colour=red /classify
body '.errors[0].parameter == "colour"'
problem 400 bad-parameter -F "image=@$cat_jpg" -F model=nothing /classify
problem 400 bad-parameter -F "image=@$cat_jpg" -F model=../tiny /classify
problem 400 bad-parameter -F "image=@$cat_jpg" -F target=unicorn /saliency
problem 400 bad-parameter -F "image=@$cat_jpg" '/classify?k=%00'
problem 400 bad-parameter -F "image=@$cat_jpg" -F "image=@$cat_jpg" /classify
problem 400 bad-request -F k=1 /classify
problem 400 bad-request -X POST -H 'Content-Length: 0' /classify
problem 400 bad-request -H 'Content-Type: multipart/form-data; boundary=X' -d 'nothing' /classify
problem 406 not-acceptable -F "image=@$cat_jpg" '/classify?format=npy'
problem 411 length-required -H 'Transfer-Encoding: chunked' -H 'Content-Type: image/jpeg' --data-binary "@$cat_jpg" /classify
problem 415 unsupported-media-type -F 'image=@static/index.html' /classify
problem 415 unsupported-media-type -H 'Content-Type: image/jpeg' -d 'not a picture' /classify
problem 415 unsupported-media-type -d 'k=1' /classify
problem 415 unsupported-media-type -H 'Content-Type: application/json' -d '{}' /classify
problem 413 too-large -F 'image=@tests/golden/images/huge.png' /classify

# A body over the limit is refused from its head: with "Expect" before a byte is sent, and a client
# that sends at once still gets the answer.
head -c 5000000 /dev/zero >"$work/big"
problem 413 too-large -H 'Content-Type: image/jpeg' --data-binary "@$work/big" /classify
problem 413 too-large -H 'Content-Type: image/jpeg' -H 'Expect: 100-continue' --data-binary "@$work/big" /classify
check 'nothing of it was sent' test "$(curl -s -o /dev/null -w '%{size_upload}' -H 'Content-Type: image/jpeg' \
    -H 'Expect: 100-continue' --data-binary "@$work/big" "$url/classify")" -eq 0
problem 413 too-large -H 'Content-Type: image/jpeg' -H 'Expect:' --data-binary "@$work/big" /classify
problem 404 not-found -H 'Content-Type: image/jpeg' --data-binary "@$cat_jpg" /nothing

# Sixty-five parameters, a long name, a long value.
many=$(seq 70 | sed 's/.*/p&=1/' | paste -sd '&')
problem 400 bad-parameter -F "image=@$cat_jpg" "/classify?$many"
long=$(head -c 300 /dev/zero | tr '\0' a)
problem 400 bad-parameter -F "image=@$cat_jpg" "/saliency?target=$long"
problem 400 bad-request -F "image=@$cat_jpg" "/saliency?$long=1"
want 404 "/$long$long$long"

# A connection that stops in the middle of its head is closed; the server goes on.
check 'an idle connection is closed' timeout 10 sh -c "printf 'POST /classify HTTP/1.1\r\nHost: x\r\n' |
    curl -s --max-time 8 telnet://${url#http://} >/dev/null"
want 200 -F "image=@$cat_jpg" /classify

# Without keys only this machine is served.
check 'another address needs --insecure' sh -c "! '$build/lucida' serve --config /dev/null --listen 0.0.0.0:0 2>/dev/null"
