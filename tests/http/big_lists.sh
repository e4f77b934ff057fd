#!/bin/sh
# usage: big_lists.sh BUILD   How long lists of jobs take when each job is over 20,000 pictures: prints
# milliseconds. Not a test of ./dev test: it times.
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/lib.sh"

start --workers 2 --threads 1
want 202 -H 'Prefer: respond-async' -F "image=@$cat_jpg" /saliency
job=$(jq -r .id "$work/body")
until_has '.state == "succeeded"'
sqlite3 "$work/data/jobs.sqlite" "
    INSERT INTO lists (sha256) VALUES ('big');
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
    INSERT INTO listed SELECT (SELECT seq FROM lists WHERE sha256 = 'big'), i,
        printf('%064x', i), printf('{\"sha256\":\"%064x\",\"bytes\":1000,\"width\":9,\"height\":9}', i) FROM n;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
    INSERT INTO jobs (id, method, lane, bytes, state, created_ms, finished_ms, expires_ms, parameters, format, list)
        SELECT printf('%032x', i), method, lane, bytes, state, created_ms, finished_ms, expires_ms, parameters, format,
        (SELECT seq FROM lists WHERE sha256 = 'big') FROM jobs, n;"
for path in '/jobs?limit=50' "/jobs/$job"; do
    for _ in 1 2 3; do
        curl -s -o "$work/body" -w "$path %{time_total} s, %{size_download} bytes\n" "$url$path"
    done
done
curl -s -o /dev/null -w 'list, beside: %{time_total} s\n' "$url/jobs?limit=50" &
curl -s -o /dev/null -w 'one job, beside: %{time_total} s\n' "$url/jobs/$job"
wait $! || :
