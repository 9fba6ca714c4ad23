"""Numbered samples and streams while masters fail over and slots move: every sample is learned once, and the state is
that of a run that nobody disturbed. moves.py SERVER MODULE LIBRARY [ROWS TIMES]"""

import random
import sys
import threading
import time

from cases import D, MIXTURE, WORKER, as_map, main, packed_rows, refused, rows_of
from harness import Client, ReplyError, Server, until

ROWS, TIMES = (int(n) for n in (sys.argv[4:6] if len(sys.argv) > 5 else (3000, 3)))
EACH = 50  # rows a command


def undisturbed(library, rows, source=None):
    model = library.model(D, MIXTURE)
    for x, y in rows:
        model.train(x, y)
    if source:
        model.take(source, len(rows) // EACH - 1)
    return model


def position(client, key):
    return as_map(as_map(client.call("ANB.INFO", key))[b"sources"]).get(b"s", -1)


# ---- failover


class Pair:
    """A master and a replica; the replica takes over when the master is killed, and gets a replica of its own."""

    def __init__(self, program, module):
        self.made = lambda: Server(program, module, "--repl-diskless-sync-delay", "0")
        self.master, self.replica = self.made(), None
        self.follow()

    def follow(self):
        self.replica = self.made()
        self.replica.client().call("REPLICAOF", "127.0.0.1", self.master.port)
        until(lambda: b"connected" in self.replica.client().call("ROLE"))

    def fail_over(self):
        self.master.kill()
        self.replica.client().call("REPLICAOF", "NO", "ONE")
        self.master.remove()
        self.master = self.replica
        self.follow()

    def remove(self):
        self.master.remove()
        self.replica.remove()


def send_confirmed(pair, rows, first, confirm, stop):
    """Sends commands from number `first` on, each confirmed by a replica, until the master is gone or `stop` were
    sent."""
    client = Client(pair.master.port)
    try:
        for n in range(first, stop):
            client.send("ANB.TRAINB", "m", packed_rows(rows[n * EACH:(n + 1) * EACH]), "SEQ", "s", n)
            client.send("WAIT", 1, 20000)
            client.read()
            if client.read() >= 1:
                confirm(n)
    except (OSError, ConnectionError, ReplyError):
        pass


def failover(library, program, module):
    rng, rows = random.Random(1), rows_of(random.Random(2), ROWS)
    commands, pair, confirmed = ROWS // EACH, Pair(program, module), [-1]
    try:
        pair.master.client().call("ANB.CREATE", "m", MIXTURE, "FEATURES", D)
        for k in range(TIMES + 1):
            known = position(pair.master.client(), "m")
            assert known >= confirmed[0], "a confirmed sample is lost: %d, %d" % (known, confirmed[0])
            stop = commands if k == TIMES else (k + 1) * commands // (TIMES + 1)
            sender = threading.Thread(target=send_confirmed, args=(
                pair, rows, known + 1, lambda n: confirmed.__setitem__(0, n), stop if k == TIMES else commands))
            sender.start()
            if k == TIMES:
                sender.join()
                break
            until(lambda: confirmed[0] >= stop - 1, 3600)
            time.sleep(rng.uniform(0, 0.05))
            pair.fail_over()
            sender.join()
        model = undisturbed(library, rows, "s")
        assert pair.master.client().call("ANB.SAVE", "m") == model.blob()
        until(lambda: pair.replica.client().call("ANB.SAVE", "m") == model.blob())
        print("    %d samples, %d failovers" % (ROWS, TIMES))
    finally:
        pair.remove()


def failovers_lose_and_repeat_nothing(program, module, library):
    failover(library, program, module)


def failovers_behind_the_worker(program, module, library):
    if version_of(program) >= 7:  # older servers' WAIT does not count what the worker learned
        failover(library, program, module + " " + WORKER)


def version_of(program):
    server = Server(program, None)
    server.remove()
    return server.major


# ---- slots


class Nodes:
    """Two nodes of a cluster, and the one slot that moves between them."""

    def __init__(self, program, module):
        self.node = [Server(program, module, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf")
                     for _ in range(2)]
        clients = [n.client() for n in self.node]
        self.id = [c.call("CLUSTER", "MYID") for c in clients]
        for i, c in enumerate(clients):  # a node that loses its last slot would become a replica
            c.call("CLUSTER", "ADDSLOTS", *range(i * 8192, (i + 1) * 8192))
        clients[0].call("CLUSTER", "MEET", "127.0.0.1", self.node[1].port)
        until(lambda: all(b"cluster_state:ok" in c.call("CLUSTER", "INFO") and
                          b"cluster_known_nodes:2" in c.call("CLUSTER", "INFO") for c in clients), 60)
        self.slot = clients[0].call("CLUSTER", "KEYSLOT", "{m}")
        self.owner = self.slot // 8192

    def begin(self):
        """The two nodes know that the slot moves; a client of the one that has it, one of the other."""
        a, b = self.owner, 1 - self.owner
        source, target = self.node[a].client(), self.node[b].client()
        target.call("CLUSTER", "SETSLOT", self.slot, "IMPORTING", self.id[a])
        source.call("CLUSTER", "SETSLOT", self.slot, "MIGRATING", self.id[b])
        return source, target

    def agree(self):
        """Whether both nodes give each node the same slots and the same epoch. A slot that moves back before the other
        has heard of the epoch that the first move began may be lost, and its keys with it."""
        seen = [sorted((f[0], f[6], *f[8:]) for f in (line.split() for line in n.client().call("CLUSTER", "NODES").splitlines()))
                for n in self.node]
        return seen[0] == seen[1]

    def move(self):
        b = 1 - self.owner
        source, target = self.begin()
        while keys := source.call("CLUSTER", "GETKEYSINSLOT", self.slot, 1):
            try:
                source.call("MIGRATE", "127.0.0.1", self.node[b].port, "", 0, 120000, "KEYS", *keys)
            except ReplyError as error:
                assert "IOERR" in str(error), error
        for client in (target, source):
            client.call("CLUSTER", "SETSLOT", self.slot, "NODE", self.id[b])
        until(self.agree)
        self.owner = b

    def remove(self):
        for node in self.node:
            node.remove()


class Routed:
    """A client that goes where the cluster sends it."""

    def __init__(self, nodes):
        self.client = {n.port: n.client() for n in nodes.node}
        self.port = nodes.node[0].port

    def many(self, commands):
        """Pipelined; those that were redirected are asked again alone, in order: an answer that sent them on may be
        old, and the slot on its way back."""
        client, replies = self.client[self.port], []
        client.socket.sendall(b"".join(client.encode(c) for c in commands))
        for _ in commands:
            try:
                replies.append(client.read())
            except ReplyError as error:
                replies.append(error)
        return [self.alone(c, r) if isinstance(r, ReplyError) else r for c, r in zip(commands, replies)]

    def call(self, *command):
        return self.many([command])[0]

    def alone(self, command, error):
        try:
            return self.client[self.port].call(*command)
        except ReplyError as again:
            return self.follow(command, again)

    def follow(self, command, error):
        for _ in range(2000):
            word, where = str(error).split()[0], str(error).split()[-1].rsplit(":", 1)[-1]
            assert word in ("MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN"), (command[:3], error)
            port = int(where) if word in ("MOVED", "ASK") else self.port
            self.port = port if word == "MOVED" else self.port
            time.sleep(0 if word in ("MOVED", "ASK") else 0.002)
            try:
                if word == "ASK":
                    self.client[port].call("ASKING")
                return self.client[port].call(*command)
            except ReplyError as again:
                error = again
        raise AssertionError("sent to and fro: %s" % error)


class Sender(threading.Thread):
    """Sends every command twice, as a sender does that did not hear an answer, and feeds a second model from a
    stream."""

    def __init__(self, nodes, rows):
        super().__init__(daemon=True)
        self.to, self.rows, self.sent, self.error = Routed(nodes), rows, 0, None
        names = ["x%d" % j for j in range(D)]
        self.to.call("ANB.CREATE", "{m}:seq", MIXTURE, "FEATURES", D)
        self.to.call("ANB.CREATE", "{m}:fed", MIXTURE, "COLUMNS", *names, "TARGET", "y")
        self.names = names

    def send_one(self, n):
        rows = self.rows[n * EACH:(n + 1) * EACH]
        command = ("ANB.TRAINB", "{m}:seq", packed_rows(rows), "SEQ", "s", n)
        first, second = self.to.call(*command), self.to.call(*command)
        assert len(first) == 8 * EACH and second == "REPEATED", (n, first, second)
        self.to.many([("XADD", "{m}:stream", "%d-0" % (n * EACH + i + 1), "y", y, *[v for p in zip(self.names, x) for v in p])
                      for i, (x, y) in enumerate(rows)])
        reply = {b"more": 1}
        while reply[b"more"]:
            reply = as_map(self.to.call("ANB.FEED", "{m}:fed", "STREAM", "{m}:stream"))
            assert reply[b"bad"] == reply[b"gaps"] == 0, reply
        if n % 20 == 19:
            self.to.call("XTRIM", "{m}:stream", "MAXLEN", 10)

    def run(self):
        try:
            for n in range(len(self.rows) // EACH):
                self.send_one(n)
                self.sent = n + 1
        except Exception as error:
            self.error = error


def slots_move(program, module, library):
    nodes, rng, rows = Nodes(program, module), random.Random(3), rows_of(random.Random(4), ROWS)
    try:
        sender = Sender(nodes, rows)
        sender.start()
        for k in range(TIMES):
            until(lambda: sender.sent > k * (ROWS // EACH) // (TIMES + 1) or sender.error, 3600)
            time.sleep(rng.uniform(0, 0.03))
            nodes.move()
        sender.join()
        assert sender.error is None, sender.error
        save = lambda key: sender.to.call("ANB.SAVE", key)
        assert save("{m}:seq") == undisturbed(library, rows, "s").blob()
        info, plain = as_map(sender.to.call("ANB.INFO", "{m}:fed")), undisturbed(library, rows)
        assert info[b"samples"] == len(rows)
        x = rows[0][0]
        assert float(sender.to.call("ANB.PREDICT", "{m}:fed", *x)) == plain.predict(x)
        print("    %d samples by number and %d by a stream over %d moves of their slot" % (ROWS, ROWS, TIMES))
    finally:
        nodes.remove()


def half_a_move(program, module, library):
    """While one of a command's two keys has gone and the other has not, no node runs it; nor does any where they are in
    two slots."""
    nodes = Nodes(program, module + " inline-microseconds 60000000")  # ANB.FEED learns all it is asked for
    try:
        source, feed = nodes.node[nodes.owner].client(), ("ANB.FEED", "{m}:fed", "STREAM", "{m}:stream")
        source.call("ANB.CREATE", "{m}:fed", "linear", "COLUMNS", "x", "TARGET", "y")
        for i in range(1, 21):
            source.call("XADD", "{m}:stream", "%d-0" % i, "x", i, "y", i)
        assert as_map(source.call(*feed, "COUNT", 3))[b"learned"] == 3
        _, target = nodes.begin()
        for at in (source, target):
            refused(at, "CROSSSLOT", "ANB.FEED", "{m}:fed", "STREAM", "elsewhere")
            refused(at, "CROSSSLOT", "ANB.CLONE", "{m}:fed", "elsewhere")
        source.call("MIGRATE", "127.0.0.1", nodes.node[1 - nodes.owner].port, "", 0, 120000, "KEYS", "{m}:stream")
        for command in (feed, (*feed, "COUNT", 3), ("ANB.CLONE", "{m}:fed", "{m}:copy")):
            refused(source, "TRYAGAIN" if nodes.node[0].major >= 7 else "ASK", *command)
            target.call("ASKING")
            refused(target, "TRYAGAIN", *command)
        source.call("MIGRATE", "127.0.0.1", nodes.node[1 - nodes.owner].port, "", 0, 120000, "KEYS", "{m}:fed")
        refused(source, "ASK", *feed)
        target.call("ASKING")
        assert as_map(target.call(*feed, "COUNT", 17)) == {b"learned": 17, b"bad": 0, b"gaps": 0, b"more": 0, b"last_id": b"20-0"}
    finally:
        nodes.remove()


def slots_that_move(program, module, library):
    slots_move(program, module, library)


def slots_that_move_behind_the_worker(program, module, library):
    slots_move(program, module + " " + WORKER, library)


if __name__ == "__main__":
    main([failovers_lose_and_repeat_nothing, failovers_behind_the_worker, half_a_move, slots_that_move,
          slots_that_move_behind_the_worker])
