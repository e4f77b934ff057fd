#!/bin/sh
# usage: test_install.sh BUILD   Installs the build under a prefix of its own, moves the tree, and
# compiles and runs a program against it with the flags that pkg-config gives.
set -eu
cd "$(dirname "$0")/.."
build=${1:?usage: test_install.sh BUILD}
build=$(cd "$build" && pwd)
tree=$build/install-test
rm -rf "$tree" "$tree.moved"
cmake --install "$build" --prefix "$tree" >"$build/install-test.txt"
mv "$tree" "$tree.moved"
pc=$(find "$tree.moved" -name lucida.pc)
[ -n "$pc" ] || { echo 'no lucida.pc was installed'; exit 1; }
PKG_CONFIG_PATH=$(cd "$(dirname "$pc")" && pwd)
export PKG_CONFIG_PATH
# shellcheck disable=SC2046  # flags are words
${CC:-cc} -std=c17 -Wall -Wextra -Wpedantic -Werror tests/install_program.c -o "$tree.moved/program" \
    $(pkg-config --cflags --libs lucida)
said=$("$tree.moved/program")
[ "$said" = '1 node, 2 values' ] || { echo "the program said: $said"; exit 1; }
if [ -x "$build/lucida" ]; then
    "$tree.moved/bin/lucida" methods | grep -q saliency || { echo 'bin/lucida does not know saliency'; exit 1; }
    [ -s "$tree.moved/share/lucida/lucida.conf" ] || { echo 'lucida.conf was not installed'; exit 1; }
fi
echo "install: a program built against $(pkg-config --modversion lucida) runs"
