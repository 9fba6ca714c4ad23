#!/usr/bin/env python3
"""Pinball losses of quantile regressions: `quantile` of anabranch beside River's and Vowpal Wabbit's.

    pip install river vowpalwabbit
    python3 bench/quantiles.py build/cli/anabranch FOLDER [--limit N] [--learner EXPR ...]

FOLDER holds CSV files whose last column is the target. Every row is predicted, then learned. The peers see features and
targets that were standardised by the running mean and deviation of the rows so far, missing cells left out; of three
step sizes the best in hindsight counts, for each stream and level. A peer that is not installed is left out.
"""

import argparse
import json
import math
import pathlib
import subprocess

from folder import streams
from robust_peers import read

LEVELS = (0.1, 0.5, 0.9)
STEPS = {"river": (0.003, 0.01, 0.03), "vw": (0.1, 0.5, 2.0)}


class Moments:
    """Running mean and deviation (Welford)."""

    def __init__(self):
        self.n, self.mean, self.square = 0, 0.0, 0.0

    def add(self, value):
        self.n += 1
        away = value - self.mean
        self.mean += away / self.n
        self.square += away * (value - self.mean)

    def sd(self):
        return math.sqrt(self.square / self.n) if self.n and self.square > 0 else 1.0


def rows_of(path, limit):
    """Standardised features by name, the target, and its mean and deviation before the row."""
    features, target = {}, Moments()
    for row, y in read(path)[:limit]:
        x = {}
        for name, value in row.items():
            moments = features.setdefault(name, Moments())
            x[name] = max(-4.0, min(4.0, (value - moments.mean) / moments.sd()))
            moments.add(value)
        yield x, y, target.mean, target.sd()
        target.add(y)


def pinball(level, y, said):
    return level * (y - said) if y > said else (1 - level) * (said - y)


def river_model(level, step):
    from river import linear_model, optim

    model = linear_model.LinearRegression(
        optimizer=optim.SGD(step), intercept_lr=step, loss=optim.losses.Quantile(level)
    )
    return model.predict_one, model.learn_one, lambda: None


def vw_model(level, step):
    import vowpalwabbit

    model = vowpalwabbit.Workspace(f"--quiet --loss_function quantile --quantile_tau {level} -l {step}")

    def text(x):
        return "| " + " ".join(f"{name}:{value:.6g}" for name, value in x.items())

    def learn(x, z):
        model.learn(f"{z:.9g} {text(x)}")

    return (lambda x: model.predict(text(x))), learn, model.finish


def peer_loss(make, level, step, rows):
    predict, learn, finish = make(level, step)
    total = 0.0
    for x, y, mean, sd in rows:
        said = mean + sd * predict(x)
        total += pinball(level, y, said if math.isfinite(said) else mean)
        learn(x, (y - mean) / sd)
    finish()
    return total / len(rows)


def best_of_peer(name, make, rows):
    return [min(peer_loss(make, level, step, rows) for step in STEPS[name]) for level in LEVELS]


def own_losses(program, learner, path, limit):
    losses = [f"--loss=pinball:{level}" for level in LEVELS]
    command = [program, "eval", "--json", "--limit", str(limit), "-l", learner, *losses, str(path)]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return [result["losses"][f"pinball:{level}"] for level in LEVELS]


def peers_here():
    found = {}
    for name, module, make in (("river", "river", river_model), ("vw", "vowpalwabbit", vw_model)):
        try:
            __import__(module)
            found[name] = make
        except ImportError:
            print(f"{module} is not installed: left out")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--limit", type=int, default=10000)
    parser.add_argument("--learner", action="append")
    options = parser.parse_args()
    learners = options.learner or ["quantile(scale(rls))", "quantile(auto(budget=5))"]
    paths, peers = streams(options.folder), peers_here()
    print("| stream | who | " + " | ".join(f"{level}" for level in LEVELS) + " |")
    print("| --- " * (2 + len(LEVELS)) + "|")
    for path in paths:
        rows = list(rows_of(path, options.limit))
        lines = {name: best_of_peer(name, make, rows) for name, make in peers.items()}
        for learner in learners:
            lines[f"`{learner}`"] = own_losses(options.program, learner, path, options.limit)
        for who, losses in lines.items():
            print(f"| {path.stem} | {who} | " + " | ".join(f"{loss:.4g}" for loss in losses) + " |", flush=True)


if __name__ == "__main__":
    main()
