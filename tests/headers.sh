#!/bin/sh
# Every public header compiles alone, as C11 and as C++: headers.sh INCLUDE_FOLDER CC CXX
folder=$1 cc=$2 cxx=$3 passed=0 failed=0
count() {
    if [ "$1" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "$2 does not compile alone as $3"; fi
}
for header in "$folder"/anabranch/*.h; do
    $cc -std=c11 -Wall -Wextra -Wcast-qual -Werror -I"$folder" -fsyntax-only -x c "$header"
    count $? "$header" C
    $cxx -Wall -Wextra -Wcast-qual -Werror -I"$folder" -fsyntax-only -x c++ "$header"
    count $? "$header" C++
done
echo "100%: Checks: $((passed + failed)), Failures: $failed, Errors: 0"
[ "$failed" -eq 0 ]
