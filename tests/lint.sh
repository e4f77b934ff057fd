#!/bin/sh
# Everything that can be said about the sources without running them; ./dev lint installs what this
# needs and calls it. FILES on the command line narrow clang-tidy, the slow part.
set -u
cd "$(dirname "$0")/.." || exit 2
failed=

check() { # NAME COMMAND...
    name=$1
    shift
    if out=$("$@" 2>&1); then
        printf 'ok    %s\n' "$name"
    else
        printf '%s\nFAIL  %s\n' "$out" "$name"
        failed="$failed $name"
    fi
}

ours() { git ls-files --cached --others --exclude-standard "$@" | while read -r f; do [ -f "$f" ] && echo "$f"; done; }

format() { ours '*.c' '*.h' | xargs clang-format --dry-run -Werror; }

shell() { { ours '*.sh' '.ci/*' dev; } | xargs shellcheck; }

tidy() {
    if [ $# -gt 0 ]; then printf '%s\n' "$@"; else ours 'core/*.c' 'api/*.c' 'config/*.c' 'server/*.c'; fi |
        while read -r f; do grep -qF "/$f\"" build/dev/compile_commands.json && echo "$f"; done |
        grep -v '^core/base/status\.c$' |
        xargs -P "$(nproc)" -n 4 clang-tidy -p build/dev --quiet \
            --extra-arg=-include --extra-arg="$PWD/cmake/analyser.h" 2>/dev/null | grep . && return 1
    clang-tidy -p build/dev --quiet core/base/status.c 2>/dev/null | grep . && return 1
    return 0
}

# A function of more than 80 lines is two functions.
lengths() {
    ours '*.c' '*.h' | ctags -L - --languages=C --kinds-C=f --fields=+ne -f - | awk -F'\t' '
        { line = 0; end = 0
          for (i = 4; i <= NF; i++) {
              if ($i ~ /^line:/) line = substr($i, 6)
              if ($i ~ /^end:/) end = substr($i, 5)
          }
          if (end - line + 1 > 80) { print $2 ": " $1 " has " end - line + 1 " lines"; bad = 1 } }
        END { exit bad }'
}

# Hosts of package registries, and paths of one machine, do not belong in a repository; nor big files.
words() {
    # The brackets keep this line from finding itself.
    git grep -nIE 'registry\.[n]pmjs|[d]eb\.debian\.org|/[h]ome/[a-z]|/[r]oot/|/[w]ork/' -- . && return 1
    ours | xargs -d '\n' du -k | awk '$1 > 1024 { print $2 " is over 1 MiB"; bad = 1 } END { exit bad }'
}

# Files that are kept although they are made: the makers must still make the same.
generated() {
    [ -f config/lucida.conf ] || return 0
    build/release/lucida config --dump | diff -u config/lucida.conf - ||
        { echo 'config/lucida.conf is stale: build/release/lucida config --dump >config/lucida.conf'; return 1; }
}

mkdir -p build
if ! cmake --preset dev >build/lint-dev.txt 2>&1 || ! cmake --build --preset dev >>build/lint-dev.txt 2>&1 ||
    ! cmake --preset release >build/lint-release.txt 2>&1 ||
    ! cmake --build --preset release >>build/lint-release.txt 2>&1; then
    tail -n 20 build/lint-dev.txt build/lint-release.txt
    echo 'lint: the build failed'
    exit 1
fi
check format format
check shell shell
check tidy tidy "$@"
check lengths lengths
check words words
check layers tests/check_layers.sh build/release
check generated generated

[ -z "$failed" ] || {
    echo "lint: failed:$failed"
    exit 1
}
echo 'lint: passed'
