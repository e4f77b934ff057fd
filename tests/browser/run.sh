#!/bin/sh
# usage: run.sh OUT_DIR   The page in a browser, with the server of with_server.sh; at last its first key
# is made, and the page has to ask for it.
set -eu
cd "$(dirname "$0")/../.."
command -v node >/dev/null || { echo 'skipped: needs node'; exit 77; }
node tests/browser/lab.mjs "$LUCIDA_TEST_URL/" static/cat.jpg "$1"
key=$("$LUCIDA_TEST_BUILD/lucida" keys add browser --data "$LUCIDA_TEST_DATA" 2>/dev/null)
LUCIDA_KEY=$key exec node tests/browser/keys.mjs "$LUCIDA_TEST_URL/" static/cat.jpg "$1"
