#!/bin/sh
# Runs every block of README.md that is marked ```sh test, in a folder of its own, against the server
# that with_server.sh started. A block passes when every command in it succeeds.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk '/^```sh test$/ { inside = 1; n++; next } /^```$/ { inside = 0 } inside { print > (dir "/block" n ".sh") }' \
    dir="$work" "$root/README.md"
[ -e "$work/block1.sh" ] || { echo 'README.md has no block marked ```sh test'; exit 1; }

# What a reader has: the photograph of the checkout, the program, and a server at the usual address.
mkdir -p "$work/here/build/release"
cp -r "$root/static" "$root/docs" "$work/here/"
ln -s "$LUCIDA_TEST_BUILD/lucida" "$work/here/build/release/lucida"
LUCIDA_MODELS=$LUCIDA_TEST_SERVED
LUCIDA_DEFAULT_MODEL=$LUCIDA_TEST_SERVED_MODEL
LUCIDA_LISTEN=${LUCIDA_TEST_URL#http://}
export LUCIDA_MODELS LUCIDA_DEFAULT_MODEL LUCIDA_LISTEN
cd "$work/here"
n_run=0
for block in "$work"/block*.sh; do
    missing=$(grep -o 'cartoon_[a-z]*' "$block" | sort -u | while read -r model; do
        [ -e "$LUCIDA_MODELS/$model.json" ] || echo "$model"
    done)
    [ -z "$missing" ] || { echo "left out: a block needs $missing (lucida models pull)"; continue; }
    n_run=$((n_run + 1))
    cp docs/occlusion.jpg painting.jpg
    sed -i 's|-F size=256|-F size=64 -F steps=2|' "$block" # what takes minutes, in seconds
    sed -i "s|http://127\.0\.0\.1:8080|$LUCIDA_TEST_URL|g; s|resnet50|$LUCIDA_DEFAULT_MODEL|g" "$block"
    grep -q '^curl' "$block" && sed -i 's/^curl /curl --fail-with-body -sS /' "$block"
    if ! out=$(sh -eux "$block" 2>&1); then
        printf '%s\nREADME.md: this block failed:\n%s\n' "$out" "$(cat "$block")"
        exit 1
    fi
    rm -f painting.jpg
    for file in *.png *.jpg *.npy; do # what a block wrote must be what its name says
        [ -e "$file" ] || continue
        case $file:$(head -c 4 "$file" | od -An -tx1 | tr -d ' \n') in
        *.png:89504e47 | *.jpg:ffd8ff* | *.npy:934e554d) rm "$file" ;;
        *) echo "README.md: $file is not what its name says"; exit 1 ;;
        esac
    done
done
echo "README.md: $n_run blocks run"
