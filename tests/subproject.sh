#!/bin/sh
# The library as a subproject of a program that is built for debugging: subproject.sh SOURCE FOLDER
# With default_library=shared the program is linked with the shared library, with static it holds the library; either way
# the library is compiled with -O3, and nothing but the library is built. Where optimize=false leaves it slow, Meson says so.
source=$1 work=$2 failed=0 checks=0
rm -rf "$work"
mkdir -p "$work/parent/subprojects" || exit 1
ln -s "$source" "$work/parent/subprojects/anabranch"
cat >"$work/parent/meson.build" <<'EOF'
project('parent', 'c', default_options: ['buildtype=debug', 'c_std=c11'])
executable('program', 'program.c', dependencies: dependency('anabranch', fallback: ['anabranch', 'anabranch_dep']))
EOF
cat >"$work/parent/program.c" <<'EOF'
#include <anabranch/anabranch.h>
int main(void)
{
    StreamingLearner *model = anb_parse(2, "scale(rls)", NULL, NULL);
    double x[2] = {1, 2};
    for (int i = 0; i < 100; i++)
        anb_train_one(model, x, 5, 1);
    int wrong = !(anb_predict(model, x) > 4.9);
    anb_free(model);
    return wrong;
}
EOF

check()
{
    checks=$((checks + 1))
    [ "$1" -eq 0 ] && return
    echo "not so: $2"
    failed=$((failed + 1))
}

# A release that is installed must not answer for the subproject.
setup="meson setup --force-fallback-for=anabranch"
for kind in shared static; do
    build=$work/$kind
    $setup -Ddefault_library=$kind "$build" "$work/parent" >"$build.log" 2>&1 && ninja -C "$build" program >>"$build.log" 2>&1
    check $? "the parent builds with default_library=$kind: $(tail -5 "$build.log")"
    "$build/program"
    check $? "its program learns ($kind)"
    ldd "$build/program" | grep -q libanabranch
    linked=$?
    [ "$kind" = static ] && linked=$((1 - linked))
    check $linked "the program is linked as default_library=$kind says"
    ninja -C "$build" -t commands program | grep -e ' -c [^ ]*subprojects/anabranch/.*\.c$' >"$build.commands"
    [ -s "$build.commands" ] && ! grep -vq -e ' -O3 ' "$build.commands"
    check $? "every file of the library is compiled with -O3 ($kind)"
    ! ninja -C "$build" -t targets all | grep -qE 'cli/|redis/|tests/|bench/'
    check $? "only the library is built ($kind)"
done
kernels=subprojects/anabranch/src/libanabranch_baseline.a.p/simd_kernels_isa.c.o
$setup -Db_sanitize=address,undefined -Db_lundef=false "$work/checked" "$work/parent" >"$work/checked.log" 2>&1 &&
    ninja -C "$work/checked" "$kernels" >>"$work/checked.log" 2>&1
check $? "a parent that is checked by sanitizers builds: $(tail -5 "$work/checked.log")"
$setup -Danabranch:optimize=false "$work/slow" "$work/parent" >"$work/slow.log" 2>&1
grep -q 'WARNING.*without optimisation' "$work/slow.log"
check $? "Meson warns of a library without optimisation"
# Installed below a folder of one's own, the program finds the library there.
meson setup --prefix="$work/own" -Dtests=disabled -Dexamples=disabled -Dbench=disabled -Dredis=disabled -Ddocs=disabled "$work/alone" \
    "$source" >"$work/alone.log" 2>&1 && ninja -C "$work/alone" install >>"$work/alone.log" 2>&1
check $? "it is installed below a folder of one's own: $(tail -5 "$work/alone.log")"
env -u LD_LIBRARY_PATH "$work/own/bin/anabranch" --version >/dev/null
check $? "the program runs from there"
echo "100%: Checks: $checks, Failures: $failed, Errors: 0"
[ "$failed" -eq 0 ]
