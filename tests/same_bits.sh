#!/bin/sh
# Builds the digest program with each compiler and optimisation level, for valgrind, and for aarch64 where the cross compiler,
# its GSL and qemu are there, and runs each over all samples: same_bits.sh SOURCE WORK [PATTERN]. Prints one line a build; fails
# where any differs. GSL for aarch64 is under ARM_ROOT, where tools/arm64-gsl unpacks it.
source=$1
work=$2
pattern=${3:-.}
failed=0
try() {
  name=$1
  shift
  echo "$name" | grep -qE "$pattern" || return 0
  rm -rf "$work/$name"
  if ! env "$@" > "$work/$name.log" 2>&1 || ! ninja -C "$work/$name" tests/digest >> "$work/$name.log" 2>&1; then
    echo "$name: does not build, see $work/$name.log"
    failed=1
  elif $run "$work/$name/tests/digest" "$source/tests/digests.txt" all > "$work/$name.log" 2>&1; then
    echo "$name: $(tail -1 "$work/$name.log")"
  else
    echo "$name: differs"
    cat "$work/$name.log"
    failed=1
  fi
}
mkdir -p "$work"
run=
clang=$(command -v clang-14 || command -v clang) || echo "skipped: clang is not there"
for compiler in gcc $(basename "$clang"); do
  for level in 0 1 2 3; do
    try $compiler-O$level CC=$compiler meson setup "$work/$compiler-O$level" "$source" -Doptimization=$level -Db_ndebug=true
  done
done
if command -v valgrind > /dev/null; then
  run='valgrind --quiet --error-exitcode=9'
  try valgrind CC=gcc meson setup "$work/valgrind" "$source" -Doptimization=2
else
  echo "skipped: valgrind is not there"
fi
# By a path of its own: Meson takes one that begins with the source's, as of a folder beside it, for one in the source.
link=$(mktemp -d) || exit 1
trap 'rm -rf "$link"' EXIT
[ -d "$ARM_ROOT" ] && ln -s "$(realpath "$ARM_ROOT")" "$link/root"
libraries=$link/root/usr/lib/aarch64-linux-gnu
if command -v aarch64-linux-gnu-gcc > /dev/null && command -v qemu-aarch64-static > /dev/null &&
  [ -f "$libraries/pkgconfig/gsl.pc" ]; then
  run="qemu-aarch64-static -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=$libraries"
  try aarch64 PKG_CONFIG_SYSROOT_DIR="$link/root" PKG_CONFIG_LIBDIR="$libraries/pkgconfig" meson setup "$work/aarch64" \
    "$source" --cross-file "$source/tests/aarch64.ini" -Dcli=disabled -Dredis=disabled -Doptimization=2
else
  echo "skipped: aarch64 needs gcc-aarch64-linux-gnu, qemu-user-static and ARM_ROOT, a folder filled by tools/arm64-gsl"
fi
exit $failed
