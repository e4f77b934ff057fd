#!/bin/sh
# What a good client sees: pictures, numbers, headers, negotiation, pages.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
start --workers 2

want 200 -F "image=@$cat_jpg" /saliency
has Content-Type image/png
has Lucida-Model tiny
has Lucida-Class '[a-z]+'
has Lucida-Probability '[0-9.]+'
has Lucida-Manifest '[0-9a-f]{64}$'
has X-Request-Id '[0-9a-f]+'
has X-Content-Type-Options nosniff
check 'a PNG' test "$(head -c 4 "$work/body" | od -An -tx1 | tr -d ' ')" = 89504e47
check 'the PNG holds its manifest' grep -q '"method":"saliency"' "$work/body"
cp "$work/body" "$work/form.png"

want 200 -H 'Content-Type: image/jpeg' --data-binary "@$cat_jpg" /saliency
check 'the body is the same upload as the form' cmp -s "$work/body" "$work/form.png"

want 200 -F "image=@$cat_jpg" -H 'Accept: image/jpeg' /saliency
has Content-Type image/jpeg
want 200 -F "image=@$cat_jpg" -H 'Accept: application/x-npy' /saliency
has Content-Type application/x-npy
want 200 -F "image=@$cat_jpg" -F target=bee '/saliency?format=json'
has Content-Type application/json
body '.result.class == "bee, honeybee" and .parameters.target == "bee" and .result.saliency.kind == "map"'
want 200 -F "image=@$cat_jpg" -F format=json -F embed=true /saliency
body '.result.saliency.data | startswith("data:image/png;base64,")'
want 200 -F "image=@$cat_jpg" -H 'Accept: text/html,application/xml;q=0.9,*/*;q=0.8' /saliency
has Content-Type image/png
want 200 -F "image=@$cat_jpg" -F k=3 /classify
body '.result.classes | length == 3'
body '[.result.classes[].probability] | add < 1.0001 and .[0] >= .[1]'
want 406 -F "image=@$cat_jpg" -H 'Accept: image/png' /classify
want 406 -F "image=@$cat_jpg" -H 'Accept: text/html' /saliency

for path in / /livez /readyz /methods /methods/saliency /models /models/tiny /models/tiny/layers /openapi.json; do
    want 200 "$path"
    want 200 -I "$path"
    want 204 -X OPTIONS "$path"
    want 405 -X DELETE "$path"
    has Allow 'GET, HEAD, OPTIONS'
done
want 200 /models/tiny/layers
body '.layers | length >= 4 and .[0].operator == "Conv" and .[0].receptive_field.size == [3,3]'
want 200 /models/tiny
body '.classes == 4 and .default and .installed'
want 405 /saliency
has Allow 'POST, OPTIONS'
want 204 -X OPTIONS /saliency
want 404 /nothing
has Content-Type application/problem.json
body '.type == "/problems/not-found" and .status == 404'
want 404 /models/nothing
want 404 /static/nothing
want 404 --path-as-is /static/../models.json
want 404 '/static/%2e%2e%2fdev'
want 200 /
has Content-Security-Policy "default-src 'none'"
tag=$(tr -d '\r' <"$work/head" | sed -n 's/^ETag: //Ip')
want 304 -H "If-None-Match: $tag" /

check 'each request is a line of JSON in the log' \
    jq -es 'map(select(.request)) | length > 40 and all(.status and .ms and .path)' "$work/log" >"$work/dull"
