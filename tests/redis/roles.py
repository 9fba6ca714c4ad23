"""Masters, replicas, nodes, and commands at the worker: what WAIT confirms, what a failover keeps. roles.py SERVER
MODULE LIBRARY"""

import random
import signal
import threading

from cases import D, WORKER, fresh, information, main, packed_rows, rows_of, with_server
from harness import PATIENCE, ReplyError, Server, unpack, until
from single import killed_amid_writes
from waiting import migrate

MODEL = "scale(moe(forest(trees=3), rls, mean))"


def replica_of(server, *options):
    """A second server that has caught up with the first."""
    replica = Server(server.program, server.module, *options)
    server.client().call("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    replica.client().call("REPLICAOF", "127.0.0.1", server.port)
    until(lambda: b"connected" in replica.client().call("ROLE"))
    return replica


def acknowledged(role):
    """Whether the one replica has acknowledged every byte of this master."""
    return len(role[2]) == 1 and int(role[2][0][2]) == role[1]


@with_server(settings=WORKER)
def wait_counts_what_the_worker_learned(server, library):
    replica = replica_of(server)
    try:
        client = fresh(server)
        client.call("ANB.CREATE", "m", MODEL, "FEATURES", D)
        rows = packed_rows(rows_of(random.Random(1), 3000))
        until(lambda: acknowledged(client.call("ROLE")))
        replica.process.send_signal(signal.SIGSTOP)
        client.send("ANB.TRAINB", "m", rows)
        client.send("WAIT", 1, 300)
        assert len(client.read()) == 8 * 3000
        confirmed = client.read()
        replica.process.send_signal(signal.SIGCONT)
        assert confirmed == (server.major < 7), "a replica that stood still: %d confirmed" % confirmed
        client.send("ANB.TRAINB", "m", rows)
        client.send("WAIT", 1, 200000)
        client.read()
        assert client.read() == 1
        if server.major >= 7:
            assert replica.client().call("ANB.SAVE", "m") == client.call("ANB.SAVE", "m")
    finally:
        replica.process.send_signal(signal.SIGCONT)
        replica.remove()


@with_server("--cluster-enabled", "yes", settings=WORKER)
def a_key_that_migrates_in_a_cluster(server, library):
    """Clients of a cluster ask again on TRYAGAIN, and are then told where the key is."""
    server.client().call("CLUSTER", "ADDSLOTS", *range(16384))
    until(lambda: b"cluster_state:ok" in server.client().call("CLUSTER", "INFO"))
    migrate(server, library, "TRYAGAIN")


@with_server(settings=WORKER)
def a_replica_answers_while_it_loads(server, library):
    """With repl-diskless-load swapdb the old models answer until all of the new ones are there."""
    if server.major < 7:
        return  # older replicas answer nothing meanwhile
    replica = replica_of(server, "--repl-diskless-load", "swapdb")
    try:
        client, reader = fresh(server), replica.client()
        for i in range(300):
            client.call("ANB.CREATE", "m%d" % i, MODEL, "FEATURES", D)
        rows = rows_of(random.Random(5), 3000)
        x, digest = rows[0][0], ("DEBUG", "DIGEST-VALUE", "m0", "m299")
        until(lambda: reader.call(*digest) == client.call(*digest))
        client.call("CONFIG", "SET", "repl-backlog-size", 16384)
        reader.call("CONFIG", "SET", "key-load-delay", 100000)
        reader.call("CONFIG", "SET", "loading-process-events-interval-bytes", 1024)
        replica.process.send_signal(signal.SIGSTOP)  # what it misses now is more than the backlog holds
        client.call("CLIENT", "KILL", "TYPE", "replica")
        client.call("ANB.TRAINB", "m0", packed_rows(rows))
        replica.process.send_signal(signal.SIGCONT)
        until(lambda: b"async_loading:1" in reader.call("INFO", "persistence"))
        assert float(reader.call("ANB.PREDICT", "m0", *x)) == 0 and information(reader)["commands_queued"] == "0"
        assert b"async_loading:1" in reader.call("INFO", "persistence"), "it was too fast for this test"
        reader.call("CONFIG", "SET", "key-load-delay", 0)
        until(lambda: reader.call(*digest) == client.call(*digest))
        assert float(reader.call("ANB.PREDICT", "m0", *x)) == float(client.call("ANB.PREDICT", "m0", *x)) != 0
        until(lambda: information(reader)["models"] == "300")  # the old ones go in the background
    finally:
        replica.process.send_signal(signal.SIGCONT)
        replica.remove()


class Writer(threading.Thread):
    """Trains one model until the server takes no more; knows what was acknowledged, and the one batch that may have
    been."""

    def __init__(self, server, library, key):
        super().__init__(daemon=True)
        self.client, self.key, self.error = server.client(), key, None
        self.model, self.unsure, self.batches = library.model(D, MODEL), None, 0
        self.library = library
        self.client.call("ANB.CREATE", key, MODEL, "FEATURES", D)

    def run(self):
        rng = random.Random(self.key)
        try:
            while True:
                self.unsure = rows_of(rng, 200)
                reply = unpack(self.client.call("ANB.TRAINB", self.key, packed_rows(self.unsure)))
                assert reply == [self.model.train(x, y) for x, y in self.unsure]
                self.unsure, self.batches = None, self.batches + 1
        except (ReplyError, ConnectionError, OSError) as error:
            self.error = str(error)
        except AssertionError as error:
            self.error = error

    def check(self, client):
        assert isinstance(self.error, str), "an answer was not the library's"
        blob = client.call("ANB.SAVE", self.key)
        if blob != self.model.blob():
            for x, y in self.unsure:
                self.model.train(x, y)
        assert blob == self.model.blob(), self.key


@with_server(settings=WORKER)
def a_failover_loses_nothing(server, library):
    """FAILOVER under load: what was acknowledged is at the new master, and the old one, now its replica, is equal to
    it."""
    replica = replica_of(server)
    try:
        fresh(server)
        writers = [Writer(server, library, "m%d" % i) for i in range(4)]
        for writer in writers:
            writer.start()
        until(lambda: all(writer.batches > 3 for writer in writers))
        server.client().call("FAILOVER", "TIMEOUT", 10000)
        until(lambda: replica.client().call("ROLE")[0] == b"master")
        until(lambda: b"connected" in server.client().call("ROLE"))
        for writer in writers:
            writer.join(PATIENCE)
        new, old = replica.client(), server.client()
        for writer in writers:
            writer.check(new)
        digests = ("DEBUG", "DIGEST-VALUE", *[writer.key for writer in writers])
        until(lambda: information(old)["models"] == "4" and new.call(*digests) == old.call(*digests))
        print("    %d batches acknowledged before the failover, all there; the last word of each client: %s" % (
            sum(writer.batches for writer in writers), {writer.error.split()[0] for writer in writers}))
    finally:
        replica.remove()


@with_server(settings=WORKER)
def a_promoted_replica_learns(server, library):
    replica = replica_of(server)
    try:
        client = fresh(server)
        model = library.model(D, MODEL)
        client.call("ANB.CREATE", "m", MODEL, "FEATURES", D)
        for master in (server, replica):
            c, rows = master.client(), rows_of(random.Random(3), 500)
            c.call("REPLICAOF", "NO", "ONE")
            assert unpack(c.call("ANB.TRAINB", "m", packed_rows(rows))) == [model.train(x, y) for x, y in rows]
            if master is server:
                digest = ("DEBUG", "DIGEST-VALUE", "m")
                until(lambda: replica.client().call(*digest) == c.call(*digest))
                server.kill()
        assert replica.client().call("ANB.SAVE", "m") == model.blob()
    finally:
        replica.remove()


@with_server("--appendonly", "yes", "--appendfsync", "always", settings=WORKER)
def a_kill_amid_writes_of_the_worker(server, library):
    killed_amid_writes(server, library)


TESTS = [wait_counts_what_the_worker_learned, a_replica_answers_while_it_loads, a_key_that_migrates_in_a_cluster,
         a_failover_loses_nothing, a_promoted_replica_learns, a_kill_amid_writes_of_the_worker]

if __name__ == "__main__":
    main(TESTS)
