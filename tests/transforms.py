"""Every stream of a folder, its features times 1e6 and 1e-6, its target times 1e9, one row in a thousand with a missing
or an infinite cell, its columns turned round: the presets stay finite. transforms.py PROGRAM FOLDER [ROWS
[BUDGET...]]"""

import csv
import glob
import json
import math
import os
import subprocess
import sys

program, folder = sys.argv[1:3]
rows = int(sys.argv[3]) if len(sys.argv) > 3 else 1500
budgets = sys.argv[4:] or ["5", "100"]


def times(value, factor):
    return "" if value == "" else repr(float(value) * factor)


def broken(i, row):
    """A missing cell in one row of a thousand, an infinite one in another."""
    cell = "nan" if i % 1000 == 300 else "inf" if i % 1000 == 800 else row[0]
    return [cell] + row[1:]


TRANSFORMS = {
    "as it is": lambda i, row: row,
    "features x 1e6": lambda i, row: [times(v, 1e6) for v in row[:-1]] + row[-1:],
    "features x 1e-6": lambda i, row: [times(v, 1e-6) for v in row[:-1]] + row[-1:],
    "target x 1e9": lambda i, row: row[:-1] + [times(row[-1], 1e9)],
    "missing and infinite cells": broken,
    "columns turned round": lambda i, row: row[-2::-1] + row[-1:],
}

checked = failed = 0
for path in sorted(glob.glob(os.path.join(folder, "*.csv"))):
    with open(path, newline="") as file:
        head, *body = [row for _, row in zip(range(rows + 1), csv.reader(file))]
    for name, transform in TRANSFORMS.items():
        names = transform(0, head) if name == "columns turned round" else head
        text = "\n".join(",".join(r) for r in [names] + [transform(i, row) for i, row in enumerate(body)]) + "\n"
        for budget in budgets:
            done = subprocess.run([program, "eval", "--json", "-l", "auto(budget=%s)" % budget, "-"], input=text,
                                  capture_output=True, text=True)
            result = json.loads(done.stdout) if done.returncode == 0 else {}
            rmse, rejected = result.get("rmse"), result.get("rejected")
            infinite = sum(1 for i in range(len(body)) if i % 1000 == 800) if name.startswith("missing") else 0
            checked += 1
            if rmse is None or not math.isfinite(rmse) or rejected != infinite:
                failed += 1
                print("%s, %s, budget %s: rmse %s, %s rejected, %s" % (os.path.basename(path), name, budget, rmse, rejected,
                                                                       done.stderr.strip()))
if not checked:
    print("skipped: no streams in " + folder)
    sys.exit(77)
print("%d%%: Checks: %d, Failures: %d, Errors: 0" % (100 * (checked - failed) // checked, checked, failed))
sys.exit(1 if failed else 0)
