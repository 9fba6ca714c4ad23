#!/bin/sh
# Vowpal Wabbit and River on damaged streams: robust_peers.sh ROBUST DATA [OPTION...]
# ROBUST is the program, DATA a folder of CSV files; options such as --limit 6000 go to the program, which makes the files.
# The packages come from PyPI into a folder of their own; where they cannot be installed it ends with 77 (skipped).
here=$(cd "$(dirname "$0")" && pwd)
program=$1
data=$2
shift 2
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" -q install 'vowpalwabbit==9.11.*' 'river==0.26.*' || {
    echo "skipped: vowpalwabbit and river cannot be installed here"
    exit 77
}
"$program" --data "$data" "$@" --write "$folder/dirty" || exit 1
"$folder/venv/bin/python" "$here/robust_peers.py" "$folder/dirty"
