"""The first service of docs/redis.md, typed in as it stands there: what the page shows is replied. page.py SERVER MODULE LIBRARY"""

import os
import shlex
import subprocess

from cases import main, with_server

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "redis.md")


def dialogues():
    """(command, reply that the page shows or None) of every line that begins with a prompt."""
    lines = [line[4:].rstrip("\n") if line.startswith("    ") else None for line in open(PAGE)]
    for line, following in zip(lines, lines[1:] + [None]):
        if line and line.startswith("$ redis-cli "):
            shown = following if following and not following.startswith("$") else None
            yield shlex.split(line[2:], comments=True)[1:], shown


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


if __name__ == "__main__":
    main([the_page_s_commands_reply_what_it_shows])
