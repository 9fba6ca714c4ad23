#!/bin/sh
# The library and its quick tests in C with musl: musl.sh SOURCE FOLDER. GSL and Check are built for musl from Debian's sources
# (tools/musl-root). The digests are among the tests: the same bits as with glibc. Status 77: skipped, with the reason.
# Left out: what wants Python's packages or another library for musl (zlib, zstd, jansson, C++), and what looks at the tree alone.
source=$1 folder=$2
mkdir -p "$folder" || exit 1
"$source/tools/musl-root" "$folder/root" || exit $?
cat >"$folder/musl.ini" <<END
[binaries]
c = 'musl-gcc'
cpp = 'false'
cmake = 'false'
END
compiler=musl-gcc
command -v ccache >/dev/null && compiler='ccache musl-gcc'
rm -rf "$folder/build"
PKG_CONFIG_LIBDIR=$folder/root/lib/pkgconfig CC=$compiler meson setup "$folder/build" "$source" --native-file "$folder/musl.ini" \
    -Dredis=disabled -Dbench=disabled -Dtests=enabled >"$folder/log" 2>&1 &&
    ninja -C "$folder/build" all meson-test-prereq >"$folder/log" 2>&1 || { tail -20 "$folder/log"; exit 1; }
readelf -d "$folder/build/src/libanabranch.so" | grep "libc\.so\.6" && { echo "linked with glibc"; exit 1; }
tests=$(meson test -C "$folder/build" --list --no-suite long 2>/dev/null | sed 's/.* //' |
    grep -vE '^(python_quick|format|links|headers|handles|page_examples|hostile|cli|cli_tables)$')
meson test -C "$folder/build" --no-rebuild -t 10 --print-errorlogs $tests >"$folder/log" 2>&1
status=$?
grep -E 'FAIL|TIMEOUT|^(Ok|Fail|Skipped):' "$folder/log"
exit $status
