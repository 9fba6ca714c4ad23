"""Instructions of the server and the module for a TRAIN, by callgrind, without and with a number in each spelling:
redis_instructions.py MODULE [EXPRESSION...]. Free of noise but for the server's own clock (some 50 of 14,000); needs
valgrind."""

import glob
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from redis import D, SPELLINGS, Server, learn, rows_to_learn  # noqa: E402 (redis.py beside this file)

WRAPPER = """#!/bin/sh
[ "$1" = --version ] && exec redis-server --version
exec valgrind --tool=callgrind --callgrind-out-file=%s/counts redis-server "$@"
"""


def control(server, option):
    subprocess.run(["callgrind_control", option, str(server.process.pid)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def counted(server, folder, work):
    """Instructions while the work is done."""
    control(server, "-z")
    work()
    control(server, "-d")
    newest = max(glob.glob(folder + "/counts.*"), key=os.path.getmtime)
    with open(newest) as f:
        found = re.search(r"^(?:summary|totals): (\d+)", f.read(), re.M)
    os.remove(newest)
    return int(found.group(1))


def main(module, expressions):
    rows, n = rows_to_learn(), 4000
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "server")
        with open(program, "w") as f:
            f.write(WRAPPER % folder)
        os.chmod(program, 0o700)
        server = Server(program, os.path.abspath(module), "--hz", "1")
        try:
            client = server.client(timeout=600)
            print("%-24s" % "instructions a TRAIN" + "".join("%18s" % (spelling or "no number") for spelling in SPELLINGS))
            for expression in expressions:
                client.call("DEL", "n")
                client.call("ANB.CREATE", "n", expression, "FEATURES", D)
                last = 1
                count = []
                for _ in range(2):  # the second time everything has been met before
                    count = []
                    for spelling in SPELLINGS:
                        count.append(counted(server, folder, lambda: learn(client, "n", rows, spelling, last, n)) / n)
                        last += n
                print("%-24s%18.0f" % (expression, count[0]) + "".join(
                    "%18s" % ("%+.0f %+.2f %%" % (c - count[0], 100 * (c / count[0] - 1))) for c in count[1:]), flush=True)
        finally:
            server.remove()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] or ["scale(linear)", "auto(budget=5)", "auto"])
