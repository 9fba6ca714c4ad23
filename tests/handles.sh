#!/bin/sh
# anabranch.hpp compiles without a warning and works, with and without exceptions: handles.sh INCLUDE LIBRARY TEST EXAMPLE FOLDER CXX...
include=$1 library=$2 test=$3 example=$4 folder=$5
shift 5
mkdir -p "$folder" || exit 1
make_one() {
    out=$1
    shift
    "$@" -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror "-I$include" -o "$folder/$out" "$library" "-Wl,-rpath,$(dirname "$library")"
}
for cxx in "$@"; do
    for how in '-std=c++17' '-std=c++20 -fno-exceptions -fno-rtti'; do
        # shellcheck disable=SC2086 # words
        make_one handles "$cxx" $how "$test" && "$folder/handles" "$folder" || { echo "$cxx $how"; exit 1; }
    done
    make_one example "$cxx" -std=c++17 "$example" && "$folder/example" "$folder/example.anb" || { echo "$cxx: the example"; exit 1; }
done
