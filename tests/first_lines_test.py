#!/usr/bin/env python3
"""The program's lines in README, docs/index.md and docs/getting-started.md run, in order: first_lines_test.py PROGRAM
SOURCE

The table that they speak of is made here: a house's area, rooms, town, year and price. A line runs as it stands, with
its remark.
"""
import pathlib
import random
import re
import subprocess
import sys
import tempfile

PROGRAM, SOURCE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
LINE = re.compile(r"^    (?:build/cli/)?anabranch (\S.*)$", re.M)


def write_tables(folder):
    draw = random.Random(1)
    rows = [("area", "rooms", "town", "built", "price")]
    rows += [(area, area // 30, draw.choice(("Ulm", "Köln")), draw.randint(1900, 2020), 1000 * area + draw.randint(0, 9000))
             for area in draw.choices(range(40, 200), k=200)]
    for name, cells in (("house.csv", 5), ("more.csv", 5), ("new.csv", 4)):
        (folder / name).write_text("".join(",".join(map(str, row[:cells])) + "\n" for row in rows))


def wrong(page):
    """(command, what it said) of the lines that fail, and how many there are."""
    commands = LINE.findall(page.read_text())
    with tempfile.TemporaryDirectory() as folder:
        write_tables(pathlib.Path(folder))
        done = [(command, subprocess.run(f"{PROGRAM} {command}", shell=True, cwd=folder, capture_output=True, text=True))
                for command in commands]
    return [(command, run.stderr) for command, run in done if run.returncode], len(commands)


failed = checks = 0
for name in ("README.md", "docs/index.md", "docs/getting-started.md"):
    problems, count = wrong(SOURCE / name)
    for command, said in problems:
        print(f"{name}: anabranch {command}\n{said}")
    failed, checks = failed + len(problems), checks + count
print(f"100%: Checks: {checks}, Failures: {failed}, Errors: 0")
sys.exit(1 if failed or checks < 12 else 0)
