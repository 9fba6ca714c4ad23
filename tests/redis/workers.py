"""Several workers at once: models at different keys learn beside each other, while others read, copy and delete keys and the
number of workers changes. workers.py SERVER MODULE LIBRARY"""

import random
import threading

from cases import D, fresh, information, main, packed_rows, rows_of, with_server
from harness import ReplyError, unpack

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
    client, rng = server.client(timeout=300), random.Random(seed)
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
    client, rng = server.client(timeout=300), random.Random(seed)
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
        thread.join(60)
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


if __name__ == "__main__":
    main([four_workers, two_workers_and_the_log])
