#!/usr/bin/env python3
"""The models that the Rust library irithyll has as well, beside it: ns of predict and of train, and the ratio.

reference.py PROGRAM [--rounds N] [--features 4,8,...] [--models linear,...] [--quick] [--built PROGRAM]

PROGRAM is build/bench/reference. The other side, bench/reference, is built by cargo for this CPU in a folder of its own
and thrown away. Both are run in turn, A B A B, and the minima kept. `rls` has no intercept on either side. The ratio is
ours to theirs: above 1 we are behind. Exit status 77 where cargo or the crate is not to be had.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MODELS = ["linear", "rls", "mixture4", "mixture16"]


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def build(folder):
    """The other side's program, built for this CPU."""
    cargo = shutil.which("cargo")
    if not cargo:
        skip("no cargo")
    shutil.copytree(HERE / "reference", folder / "source")
    env = dict(os.environ, RUSTFLAGS="-C target-cpu=native", CARGO_TARGET_DIR=str(folder / "built"))
    done = subprocess.run([cargo, "build", "--release", "--quiet"], cwd=folder / "source", env=env,
                          capture_output=True, text=True)
    if done.returncode:
        skip("cargo could not build it: " + done.stderr.strip().splitlines()[-1])
    return folder / "built" / "release" / "reference"


def once(program, model, features):
    done = subprocess.run([program, model, str(features)], capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def least(a, b):
    return [min(pair) for pair in zip(a, b)]


def compare(ours, theirs, model, features, rounds):
    """The minima of predict and train, of both."""
    mine = other = [float("inf")] * 2
    for _ in range(rounds):
        mine = least(mine, once(ours, model, features))
        other = least(other, once(theirs, model, features))
    return mine, other


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("program")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--features", default="4,8,16,32,128,512")
    options.add_argument("--models", default=",".join(MODELS))
    options.add_argument("--quick", action="store_true", help="one round of two widths")
    options.add_argument("--built", help="the other side's program, where it has been built before")
    given = options.parse_args()
    widths = [8, 32] if given.quick else [int(word) for word in given.features.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        theirs = given.built or build(pathlib.Path(folder))
        print(f"{'model':12}{'features':>9}{'predict':>10}{'irithyll':>10}{'ratio':>7}"
              f"{'train':>10}{'irithyll':>10}{'ratio':>7}", flush=True)
        for model in given.models.split(","):
            for d in widths:
                mine, other = compare(given.program, theirs, model, d, 1 if given.quick else given.rounds)
                print(f"{model:12}{d:9}", "".join(f"{a:10.1f}{b:10.1f}{a / b:7.2f}" for a, b in zip(mine, other)),
                      flush=True)


if __name__ == "__main__":
    main()
