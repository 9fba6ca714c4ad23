#!/usr/bin/env python3
"""What batch learners reach that are fitted again and again, with their settings chosen in hindsight.

    pip install lightgbm catboost scikit-learn numpy
    refitted.py fit FOLDER TABLE [--limit N] [--every N] [--only STREAM ...] [--models NAME ...]
    refitted.py compare FOLDER TABLE build/bench/accuracy [--limit N] [--seeds N] [--jobs N] EXPRESSION ...

FOLDER holds CSV files whose last column is the target. `fit` goes through each stream in blocks of --every rows: each
model is fitted to all rows before a block and predicts the block; only blocks in the second half of the stream are
asked, so the first fit knows half of it. It appends a line to TABLE for each stream, model and setting (RMSE over the
second half; seconds of one thread, fits and predictions together; microseconds a row of that half) and leaves out the
lines that TABLE has already. A folder of a dozen streams of 20,000 rows takes about an hour.

`compare` runs the expressions through the whole of each stream, predict then learn, and prints for each the RMSE over
the second half over the least of the stream in TABLE, all models and settings, and the microseconds that both took a
row.

`extra_trees` and `ridge` get the mean where a cell is empty; `ridge` sees the features, standardised, and their
products. `lightgbm last=1` has the target of the row before as one more feature.
"""
import argparse
import csv
import io
import math
import os
import pathlib
import subprocess
import sys
import time

from folder import streams

GRID = {
    "lightgbm": [
        {"n_estimators": 100, "learning_rate": 0.1, "num_leaves": 31},
        {"n_estimators": 400, "learning_rate": 0.03, "num_leaves": 31},
        {"n_estimators": 400, "learning_rate": 0.05, "num_leaves": 63},
        {"n_estimators": 400, "learning_rate": 0.05, "num_leaves": 8},
        {"n_estimators": 400, "learning_rate": 0.05, "num_leaves": 63, "last": 1},
    ],
    "catboost": [{"iterations": 400, "depth": 6, "learning_rate": 0.08}],
    "extra_trees": [{"min_samples_leaf": 1}, {"min_samples_leaf": 3}],
    "ridge": [{"alpha": 1}, {"alpha": 30}, {"alpha": 1000}],
}
FIELDS = ["stream", "rows", "every", "model", "setting", "rmse_second_half", "seconds", "us"]


def read(path, limit):
    """Features with NaN for an empty cell, and the targets."""
    import numpy as np

    table = np.genfromtxt(path, delimiter=",", skip_header=1, dtype=float, max_rows=limit)
    table = table[np.isfinite(table[:, -1])]
    return table[:, :-1], table[:, -1]


def lightgbm(setting):
    from lightgbm import LGBMRegressor

    return LGBMRegressor(n_jobs=1, verbosity=-1, random_state=1, **setting)


def catboost(setting):
    from catboost import CatBoostRegressor

    return CatBoostRegressor(thread_count=1, verbose=False, random_seed=1, allow_writing_files=False, **setting)


def extra_trees(setting):
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    trees = ExtraTreesRegressor(n_estimators=200, n_jobs=1, random_state=1, **setting)
    return make_pipeline(SimpleImputer(keep_empty_features=True), trees)


def ridge(setting):
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    return make_pipeline(
        SimpleImputer(keep_empty_features=True),
        StandardScaler(),
        PolynomialFeatures(2, include_bias=False),
        StandardScaler(),
        Ridge(**setting),
    )


MAKERS = {"lightgbm": lightgbm, "catboost": catboost, "extra_trees": extra_trees, "ridge": ridge}


def with_last(x, y):
    import numpy as np

    before = np.concatenate([[y[0]], y[:-1]])
    return np.column_stack([x, before])


def second_half(model, setting, x, y, every):
    """RMSE over the second half of the stream, and the seconds of fitting and predicting."""
    import numpy as np

    setting = dict(setting)
    x = with_last(x, y) if setting.pop("last", 0) else x
    n, squares, begin = len(y), 0.0, time.process_time()
    for at in range(n // 2, n, every):
        to = min(at + every, n)
        fitted = MAKERS[model](setting).fit(x[:at], y[:at])
        said = np.clip(fitted.predict(x[at:to]), y[:at].min(), y[:at].max())
        squares += float(((said - y[at:to]) ** 2).sum())
    return math.sqrt(squares / (n - n // 2)), time.process_time() - begin


def text_of(setting):
    return " ".join(f"{name}={value}" for name, value in setting.items())


def lines_of(table):
    if not table.exists():
        return []
    with open(table, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def fit(options):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    paths = streams(options.folder, options.only)
    known = {(line["stream"], line["model"], line["setting"]) for line in lines_of(options.table)}
    with open(options.table, "a", newline="") as file:
        out = csv.DictWriter(file, FIELDS, delimiter="\t", lineterminator="\n")
        if not known:
            out.writeheader()
        for model in options.models:
            for path in paths:
                fit_stream(options, path, model, known, out)
                file.flush()


def fit_stream(options, path, model, known, out):
    x, y = read(path, options.limit)
    for setting in GRID[model]:
        text = text_of(setting)
        if (path.stem, model, text) in known:
            continue
        rmse, seconds = second_half(model, setting, x, y, options.every)
        us = 1e6 * seconds / (len(y) - len(y) // 2)
        cells = (path.stem, len(y), options.every, model, text, f"{rmse:.6g}", f"{seconds:.1f}", f"{us:.0f}")
        out.writerow(dict(zip(FIELDS, cells)))
        print(path.stem, model, text, f"{rmse:.6g} {seconds:.1f} s", flush=True)


def measured(options):
    """{stream: {expression: (RMSE over the second half, us)}}, means over the seeds."""
    command = [options.program, "--data", options.folder, "--format", "csv", "--limit", options.limit]
    command += ["--seeds", options.seeds, "--jobs", options.jobs, *options.expressions]
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=True)
    out = {}
    for line in csv.DictReader(io.StringIO(done.stdout)):
        out.setdefault(line["stream"], {})[line["expression"]] = (float(line["rmse_second_half"]), float(line["us"]))
    return out


def compare(options):
    best = {}
    for line in lines_of(options.table):
        if line["stream"] not in best or float(line["rmse_second_half"]) < float(best[line["stream"]]["rmse_second_half"]):
            best[line["stream"]] = line
    here = [path.stem for path in streams(options.folder)]
    missing = [stream for stream in here if stream not in best]
    wrong = missing and (
        f"no reference in {options.table} for {', '.join(missing)}; to fit them:\n"
        f"    {sys.argv[0]} fit {options.folder} {options.table} --limit {options.limit} --only {' '.join(missing)}"
    )
    if missing == here:
        return wrong
    logs = {expression: [] for expression in options.expressions}
    print("stream", "best refitted", "us", *options.expressions, sep="\t")
    for stream, ours in measured(options).items():
        if stream not in best:
            continue
        least, cells = float(best[stream]["rmse_second_half"]), []
        for expression in options.expressions:
            rmse, us = ours[expression]
            logs[expression].append(math.log(rmse / least))
            cells.append(f"{rmse / least:.3f} ({us:.0f} us)")
        print(stream, f"{best[stream]['model']} {best[stream]['setting']}", best[stream]["us"], *cells, sep="\t")
    print("geometric mean", "", "", *(f"{math.exp(sum(v) / len(v)):.3f}" for v in logs.values()), sep="\t")
    return wrong or None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("fit", "compare"):
        command = commands.add_parser(name)
        command.add_argument("folder", type=pathlib.Path)
        command.add_argument("table", type=pathlib.Path)
        command.add_argument("--limit", type=int, default=20000)
        if name == "fit":
            command.add_argument("--every", type=int, default=2000)
            command.add_argument("--only", nargs="*")
            command.add_argument("--models", nargs="*", choices=GRID, default=list(GRID))
        else:
            command.add_argument("program")
            command.add_argument("expressions", nargs="+", metavar="EXPRESSION")
            command.add_argument("--seeds", type=int, default=1)
            command.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    sys.exit({"fit": fit, "compare": compare}[options.command](options))


if __name__ == "__main__":
    main()
