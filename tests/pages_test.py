#!/usr/bin/env python3
"""Help, man pages and completions of the program agree: pages_test.py PROGRAM FOLDER

Every command and option that --help prints is in its man page and in the completions of the three shells, and nothing else
is; where man and bash are there, each page is formatted without a warning and the completion is tried.
"""
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
    check("bash completes commands", completed("ev") == ["eval"])
    check("bash completes options", "--target" in completed("--ta", "eval"))
    print(f"{checks} checks of pages and completions")


main()
