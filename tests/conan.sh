#!/bin/sh
# The recipe for Conan: conan.sh SOURCE FOLDER. `conan create` builds the library as a static and as a shared one with the system's
# GSL, and packaging/conan/test_package is a program of its own that is linked with each. Status 77: skipped, with the reason.
source=$1 folder=$2
skip()
{
    echo "skipped: $1"
    exit 77
}

python3 -c 'import ensurepip, venv' 2>/dev/null || skip "python3 has no venv with pip (Debian: python3-venv)"
mkdir -p "$folder" || exit 1
[ -x "$folder/venv/bin/pip" ] || python3 -m venv "$folder/venv" || exit 1
"$folder/venv/bin/pip" --disable-pip-version-check -q --timeout 20 --retries 1 install 'conan>=2,<3' >"$folder/pip.log" 2>&1 ||
    skip "Conan cannot be installed from PyPI"
export CONAN_HOME="$folder/home"
conan=$folder/venv/bin/conan
rm -rf "$CONAN_HOME" "$folder/test_package"
cp -r "$source/packaging/conan/test_package" "$folder/test_package" || exit 1
"$conan" profile detect >"$folder/log" 2>&1 || exit 1

failed=0
# check SHARED PATTERN: the package holds that kind of library and no other
check()
{
    rm -rf "$CONAN_HOME/p"
    "$conan" create "$source/packaging/conan" --no-remote -o "anabranch/*:shared=$1" --test-folder "$folder/test_package" \
        >"$folder/log" 2>&1 && grep '^anabranch .* at (2, 5)' "$folder/log" || { tail -30 "$folder/log"; failed=1; return; }
    libraries=$(find "$CONAN_HOME/p" -path '*/p/lib/libanabranch*' -type f)
    case $(basename "$libraries") in
    $2) echo "shared=$1: built, linked and run" ;;
    *) echo "shared=$1: not the library that was asked for: $libraries" && failed=1 ;;
    esac
}
check False 'libanabranch.a'
check True 'libanabranch.so.*'
exit $failed
