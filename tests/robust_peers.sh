#!/bin/sh
# Vowpal Wabbit and River beside the robustness benchmark, on one small stream: robust_peers.sh SCRIPT PROGRAM
export LC_ALL=C # awk and sort read and write a decimal point
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
awk 'BEGIN { srand(7); print "a,b,y"; for (i = 0; i < 800; i++) { a = rand(); b = rand(); print a "," b "," a - 2 * b } }' >"$folder/small.csv"
text=$("$1" "$2" "$folder" --damage one-target --damage columns)
code=$?
[ "$code" -eq 0 ] || { echo "$text"; exit "$code"; }
lines=$(echo "$text" | grep -cE '^  (one-target|columns) +[0-9]+\.[0-9]+  \[ *[0-9.]+ small\]$')
[ "$lines" -eq 4 ] || { echo "expected four rows: $text"; exit 1; }
