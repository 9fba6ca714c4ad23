#!/bin/sh
# The robustness benchmark on streams whose errors are known: robust.sh PROGRAM
failed=0
export LC_ALL=C # awk and sort read and write a decimal point
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/data"

# Of 200 equal targets one becomes mean + 1000 sd. With sd 0 it stays, and every ratio is 1.
awk 'BEGIN { print "x,y"; for (i = 0; i < 200; i++) print i % 7 "," 3 }' >"$folder/data/flat.csv"
# Alternating signs: sd 1. `last` is off by 2 everywhere, and by 1000 +- 1 on the row after the wrong target.
awk 'BEGIN { print "x,y"; for (i = 0; i < 4000; i++) print i % 7 "," (i % 2 ? -1 : 1) }' >"$folder/data/signs.csv"

expect() # WHAT TEXT WANTED
{
    case "$2" in
    *"$3"*) ;;
    *) echo "$1: expected $3 in: $2"; failed=$((failed + 1)) ;;
    esac
}

# The wrong rows, told by the files themselves: each damage changes the rows it names, and no other.
"$1" --data "$folder/data" --write "$folder/out" || failed=$((failed + 1))
for damage in one-target targets one-sentinel sentinels spikes; do
    changed=$(diff "$folder/out/clean/signs.csv" "$folder/out/$damage/signs.csv" | grep -c '^>')
    named=$(wc -l <"$folder/out/$damage/signs.bad")
    [ "$changed" -le "$named" ] && [ "$changed" -gt 0 ] || { echo "$damage: $changed, $named"; failed=$((failed + 1)); }
done
expect "one target" "$(cut -d, -f2 "$folder/out/one-target/signs.csv" | sort -g | tail -1)" 1000
expect "one sentinel" "$(grep -c '^-9999,' "$folder/out/one-sentinel/signs.csv")" 1
expect "the columns" "$(tail -1 "$folder/out/columns/signs.csv" | cut -d, -f1-4)" "2,1,2,4000"
expect "no wrong row" "$(wc -l <"$folder/out/columns/signs.bad")" 0

# The ratio of `last` on the row after: from the file, over the rows from 1,000 on.
row=$(cat "$folder/out/one-target/signs.bad")
wanted=$(awk -v row="$row" 'BEGIN { for (i = 1000; i < 4000; i++) if (i != row) {
    n++; c += 4; e = i == row + 1 ? 1000 - (i % 2 ? -1 : 1) : 2; s += e * e }; printf "%.3f", sqrt(s / c) }')
text=$("$1" --data "$folder/data" --only signs --seeds 1 --damage one-target last)
expect "last after a wrong target" "$text" "$wanted"
json=$("$1" --data "$folder/data" --only signs --seeds 1 --damage one-target --oracle yes --format json last)
# Without the wrong row two equal signs meet once: no error there, 2 on the other 2,998.
expect "last told of it" "$json" '"oracle": 0.999833,'
json=$("$1" --data "$folder/data" --only flat --seeds 2 --damage targets --format json last mean)
expect "nothing to damage" "$(echo "$json" | grep -c '"flat": 1}')" 2

"$1" --data "$folder/data" --format xml last >/dev/null 2>&1 && { echo "xml was taken"; failed=$((failed + 1)); }
for wrong in '--seeds 2x' '--from 25x' '--oracle maybe'; do
    # shellcheck disable=SC2086 # an option and its value
    "$1" --data "$folder/data" $wrong last >/dev/null 2>&1 && { echo "$wrong was taken"; failed=$((failed + 1)); }
done
"$1" --data "$folder/data" --damage none last >/dev/null 2>&1 && { echo "no damage"; failed=$((failed + 1)); }
expect "an unknown learner" "$("$1" --data "$folder/data" --seeds 1 --only flat nonsense 2>&1)" "failed"

echo "100%: Checks: 18, Failures: $failed, Errors: 0"
[ "$failed" -eq 0 ]
