#!/bin/sh
# usage: nodes.sh BUILD   Two servers over one store, the second of which cannot see the first one's
# lock file, as on another machine: it leaves the first one's job alone while that lives, and takes it
# over when that was killed and its lease ran out.
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/lib.sh"

start --workers 2 --threads 1 --lease-s 3 --checkpoint-s 0
first=$pid
want 202 -F seed=1 '/visualize?model=any&layer=r0&size=128&steps=10000'
job=$(jq -r .id "$work/body")
until_has '.state == "running" and .step > 0'
mkdir "$work/elsewhere"
mv "$work/data/owners/"* "$work/elsewhere/"
start --workers 2 --threads 1 --lease-s 3 --checkpoint-s 0
sleep 7 # more than a look for owners that are gone, and two leases
ask "/jobs/$job" >/dev/null
body '.state == "running" and .attempt == 1'
kill -9 "$first"
wait "$first" 2>/dev/null || :
until_has '.attempt == 2 and .step > 0'
body '.state == "running"'
want 200 -X DELETE "/jobs/$job"
until_has '.state == "cancelled"'
