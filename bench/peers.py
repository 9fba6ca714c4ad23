#!/usr/bin/env python3
"""What online learners of other libraries reach on a folder of streams, predict then learn.

    pip install river==0.26.1 vowpalwabbit==9.11.9 capymoa==0.15.1      (CapyMOA runs MOA, which needs Java)
    peers.py FOLDER OUT.tsv [--limit N] [--seconds S] [--only STREAM ...] [--learners NAME ...]

FOLDER holds CSV files whose last column is the target. OUT.tsv gets a line for each stream and learner: `accuracy
--peers OUT.tsv` reads it. Lines that it has are not run again, so a run that was stopped goes on. A learner that takes
more than S seconds of CPU on a stream is stopped; its line has the kind `slow` and the errors up to there, and does not
count. A library that is not installed is named and left out. The streams of more_streams.py take an hour or two on one
core.

The learners see features standardised by mean and deviation so far, and so the target (`_raw`: both as in the file). A
cell that is missing is left out of the row for River and Vowpal Wabbit and the mean so far for MOA. `ref_last` and
`ref_mean` are the target before and the mean so far: no stream should be lost against them, so they are of the kind
`online` as well.
"""
import argparse
import csv
import functools
import math
import pathlib
import sys
import time

from folder import streams
from quantiles import Moments
from refitted import lines_of
from robust_peers import read

FIELDS = "stream learner kind n mae rmse rmse_second_half r2 samples_per_cpu_second".split()


class Row:
    """A row as the learners see it: `raw` and standardised (`z`), by name and without missing cells; `full`,
    standardised, with 0 for them."""

    def __init__(self, raw, z, full, target):
        self.raw, self.z, self.full, self.target = raw, z, full, target

    def standardise(self, moments):
        """Sets `mean` and `sd` of the targets before this one, and `goal`, the standardised target that is learned."""
        self.mean, self.sd = moments.mean, moments.sd()
        moments.add(self.target)
        self.goal = (self.target - moments.mean) / moments.sd()


def rows_of(path, limit):
    """The rows; mean and deviation of a feature include the row itself."""
    lines = read(path)[:limit]
    names = sorted(set().union(*(raw for raw, _ in lines)))
    moments, target, rows = {name: Moments() for name in names}, Moments(), []
    for raw, y in lines:
        z = {}
        for name, value in raw.items():
            moments[name].add(value)
            z[name] = (value - moments[name].mean) / moments[name].sd()
        rows.append(Row(raw, z, [z.get(name, 0.0) for name in names], y))
        rows[-1].standardise(target)
    return rows


# ---- learners: each takes the rows and yields a prediction for each, before it learns the row ------------------------


def last(rows):
    before = 0.0
    for row in rows:
        yield before
        before = row.target


def mean(rows):
    return (row.mean for row in rows)


def river(make, rows):
    model = make()
    for row in rows:
        said = model.predict_one(row.z)
        yield row.mean + row.sd * (said if said is not None else 0.0)
        model.learn_one(row.z, row.goal)


def river_linear(rate):
    from river import linear_model, optim

    return linear_model.LinearRegression(optimizer=optim.SGD(rate), intercept_lr=rate)


def river_ewa():
    from river import ensemble, linear_model, optim

    steps = (optim.SGD(0.01), optim.RMSProp(), optim.AdaGrad(0.1), optim.Adam(0.01))
    return ensemble.EWARegressor([linear_model.LinearRegression(optimizer=step) for step in steps], learning_rate=0.5)


def river_knn():
    from river import neighbors

    return neighbors.KNNRegressor(n_neighbors=5, aggregation_method="weighted_mean")


def river_class(module, name, **options):
    import importlib

    return getattr(importlib.import_module(f"river.{module}"), name)(**options)


def vowpal(options, rows, raw=False):
    from vowpalwabbit.pyvw import Workspace

    model = Workspace(f"--quiet --random_seed 1 {options}")
    for row in rows:
        x = row.raw if raw else row.z
        text = "| " + " ".join(f"{name}:{value:.7g}" for name, value in x.items() if value)
        said = model.predict(text)
        yield said if raw else row.mean + row.sd * said
        model.learn(f"{row.target if raw else row.goal:.9g} {text}")
    model.finish()


def moa(make, rows):
    import numpy
    from capymoa.stream import NumpyStream

    x, y = numpy.array([row.full for row in rows]), numpy.array([row.goal for row in rows])
    stream = NumpyStream(x, y, target_type="numeric")
    model = make(stream.get_schema())
    for row in rows:
        instance = stream.next_instance()
        said = model.predict(instance)
        yield row.mean + row.sd * (said if said is not None and math.isfinite(said) else 0.0)
        model.train(instance)


def moa_class(name, schema, **options):
    import capymoa.regressor

    return getattr(capymoa.regressor, name)(schema=schema, random_seed=1, **options)


def of_river(module, name, **options):
    return functools.partial(river, functools.partial(river_class, module, name, **options))


def of_moa(name, **options):
    return functools.partial(moa, functools.partial(moa_class, name, **options))


# By cost: a group is run through all streams before the next.
CHEAP = {
    "ref_last": last,
    "ref_mean": mean,
    "vw_default": functools.partial(vowpal, ""),
    "vw_default_raw": functools.partial(vowpal, "", raw=True),
    "vw_quad": functools.partial(vowpal, "-q ::"),
    "vw_quad_coin": functools.partial(vowpal, "-q :: --coin"),
    "vw_nn10": functools.partial(vowpal, "--nn 10"),
    "vw_nn20_quad": functools.partial(vowpal, "--nn 20 -q ::"),
    "river_linreg_003": functools.partial(river, functools.partial(river_linear, 0.003)),
    "river_linreg_01": functools.partial(river, functools.partial(river_linear, 0.01)),
    "river_linreg_03": functools.partial(river, functools.partial(river_linear, 0.03)),
    "river_bayeslin": of_river("linear_model", "BayesianLinearRegression"),
    "river_pa": of_river("linear_model", "PARegressor", C=0.01, mode=2, eps=0.1),
    "river_ewa": functools.partial(river, river_ewa),
}
MIDDLE = {
    "moa_fimtdd_ts": of_moa("FIMTDD"),
    "moa_sgbr_oza_ts": of_moa("StreamingGradientBoostedRegression"),
    "moa_arf10_ts": of_moa("AdaptiveRandomForestRegressor", ensemble_size=10),
    "moa_knn": of_moa("KNNRegressor", k=10, window_size=1000),
    "moa_knn_w5000": of_moa("KNNRegressor", k=10, window_size=5000),
    "river_hat": of_river("tree", "HoeffdingAdaptiveTreeRegressor", seed=1),
}
DEAR = {
    "moa_soknl100_ts": of_moa("SOKNL"),
    "river_amrules": of_river("rules", "AMRules"),
    "river_knn": functools.partial(river, river_knn),
    "river_amf10": of_river("forest", "AMFRegressor", n_estimators=10, seed=1),
    "river_arf10": of_river("forest", "ARFRegressor", n_models=10, seed=1),
    "river_srp10": of_river("ensemble", "SRPRegressor", n_models=10, seed=1),
}
LEARNERS = CHEAP | MIDDLE | DEAR

# ---- runs ------------------------------------------------------------------------------------------------------------


def errors_of(learner, rows, seconds):
    """The errors of the rows that the learner did within its time, and the seconds that it took."""
    begin, errors = time.process_time(), []
    for row, said in zip(rows, LEARNERS[learner](rows)):
        errors.append(row.target - said)
        if time.process_time() - begin > seconds:
            break
    return errors, time.process_time() - begin


def squares(values):
    return sum(value * value for value in values)


def rmse(errors):
    return math.sqrt(squares(errors) / len(errors))


def line_of(stream, learner, rows, seconds):
    errors, took = errors_of(learner, rows, seconds)
    n = len(errors)
    targets = [row.target for row in rows[:n]]
    level = sum(targets) / n
    around = squares([target - level for target in targets])
    kind = "online" if n == len(rows) else "slow"
    mae = sum(map(abs, errors)) / n
    r2 = 1 - squares(errors) / around if around else 0
    numbers = (mae, rmse(errors), rmse(errors[n // 2 :]), r2, n / max(took, 1e-9))
    return [stream, learner, kind, n, *(f"{number:.6g}" for number in numbers)]


def run_stream(path, learners, options, out):
    """Appends the lines of a stream. Returns the learners whose package is missing, with its name."""
    rows, missing = rows_of(path, options.limit), {}
    for learner in learners:
        try:
            out.writerow(line_of(path.stem, learner, rows, options.seconds))
        except ModuleNotFoundError as error:
            missing[learner] = error.name
        except Exception as error:  # a peer that fails on a stream is left out there; the others go on
            print(f"{path.stem} {learner}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    return missing


def run(options, paths, file):
    out, missing = csv.writer(file, delimiter="\t", lineterminator="\n"), {}
    known = {(line["stream"], line["learner"]) for line in lines_of(options.out)}
    if file.tell() == 0:
        out.writerow(FIELDS)
    for group in (CHEAP, MIDDLE, DEAR):
        for path in paths:
            wanted = [name for name in group if not options.learners or name in options.learners]
            todo = [name for name in wanted if (path.stem, name) not in known and name not in missing]
            if todo:
                missing |= run_stream(path, todo, options, out)
                file.flush()
                print(path.stem, *todo, flush=True)
    for learner, package in missing.items():
        print(f"skipped: {learner}: the package {package} is not installed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--limit", type=int, default=20000)
    parser.add_argument("--seconds", type=float, default=60, help="of CPU for a learner and stream (60)")
    parser.add_argument("--only", nargs="*", metavar="STREAM")
    parser.add_argument("--learners", nargs="*", choices=LEARNERS, metavar="NAME")
    options = parser.parse_args()
    paths = streams(options.folder, options.only)
    with open(options.out, "a", newline="") as file:
        run(options, paths, file)


if __name__ == "__main__":
    main()
