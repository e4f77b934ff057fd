#!/bin/sh
# 300 uploads that are no pictures: each is the client's fault, the server stays, its memory too.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
start --workers 2
golden=tests/golden/images
mkdir "$work/bad"
"$build/tests/mutate" 300 "$work/bad" "$cat_jpg" "$golden/rgb.png" "$golden/lossy.webp" "$golden/orient6.jpg" \
    "$golden/interlaced.png" "$golden/lossless.webp" "$golden/progressive.jpg"

# round: a line "STATUS FILE" for every file, many requests in one curl
round() {
    between=
    for file in "$work"/bad/*; do
        type=image/jpeg
        case $file in *.form) type='multipart/form-data; boundary=X' ;; esac
        printf "$between"'url = "%s/classify"\nheader = "Content-Type: %s"\ndata-binary = "@%s"\n' "$url" "$type" "$file"
        printf 'output = "/dev/null"\nwrite-out = "%%{http_code} %s\\n"\n' "$file"
        between='next\n'
    done >"$work/batch"
    curl -s --max-time 120 -K "$work/batch" >"$work/$1" || :
}

round first
round second
before=$(rss_kib)
round third
round second
after=$(rss_kib)
check '300 answers' test "$(wc -l <"$work/second")" -eq 300
check 'every answer is 4xx' sh -c "! grep -v '^4' '$work/first' '$work/second'"
check "memory stays: $before, then $after KiB" test "$((after * 100))" -le "$((before * 105))"
cut -d' ' -f1 "$work/second" | sort | uniq -c
echo "memory $before KiB after 600, $after KiB after 1200"
want 200 -F "image=@$cat_jpg" /classify
