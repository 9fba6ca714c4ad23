#!/usr/bin/env python3
"""Each key of what `--json` prints is described: json_fields_test.py PROGRAM PROGRAM.md DIAGNOSTICS.md TABLE.csv"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

PROGRAM, PAGE, DIAGNOSTICS, TABLE = sys.argv[1:]
BY_NAME = {"losses", "counters", "notes", "sources", "rules"}  # their keys are names of something else
LEARNER = "pending(interval(auto(budget=5)))"
missing = []


def printed(*arguments):
    return subprocess.run([PROGRAM, *arguments], check=True, capture_output=True, text=True).stdout


def keys(value):
    if isinstance(value, list):
        return set().union(*map(keys, value))
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(keys(v) for k, v in value.items() if k not in BY_NAME))


def described(what, value, text):
    words = set(re.findall(r"`([a-z_0-9]+)`", text))
    missing.extend(f"{what}: {key}" for key in sorted(keys(value) - words))


page, diagnostics = pathlib.Path(PAGE).read_text(), pathlib.Path(DIAGNOSTICS).read_text()
sections = {m[1]: m[0] for m in re.finditer(r"^\| `(\w+)` \| \|\n(?:\|.*\n)+", page, re.M)}
with tempfile.TemporaryDirectory() as folder:
    model, run = f"{folder}/model.anb", f"{folder}/run.jsonl"
    evaluated = printed("eval", TABLE, "-t", "temp_max", "-l", LEARNER, "--loss", "mae", "--diag", run, "--importance", "9", "--json")
    printed("train", TABLE, "-t", "temp_max", "-l", LEARNER, "-o", model)
    described("eval", json.loads(evaluated), sections["eval"])
    described("compare", json.loads(printed("compare", TABLE, "-t", "temp_max", "mean", "last", "--json")),
              sections["compare"] + sections["eval"])
    described("inspect", json.loads(printed("inspect", model, "--categories", "2", "--json")), sections["inspect"])
    described("learners", [json.loads(printed("learners", *name, "--json")) for name in ([], ["auto"], ["scale(rls)"])], sections["learners"])
    *records, summary = pathlib.Path(run).read_text().splitlines()
    described("a record", {k: v for k, v in json.loads(records[-1]).items() if k != "audit"}, diagnostics)
    described("the summary", json.loads(summary), diagnostics)
print("\n".join(missing) or "100%: every key is described")
sys.exit(bool(missing))
