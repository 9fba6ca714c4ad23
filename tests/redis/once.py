"""Samples that are learned once: numbered commands sent again, in line and through the worker, behind kills of the
server and of the sender, on replicas and in copies. once.py SERVER MODULE LIBRARY [ROWS KILLS]"""

import glob
import random
import sys
import threading
import time

from cases import D, MIXTURE, WORKER, as_map, fresh, information, main, packed_rows, refused, rows_of, with_server
from harness import PATIENCE, ReplyError, Server, sample, unpack, until

ROWS, KILLS = (int(n) for n in (sys.argv[4:6] if len(sys.argv) > 5 else (3000, 10)))
ALWAYS = ("--appendonly", "yes", "--appendfsync", "always")


def positions(client, key="m"):
    return as_map(as_map(client.call("ANB.INFO", key))[b"sources"])


def apart(source, n, *command):
    return *command, "SEQ", source, n


def joined(source, n, *command):
    """In one argument; zeros before the number do not count."""
    return *command, "seq=%s:%020d" % (source, n)


def behind(source, n, *command):
    """In no argument of its own: behind the target or the count; packed rows have neither."""
    if command[0] == "ANB.TRAINB":
        return joined(source, n, *command)
    at = 3 if command[0] == "ANB.LABEL" else 2
    return *command[:at], "%s@%s:%d" % (command[at], source, n), *command[at + 1:]


SPELLINGS = (apart, joined, behind)


def numbered(server, library, again, seq=apart):
    """Every command twice, or late copies of earlier ones: the state is that of sending each once."""
    client = fresh(server)
    model = library.model(D, MIXTURE)
    client.call("ANB.CREATE", "m", MIXTURE, "FEATURES", D)
    rng = random.Random(1)
    for n, (x, y) in enumerate(rows_of(rng, 100)):
        assert float(client.call(*seq("a", n, "ANB.TRAIN", "m", y, *x))) == model.train(x, y)
        assert client.call(*seq("a", again(n), "ANB.TRAIN", "m", y, *x)) == "REPEATED"
    batch = rows_of(rng, 30)
    flat = [v for x, y in batch for v in (y, *x)]
    ours = [model.train(x, y) for x, y in batch]
    many = seq("a", 1000, "ANB.MTRAIN", "m", 30, *flat)
    assert [float(v) for v in client.call(*many)] == ours
    assert client.call(*many) == "REPEATED"
    ours = [model.train(x, y, 2.0) for x, y in batch]
    packed = seq("b", 0, "ANB.TRAINB", "m", packed_rows(batch))
    assert unpack(client.call(*packed, "WEIGHT", 2)) == ours
    assert client.call(*packed, "WEIGHT", 2) == "REPEATED"
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
    refused(client, "there are fewer before it", "ANB.TRAIN", "m", 1, *[0] * (D - 1), "SEQ=a:9", 1)


@with_server()
def behind_the_target_or_the_count(server, library):
    numbered(server, library, lambda n: n, behind)
    client = server.client()
    x = [0.5] * D
    for source in ("a@b", "x:y", "@", ":", "s" * 55):
        assert client.call("ANB.TRAIN", "m", "-1.5e0@%s:00%d" % (source, 2**63 - 1), *x) != "REPEATED"
        assert positions(client)[source.encode()] == 2**63 - 1
        assert client.call("ANB.TRAIN", "m", 1, *x, "SEQ", source, 2**63 - 1) == "REPEATED"
    before = client.call("ANB.SAVE", "m")
    for behind_it, why in (("@a", "a colon"), ("@:1", "1 to 55"), ("@a:", "whole number"), ("@a:-1", "whole number"),
                           ("@a:1x", "whole number"), ("@a:9223372036854775808", "whole number"), ("@", "a colon"),
                           ("@a:18446744073709551617", "whole number"), ("@%s:1" % ("s" * 56), "1 to 55"),
                           (b"@a\0:2000", "zero byte"), ("@a:b", "whole number"), (" @a:1", "not a"), ("x@a:1", "not a")):
        behind_it = behind_it if isinstance(behind_it, bytes) else behind_it.encode()
        refused(client, why.replace("not a", "is not a number"), "ANB.TRAIN", "m", b"1" + behind_it, *x)
        refused(client, why.replace("not a", "count of rows is"), "ANB.MTRAIN", "m", b"1" + behind_it, 1, *x)
    refused(client, "not a finite number", "ANB.TRAIN", "m", "nan@a:5000", *x)
    refused(client, "not a finite number", "ANB.TRAIN", "m", "@a:5000", *x)
    refused(client, "not a number", "ANB.TRAIN", "m", "one@a:5000", *x)
    refused(client, "behind the target of one row or the count of many", "ANB.MTRAIN", "m", 1, "1@a:5000", *x)
    refused(client, "behind the target of one row", "ANB.TRAIN", "m", 1, "1@a:5000", *x[1:])
    refused(client, "not a number", "ANB.PREDICT", "m", "1@a:5000", *x[1:])
    refused(client, "count of rows", "ANB.MPREDICT", "m", "1@a:5000", *x)
    refused(client, "count of rows", "ANB.MTRAIN", "m", "0@a:5000", 1, *x)
    for twice in (("SEQ", "a", 5001), ("SEQ=a:5001",)):
        refused(client, "twice", "ANB.TRAIN", "m", "1@a:5000", *x, *twice)
        refused(client, "twice", "ANB.MTRAIN", "m", "1@a:5000", 1, *x, *twice)
        refused(client, "twice", "ANB.TRAINB", "m", packed_rows([(x, 1)]), *twice, "SEQ", "b", 5000)
    assert client.call("ANB.SAVE", "m") == before
    wide = ["0.12345678901234567"] * D  # longer than what is read at once
    assert client.call("ANB.TRAIN", "m", "0.1234567890123456789012345678901234567890@a:5000", *wide) != "REPEATED"
    assert client.call("ANB.TRAIN", "m", "0.1234567890123456789012@a:5000", *wide) == "REPEATED"


@with_server("--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no")
def what_old_logs_say_is_taken(server, library):
    """Senseless commands that a client is refused, as an earlier version wrote them into its log."""
    client = fresh(server)
    client.call("ANB.CREATE", "m", "linear", "FEATURES", 2)
    old = [("ANB.TRAIN", "m", 1, 1, 2, "SEQ", "a", 5, "SEQ", "b", 6, "WEIGHT", 1, "WEIGHT", 2),
           ("ANB.CREATE", "t", "linear", "COLUMNS", "x", "x", "y", "TARGET", "y", "SEED", 1, "SEED", 2),
           ("ANB.CREATE", "i", "interval(mean,coverage=[0.9,0.8,0.9],window=0)", "FEATURES", 2, "SEED", 1)]
    for command in old:
        try:
            client.call(*command)
            raise AssertionError("%r was taken" % (command,))
        except ReplyError:
            pass
    server.stop()
    files = glob.glob(server.folder + "/appendonlydir/*.incr.aof") or [server.folder + "/appendonly.aof"]
    with open(max(files), "ab") as log:
        log.write(b"".join(client.encode(command) for command in old))
    server.start()
    client = server.client()
    assert positions(client) == {b"b": 6}
    model = library.model(2, "linear")
    model.train((1, 2), 1, 2.0)
    model.take("b", 6)
    assert client.call("ANB.SAVE", "m") == model.blob()
    assert client.call(*old[1], "IFNOTEXISTS") == "EXISTS"
    assert client.call("ANB.RESTORE", "u", client.call("ANB.SAVE", "t")) == "OK"
    assert client.call("ANB.TRAIN", "u", 3, 1, 2, 3) is not None
    assert client.call("ANB.RESTORE", "j", client.call("ANB.SAVE", "i")) == "OK"
    assert client.call("ANB.PREDICT", "j", 1, 2, "WITHINTERVAL", 0.9) == client.call("ANB.PREDICT", "i", 1, 2, "WITHINTERVAL", 0.9)
    refused(client, "interval: coverage holds 0.9 twice", "ANB.CREATE", "k", *old[2][2:])


@with_server()
def many_sources_in_turn(server, library):
    """Up to 64, some the beginnings of others: each has its own position."""
    client = fresh(server)
    client.call("ANB.CREATE", "m", "linear", "FEATURES", 2)
    names = ["t/%d" % i for i in range(62)] + ["t", "t/"]
    for n in range(3):
        for i, name in enumerate(names):
            reply = client.call(*SPELLINGS[(n + i) % 3](name, n * i, "ANB.TRAIN", "m", 1, 1, 2))
            assert (reply == "REPEATED") == (i == 0 and n > 0)
    assert positions(client) == {name.encode(): 2 * i for i, name in enumerate(names)}
    assert as_map(client.call("ANB.INFO", "m"))[b"samples"] == 64 + 2 * 63


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
    refused(client, "no row is pending", "ANB.LABEL", "p", 77, y, "SEQ", "a", 1)
    client.call("ANB.LABEL", "p", 1, y, "SEQ", "a", 1, "WEIGHT", 0.5)
    before = client.call("ANB.SAVE", "p")
    assert client.call("ANB.LABEL", "p", 1, y, "SEQ", "a", 1, "WEIGHT", 0.5) == "REPEATED"
    assert client.call("ANB.LABEL", "p", 2, y, "WEIGHT", 0.5, "SEQ", "a", 0) == "REPEATED"
    assert client.call("ANB.SAVE", "p") == before
    assert client.call("ANB.LABEL", "p", 2, y, "SEQ=a:1", "WEIGHT", 0.5) == "REPEATED"
    assert client.call("ANB.LABEL", "p", 2, "%s@a:1" % y, "WEIGHT", 0.5) == "REPEATED"
    refused(client, "numbered twice; nothing was learned", "ANB.LABEL", "p", 2, "%s@a:2" % y, "SEQ", "a", 3)
    refused(client, "WITHDIAG goes with ANB.TRAIN", "ANB.LABEL", "p", 2, y, "WITHDIAG")
    refused(client, "SEQ takes two values", "ANB.LABEL", "p", 2, y, "SEQ", "a")
    refused(client, "wrong number of arguments", "ANB.LABEL", "p", 2, y, "a", 2)
    refused(client, "row is still pending", "ANB.LABEL", "p", 2, "nan@a:2")
    client.call("ANB.LABEL", "p", 2, y, "SEQ=a:2")
    client.call("ANB.PENDING", "p", "three", *x)
    client.call("ANB.LABEL", "p", "three", "%s@a:3" % y, "WEIGHT", 2)
    assert as_map(client.call("ANB.INFO", "p"))[b"samples"] == 3
    assert positions(client, "p") == {b"a": 3}


@with_server(*ALWAYS, settings=WORKER)
def copies_replicas_and_files_hold_the_positions(server, library):
    client = fresh(server)
    replica = Server(server.program, server.module)
    client.call("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    try:
        replica.client().call("REPLICAOF", "127.0.0.1", server.port)
        client.call("ANB.CREATE", "m", MIXTURE, "FEATURES", D)
        for n, (x, y) in enumerate(rows_of(random.Random(3), 50)):
            client.call(*SPELLINGS[n % 3]("a", n, "ANB.TRAIN", "m", y, *x))
            client.call("MULTI") if n % 5 == 0 else None
            client.call(*SPELLINGS[n % 4 % 3]("b", n, "ANB.TRAIN", "m", y, *x))
            client.call("EXEC") if n % 5 == 0 else None
        client.call("ANB.CLONE", "m", "n")
        client.call("ANB.RESTORE", "o", client.call("ANB.SAVE", "m"))
        state = client.call("ANB.SAVE", "m")
        until(lambda: client.call("WAIT", 1, 1000) == 1)
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
    """Sends its rows in order, up to `allowed`, each until it is answered; begins some way back where it was killed."""

    def __init__(self, server, name, rows):
        self.server, self.name, self.rows = server, name, rows
        self.at, self.allowed, self.client, self.repeated, self.died = 0, 0, None, 0, False

    def command(self, i):
        batch = self.rows[i:i + 10]
        if i // 10 % 3 == 0:
            return ("ANB.TRAINB", self.name, packed_rows(batch), "SEQ", "log", i)
        flat = [v for x, y in batch for v in (y, *x)]
        return behind("log", i, "ANB.MTRAIN", self.name, len(batch), *flat)

    def step(self):
        try:
            self.client = self.client or self.server.client()
            reply = self.client.call(*self.command(self.at))
            self.repeated += reply == "REPEATED"
            self.at += 10
        except (OSError, ConnectionError, ReplyError, ValueError):
            self.client = None
            time.sleep(0.005)

    def run(self):
        while self.at < len(self.rows):
            if self.died:  # a new process: it does not know how far the old one was
                self.client, self.died = None, False
                self.at = max(0, self.at - 200)
            if self.at < self.allowed:
                self.step()
            else:
                time.sleep(0.001)


@with_server(*ALWAYS, "--auto-aof-rewrite-min-size", "1mb")
def kills_of_senders_and_servers(server, library):
    """Kills of the server, which takes its workers along, and of the senders, at any moment: in the end both models are
    bit by bit those of a run that nobody disturbed. Senders do not pass the place of the second kill to come:
    kills meet them under way, however long the server takes to start."""
    client = fresh(server)
    senders = [Sender(server, key, rows_of(random.Random(i), ROWS // 2)) for i, key in enumerate(("a", "b"))]
    for s in senders:
        client.call("ANB.CREATE", s.name, MIXTURE, "FEATURES", D)
    client.call("CONFIG", "SET", "anabranch.inline-microseconds", 20) if server.major >= 7 else None
    threads = [threading.Thread(target=s.run, daemon=True) for s in senders]
    for t in threads:
        t.start()
    rng = random.Random(4)
    goals = [ROWS // 2 * (i + 1) // (KILLS + 2) for i in range(KILLS + 2)]
    for kills in range(KILLS):
        for s in senders:
            s.allowed = goals[kills + 2]
        until(lambda: min(s.at for s in senders) >= goals[kills])
        time.sleep(rng.uniform(0, 0.01))
        if kills % 3 == 2:
            rng.choice(senders).died = True
            continue
        server.kill()
        server.start()
    for t in threads:
        t.join(PATIENCE)
    client = server.client()
    assert sum(s.repeated for s in senders) > 0, "nothing was sent twice"
    for s in senders:
        model = library.model(D, MIXTURE)
        for x, y in s.rows:
            model.train(x, y)
        assert as_map(client.call("ANB.INFO", s.name))[b"samples"] == len(s.rows)
        model.take("log", len(s.rows) - 10)
        assert client.call("ANB.SAVE", s.name) == model.blob()


TESTS = [numbered_commands_are_learned_once, at_the_worker_as_well, in_one_argument, behind_the_target_or_the_count,
         what_old_logs_say_is_taken, many_sources_in_turn, what_is_refused_leaves_the_position,
         labels_are_learned_once, copies_replicas_and_files_hold_the_positions, kills_of_senders_and_servers]

if __name__ == "__main__":
    main(TESTS)
