#!/bin/sh
# The accuracy benchmark on streams whose errors are known in closed form: accuracy.sh PROGRAM
failed=0
export LC_ALL=C # awk and sort read and write a decimal point
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

# A ramp: `last` is off by 1 at every step, and by 5 at the first, where it says 0. A column of missing cells beside it.
awk 'BEGIN { print "x,gap,y"; for (i = 0; i < 100; i++) print i "," (i % 3 ? "" : i) "," i + 5 }' >"$folder/ramp.csv"
# Alternating signs: `last` is off by 2, the mean of an even number by 1, of an odd number n by 1 + 1/n.
awk 'BEGIN { print "x,y"; for (i = 0; i < 100; i++) print i "," (i % 2 ? -1 : 1) }' >"$folder/signs.csv"
printf 'stream\tlearner\tkind\tn\tmae\trmse\nramp\tsome\tonline\t100\t1\t2\nramp\tother\tonline\t100\t1\t4\nramp\tbase\tbaseline\t100\t1\t.1\n' >"$folder/peers.tsv"

expect() # WHAT TEXT WANTED
{
    case "$2" in
    *"$3"*) ;;
    *) echo "$1: expected $3 in: $2"; failed=$((failed + 1)) ;;
    esac
}

csv=$("$1" --data "$folder" --peers "$folder/peers.tsv" --seeds 2 --format csv last mean)
wanted=$(awk 'BEGIN { printf "%.12f", sqrt((25 + 99) / 100) }')
found=$(echo "$csv" | awk -F, '$1 == "ramp" && $2 == "\"last\"" { printf "%.12f,%s,%s,%s", $5, $3, $12, $13 }')
expect "the ramp" "$found" "$wanted,100,some,2"
wanted=$(awk 'BEGIN { s = 1; for (i = 1; i < 100; i++) { e = i % 2 ? 1 + 1 / i : 1; s += e * e }; printf "%.9f", sqrt(s / 100) }')
found=$(echo "$csv" | awk -F, '$1 == "signs" && $2 == "\"mean\"" { printf "%.9f", $5 }')
expect "the signs" "$found" "$wanted"

text=$("$1" --data "$folder" --peers "$folder/peers.tsv" --seeds 1 --jobs 1 --limit 50 --only ramp last)
expect "the limit" "$text" "ramp: 50 samples, 2 features; best peer some 2 (on another number of samples)"
json=$("$1" --data "$folder" --seeds 1 --format json last mean)
expect "the streams" "$(echo "$json" | grep -c '"stream": ')" 4
expect "no peers" "$(echo "$json" | grep -c peer)" 0
"$1" --data "$folder" --format xml last >/dev/null 2>&1 && { echo "xml was taken"; failed=$((failed + 1)); }
"$1" --data "$folder/none" last >/dev/null 2>&1 && { echo "no folder was taken"; failed=$((failed + 1)); }
wrong=$("$1" --data "$folder" --seeds 1 --only ramp nonsense 2>&1)
expect "an unknown learner" "$wrong" "nonsense"
expect "an unknown learner" "$wrong" "failed"

# What would be measured wrong in silence: texts in cells, counts that are no numbers, tables and streams that are not there.
refused() # WHAT MESSAGE ARGUMENT...
{
    what=$1 message=$2
    shift 2
    said=$("$accuracy" --data "$folder" --seeds 1 "$@" last 2>&1 >/dev/null) && { echo "$what was taken"; failed=$((failed + 1)); }
    expect "$what" "$said" "$message"
}
accuracy=$1
refused "a count that is no number" "--limit" --limit 1e4
refused "a table of peers that is not there" "none.tsv" --peers "$folder/none.tsv"
refused "a stream that is not there" "no file cones.csv" --only cones
refused "an option without a value" "--help" --help
printf 'x,y\n1,2\nlow,3\n' >"$folder/texts.csv"
refused "a text" "texts.csv, line 3, column 1: 'low' is no number" --only texts
printf 'x,y\n1,2\n1\n' >"$folder/short.csv"
refused "a short row" "short.csv, line 3: 1 cells, and the header has 2" --only short
printf 'x,y\n1,2\nNA,3\nnan,3\n,\n' >"$folder/gaps.csv"
expect "missing cells" "$("$1" --data "$folder" --seeds 1 --only gaps last)" "gaps: 3 samples"

echo "100%: Checks: 16, Failures: $failed, Errors: 0"
[ "$failed" -eq 0 ]
