#!/bin/sh
# usage: run.sh OUT_DIR   The page in a browser, with the server of with_server.sh.
set -eu
cd "$(dirname "$0")/../.."
command -v node >/dev/null || { echo 'skipped: needs node'; exit 77; }
exec node tests/browser/lab.mjs "$LUCIDA_TEST_URL/" static/cat.jpg "$1"
