#!/usr/bin/env python3
"""The comments of the headers against the types: option_comments_test.py PROGRAM INCLUDE

The comment of a member of an options struct begins with its default, and may give a range, "1 to 24". Both have to be
those of the type's table, which `PROGRAM learners --json` prints; so has the weight class that the comment of a learner
names.
"""
import json
import pathlib
import re
import subprocess
import sys

HEADERS = ["learners", "moe", "interval", "pending", "quantile", "drift"]
# Members whose comment says the default in words of C, or in a sentence.
IN_WORDS = {("columns", "kinds"), ("narrow", "of"), ("moe", "router")}
NUMBER = r"\d[\d,.]*(?:e\d+)?(?:\^\d+)?"
RANGE = re.compile(rf"({NUMBER}) to ({NUMBER})")


def value(text):
    base, _, power = text.replace(",", "").rstrip(".").partition("^")
    return float(base) ** float(power or 1)


def comments(body):
    """(member, comment) of a struct: a comment belongs to the member before it on its line, else to the next one."""
    member, waiting, end = None, None, 0
    for match in re.finditer(r"/\*.*?\*/|[^;/]+;", body, re.S):
        token = match.group()
        if not token.startswith("/*"):
            member = re.search(r"(\w+);$", token.strip()).group(1)
            if waiting:
                yield member, waiting
            waiting = None
        else:
            text = re.sub(r"\s*\n\s*\*?\s*", " ", token[2:-2].strip())
            if member and "\n" not in body[end : match.start()]:
                yield member, text
            else:
                waiting = text
        end = match.end()


def name_of(struct):
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", struct).lower()
    return ("router", name[7:]) if name.startswith("router_") else ("learner", name)


def check_option(learner, option, comment):
    """What is wrong with a comment, or nothing."""
    stated = re.split(r"[;:]| = |, before", comment)[0].strip()
    default = option["default"].strip("[]")
    if (learner, option["name"]) not in IN_WORDS and stated.replace(",", "") != default.replace(",", ""):
        if not stated.lower().endswith("_" + default):
            yield f"the default is {option['default']}, the comment begins with {stated}"
    stated = RANGE.search(comment)
    if stated and "max" in option and [value(v) for v in stated.groups()] != [option["min"], option["max"]]:
        yield f"the range is {option['min']} to {option['max']}, the comment says {stated.group()}"


def faults(header, types):
    for struct, body in re.findall(r"typedef struct Anb(\w+)Options \{(.*?)\n\}", header, re.S):
        kind, name = name_of(struct)
        known = dict(comments(body))
        for option in types[kind, name]["options"]:
            if option["name"] not in known:
                yield f"{name}, {option['name']}: no comment"
                continue
            for fault in check_option(name, option, known[option["name"]]):
                yield f"{name}, {option['name']}: {fault}"
    for comment, rest in re.findall(r"(/\*\*(?:(?!\*/).)*\*/)(.*?)(?=/\*\*|\Z)", header, re.S):
        stated = re.search(r"Weight\s+(?:\*\s+)?class:\s+(?:\*\s+)?(exact|scaled|unit)", comment)
        for name in re.findall(r"extern const StreamingLearnerType anb_(\w+);", rest):
            if stated and stated.group(1) != types["learner", name]["weights"]:
                yield f"{name}: the weight class is {types['learner', name]['weights']}, the comment says {stated.group(1)}"


def main(program, include):
    table = subprocess.run([program, "learners", "--json"], check=True, capture_output=True, text=True).stdout
    types = {(entry["kind"], entry["name"]): entry for entry in json.loads(table)}
    found = [f"{name}.h: {fault}" for name in HEADERS
             for fault in faults((pathlib.Path(include) / f"{name}.h").read_text(), types)]
    print("\n".join(found) or f"{len(HEADERS)} headers agree with the tables of {len(types)} types")
    return 1 if found else 0


sys.exit(main(*sys.argv[1:]))
