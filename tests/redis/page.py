"""The first service of docs/redis.md, typed in as it stands there, and its program in Python: what the page shows is
replied. page.py SERVER MODULE LIBRARY"""

import os
import shlex
import subprocess
import sys
import types

from cases import main, with_server

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "redis.md")


def dialogues():
    """(command, reply that the page shows or None) of every line that begins with a prompt."""
    lines = [line[4:].rstrip("\n") if line.startswith("    ") else None for line in open(PAGE)]
    for line, following in zip(lines, lines[1:] + [None]):
        if line and line.startswith("$ redis-cli "):
            shown = following if following and not following.startswith("$") else None
            yield shlex.split(line[2:], comments=True)[1:], shown


def python_block():
    """The lines of the page's program in Python."""
    lines = [line.rstrip("\n") for line in open(PAGE)]
    start = lines.index("    import redis")
    end = next(i for i in range(start, len(lines)) if not lines[i].startswith("    "))
    return "\n".join(line[4:] for line in lines[start:end])


def run_with(client, program):
    """Runs it where `redis` is this client, whatever is installed."""
    module = types.ModuleType("redis")
    module.Redis = lambda: types.SimpleNamespace(execute_command=client.call)
    kept, sys.modules["redis"] = sys.modules.get("redis"), module
    names = {}
    try:
        exec(program, names)
    finally:
        del sys.modules["redis"]
        if kept:
            sys.modules["redis"] = kept
    return names


@with_server()
def the_page_s_commands_reply_what_it_shows(server, library):
    found = list(dialogues())
    assert len(found) > 8, found
    for arguments, shown in found:
        done = subprocess.run(["redis-cli", "-p", str(server.port), *arguments], capture_output=True, text=True)
        said = done.stdout.strip()
        assert done.returncode == 0 and not said.startswith(("ERR", "(error)", "WRONGTYPE")), (arguments, said)
        if shown is not None:
            assert said == shown.strip().strip('"'), (arguments, said, shown)
    client = server.client()
    before = client.call("ANB.INFO", "delays")
    names = run_with(client, python_block())
    samples = [info[info.index(b"samples") + 1] for info in (before, client.call("ANB.INFO", "delays"))]
    assert samples[1] == samples[0] + 1 and names["said"] > 0


if __name__ == "__main__":
    main([the_page_s_commands_reply_what_it_shows])
