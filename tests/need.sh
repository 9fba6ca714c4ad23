#!/bin/sh
# What is missing is installed, though apt-get fails at first: need.sh TOOL. The folder of commands that it finds is made here.
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
failed=0
ln -s "$(command -v env)" "$(command -v cat)" "$folder"
echo 'echo 0' >"$folder/id"
echo 'echo "$1" >>"${0%/*}/slept"' >"$folder/sleep"
cat >"$folder/apt-get" <<'END'
folder=${0%/*}
echo "$*" >>"$folder/calls"
[ -e "$folder/works" ] || ! [ "$(cat "$folder/slept")" = "0
10" ] || : >"$folder/works"
[ -e "$folder/works" ]
END
for name in id sleep apt-get; do
    sed -i '1i #!/bin/sh' "$folder/$name"
    chmod +x "$folder/$name"
done

expect() # WHAT FOUND WANTED
{
    [ "$2" = "$3" ] || { echo "$1: $2, not $3"; failed=$((failed + 1)); }
}

PATH=$folder "$1" coverage >/dev/null 2>&1
expect "what is missing is told" $? 1
PATH=$folder "$1" install coverage >/dev/null
expect "the second try" $? 0
expect "its calls" "$(grep -c 'install .*gcovr' "$folder/calls"), $(grep -c update "$folder/calls")" "2, 2"
rm "$folder/works" "$folder/slept"
PATH=$folder "$1" nothing >/dev/null 2>&1
expect "a word that it does not know" $? 2
echo 'exit 1' >>"$folder/apt-get"
PATH=$folder "$1" install coverage >/dev/null
expect "no try that works" $? 1
echo "100%: Checks: 5, Failures: $failed, Errors: 0"
[ "$failed" -eq 0 ]
