# shellcheck shell=sh
# Black-box tests of a running server. Sourced by tests/http/*.sh with BUILD as first argument:
# `start [FLAGS]` serves the tiny network on a free port, `want STATUS CURL-ARGUMENTS` asks, and at
# the end of the script the server must stop by itself with status 0.
set -eu
build=$(cd "${1:?usage: $0 BUILD}" && pwd)
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
pid=
failed=0
checks=0
# shellcheck disable=SC2034  # for the scripts
cat_jpg=static/cat.jpg

stop() {
    [ -n "$pid" ] || return 0
    kill -TERM "$pid" 2>/dev/null || :
    status=0
    wait "$pid" || status=$?
    pid=
    [ "$status" -eq 0 ] || { complain "the server ended with status $status"; tail -n 20 "$work/log"; }
}

finish() {
    status=$?
    trap - EXIT
    stop
    [ -n "${KEEP:-}" ] || rm -rf "$work"
    [ "$status" -ne 0 ] || status=$failed
    [ "$status" -ne 0 ] || echo "$checks checks passed"
    exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM

complain() {
    failed=1
    echo "FAILED: $*"
}

# check WHAT COMMAND...: the command must succeed
check() {
    what=$1
    shift
    checks=$((checks + 1))
    "$@" || complain "$what"
}

start() {
    mkdir -p "$work/models"
    "$build/tests/write_tiny" "$work/models"
    : >"$work/out"
    LUCIDA_DEFAULT_MODEL=${LUCIDA_TEST_DEFAULT:-tiny} ASAN_OPTIONS=quarantine_size_mb=0:thread_local_quarantine_size_kb=0 "$build/lucida" serve --config /dev/null \
        --listen 127.0.0.1:0 --models "$work/models" --data "$work/data" "$@" \
        >"$work/out" 2>"$work/log" </dev/null &
    pid=$!
    url=
    for _ in $(seq 200); do
        url=$(sed -n 's|^lucida answers on \(http://[^/]*\)/.*|\1|p' "$work/out")
        [ -z "$url" ] || return 0
        kill -0 "$pid" 2>/dev/null || { pid=; cat "$work/log"; exit 1; }
        sleep 0.05
    done
    echo 'the server did not say its address'
    exit 1
}

# ask CURL-ARGUMENTS: the status; headers in $work/head, body in $work/body. The last argument is a path.
ask() {
    : >"$work/body"
    status=$(eval "$(shift_last "$@")") || :
    echo "$status"
}

# shift_last ARGS...: a command line for curl with the last argument made a URL
shift_last() {
    line="curl -s --max-time 60 -D '$work/head' -o '$work/body' -w '%{http_code}'"
    while [ $# -gt 1 ]; do
        line="$line '$(printf %s "$1" | sed "s/'/'\\\\''/g")'"
        shift
    done
    echo "$line '$url$1'"
}

# want STATUS CURL-ARGUMENTS PATH
want() {
    wanted=$1
    shift
    checks=$((checks + 1))
    got=$(ask "$@")
    [ "$got" = "$wanted" ] || { complain "$*: want $wanted, got $got"; head -c 400 "$work/body"; }
}

# has HEADER PATTERN: of the last answer
has() {
    checks=$((checks + 1))
    tr -d '\r' <"$work/head" | grep -qiE "^$1: $2" || complain "header $1: $2 is missing"
}

# body FILTER: a jq filter that must be true of the last answer
body() {
    checks=$((checks + 1))
    jq -e "$1" "$work/body" >/dev/null || { complain "body: $1"; head -c 400 "$work/body"; }
}

# until_has FILTER: waits until a jq filter is true of $job
until_has() {
    for _ in $(seq 600); do
        ask "/jobs/${job:?}" >/dev/null
        ! jq -e "$1" "$work/body" >/dev/null || return 0
        sleep 0.05
    done
    complain "job $job never has $1: $(jq -c "[.state, .attempt, .step, .error]" "$work/body")"
    exit 1
}

rss_kib() {
    awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"
}
