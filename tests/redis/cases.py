"""What the tests of one server share: how a test gets its server, and what it asks of it again and again."""

import os
import sys

from harness import Library, ReplyError, Server, pack, run, sample

MIXTURE = "scale(moe(linear, linear(rate=0.02), rls, mean))"
D = 4
WORKER = "inline-microseconds 0"  # everything goes to the worker


def refused(client, says, *command):
    try:
        reply = client.call(*command)
    except ReplyError as error:
        assert says.lower() in str(error).lower(), "%r says %s" % (command[:3], error)
        return
    raise AssertionError("%r was taken: %r" % (command[:3], reply))


def as_map(reply):
    return dict(zip(reply[::2], reply[1::2])) if isinstance(reply, list) else reply


def feed(client, model, key, n, rng, d=D):
    """The same n samples to the server and to the library; every answer has to be the same double."""
    for _ in range(n):
        x, y = sample(rng, d)
        ours, theirs = model.train(x, y), float(client.call("ANB.TRAIN", key, y, *x))
        assert ours == theirs, (ours, theirs)


def fresh(server):
    client = server.client()
    client.call("FLUSHALL")
    return client


def with_server(*options, settings=""):
    def wrap(test):
        def wrapped(program, module, library):
            server = Server(program, module + " " + settings, *options)
            try:
                test(server, library)
            except Exception:
                print(server.log())
                raise
            finally:
                server.remove()
        wrapped.__name__ = test.__name__
        return wrapped
    return wrap


def rows_of(rng, n, d=D):
    return [sample(rng, d) for _ in range(n)]


def packed_rows(rows):
    """As ANB.TRAINB takes them."""
    return pack(*[(y, *x) for x, y in rows])


def information(client):
    """INFO anabranch as a map of texts."""
    text = client.call("INFO", "anabranch").decode()
    return {name.replace("anabranch_", ""): value for name, value in
            (line.split(":", 1) for line in text.splitlines() if ":" in line)}


def main(tests):
    program, module, path = sys.argv[1:4]
    run(tests, program, os.path.abspath(module), Library(os.path.abspath(path)))
