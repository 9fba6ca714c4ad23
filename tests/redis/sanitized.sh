#!/bin/sh
# The module with a sanitizer in a server without: sanitized.sh SOURCE WORK address|thread PYTHON REDIS_SERVER LIBRARY
# The run time library is loaded before the server, so the server's heap, its locks and its threads are watched as well; only
# the module's own accesses are. That needs a server that takes malloc from a shared object and loads modules without
# RTLD_DEEPBIND: Debian's does, Valkey's of PyPI does not.
source=$1 work=$2 kind=$3 python=$4 server=$5 library=$6
here=$source/tests/redis
case $kind in
  thread) flags=thread runtime=libtsan.so tests='waiting roles beside workers' ;;
  *) flags=address,undefined runtime=libasan.so tests='single describe waiting roles typed once streams beside workers' ;;
esac
runtime=$(${CC:-cc} -print-file-name=$runtime)
[ -f "$runtime" ] || { echo "skipped: this compiler has no $runtime"; exit 77; }
rm -rf "$work"
if ! meson setup "$work" "$source" -Db_sanitize=$flags -Db_lundef=false -Doptimization=1 > "$work.log" 2>&1 ||
    ! ninja -C "$work" redis/anabranch.so >> "$work.log" 2>&1; then
  tail -30 "$work.log"
  exit 1
fi
failed=0
for name in $tests; do
  ANB_SANITIZER=$runtime "$python" "$here/$name.py" "$server" "$work/redis/anabranch.so" "$library" || failed=1
done
exit $failed
