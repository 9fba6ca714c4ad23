#!/bin/sh
# The stream example reads a plain stream and refuses a broken one: stream_csv.sh PROGRAM
failed=0
out=$(awk 'BEGIN { print "a,b,y"; for (i = 0; i < 500; i++) print i % 7 "," i % 5 "," i % 7 - i % 5 }' | "$1") || failed=1
[ "$(echo "$out" | wc -l)" -eq 6 ] || { echo "expected a head and five lines, got: $out"; failed=1; }
printf 'a,y\n1,2\n1\n' | "$1" >/dev/null 2>&1 && { echo "a short row was taken"; failed=1; }
printf '' | "$1" >/dev/null 2>&1 && { echo "an empty stream was taken"; failed=1; }
echo "100%: Checks: 3, Failures: $failed, Errors: 0"
[ "$failed" -eq 0 ]
