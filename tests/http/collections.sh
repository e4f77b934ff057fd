#!/bin/sh
# usage: collections.sh BUILD   Collections, black box: uploads, a method over one, what is kept of it,
# deleting, restarting, and a server that is killed while it takes pictures in.
# shellcheck source=tests/http/lib.sh
. "$(dirname "$0")/lib.sh"

# picture N: a file of its own hash that decodes like the others
picture() {
    cat tests/golden/images/alpha.png >"$work/p$1.png"
    printf 'picture %s' "$1" >>"$work/p$1.png"
}

# files FROM TO: curl's arguments for these pictures
files() {
    for n in $(seq "$1" "$2"); do
        echo "-F image=@$work/p$n.png"
    done
}

# upload FROM TO [CURL-ARGUMENTS]: to $collection; the status
upload() {
    from=$1 to=$2
    shift 2
    # shellcheck disable=SC2046
    curl -s --max-time 60 -o "$work/body" -w '%{http_code}' "$@" $(files "$from" "$to") "$url/collections/$collection/images" || :
}

count() {
    curl -s --max-time 60 "$url/collections/$collection" | jq .images
}

look() {
    want 200 -H 'Prefer: wait=50' -H 'Accept: application/json' -F "collection=$collection" -F layer=r0 -F top=3 /maxpatch
}

metric() {
    curl -s --max-time 60 "$url/metrics" | awk -v name="$1" '$1 == name { print $2 }'
}

kill_server() {
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null || :
    pid=
}

for n in $(seq 60); do picture "$n"; done

start
want 201 -H 'Content-Type: application/json' -d '{"name": "forty"}' /collections
has location '/collections/[0-9a-f]+$'
collection=$(jq -r .id "$work/body")
check 'pictures are taken' [ "$(upload 1 40 -F label=early)" = 201 ]
body '.added == 40 and .known == 0 and .collection.images == 40 and .collection.labels[0] == {"label": "early", "images": 40}'
check 'pictures are taken again' [ "$(upload 39 41)" = 201 ]
body '.added == 1 and .known == 2 and .collection.images == 41'
want 200 "/collections/$collection/images?limit=10"
body '(.images | length) == 10 and .cursor != null and .images[0].name == "p1.png" and .images[0].label == "early"'
first=$(jq -r '.images[0].sha256' "$work/body")
want 200 "/collections/$collection/images/$first"
check 'the file is what was sent' cmp "$work/body" "$work/p1.png"

look
body '.result.images_computed == 41 and .result.images_cached == 0 and .result.patches[0].label == "early"'
jq -cS '[.result.channels, .result.patches]' "$work/body" >"$work/before"
look
body '.result.images_computed == 0 and .result.images_cached == 41'
jq -cS '[.result.channels, .result.patches]' "$work/body" >"$work/after"
check 'what is known gives the same answer' cmp "$work/before" "$work/after"
check 'the metrics say so' [ "$(metric lucida_features_computed_total) $(metric lucida_features_recalled_total)" = '41 41' ]

# A job keeps the pictures that it was sent for.
want 202 -H 'Prefer: respond-async' -F "collection=$collection" -F layer=r0 /maxpatch
job=$(jq -r .id "$work/body")
want 204 -X DELETE "/collections/$collection/images/$first"
check 'one is gone' [ "$(count)" = 40 ]
for _ in $(seq 200); do
    curl -s --max-time 60 "$url/jobs/$job" >"$work/body"
    [ "$(jq -r .state "$work/body")" = succeeded ] && break
    sleep 0.05
done
want 200 "/jobs/$job/result?format=json"
body '(.images | length) == 41'

# Restarting keeps everything.
stop
start
check 'a restart keeps the pictures' [ "$(count)" = 40 ]
look
body '.result.images_computed == 0 and .result.images_cached == 40'

# What is refused leaves nothing.
want 415 -F "image=@$work/p42.png" -F image=@README.md "/collections/$collection/images"
want 404 -F "image=@$work/p42.png" /collections/none/images
check 'nothing was added' [ "$(count)" = 40 ]
stop
start --collection-images 42 --collections 1
want 409 -F name=second /collections
check 'over the limit' [ "$(upload 42 45)" = 413 ]
check 'nothing was added' [ "$(count)" = 40 ]
stop

# Killed at any moment of an upload: all of it or nothing, and every file is whole.
start
had=40
for delay in 0 0.03 0.1; do
    upload 42 60 >/dev/null &
    sender=$!
    sleep "$delay"
    kill_server
    wait "$sender" 2>/dev/null || :
    start
    now=$(count)
    [ "$now" = 59 ] || check "after $delay s there are $now of $had" [ "$now" = "$had" ]
    had=$now
    curl -s --max-time 60 "$url/collections/$collection/images" >"$work/list"
    for hash in $(jq -r '.images[].sha256' "$work/list"); do
        curl -s --max-time 60 "$url/collections/$collection/images/$hash" >"$work/file"
        check "$hash is whole" [ "$(sha256sum <"$work/file" | cut -d' ' -f1)" = "$hash" ]
    done
done
check 'and then it works' [ "$(upload 42 60)" = 201 ]
check 'all are there' [ "$(count)" = 59 ]

want 204 -X DELETE "/collections/$collection"
want 404 "/collections/$collection"
want 200 /collections
body '.collections == []'
want 400 -F "collection=$collection" -F layer=r0 /maxpatch
body '.errors[0].parameter == "collection"'
