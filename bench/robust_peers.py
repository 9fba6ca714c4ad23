"""What damaged data costs Vowpal Wabbit and River's adaptive forest, on the files that `robust --write DIR` made.

    robust_peers.py DIR

Predict, then learn. Each number is RMSE on the damaged file over RMSE on the clean one, over the rows with nothing wrong
from a quarter of the stream on: the geometric mean over the streams, and the worst stream. An empty cell is left out of
the row. Vowpal Wabbit runs with its defaults (normalised, adaptive, importance-invariant steps), the forest with its own.
"""
import csv
import math
import pathlib
import sys


def vowpal():
    from vowpalwabbit.pyvw import Workspace
    model = Workspace("--quiet")

    def step(row, y):
        cells = " ".join(f"{name}:{value!r}" for name, value in row.items())
        said = model.predict(f"| {cells}")
        model.learn(f"{y!r} | {cells}")
        return said
    return step


def forest():
    from river import forest as trees
    model = trees.ARFRegressor(seed=1)

    def step(row, y):
        said = model.predict_one(row)
        model.learn_one(row, y)
        return said
    return step


PEERS = {"Vowpal Wabbit": vowpal, "River's adaptive forest": forest}


def read(path):
    with open(path, newline="") as file:
        lines = csv.reader(file)
        names = next(lines)[:-1]
        return [({n: float(v) for n, v in zip(names, line) if v}, float(line[-1])) for line in lines]


def run(make, path):
    step = make()
    return [step(row, y) for row, y in read(path)]


def score(said, truth, wrong):
    squares = [(truth[i][1] - said[i]) ** 2 for i in range(len(truth) // 4, len(truth)) if i not in wrong]
    return math.sqrt(sum(squares) / len(squares))


def ratios(make, folder, damages):
    """{damage: {stream: ratio}}"""
    out = {damage: {} for damage in damages}
    for path in sorted((folder / "clean").glob("*.csv")):
        truth, clean = read(path), run(make, path)
        for damage in damages:
            bad = (folder / damage / path.name).with_suffix(".bad")
            wrong = {int(line) for line in bad.read_text().split()}
            dirty = run(make, folder / damage / path.name)
            out[damage][path.stem] = score(dirty, truth, wrong) / score(clean, truth, wrong)
    return out


def main():
    folder = pathlib.Path(sys.argv[1])
    damages = sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name != "clean")
    for name, make in PEERS.items():
        print(name, flush=True)
        for damage, by_stream in ratios(make, folder, damages).items():
            mean = math.exp(sum(map(math.log, by_stream.values())) / len(by_stream))
            worst = max(by_stream, key=by_stream.get)
            print(f"  {damage:14} {mean:7.3f}  [{by_stream[worst]:7.3f} {worst}]", flush=True)


if __name__ == "__main__":
    main()
