"""What damaged data costs Vowpal Wabbit and River's adaptive forest, on the files that `robust --write DIR` made.

    robust_peers.py DIR [PEER...]

Predict, then learn. Each number is RMSE on the damaged file over RMSE on the clean one, over the rows with nothing
wrong from a quarter of the stream on: the geometric mean over the streams, and the worst stream. An empty cell is left
out of the row. Vowpal Wabbit runs with its defaults (normalised, adaptive, importance-invariant steps), the forest with
its own.
"""
import csv
import json
import math
import pathlib
import sys

from folder import streams


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


def errors(make, folder, stream, damages):
    """{damage: RMSE on the damaged file over RMSE on the clean one}"""
    truth, clean = read(folder / "clean" / f"{stream}.csv"), run(make, folder / "clean" / f"{stream}.csv")
    out = {}
    for damage in damages:
        wrong = {int(line) for line in (folder / damage / f"{stream}.bad").read_text().split()}
        out[damage] = score(run(make, folder / damage / f"{stream}.csv"), truth, wrong) / score(clean, truth, wrong)
    return out


def ratios(name, folder, damages):
    """{stream: {damage: ratio}}; what is known is kept in FOLDER/NAME.json, so that a second run goes on after the
    first."""
    kept = folder / f"{name.replace(' ', '_')}.json"
    out = json.loads(kept.read_text()) if kept.exists() else {}
    for stream in [path.stem for path in streams(folder / "clean")]:
        if stream not in out:
            out[stream] = errors(PEERS[name], folder, stream, damages)
            kept.write_text(json.dumps(out))
    return out


def main():
    folder = pathlib.Path(sys.argv[1])
    damages = sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name != "clean")
    for name in sys.argv[2:] or PEERS:
        print(name, flush=True)
        by_stream = ratios(name, folder, damages)
        for damage in damages:
            ratio = {stream: of[damage] for stream, of in by_stream.items()}
            mean = math.exp(sum(map(math.log, ratio.values())) / len(ratio))
            worst = max(ratio, key=ratio.get)
            print(f"  {damage:14} {mean:7.3f}  [{ratio[worst]:7.3f} {worst}]", flush=True)


if __name__ == "__main__":
    main()
