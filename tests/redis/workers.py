"""Several workers at once: models at different keys learn beside each other, while others read, copy and delete keys
and the number of workers changes. workers.py SERVER MODULE LIBRARY"""

import os
import random
import re
import resource
import threading

from cases import D, WORKER, as_map, fresh, information, main, packed_rows, rows_of, with_server
from harness import PATIENCE, ReplyError, Server, pack, sample, unpack, until

SLOW = "scale(moe(forest(trees=3), rls, mean))"
KEYS, ROUNDS, EACH = 5, 12, 150


class Worker(threading.Thread):
    def __init__(self, work, *arguments):
        super().__init__(daemon=True)
        self.work, self.arguments, self.error = work, arguments, None

    def run(self):
        try:
            self.work(*self.arguments)
        except Exception as error:
            self.error = error


def learn(server, library, key, seed):
    """One key's batches, numbered and sent twice; every answer is the library's."""
    client, rng = server.client(), random.Random(seed)
    model = library.model(D, SLOW)
    for n in range(ROUNDS):
        rows = rows_of(rng, EACH)
        command = ("ANB.TRAINB", key, packed_rows(rows), "SEQ", "s", n)
        client.send(*command)
        client.send(*command)
        assert unpack(client.read()) == [model.train(x, y) for x, y in rows], (key, n)
        assert client.read() == "REPEATED"
    model.take("s", ROUNDS - 1)
    assert client.call("ANB.SAVE", key) == model.blob(), key


def disturb(server, stop, seed):
    """Reads the keys that learn; makes, copies and deletes others."""
    client, rng = server.client(), random.Random(seed)
    while not stop.is_set():
        key, other = "m%d" % rng.randrange(KEYS), "other%d" % rng.randrange(3)
        x, _ = rows_of(rng, 1)[0]
        commands = [("ANB.PREDICT", key, *x), ("ANB.EXPLAIN", key, *x), ("ANB.INFO", key), ("ANB.SAVE", key),
                    ("ANB.CLONE", key, other, "REPLACE"), ("ANB.TRAINB", other, packed_rows(rows_of(rng, 50))),
                    ("UNLINK", other), ("RENAME", other, "other9"), ("ANB.RESET", other), ("ANB.EXPLAIN", other, *x)]
        try:
            client.call(*commands[rng.randrange(len(commands))])
        except ReplyError as error:
            said = str(error)
            assert any(word in said for word in ("no model", "no such key", "replaced", "no rows are kept")), said


def at_once(server, library):
    client, stop = fresh(server), threading.Event()
    for i in range(KEYS):
        client.call("ANB.CREATE", "m%d" % i, SLOW, "FEATURES", D)
        client.call("ANB.BACKGROUND", "m%d" % i, 4)
    learners = [Worker(learn, server, library, "m%d" % i, i) for i in range(KEYS)]
    others = [Worker(disturb, server, stop, 100 + i) for i in range(3)]
    for thread in learners + others:
        thread.start()
    rng = random.Random(9)
    while any(thread.is_alive() for thread in learners):
        if server.major >= 7:
            client.call("CONFIG", "SET", "anabranch.workers", rng.randrange(1, 5))
        learners[0].join(0.05)
    stop.set()
    for thread in learners + others:
        thread.join(PATIENCE)
        assert thread.error is None, repr(thread.error)
        assert not thread.is_alive()
    assert int(information(client)["commands_queued"]) > KEYS * ROUNDS


@with_server(settings="inline-microseconds 0 workers 4")
def four_workers(server, library):
    at_once(server, library)


@with_server("--appendonly", "yes", settings="inline-microseconds 0 workers 2")
def two_workers_and_the_log(server, library):
    at_once(server, library)
    client = server.client()
    saved = {key: client.call("ANB.SAVE", key) for key in ("m0", "m4")}
    client.call("DEBUG", "LOADAOF")
    assert {key: client.call("ANB.SAVE", key) for key in saved} == saved


LARGE = "scale(knn(window=100000))"  # 8 MB: a copy takes some milliseconds


def batches(server, enough, seed):
    """Small batches for a large model, 60 and until it is enough, so that a worker copies most of the time; whether a
    batch was learned is for others."""
    client, rng, sent = server.client(), random.Random(seed), 0
    while sent < 60 or not enough.is_set():
        sent += 1
        try:
            client.call("ANB.TRAINB", "large", packed_rows(rows_of(rng, 3)))
        except ReplyError as error:
            assert "replaced" in str(error) or "no model" in str(error), error


def write_beside(server, stop, seed):
    """Whatever changes, frees or reads the model while it is copied; what learns does so at once, in a transaction."""
    client, rng = server.client(), random.Random(seed)
    client.call("ANB.CREATE", "kept", LARGE, "FEATURES", D)
    while not stop.is_set():
        row, y = rows_of(rng, 1)[0]
        transaction = [("MULTI",), ("ANB.TRAIN", "large", y, *row), ("ANB.TRAIN", "large", y, *row), ("EXEC",)]
        for command in rng.choice([transaction, transaction, [("ANB.RESET", "large")], [("ANB.CLONE", "kept", "large", "REPLACE")],
                                   [("UNLINK", "large"), ("ANB.CLONE", "kept", "large")], [("ANB.PREDICT", "large", *row)],
                                   [("COPY", "large", "other", "REPLACE")], [("ANB.SAVE", "large")], [("PING",)] * 20]):
            client.call(*command)


@with_server(settings="inline-microseconds 0 workers 3")
def writers_beside_copies(server, library):
    """A replica, which learns all of it in one thread, ends at the same state."""
    client, enough, stop = fresh(server), threading.Event(), threading.Event()
    replica = Server(server.program, server.module)
    try:
        client.call("ANB.CREATE", "large", LARGE, "FEATURES", D)
        replica.client().call("REPLICAOF", "127.0.0.1", server.port)
        until(lambda: b"master_link_status:up" in replica.client().call("INFO", "replication"))
        learners = [Worker(batches, server, enough, i) for i in range(3)]
        others = [Worker(write_beside, server, stop, 7)]
        for thread in learners + others:
            thread.start()

        def retried():
            assert all(thread.is_alive() for thread in learners + others), [thread.error for thread in learners + others]
            return int(information(client)["commands_retried"]) > 0
        until(retried)
        enough.set()
        for thread in learners:
            thread.join(PATIENCE)
        stop.set()
        for thread in learners + others:
            thread.join(PATIENCE)
            assert thread.error is None, repr(thread.error)
            assert not thread.is_alive()
        until(lambda: client.call("WAIT", 1, 1000) == 1)
        for key in ("large", "kept"):
            assert replica.client().call("ANB.SAVE", key) == client.call("ANB.SAVE", key), key
    finally:
        replica.remove()


def used_memory(client):
    return int(re.search(rb"used_memory:(\d+)", client.call("INFO", "memory")).group(1))


@with_server(settings=WORKER)
def spare_memory_is_given_back(server, library):
    """What a clone was made in serves the next one; a second after the last it is the server's again."""
    client = fresh(server)
    client.call("ANB.CREATE", "large", LARGE, "FEATURES", D)
    before, size = used_memory(client), as_map(client.call("ANB.INFO", "large"))[b"total_bytes"]
    for _ in range(5):
        client.call("ANB.TRAIN", "large", 1, *range(D))
    assert used_memory(client) < before + 1.7 * size
    until(lambda: used_memory(client) < before + 0.5 * size)


def whatever_the_clock(program, module, library):
    """The same where the clock on the wall is set back while the worker waits (tests/still_clock.c)."""
    if not os.environ.get("ANB_CLOCK"):
        print("skipped: no library with a clock of its own, ANB_CLOCK")
        return
    os.environ["LD_PRELOAD"] = os.environ["ANB_CLOCK"]
    try:
        spare_memory_is_given_back(program, module, library)
    finally:
        del os.environ["LD_PRELOAD"]


class SmallStacks(Server):
    """Threads have 128 KB of stack unless they ask for more, as with musl."""

    def environment(self):
        limit = (128 << 10, resource.getrlimit(resource.RLIMIT_STACK)[1])
        return {**super().environment(), "preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_STACK, limit)}


def workers_have_room(program, module, library):
    if os.environ.get("ANB_SANITIZER"):
        print("skipped: the server itself needs more stack with a sanitizer")
        return
    server, rng = SmallStacks(program, module + " " + WORKER), random.Random(1)
    try:
        client = server.client()
        client.call("ANB.CREATE", "m", "auto", "FEATURES", D)
        rows = [sample(rng, D) for _ in range(500)]
        client.call("ANB.TRAINB", "m", pack(*[(y, *x) for x, y in rows]))
        assert len(unpack(client.call("ANB.PREDICTB", "m", pack(*[x for x, _ in rows])))) == len(rows)
    finally:
        server.remove()


if __name__ == "__main__":
    main([four_workers, two_workers_and_the_log, writers_beside_copies, spare_memory_is_given_back, whatever_the_clock,
          workers_have_room])
