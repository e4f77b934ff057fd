#!/bin/sh
# usage: kill.sh BUILD [KILLS]   Kills the server with SIGKILL at random moments while jobs of several
# kinds are sent and run. Afterwards every accepted job has ended well exactly once, equal requests have
# equal results to the last bit (resumed ones too), no file is torn, and the store is sound.
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/lib.sh"
kills=${2:-50}
data=$work/data
style='/style?model=any&style_layers=r0&content_layer=c0&beta=20&parametrisation=pixel&optimiser=adam&sizes=64'

serve_at() { # ADDRESS
    start --listen "$1" --workers 2 --threads 1 --lease-s 2 --checkpoint-s 0 --attempts 1000000 --jobs 40
}

random_ms() { # LEAST MOST
    od -An -N2 -tu2 /dev/urandom | awk -v a="$1" -v b="$2" '{ printf "%.3f\n", (a + $1 / 65536 * (b - a)) / 1000 }'
}

# A request's path by its number; numbers that are equal modulo 6 are equal requests.
path_of() {
    case $(($1 % 6)) in
    0) echo "$style&steps=40" ;;
    1) echo '/occlusion?stride=1&patch=3' ;;
    2) echo "$style&steps=80&init=noise&seed=7" ;;
    3) echo '/saliency?alpha=0.5' ;;
    4) echo "$style&steps=40&optimiser=lbfgs" | sed 's/optimiser=adam&//' ;;
    5) echo '/occlusion?stride=2&patch=3&incremental=false' ;;
    esac
}

# Sends jobs until $work/enough exists, each again under the same key until it is accepted; a line
# "NUMBER ID" in $work/accepted for each.
send_jobs() {
    trap - EXIT
    n=0
    while [ ! -e "$work/enough" ]; do
        path=$(path_of $n)
        code=000
        id=
        while [ "$code" != 202 ]; do
            form=
            case $path in /style*) form=image=@static/cat.jpg ;; esac
            code=$(curl -s --max-time 10 -o "$work/sent" -w '%{http_code}' -H 'Prefer: respond-async' \
                -H "Idempotency-Key: job-$n" -F "image=@$cat_jpg" \
                ${form:+-F "$form"} "$base$path") || code=000
            case $code in
            202)
                if [ $((n % 4)) -eq 1 ] && [ -z "$id" ]; then # as if the answer had been lost
                    id=$(jq -r .id "$work/sent")
                    code=000
                else
                    echo "$n $(jq -r .id "$work/sent")" >>"$work/accepted"
                fi
                ;;
            000 | 503) sleep 0.2 ;;
            *) echo "job $n: $code $(cat "$work/sent")" >>"$work/refused"; code=202 ;;
            esac
        done
        n=$((n + 1))
        sleep 0.05
    done
}

serve_at 127.0.0.1:0
base=$url
send_jobs &
sender=$!
for kill in $(seq "$kills"); do
    sleep "$(random_ms 20 900)"
    kill -9 "$pid"
    wait "$pid" 2>/dev/null || :
    pid=
    serve_at "${base#http://}"
    [ $((kill % 25)) -ne 0 ] || echo "$kill kills, $(wc -l <"$work/accepted") jobs accepted"
done
touch "$work/enough"
wait "$sender" || :
check 'no request was refused' [ ! -e "$work/refused" ]
[ ! -e "$work/refused" ] || head -3 "$work/refused"

n_jobs=$(wc -l <"$work/accepted")
for _ in $(seq 1200); do
    left=$(curl -s "$base/jobs?limit=500&state=queued" | jq '.jobs | length')
    left=$((left + $(curl -s "$base/jobs?limit=500&state=running" | jq '.jobs | length')))
    [ "$left" -ne 0 ] || break
    sleep 0.1
done
check 'every job ends' [ "$left" -eq 0 ]

while read -r n id; do
    state=$(curl -s "$base/jobs/$id" | jq -r .state)
    [ "$state" = succeeded ] || complain "job $n ($id) is $state: $(curl -s "$base/jobs/$id" | jq -c '.error.detail')"
    curl -s -H 'Accept: image/png' "$base/jobs/$id/result" | sha256sum | cut -c1-64 >>"$work/hash.$((n % 6))"
done <"$work/accepted"
for kind in 0 1 2 3 4 5; do
    [ -e "$work/hash.$kind" ] || continue
    check "equal requests of kind $kind have equal results" [ "$(sort -u "$work/hash.$kind" | wc -l)" = 1 ]
done
stop

sql() { sqlite3 "$data/jobs.sqlite" "$1"; }
check 'as many jobs as were accepted' [ "$(sql 'SELECT count(*) FROM jobs')" = "$n_jobs" ]
check 'each ended once' [ "$(sql "SELECT count(*) FROM events WHERE kind = 'state' AND data LIKE '%succeeded%'")" = "$n_jobs" ]
check 'the store is sound' [ "$(sql 'PRAGMA integrity_check')" = ok ]
check 'no row points nowhere' [ "$(sql 'PRAGMA foreign_key_check')" = '' ]
resumed=$(sql 'SELECT count(*) FROM jobs WHERE attempt > 1')
again=$(sql 'SELECT max(attempt) FROM jobs')
for file in "$data"/files/??/*; do
    [ "$(sha256sum <"$file" | cut -c1-64)" = "${file##*/}" ] || complain "$file is torn"
done
for name in $(sql "SELECT DISTINCT sha256 FROM files"); do
    [ -e "$data/files/$(echo "$name" | cut -c1-2)/$name" ] || complain "file $name is missing"
done
echo "$kills kills, $n_jobs jobs, $resumed of them run more than once (at most $again times)"
