"""Samples that are learned once: numbered commands sent again, in line and through the worker, behind kills of the
server and of the sender, on replicas and in copies. once.py SERVER MODULE LIBRARY [ROWS KILLS]"""

import random
import sys
import threading
import time

from cases import D, MIXTURE, WORKER, as_map, fresh, information, main, packed_rows, refused, rows_of, with_server
from harness import ReplyError, Server, sample, unpack

ROWS, KILLS = (int(n) for n in (sys.argv[4:6] if len(sys.argv) > 5 else (3000, 10)))
ALWAYS = ("--appendonly", "yes", "--appendfsync", "always")


def positions(client, key="m"):
    return as_map(as_map(client.call("ANB.INFO", key))[b"sources"])


def apart(source, n):
    return "SEQ", source, n


def joined(source, n):
    """In one argument; zeros before the number do not count."""
    return "seq=%s:%020d" % (source, n),


def numbered(server, library, again, seq=apart):
    """Every command twice, or late copies of earlier ones: the state is that of sending each once."""
    client = fresh(server)
    model = library.model(D, MIXTURE)
    client.call("ANB.CREATE", "m", MIXTURE, "FEATURES", D)
    rng = random.Random(1)
    for n, (x, y) in enumerate(rows_of(rng, 100)):
        assert float(client.call("ANB.TRAIN", "m", y, *x, *seq("a", n))) == model.train(x, y)
        assert client.call("ANB.TRAIN", "m", y, *x, *seq("a", again(n))) == "REPEATED"
    batch = rows_of(rng, 30)
    flat = [v for x, y in batch for v in (y, *x)]
    ours = [model.train(x, y) for x, y in batch]
    assert [float(v) for v in client.call("ANB.MTRAIN", "m", 30, *flat, *seq("a", 1000))] == ours
    assert client.call("ANB.MTRAIN", "m", 30, *flat, *seq("a", 1000)) == "REPEATED"
    ours = [model.train(x, y, 2.0) for x, y in batch]
    assert unpack(client.call("ANB.TRAINB", "m", packed_rows(batch), *seq("b", 0), "WEIGHT", 2)) == ours
    assert client.call("ANB.TRAINB", "m", packed_rows(batch), "WEIGHT", 2, *seq("b", 0)) == "REPEATED"
    assert positions(client) == {b"a": 1000, b"b": 0}
    assert int(information(client)["commands_repeated"]) == 102
    assert as_map(client.call("ANB.INFO", "m"))[b"samples"] == 160
    model.take("a", 1000)
    model.take("b", 0)
    assert client.call("ANB.SAVE", "m") == model.blob()


@with_server()
def numbered_commands_are_learned_once(server, library):
    numbered(server, library, lambda n: n)


@with_server(settings=WORKER)
def at_the_worker_as_well(server, library):
    numbered(server, library, lambda n: n // 2)


@with_server()
def in_one_argument(server, library):
    numbered(server, library, lambda n: n, joined)
    client = server.client()
    assert client.call("ANB.TRAIN", "m", 1, *sample(random.Random(4), D)[0], "WEIGHT", 2, "SEQ=x:y:7") != "REPEATED"
    assert positions(client)[b"x:y"] == 7
    for text, why in (("SEQ=a", "a colon"), ("SEQ=:1", "1 to 55"), ("SEQ=a:", "whole number"), ("SEQ=a:1x", "whole"),
                      ("SEQ=a:9223372036854775808", "whole number"), ("SEQ=%s:1" % ("s" * 56), "1 to 55")):
        refused(client, why, "ANB.TRAIN", "m", 1, *[0] * D, text)
        refused(client, why, "ANB.TRAINB", "m", packed_rows([([0] * D, 1)]), text)
    refused(client, "fewer stand before it", "ANB.TRAIN", "m", 1, *[0] * (D - 1), "SEQ=a:9", 1)


@with_server()
def what_is_refused_leaves_the_position(server, library):
    client = fresh(server)
    client.call("ANB.CREATE", "m", "linear", "FEATURES", 2)
    refused(client, "infinite", "ANB.TRAIN", "m", 1, "1e400", 2, "SEQ", "a", 5)
    refused(client, "whole number", "ANB.TRAIN", "m", 1, 1, 2, "SEQ", "a", -1)
    refused(client, "whole number", "ANB.TRAIN", "m", 1, 1, 2, "SEQ", "a", "x")
    refused(client, "whole number", "ANB.TRAIN", "m", 1, 1, 2, "SEQ", "a", "9223372036854775808")
    refused(client, "1 to 55", "ANB.TRAIN", "m", 1, 1, 2, "SEQ", "", 5)
    refused(client, "1 to 55", "ANB.TRAIN", "m", 1, 1, 2, "SEQ", "s" * 56, 5)
    assert positions(client) == {}
    for i in range(64):
        client.call("ANB.TRAIN", "m", 1, 1, 2, "SEQ", "s%d" % i, 2**62)
    before = client.call("ANB.SAVE", "m")
    refused(client, "another source", "ANB.TRAIN", "m", 1, 1, 2, "SEQ", "one more", 0)
    assert client.call("ANB.TRAIN", "m", 1, 1, 2, "SEQ", "s63", 2**62) == "REPEATED"
    assert client.call("ANB.SAVE", "m") == before
    assert positions(client)[b"s7"] == 2**62
    client.call("ANB.RESET", "m")
    assert positions(client) == {}


@with_server()
def labels_are_learned_once(server, library):
    client = fresh(server)
    client.call("ANB.CREATE", "p", "pending(scale(linear))", "FEATURES", D)
    x, y = sample(random.Random(2), D)
    client.call("ANB.PENDING", "p", 1, *x)
    client.call("ANB.PENDING", "p", 2, *x)
    refused(client, "no row waits", "ANB.LABEL", "p", 77, y, "SEQ", "a", 1)
    client.call("ANB.LABEL", "p", 1, y, "SEQ", "a", 1, "WEIGHT", 0.5)
    before = client.call("ANB.SAVE", "p")
    assert client.call("ANB.LABEL", "p", 1, y, "SEQ", "a", 1, "WEIGHT", 0.5) == "REPEATED"
    assert client.call("ANB.LABEL", "p", 2, y, "WEIGHT", 0.5, "SEQ", "a", 0) == "REPEATED"
    assert client.call("ANB.SAVE", "p") == before
    assert client.call("ANB.LABEL", "p", 2, y, "SEQ=a:1", "WEIGHT", 0.5) == "REPEATED"
    client.call("ANB.LABEL", "p", 2, y, "SEQ=a:2")
    assert as_map(client.call("ANB.INFO", "p"))[b"samples"] == 2


@with_server(*ALWAYS, settings=WORKER)
def copies_replicas_and_files_hold_the_positions(server, library):
    client = fresh(server)
    replica = Server(server.program, server.module)
    client.call("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    try:
        replica.client().call("REPLICAOF", "127.0.0.1", server.port)
        client.call("ANB.CREATE", "m", MIXTURE, "FEATURES", D)
        for n, (x, y) in enumerate(rows_of(random.Random(3), 50)):
            client.call("ANB.TRAIN", "m", y, *x, "SEQ", "a", n)
            client.call("MULTI") if n % 5 == 0 else None
            client.call("ANB.TRAIN", "m", y, *x, "SEQ", "b", n)
            client.call("EXEC") if n % 5 == 0 else None
        client.call("ANB.CLONE", "m", "n")
        client.call("ANB.RESTORE", "o", client.call("ANB.SAVE", "m"))
        state = client.call("ANB.SAVE", "m")
        end = time.time() + 30
        while client.call("WAIT", 1, 1000) < 1:
            assert time.time() < end
        assert replica.client().call("ANB.SAVE", "o") == state
        server.kill()
        server.start()
        client = server.client()
        for key in "mno":
            assert client.call("ANB.SAVE", key) == state
            assert client.call("ANB.TRAIN", key, y, *x, "SEQ", "b", 49) == "REPEATED"
    finally:
        replica.remove()


class Sender:
    """Sends its rows in order, each until it is answered; begins again from the start where it was killed."""

    def __init__(self, server, name, rows):
        self.server, self.name, self.rows = server, name, rows
        self.at, self.client, self.repeated, self.died, self.stop = 0, None, 0, False, False

    def command(self, i):
        batch = self.rows[i:i + 10]
        if i // 10 % 3 == 0:
            return ("ANB.TRAINB", self.name, packed_rows(batch), "SEQ", "log", i)
        flat = [v for x, y in batch for v in (y, *x)]
        return ("ANB.MTRAIN", self.name, len(batch), *flat, "SEQ", "log", i)

    def step(self):
        try:
            self.client = self.client or self.server.client(timeout=60)
            reply = self.client.call(*self.command(self.at))
            self.repeated += reply == "REPEATED"
            self.at += 10
        except (OSError, ConnectionError, ReplyError, ValueError):
            self.client = None
            time.sleep(0.005)

    def run(self):
        while self.at < len(self.rows) and not self.stop:
            if self.died:  # a new process: it does not know how far the old one was
                self.client, self.died = None, False
                self.at = max(0, self.at - 200)
            self.step()


@with_server(*ALWAYS, "--auto-aof-rewrite-min-size", "1mb")
def kills_of_senders_and_servers(server, library):
    """Kills of the server, which takes its workers along, and of the senders, at any moment: in the end both models are
    bit by bit those of a run that nobody disturbed."""
    client = fresh(server)
    senders = [Sender(server, key, rows_of(random.Random(i), ROWS // 2)) for i, key in enumerate(("a", "b"))]
    for s in senders:
        client.call("ANB.CREATE", s.name, MIXTURE, "FEATURES", D)
    client.call("CONFIG", "SET", "anabranch.inline-microseconds", 20) if server.major >= 7 else None
    threads = [threading.Thread(target=s.run, daemon=True) for s in senders]
    for t in threads:
        t.start()
    rng, kills = random.Random(4), 0
    for kills in range(KILLS):
        goal = ROWS // 2 * (kills + 1) // (KILLS + 2)
        while max(s.at for s in senders) < goal and any(t.is_alive() for t in threads):
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.01))
        if kills % 3 == 2:
            rng.choice(senders).died = True
            continue
        server.kill()
        server.start()
    for t in threads:
        t.join(120)
    client = server.client()
    assert sum(s.repeated for s in senders) > 0, "nothing was sent twice"
    for s in senders:
        model = library.model(D, MIXTURE)
        for x, y in s.rows:
            model.train(x, y)
        assert as_map(client.call("ANB.INFO", s.name))[b"samples"] == len(s.rows)
        model.take("log", len(s.rows) - 10)
        assert client.call("ANB.SAVE", s.name) == model.blob()


TESTS = [numbered_commands_are_learned_once, at_the_worker_as_well, what_is_refused_leaves_the_position,
         labels_are_learned_once, copies_replicas_and_files_hold_the_positions, kills_of_senders_and_servers]

if __name__ == "__main__":
    main(TESTS)
