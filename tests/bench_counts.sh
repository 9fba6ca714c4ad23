#!/bin/sh
# Benchmarks refuse counts that are no numbers, and options that they do not have: bench_counts.sh PROGRAM...
failed=0 asked=0

refused() # PROGRAM MESSAGE ARGUMENT...
{
    program=$1 message=$2 asked=$((asked + 1))
    shift 2
    said=$("$program" "$@" linear 2>&1 >/dev/null)
    status=$?
    case "$status $said" in
    "2 "*"$message"*) ;;
    *) echo "$program $*: expected status 2 and $message, found status $status and: $said"; failed=$((failed + 1)) ;;
    esac
}

for program; do
    name=$(basename "$program")
    case "${name%.exe}" in
    explain) options=-n ;;
    latency) options='-n -r' ;;
    models) options='-d -n' ;;
    threads) options='-n -r -t' ;;
    wide) options=-m ;;
    workers) options='-t -m -e' ;;
    *) options= ;;
    esac
    case $name in
    columns* | diagnostics*) refused "$program" "'1e2' is no count" 1e2 ;;
    reference*) refused "$program" "'linear' is no count" linear ;;
    esac
    for option in $options; do
        refused "$program" "$option: '1e2' is no count" "$option" 1e2
        refused "$program" "$option: '-1' is no count" "$option" -1
    done
    case $name in
    intervals*) for wrong in '--window 1e2' '--coverage 0.9x'; do
        # shellcheck disable=SC2086 # an option and its value
        refused "$program" "usage: intervals" $wrong
    done ;;
    latency* | models* | threads* | workers*) refused "$program" "-x: no such option; there are -" -x 1 ;;
    esac
done

echo "100%: Checks: $asked, Failures: $failed, Errors: 0"
[ "$failed" -eq 0 ]
