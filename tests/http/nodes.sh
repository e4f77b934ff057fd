#!/bin/sh
# usage: nodes.sh BUILD   Two servers over one data directory: the second one does not see the first
# one's lock file, and leaves its jobs alone as long as it says that it lives; killed, its jobs are
# taken over.
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/lib.sh"

serve() {
    start --workers 1 --threads 1 --lease-s 3
}

serve
first=$pid
want 202 -H 'Prefer: respond-async' -F "image=@$cat_jpg" -F "image=@$cat_jpg" \
    '/style?model=any&style_layers=r0&content_layer=c0&beta=20&sizes=64&steps=10000'
job=$(jq -r .id "$work/body")
until_has '.state == "running" and .step > 0'
mkdir "$work/elsewhere"
mv "$work/data/owners/"* "$work/elsewhere"
serve
sleep 7 # more than two leases, and more than two looks for owners that are gone
want 200 "/jobs/$job"
body '.state == "running" and .attempt == 1'
kill -9 "$first"
wait "$first" 2>/dev/null || :
until_has '.attempt == 2 and .state == "running"'
want 200 -X DELETE "/jobs/$job"
