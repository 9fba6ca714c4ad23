"""Commands that wait at the worker while their key, their client or their server changes. waiting.py SERVER MODULE
LIBRARY"""

import random
import time

from cases import D, MIXTURE, WORKER, as_map, fresh, information, main, packed_rows, refused, rows_of, with_server
from harness import ReplyError, Server, sample, unpack, until

SLOW = "auto(budget=100)"  # some megabytes, freed in the background, and slow enough to be met at work
ROWS = 1000


class Batches:
    """A model and batches for it, each of a client of its own, the first of which the worker has begun."""

    def __init__(self, server, library, count=2, db=0, size=ROWS):
        self.server, self.library, self.client = server, library, server.client()
        self.client.call("SELECT", db)
        self.count, self.db, self.size = count, db, size
        self.begin()

    def begin(self):
        while not self.begun():
            self.again()

    def again(self):
        self.replies()
        self.size *= 2  # this machine was too fast, or too busy

    def begun(self):
        self.rows = rows_of(random.Random(11), self.size)
        packed = packed_rows(self.rows)
        self.client.call("FLUSHALL")
        self.client.call("ANB.CREATE", "m", SLOW, "FEATURES", D)
        self.before = self.client.call("ANB.SAVE", "m")
        self.clients = [self.server.client() for _ in range(self.count)]
        queued = int(information(self.client)["commands_queued"]) + self.count
        for c in self.clients:
            c.call("SELECT", self.db)
        counted = information(self.client)
        self.trained, self.worked = int(counted["samples_trained"]), counted["worker_seconds"]
        for c in self.clients:
            c.send("ANB.TRAINB", "m", packed)
        until(lambda: int(information(self.client)["commands_queued"]) == queued)
        return self.waiting() == self.count

    def meet(self, *commands, undo=()):
        """The replies of commands that find every batch waiting, as one transaction. Where a batch was learned first,
        all begin anew, after the commands `undo`."""
        while True:
            self.client.call("MULTI")
            for command in (("ANB.INFO", "m"), *commands):
                self.client.call(*command)
            info, *replies = self.client.call("EXEC")
            if as_map(info)[b"queued"] == self.count:
                return replies
            for command in undo:
                self.client.call(*command)
            self.again()
            self.begin()

    def meet_each(self, *commands):
        """As meet(), each command for itself; none of them replaces the model."""
        while True:
            for command in commands:
                self.client.call(*command)
            if self.waiting() == self.count:
                return
            self.again()
            self.begin()

    def waiting(self, key="m"):
        return as_map(self.client.call("ANB.INFO", key))[b"queued"]

    def replies(self):
        """The predictions of each batch, or the text of its error."""
        found = []
        for c in self.clients:
            try:
                found.append(unpack(c.read()))
            except ReplyError as error:
                found.append(str(error))
        return found

    def refused(self, says="replaced"):
        replies = self.replies()
        assert all(says in reply for reply in replies if isinstance(reply, str)), replies
        assert isinstance(replies[-1], str), "the last batch was learned"
        assert self.client.call("PING") == "PONG"

    def learned(self, key="m", before=()):
        """Every batch was learned, in order, behind the samples before: the model is a replay's, bit by bit."""
        model = self.library.load(self.before)
        for x, y in before:
            model.train(x, y)
        for reply in self.replies():
            assert reply == [model.train(x, y) for x, y in self.rows]
        assert self.client.call("ANB.SAVE", key) == model.blob()
        assert self.waiting(key) == 0


def replays(library, model, histories):
    """The models after each order of the clients that gives these answers. histories: of each client, (row, target,
    answer) in its order. An answer alone does not tell whose turn it was: before its first sample a model answers all
    rows alike."""
    if not any(histories):
        yield model
    following = [k for k, own in enumerate(histories) if own and model.predict(own[0][0]) == own[0][2]]
    before = model.blob() if len(following) > 1 else None
    for k in following:
        after = library.load(before) if before else model
        x, y, _ = histories[k][0]
        after.train(x, y)
        yield from replays(library, after, histories[:k] + [histories[k][1:]] + histories[k + 1:])


@with_server(settings=WORKER)
def the_worker_keeps_the_order(server, library):
    """Everything goes to the worker; several clients write to one key; the answers are those of some order of
    theirs."""
    client = fresh(server)
    client.call("ANB.CREATE", "m", MIXTURE, "FEATURES", D)
    clients = [server.client() for _ in range(4)]
    rng = random.Random(7)
    sent = {}
    for c in clients:
        rows = rows_of(rng, 40)
        for x, y in rows:
            c.send("ANB.TRAIN", "m", y, *x)
        sent[c] = rows
    answers = {c: [float(c.read()) for _ in sent[c]] for c in clients}
    assert as_map(client.call("ANB.INFO", "m"))[b"samples"] == 160
    assert as_map(client.call("ANB.INFO", "m"))[b"queued"] == 0
    saved, model = client.call("ANB.SAVE", "m"), library.model(D, MIXTURE)
    histories = [[(x, y, answer) for (x, y), answer in zip(sent[c], answers[c])] for c in clients]
    assert any(after.blob() == saved for after in replays(library, model, histories)), "no order of the clients gives these answers"
    assert information(client)["commands_queued"] == "160"


@with_server(settings=WORKER)
def a_key_that_is_deleted(server, library):
    for command in (("DEL", "m"), ("UNLINK", "m"), ("FLUSHALL", "ASYNC"), ("FLUSHALL",), ("PEXPIRE", "m", 20)):
        batches = Batches(server, library)
        batches.meet(command)
        batches.refused()
        assert batches.client.call("DBSIZE") == 0
        until(lambda: information(batches.client)["models"] == "0")


@with_server(settings=WORKER)
def a_key_that_is_renamed(server, library):
    batches = Batches(server, library)
    batches.meet(("RENAME", "m", "n"))
    batches.refused()
    assert batches.client.call("ANB.SAVE", "n") == batches.before and batches.waiting("n") == 0
    batches = Batches(server, library)
    batches.client.call("RENAME", "m", "n")
    batches.client.call("RENAME", "n", "m")
    batches.learned()


@with_server(settings=WORKER)
def a_key_that_goes_to_another_database(server, library):
    batches = Batches(server, library)
    batches.meet(("MOVE", "m", 1))
    batches.refused()
    batches = Batches(server, library)
    batches.meet(("SWAPDB", 0, 1))
    batches.refused()
    batches = Batches(server, library, db=3)
    batches.learned()


def migrate(server, library, says):
    target = Server(server.program, server.module)
    try:
        batches = Batches(server, library)
        assert batches.meet(("MIGRATE", "127.0.0.1", target.port, "m", 0, 120000, "REPLACE")) == ["OK"]
        batches.refused(says)
        assert target.client().call("ANB.SAVE", "m") == batches.before
    finally:
        target.remove()


@with_server(settings=WORKER)
def a_key_that_migrates(server, library):
    migrate(server, library, "replaced")


@with_server(settings=WORKER)
def a_key_that_is_copied_or_written_over(server, library):
    batches = Batches(server, library)
    batches.meet(("COPY", "m", "copy"), ("ANB.CLONE", "m", "clone"))
    batches.learned()
    assert batches.client.call("ANB.SAVE", "copy") == batches.client.call("ANB.SAVE", "clone") == batches.before
    other = library.model(D, MIXTURE)
    other.train([1, 2, 3, 4], 5)
    there = ("ANB.RESTORE", "other", other.blob(), "REPLACE")
    batches.client.call(*there)
    for how, *rest in (("ANB.RESTORE", "m", other.blob(), "REPLACE"), ("COPY", "other", "m", "REPLACE"), ("SET", "m", "x"),
                       ("RESTORE", "m", 0, batches.client.call("DUMP", "other"), "REPLACE")):
        batches = Batches(server, library)
        batches.meet(there, (how, *rest))
        batches.refused()
        if how == "SET":
            assert batches.client.call("GET", "m") == b"x"
        else:
            assert batches.client.call("ANB.SAVE", "m") == other.blob()


@with_server(settings=WORKER)
def transactions_go_first(server, library):
    """What cannot wait runs in line, and the batch that was at work starts over behind it; each sample counts once."""
    batches = Batches(server, library)
    client, rows = batches.client, rows_of(random.Random(12), 3)
    batches.meet_each(("MULTI",), *[("ANB.TRAIN", "m", y, *x) for x, y in rows[:2]], ("EXEC",), (
        "EVAL", "return redis.call('ANB.TRAIN', KEYS[1], unpack(ARGV))", 1, "m", rows[2][1], *rows[2][0]))
    batches.learned(before=rows)
    counted = information(client)
    assert int(counted["samples_trained"]) - batches.trained == 3 + 2 * len(batches.rows)
    assert int(counted["commands_retried"]) >= 1


def overtaken(server, library, size):
    """How often a batch was retried while a client writes to its model all the time; what both did is right in any
    case."""
    batches = Batches(server, library, count=1, size=size)
    client, before, behind = batches.client, [], []
    retried = int(information(client)["commands_retried"])
    rng = random.Random(13)
    while not behind:
        x, y = sample(rng, D)
        client.call("MULTI")
        client.call("ANB.TRAIN", "m", y, *x)
        client.call("ANB.INFO", "m")
        info = as_map(client.call("EXEC")[1])
        (before if info[b"samples"] == len(before) + 1 else behind).append((x, y))
    model = library.load(batches.before)
    for x, y in before:
        model.train(x, y)
    assert batches.replies()[0] == [model.train(x, y) for x, y in batches.rows]
    model.train(*behind[0])
    assert client.call("ANB.SAVE", "m") == model.blob()
    return int(information(client)["commands_retried"]) - retried


@with_server(settings=WORKER)
def writers_that_never_pause(server, library):
    """A batch that is overtaken again and again is learned under the lock at last. Where this program had to wait for
    a core, the batch was overtaken less often."""
    times = []
    while len(times) < 20 and 3 not in times:
        times.append(overtaken(server, library, ROWS << len(times) // 4))
    assert 3 in times, times


@with_server(settings=WORKER)
def a_watched_key(server, library):
    batches = Batches(server, library)
    batches.meet_each(("UNWATCH",), ("WATCH", "m"))
    batches.learned()
    batches.client.call("MULTI")
    batches.client.call("PING")
    assert batches.client.call("EXEC") is None


@with_server(settings=WORKER)
def clients_that_are_killed(server, library):
    """What they sent is learned all the same, as with any command that a server had read."""
    batches = Batches(server, library)
    for c in batches.clients:
        c.socket.close()
        c.file.close()
    name = [line for line in batches.client.call("CLIENT", "LIST").decode().splitlines() if "anb.trainb" in line]
    for line in name:
        batches.client.call("CLIENT", "KILL", "ID", line.split()[0].split("=")[1])
    until(lambda: batches.waiting() == 0)
    model = library.load(batches.before)
    for x, y in 2 * batches.rows:
        model.train(x, y)
    assert batches.client.call("ANB.SAVE", "m") == model.blob()


@with_server(settings=WORKER)
def a_server_that_stops(server, library):
    """It ends in good order, and what it saved holds whole batches."""
    server.client().call("CONFIG", "SET", "save", "1000 1000000")
    batches = Batches(server, library)
    server.stop()
    assert server.process.returncode == 0, server.log()
    server.start()
    model = library.load(batches.before)
    states = [model.blob()]
    for _ in batches.clients:
        for x, y in batches.rows:
            model.train(x, y)
        states.append(model.blob())
    assert server.client().call("ANB.SAVE", "m") in states


@with_server(settings=WORKER)
def the_server_s_own_statistics(server, library):
    """Time at the worker counts as the command's."""
    batches = Batches(server, library)
    batches.replies()
    counted = next(line for line in batches.client.call("INFO", "commandstats").decode().splitlines()
                   if line.startswith("cmdstat_anb.trainb:"))
    seconds = int(counted.split("usec=")[1].split(",")[0]) / 1e6
    assert seconds > 0.5 * float(information(batches.client)["worker_seconds"]), counted


@with_server(settings=WORKER)
def writes_that_are_paused(server, library):
    """As a failover and the handover of a slot pause them."""
    batches = Batches(server, library)
    batches.meet(("CLIENT", "PAUSE", 600000, "WRITE"), undo=[("CLIENT", "UNPAUSE")])
    until(lambda: information(batches.client)["worker_seconds"] != batches.worked)
    time.sleep(0.1)
    assert batches.client.call("ANB.SAVE", "m") == batches.before and batches.waiting() == len(batches.clients)
    batches.client.call("CLIENT", "UNPAUSE")
    batches.learned()


@with_server(settings=WORKER)
def a_master_that_becomes_a_replica(server, library):
    batches = Batches(server, library)
    batches.meet(("REPLICAOF", "127.0.0.1", 1), undo=[("REPLICAOF", "NO", "ONE")])  # nobody listens there: the keys stay
    for c in batches.clients:
        try:
            c.read()
            raise AssertionError("a replica has learned")
        except (ReplyError, ConnectionError) as error:
            assert "READONLY" in str(error) or "UNBLOCKED" in str(error) or "closed" in str(error), error
    until(lambda: batches.waiting() == 0)
    assert batches.client.call("ANB.SAVE", "m") == batches.before
    batches.client.call("REPLICAOF", "NO", "ONE")
    master = Server(server.program, server.module, "--repl-diskless-sync-delay", "0")
    try:
        batches = Batches(server, library)
        master.client().call("ANB.CREATE", "m", MIXTURE, "FEATURES", D)
        batches.client.call("REPLICAOF", "127.0.0.1", master.port)
        until(lambda: b"connected" in batches.client.call("ROLE"))
        digest = ("DEBUG", "DIGEST-VALUE", "m")
        until(lambda: information(batches.client)["commands_queued"] and batches.waiting() == 0)
        assert batches.client.call(*digest) == master.client().call(*digest)
    finally:
        master.remove()


@with_server(settings=WORKER)
def readers_wait_for_nobody(server, library):
    """A prediction behind queued samples may come before they are learned; then it is the old model's."""
    batches = Batches(server, library)
    old = library.load(batches.before)
    x = batches.rows[0][0]
    seen = {float(batches.client.call("ANB.PREDICT", "m", *x))}
    batches.replies()
    seen.add(float(batches.client.call("ANB.PREDICT", "m", *x)))
    models = [old.predict(x)]
    for _ in range(2):
        for row, y in batches.rows:
            old.train(row, y)
        models.append(old.predict(x))
    assert seen <= set(models) and models[2] in seen, (seen, models)
    refused(batches.client, "can't unload", "MODULE", "UNLOAD", "anabranch")


TESTS = [the_worker_keeps_the_order, a_key_that_is_deleted, a_key_that_is_renamed, a_key_that_goes_to_another_database,
         a_key_that_migrates, a_key_that_is_copied_or_written_over, transactions_go_first, writers_that_never_pause,
         a_watched_key, clients_that_are_killed, a_server_that_stops, the_server_s_own_statistics,
         writes_that_are_paused, a_master_that_becomes_a_replica, readers_wait_for_nobody]

if __name__ == "__main__":
    main(TESTS)
