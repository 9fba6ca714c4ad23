#!/bin/sh
# Builds with a sanitizer and runs the tests where it has most to say: sanitized.sh SOURCE WORK address|thread.
source=$1
work=$2
kind=$3
case $kind in
  thread) flags=thread tests='serve serve_threads workers workers_shared threads saving answers' ;;
  *) flags=address,undefined tests='expression golden contract moe routers interval pending drift trees snapshot foreign faults alloc hostile serve serve_threads workers threads saving answers ways kernels knn knn_many knn_margin knn_plane knn_coarse knn_search ridge_plane columns columns_line past refine boa best mlp mlp_every network_single network_columns products rls rls_single sift screen season guard jumps sharing codes additive tails sizes frame_older stripes workers_shared tree_builder window packed boost sgbt schema streams cli cli_warnings cli_tables cli_rows cli_mistakes'
    replays='expression snapshot calls audit number csv requests' program=cli/anabranch ;;
esac
export ANB_SOURCE_ROOT="$source" ANB_PROGRAM="$work/cli/anabranch"
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
rm -rf "$work"
meson setup "$work" "$source" -Db_sanitize=$flags -Db_lundef=false -Doptimization=1 -Dredis=disabled > /dev/null || exit 1
failed=0
for name in $tests; do
  if ! ninja -C "$work" "tests/check_$name" $program > "$work/log" 2>&1 || ! "$work/tests/check_$name" > "$work/log" 2>&1; then
    echo "$name:"
    tail -30 "$work/log"
    failed=1
  else
    echo "$name: $(grep Checks "$work/log")"
  fi
done
for name in $replays; do
  if ! ninja -C "$work" "fuzz/replay_$name" > "$work/log" 2>&1 || ! "$work/fuzz/replay_$name" "$source/fuzz/corpus/$name" > "$work/log" 2>&1; then
    echo "fuzz $name:"
    tail -30 "$work/log"
    failed=1
  else
    echo "fuzz $name: $(tail -1 "$work/log")"
  fi
done
exit $failed
