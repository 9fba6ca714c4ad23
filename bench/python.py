#!/usr/bin/env python3
"""The Python package beside River and the C library in one run: python.py [BENCH_FOLDER]

Every figure is the least of several rounds that take turns, in nanoseconds of CPU time a call or a row, so that other
work on the machine does not count; ratios are of one run. Each job over a table has one of its own and goes through it
once before, so that all find it as near to the processor. A single row is compared with the C call on the same rows: a
model's first ones cost more.
"""

import os
import subprocess
import sys
import time

import numpy as np

import anabranch
from anabranch import Model

D, N, ROUNDS = 10, 2_000, 60
TABLE = 100_000  # rows of a table: enough that what a call costs once counts for little
random = np.random.default_rng(0)
X = random.normal(size=(TABLE, D))
y = X @ np.arange(1.0, D + 1)
NAMES = [f"feature_{j}" for j in range(D)]
ROWS = [dict(zip(NAMES, row)) for row in X[:N].tolist()]
TARGETS = y[:N].tolist()


def each(learn, predict=None):
    """A loop over the dicts: predict, then learn."""

    def run():
        if predict is None:
            for row, target in zip(ROWS, TARGETS):
                learn(row, target)
        else:
            for row, target in zip(ROWS, TARGETS):
                predict(row)
                learn(row, target)

    return run


def compare(jobs):
    """The least time a row of each job; `make` of a job gives a fresh one for each round."""
    best = dict.fromkeys(jobs, float("inf"))
    for _ in range(ROUNDS):
        for name, make in jobs.items():
            rows = TABLE if "learn_many" in name or name.startswith("C loop") else N
            if rows == TABLE:
                make()()
            run = make()
            start = time.process_time()
            run()
            best[name] = min(best[name], (time.process_time() - start) / rows * 1e9)
    return best


def single(expression):
    def make():
        model = Model(expression, NAMES)
        return each(model.learn_one, model.predict_one)

    return make


def trains(expression):
    def make():
        return each(Model(expression, NAMES).train_one)

    return make


def many(expression, table):
    def make():
        model = Model(expression, NAMES)
        return lambda: model.learn_many(table, y)

    return make


def river_linear():
    from river import linear_model

    model = linear_model.LinearRegression()
    return each(model.learn_one, model.predict_one)


def river_class():
    from anabranch.river import Regressor

    model = Regressor("linear", NAMES)
    return each(model.learn_one, model.predict_one)


def main():
    jobs = {
        "C loop, linear": c_loop("linear"),
        "C loop, scale(rls)": c_loop("scale(rls)"),
        f"C call, scale(rls), the first {N:,} rows": c_loop("scale(rls)", N),
        "predict_one + learn_one, dict, linear": single("linear"),
        "train_one, dict, linear": trains("linear"),
        "train_one, dict, scale(rls)": trains("scale(rls)"),
        "learn_many, matrix, linear": many("linear", X.copy()),
        "learn_many, matrix, scale(rls)": many("scale(rls)", X.copy()),
    }
    try:
        import polars

        jobs["learn_many, polars, linear"] = many("linear", polars.DataFrame(dict(zip(NAMES, X.T))))
    except ImportError:
        print("polars is not installed")
    try:
        import pyarrow

        jobs["learn_many, Arrow, linear"] = many("linear", pyarrow.table(dict(zip(NAMES, X.T))))
    except ImportError:
        print("pyarrow is not installed")
    try:
        import pandas

        jobs["learn_many, pandas, linear"] = many("linear", pandas.DataFrame(X, columns=NAMES))
    except ImportError:
        print("pandas is not installed")
    try:
        import river

        jobs[f"River {river.__version__}: predict_one + learn_one, LinearRegression"] = river_linear
        jobs["anabranch.river.Regressor: predict_one + learn_one, linear"] = river_class
    except ImportError:
        print("River is not installed")
    best = compare(jobs)
    print(f"d = {D}, {N:,} rows one by one, {TABLE:,} as a table, the least of {ROUNDS} rounds that take turns, anabranch {anabranch.__version__}")
    for name, nanoseconds in best.items():
        print(f"{name:68s} {nanoseconds:9.0f} ns")
    ratios(best)
    start_up()


def ratios(best):
    peer = [value for name, value in best.items() if name.startswith("River")]
    if peer:
        print(f"dict, linear: {best['predict_one + learn_one, dict, linear'] / peer[0]:.4f} of River's time (goal 0.0667)")
    matrix, loop = best["learn_many, matrix, linear"], best["C loop, linear"]
    call = best[f"C call, scale(rls), the first {N:,} rows"]
    print(f"train_one, dict, scale(rls): {best['train_one, dict, scale(rls)'] / call:.2f} of the C call (goal 1.5)")
    print(f"learn_many, matrix, linear: {loop / matrix:.2f} of the C loop's speed (goal 0.95)")
    for kind in ("polars", "Arrow", "pandas"):
        if f"learn_many, {kind}, linear" in best:
            print(f"learn_many, {kind}, linear: {loop / best[f'learn_many, {kind}, linear']:.2f} of the C loop's speed (goal 0.8)")


def c_loop(expression, n=TABLE):
    """anb_train_many over n rows with nothing of Python around it but one call, and nothing checked before."""
    rows, targets = X[:n].copy(), y[:n].copy()

    def make():
        model = Model(expression, D, bad_rows="skip")
        return lambda: model._many(rows, targets, None, None)

    return make


def start_up():
    code = "import numpy, time; t = time.perf_counter(); import anabranch; print((time.perf_counter() - t) * 1e3)"
    times = [float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout) for _ in range(5)]
    print(f"import beyond numpy: {min(times):.1f} ms (goal 20)")
    print(f"the extension: {os.path.getsize(anabranch._core.__file__):,} bytes")


if __name__ == "__main__":
    main()
