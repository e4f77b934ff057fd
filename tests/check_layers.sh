#!/bin/sh
# usage: check_layers.sh BUILD   Fails when a layer reaches where it may not: the table of
# ARCHITECTURE.md as a test. Includes are read from the sources, everything else from the symbols of
# the compiled libraries (not a sanitized build), so that comments and strings cannot fool it.
set -u
cd "$(dirname "$0")/.." || exit 2
build=${1:?usage: check_layers.sh BUILD}
bad=0

deny() { # FINDINGS REASON
    [ -z "$1" ] || {
        printf '%s\n  ^ %s\n' "$1" "$2"
        bad=1
    }
}

# ---- includes of our own headers: each folder, and the folders it may use ------------------------

may_use() { # FOLDER USES...
    folder=$1
    shift
    [ -d "$folder" ] || return 0
    allowed=$(printf '%s/|' "$folder" "$@")
    deny "$(grep -rnE '^#include "(core|api|config|server|tests)/' "$folder" --include='*.[ch]' |
        grep -vE "#include \"(${allowed%|})")" "$folder may use: $*"
}

may_use core/base
may_use core/tensor core/base
may_use core/kernels core/base core/tensor
may_use core/ops core/base core/tensor core/kernels
may_use core/graph core/base core/tensor core/kernels core/ops
may_use core/formats core/base core/tensor core/ops core/graph
may_use core/model core/base core/tensor core/ops core/graph core/formats
may_use core/segment core/base core/tensor
# what methods share, each room above the ones before it
may_use core/run core/base core/tensor core/graph core/model
may_use core/show core/base core/tensor core/graph core/model core/run
may_use core/ask core/base core/tensor core/graph core/model core/run core/show
may_use core/judge core/base core/tensor core/graph core/model core/run core/show core/ask
may_use core/survey core/base core/tensor core/graph core/model core/run core/show core/ask
may_use core/attack core/base core/tensor core/graph core/model core/run core/show core/ask
may_use core/generate core/base core/tensor core/graph core/model core/kernels core/run core/show core/ask
may_use core/methods core/base core/tensor core/graph core/model core/segment core/run core/show core/ask \
    core/judge core/survey core/attack core/generate
may_use config core/base
may_use api core
may_use server api config core/base core/tensor core/graph core/model

deny "$(grep -rnE '^#include "core/methods/.*method_' core --include='*.[ch]')" 'a method knows no other method'

# ---- includes and symbols of libraries: who alone may use each -----------------------------------

# object|symbol for every undefined symbol, the object named by its source file where that is known.
symbols=$(
    git ls-files --cached --others --exclude-standard '*.c' | awk -F/ '{ print $NF "|" $0 }' >"$build/sources.txt"
    find "$build" -name 'lib*.a' ! -path '*/tests/*' -exec nm -A -u {} + 2>/dev/null |
        awk -v sources="$build/sources.txt" '
            BEGIN { while ((getline line < sources) > 0) { split(line, f, "|"); path[f[1]] = f[2] } }
            / U / { split($1, part, ":"); o = part[2]
                    sub(/\.o$/, "", o); print ((o in path) ? path[o] : "generated/" o) "|" $NF }' | sort -u
)
[ -n "$symbols" ] || deny "$build" 'no libraries here: build first'

only() { # LIBRARY HEADERS SYMBOLS FILES
    deny "$(grep -rnE "^#include <($2)" core api config server --include='*.[ch]' | grep -vE "^($4)")" \
        "$1 may be used by $4 only"
    deny "$(printf '%s\n' "$symbols" | grep -E "\|($3)\$" | grep -vE "^($4|generated/)")" \
        "$1 may be used by $4 only"
}

only threads 'pthread|threads\.h' 'pthread_[a-z_]+|thrd_[a-z]+' 'core/base/parallel\.c|server/'
only sockets 'sys/socket|netinet|netdb' 'socket|bind|accept|getaddrinfo' 'server/'
only BLAS 'cblas|openblas' 'cblas_[a-z]+|openblas_[a-z_]+' 'core/tensor/blas\.c'
only 'image libraries' 'jpeglib|jerror|png|webp|libexif|gif_lib|libheif|lcms2' \
    'jpeg_[A-Za-z_]+|png_[a-z_]+|WebP[A-Za-z]+|exif_[a-z_]+|DGif[A-Za-z]+|heif_[a-z_]+|cms[A-Z][A-Za-z]+' \
    'core/tensor/codec[a-z_]*\.[ch]'
only OpenSSL 'openssl' 'EVP_[A-Za-z0-9_]+|SHA[0-9_A-Za-z]+' 'core/base/hash\.c'
only kissfft 'kiss_fft' 'kiss_fft[a-z_]*' 'core/generate/fft\.c'
only protobuf-c 'protobuf-c|onnx' 'protobuf_c_[a-z_]+|onnx__[a-z_]+' 'core/formats/'
only jansson 'jansson' 'json_[a-z_]+' 'core/formats/|core/model/|api/|config/|server/'
only libcurl 'curl' 'curl_[a-z_]+' 'server/networks/fetch\.c'
only libarchive 'archive' 'archive_[a-z_]+' 'server/networks/unpack\.c'
only SQLite 'sqlite3' 'sqlite3_[a-z_0-9]+' 'server/store/sql_sqlite\.c'
only libmicrohttpd 'microhttpd' 'MHD_[a-z_]+' 'server/http/http[a-z_]*\.[ch]'

# ---- symbols nobody below server/ may use --------------------------------------------------------

refuse() { # FILES SYMBOLS REASON
    deny "$(printf '%s\n' "$symbols" | grep -E "^($1).*\|($2)\$")" "$3"
}

refuse 'core/|api/' 'printf|vprintf|fprintf|vfprintf|puts|putchar|perror|stdout|stderr|syslog|exit|_exit|abort' \
    'libraries return errors; they do not print, log or end the process'
refuse 'core/|api/|config/' 'rand|srand|random|setlocale|strtok|localtime|gmtime|ctime|asctime|signal|fork|system' \
    'hidden state of the process'
refuse 'core/|api/' 'getenv|secure_getenv|setenv|putenv' 'only config/ and server/ read the environment'
refuse 'api/' 'open|open64|fopen|fopen64|read|write|unlink|rename|mkdir|opendir' 'api/ touches no files'

# ---- what libraries define -----------------------------------------------------------------------

for row in core:luc_ api:api_ config:cfg_; do
    name=${row%%:*}
    for library in "$build/$name"/lib*.a; do
        [ -f "$library" ] || continue
        deny "$(nm -A -g --defined-only "$library" | grep -v 'pb-c\.c\.o:' | awk '{ print $1, $NF }' |
            grep -vE " ${row##*:}")" "exported from $name without the ${row##*:} prefix"
        deny "$(nm -A -f sysv "$library" | grep -v 'pb-c\.c\.o:' | awk -F'|' '
            $7 ~ /^ *(\.data|\.bss|\.tdata|\.tbss|\*COM)/ && $7 !~ /rel\.ro/ { print $1, $7 }')" \
            "$name keeps mutable global state"
    done
done

# ---- tables --------------------------------------------------------------------------------------

row_of() { # FILES STRUCT PREFIX TABLE PATTERN
    for file in $1; do
        [ -f "$file" ] || continue
        sed -nE "s/^const struct $2 $3([a-z0-9_]+) *=.*/\1/p" "$file" >"$build/rows.txt"
        while read -r symbol; do
            grep -qE "^${5}\(${symbol}[,)]" "$4" || deny "$file: $symbol" "no row in $4"
        done <"$build/rows.txt"
        case $file in *_table.c | *_common.c) continue ;; esac
        grep -q "const struct $2 $3\|$2 $3" "$file" || deny "$file" "defines no $3*"
    done
}

row_of 'core/ops/op_*.c' luc_op luc_op_ core/ops/ops.def OP
[ ! -f api/methods.def ] || row_of 'core/methods/*/method_*.c' luc_method luc_method_ api/methods.def METHOD

deny "$(git ls-files --cached --others --exclude-standard '*.c' '*.h' | while read -r f; do [ -f "$f" ] && basename "$f"; done |
    sort | uniq -d)" 'two sources share a file name'

[ $bad -eq 0 ] && echo 'layers: every file keeps to the table'
exit $bad
