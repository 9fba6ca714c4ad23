#!/usr/bin/env python3
"""Help, man pages and completions of the program agree: pages_test.py PROGRAM FOLDER

Every command and option that --help prints is in its man page and in the completions of the three shells, and nothing
else is; where man and bash are there, each page is formatted without a warning and the completion is tried. The sizes
of models in the manual are those of the program.
"""
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

PROGRAM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
checks = 0


def check(what, fine):
    global checks
    checks += 1
    if not fine:
        print(f"not so: {what}")
        sys.exit(1)


def printed(*arguments):
    return subprocess.run([PROGRAM, *arguments], check=True, capture_output=True, text=True).stdout


def options_of_help(command):
    return set(re.findall(r"^ +(?:-\w, +)?--([a-z-]+)", printed(command, "--help"), re.M))


def options_of_page(command):
    page = (FOLDER / f"anabranch-{command}.1").read_text().replace("\\-", "-")
    return set(re.findall(r"^(?:\\fB-\w\\fR, )?\\fB--([a-z-]+)\\fR", page, re.M))


def options_of_bash(text, command):
    words = re.search(rf'^ +{command}\) words="([^"]*)"', text, re.M).group(1)
    return set(re.findall(r"--([a-z-]+)", words))


def options_of_fish(text, command):
    return set(re.findall(rf"'__fish_seen_subcommand_from {command}' -l ([a-z-]+)", text)) | {"help"}


def options_of_zsh(text, command):
    case = re.search(rf"^ +{command}\) _arguments (.*) ;;$", text, re.M).group(1)
    return set(re.findall(r"'--([a-z-]+)", case)) | {"help"}


def formatted(page):
    done = subprocess.run(["man", "--warnings", "-l", page], capture_output=True, text=True,
                          env={"MANWIDTH": "100", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})
    check(f"{page.name} is formatted without a warning: {done.stderr}", done.returncode == 0 and not done.stderr)


def completed(word, *before):
    script = (f"source {shlex.quote(str(FOLDER / 'anabranch.bash'))}; COMP_WORDS=(anabranch {' '.join(before)} {word}); "
              f"COMP_CWORD={len(before) + 1}; _anabranch; echo ${{COMPREPLY[@]}}")
    return subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True).stdout.split()


# The tables of the manual that say how large a model's state is: the features, and a learner or a budget of auto, the
# number, its unit.
SIZES = {
    "choosing": (10, r"^\| (\d+) \| ([\d.]+) (MB) "),
    "redis": (10, r"^ *\| `([^`]+)`[^|]*\| ([\d.]+) ([KM]B)"),
    "performance": (8, r"^\| `([^`]+)` \| [\d.]+ \| [\d.]+ \| (\d+)() \| \d+ \|$"),
}


def sizes(page, features, row):
    found = re.findall(row, (pathlib.Path(__file__).parents[1] / "docs" / f"{page}.md").read_text(), re.M)
    check(f"{page}.md has a table of sizes", len(found) >= 6)
    for learner, number, unit in found:
        expression = f"auto(budget={learner})" if learner.isdigit() else learner
        shown = json.loads(printed("learners", "--features", str(features), "--json", expression))
        state = (shown[0] if isinstance(shown, list) else shown)["state_bytes"]
        check(f"{page}.md: {expression} takes {number} {unit}; it takes {state} bytes",
              .95 < float(number) * {"": 1, "KB": 1e3, "MB": 1e6}[unit] / state < 1.05)


def main():
    commands = re.findall(r"^  ([a-z]+) +\S", printed("--help"), re.M)
    check("the program has commands", len(commands) >= 8)
    texts = {name: (FOLDER / name).read_text() for name in ("anabranch.bash", "_anabranch", "anabranch.fish")}
    for command in commands:
        wanted = options_of_help(command)
        check(f"{command}: the man page has the options of --help", options_of_page(command) == wanted)
        check(f"{command}: bash", options_of_bash(texts["anabranch.bash"], command) == wanted)
        check(f"{command}: zsh", options_of_zsh(texts["_anabranch"], command) == wanted)
        check(f"{command}: fish", options_of_fish(texts["anabranch.fish"], command) == wanted)
    pages = sorted(FOLDER.glob("anabranch*.1"))
    check("a page for each command and one for the program", len(pages) == len(commands) + 1)
    if shutil.which("man"):
        for page in pages:
            formatted(page)
    for page, table in SIZES.items():
        sizes(page, *table)
    check("bash completes commands", completed("ev") == ["eval"])
    check("bash completes options", "--target" in completed("--ta", "eval"))
    print(f"{checks} checks of pages and completions")


main()
