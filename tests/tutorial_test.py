#!/usr/bin/env python3
"""The tutorial's commands do what its page shows.

    tutorial_test.py PROGRAM PAGE DATA          runs them, in order, in an empty folder, and compares
    tutorial_test.py PROGRAM PAGE DATA write    puts what they print into the page; then read it

A block marked console has commands behind `$ ` and what they print. Words have to be the same, numbers within
a quarter of the line's largest and shares within 15 %: what a learner says changes a little when it gets better. `..`
stands for any word, `...` for the rest of a line.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.S | re.M)
# What differs from run to run, or says more than a reader of the page wants.
VARIES = [(re.compile(r"^(speed +)\S+"), r"\1.."), (re.compile(r"^(learner +\S{1,40}).*"), r"\1..."),
          (re.compile(r"^((?: +-?[\d.]+){4} +)[\d.]+(?=.*\s[a-z]\S*$)"), r"\1.."), (re.compile(r"( rows in )\S+ s"), r"\1.. s")]


def run(command, folder, program):
    environment = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=folder, env=environment, text=True, capture_output=True)
    # head ends before the command in front of it does
    if done.returncode not in (0, 141):
        sys.exit(f"{command}\nstatus {done.returncode}: {done.stderr}")
    return [line.rstrip() for line in done.stdout.splitlines()]


def number(word):
    try:
        return float(word.replace(",", "").strip("()").removesuffix("%"))
    except ValueError:
        return None


def same_word(shown, seen, far):
    one, other = number(shown), number(seen)
    if shown == ".." or shown == seen:
        return True
    if one is None or other is None or shown.endswith("%") != seen.endswith("%"):
        return False
    return abs(one - other) <= (15 if shown.endswith("%") else far)


def same(shown, seen):
    """Whether a line of the page is what was printed. Bars of # are as long as their number says."""
    cut = shown.endswith("...")
    words, got = (re.split(r"[\s,]+(?!\d{3}\b)", re.sub(r"#+", "", line).removesuffix("...").strip()) for line in (shown, seen))
    if cut:
        return seen.startswith(shown[:-3].split("(")[0])
    if "%" in seen:  # of an expert, whose name is that of a learner inside auto
        words, got = words[1:], got[1:]
    largest = max([1.0, *(abs(number(word) or 0) for word in words + got)])
    return len(words) == len(got) and all(same_word(one, other, largest / 4) for one, other in zip(words, got))


def commands(block):
    """(command, what the page shows) of a block."""
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown.splitlines()


def compare(command, shown, seen):
    if len(shown) != len(seen):
        return f"{command}: {len(seen)} lines, the page has {len(shown)}:\n" + "\n".join(seen)
    for one, other in zip(shown, seen):
        if not same(one, other):
            return f"{command}:\n  the page   {one}\n  printed    {other}"
    return ""


def as_shown(line):
    for pattern, to in VARIES:
        line = pattern.sub(to, line)
    return line


def main():
    program, page, data = (pathlib.Path(path).resolve() for path in sys.argv[1:4])
    text, problems, checks = page.read_text(), [], 0
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(data, folder)
        written = {}
        for block in BLOCK.findall(text):
            lines = []
            for command, shown in commands(block):
                seen = run(command, folder, program)
                problems += filter(None, [compare(command, shown, seen)])
                lines += ["$ " + command, *map(as_shown, seen)]
                checks += 1
            written[block] = "\n".join(lines) + "\n"
    if sys.argv[4:] == ["write"]:
        page.write_text(BLOCK.sub(lambda found: f"```console\n{written[found.group(1)]}```", text))
        return 0
    if problems:
        print("where the program is right: tests/tutorial_test.py PROGRAM PAGE DATA write, and read the page again")
    print("\n".join(problems + [f"100%: Checks: {checks}, Failures: {len(problems)}, Errors: 0"]))
    return 1 if problems or not checks else 0


sys.exit(main())
