"""Six nodes: 1,000 models live through a reshard under load, and every sample that a replica acknowledged through the
kill of a master. cluster.py SERVER MODULE LIBRARY; needs redis-cli and the Python package redis."""

import os
import random
import re
import subprocess
import sys
import threading
import time

import redis
from redis.cluster import ClusterNode, RedisCluster

from harness import PATIENCE, Client, Library, ReplyError, Server, run, sample, until

MIXTURE = "scale(moe(linear, linear(rate=0.02), linear(rate=0.05), rls))"
D = 4
MODELS = 1000
CLIENTS = 4


def cli(*arguments):
    done = subprocess.run(["redis-cli", *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


class Cluster:
    def __init__(self, program, module, node_timeout=15000):
        """node_timeout: milliseconds after which a node is taken for dead; a busy machine may need some seconds for an
        answer."""
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(node_timeout), "--cluster-config-file", "nodes.conf",
                   "--appendonly", "yes", "--repl-diskless-sync-delay", "0")
        self.nodes = [Server(program, module, *options) for _ in range(6)]
        cli("--cluster", "create", *["127.0.0.1:%d" % n.port for n in self.nodes], "--cluster-replicas", 1,
            "--cluster-yes")
        self.wait_settled()

    def settled(self, alive):
        """Whether every node that runs says the cluster is whole, and every master that answers has a connected
        replica."""
        states = []
        for node in self.nodes:
            if node.process.poll() is None:
                c = node.client()
                states.append(b"cluster_state:ok" in c.call("CLUSTER", "INFO"))
                role = c.call("ROLE")
                states.append(role[0] == b"master" or role[3] == b"connected")
                c.close()
        return len(states) == 2 * alive and all(states)

    def wait_settled(self, alive=6):
        until(lambda: self.settled(alive))
        time.sleep(1)

    def client(self):
        return RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", n.port) for n in self.nodes
                                           if n.process.poll() is None])

    def masters(self):
        """(port, id) of each master, from a node that runs."""
        node = next(n for n in self.nodes if n.process.poll() is None)
        c = node.client()
        lines = c.call("CLUSTER", "NODES").decode().splitlines()
        c.close()
        found = []
        for line in lines:
            fields = line.split()
            if "master" in fields[2] and "fail" not in fields[2] and len(fields) > 8:
                found.append((int(fields[1].split("@")[0].rsplit(":", 1)[1]), fields[0]))
        return found

    def remove(self):
        for node in self.nodes:
            node.remove()


def key(i):
    return "model:%d" % i


def create_models(cluster):
    client = cluster.client()
    for i in range(MODELS):
        assert client.execute_command("ANB.CREATE", key(i), MIXTURE, "FEATURES", D) == b"OK"
    client.close()


class Load(threading.Thread):
    """Trains its share of the models, one sample each in turn, and remembers them; any error but a redirection, which
    the client follows, ends it."""

    def __init__(self, cluster, share, stop):
        super().__init__(daemon=True)
        self.client, self.share, self.stop = cluster.client(), share, stop
        self.samples = {i: [] for i in share}
        self.error = None

    def run(self):
        rng = random.Random(self.share[0])
        try:
            while not self.stop.is_set():
                for i in self.share:
                    x, y = sample(rng, D)
                    self.client.execute_command("ANB.TRAIN", key(i), y, *x)
                    self.samples[i].append((x, y))
                    time.sleep(0.001)  # the servers share these cores
        except Exception as error:
            self.error = error


def replay(library, samples):
    model = library.model(D, MIXTURE)
    for x, y in samples:
        model.train(x, y)
    return model.blob()


def move_by_key(cluster, slots):
    (port, source), (_, target) = cluster.masters()[:2]
    cli("--cluster", "reshard", "127.0.0.1:%d" % port, "--cluster-from", source, "--cluster-to", target,
        "--cluster-slots", slots, "--cluster-yes")


def move_at_once(cluster, slots, times=8):
    """As Valkey 9 does it: the slots' commands are streamed to the other node, which then owns them all. In several
    goes, so that more of the load falls into one."""
    (port, _), (_, target) = cluster.masters()[:2]
    client = Client(port)
    low = next(low for low, high, owner, *_ in client.call("CLUSTER", "SLOTS") if owner[1] == port)
    for at in range(low, low + slots, slots // times):
        client.call("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", at, at + slots // times - 1, "NODE", target)
        end, state = time.monotonic() + PATIENCE, None
        while state != b"success":
            job = client.call("CLUSTER", "GETSLOTMIGRATIONS")[0]
            state = dict(zip(job[::2], job[1::2]))[b"state"]
            assert state != b"failed" and time.monotonic() < end, job
            time.sleep(0.05)


def reshard(program, module, library, slots, move=move_by_key):
    cluster = Cluster(program, module)
    try:
        create_models(cluster)
        stop = threading.Event()
        loads = [Load(cluster, range(j, MODELS, CLIENTS), stop) for j in range(CLIENTS)]
        for load in loads:
            load.start()
        time.sleep(1)
        move(cluster, slots)
        time.sleep(1)
        stop.set()
        for load in loads:
            load.join()
            assert load.error is None, load.error
        client = cluster.client()
        total = 0
        for load in loads:
            for i, samples in load.samples.items():
                total += len(samples)
                assert client.execute_command("ANB.SAVE", key(i)) == replay(library, samples), key(i)
        print("    %d slots moved under %d samples to %d models: all equal to a replay" % (slots, total, MODELS))
    finally:
        cluster.remove()


def a_reshard_under_load(program, module, library):
    reshard(program, module, library, 4000)


def a_reshard_behind_the_worker(program, module, library):
    """Every command waits at the worker; those whose key has gone meanwhile are sent on by the client."""
    reshard(program, module + " inline-microseconds 0", library, 2000)


def knows(program, what):
    with open(program, "rb") as f:
        return what in f.read()


def slots_that_move_at_once(program, module, library):
    if knows(program, b"MIGRATESLOTS"):
        reshard(program, module, library, 4000, move_at_once)


def slots_that_move_at_once_behind_the_worker(program, module, library):
    if knows(program, b"MIGRATESLOTS"):
        reshard(program, module + " inline-microseconds 0", library, 4000, move_at_once)


class Acknowledged(threading.Thread):
    """Trains models and waits for a replica after each sample. What failed may or may not have been learned: it is that
    model's last."""

    def __init__(self, cluster, share):
        super().__init__(daemon=True)
        self.cluster, self.share = cluster, share
        self.samples, self.unsure = {i: [] for i in share}, {}
        self.done = threading.Event()
        self.connections = {}

    def connection(self, port):
        if port not in self.connections:
            self.connections[port] = Client(port, timeout=5)
        return self.connections[port]

    def owner(self, i, ports):
        for port in ports:
            try:
                self.connection(port).call("EXISTS", key(i))
                return port
            except ReplyError as error:
                assert str(error).startswith("MOVED"), error
        raise AssertionError("nobody owns " + key(i))

    def run(self):
        rng = random.Random(1000 + self.share[0])
        ports = [port for port, _ in self.cluster.masters()]
        owners = {i: self.owner(i, ports) for i in self.share}
        while not self.done.is_set():
            for i in [i for i in self.share if i not in self.unsure]:
                x, y = sample(rng, D)
                try:
                    client = self.connection(owners[i])
                    client.call("ANB.TRAIN", key(i), y, *x)
                    if client.call("WAIT", 1, 2000) < 1:
                        raise ConnectionError("no replica")
                    self.samples[i].append((x, y))
                except (OSError, ConnectionError, ReplyError):
                    self.unsure[i] = (x, y)


def a_master_is_killed_under_load(program, module, library):
    cluster = Cluster(program, module, 2000)
    try:
        create_models(cluster)
        loads = [Acknowledged(cluster, range(j, MODELS, CLIENTS)) for j in range(CLIENTS)]
        for load in loads:
            load.start()
        total = lambda: sum(len(samples) for load in loads for samples in load.samples.values())
        unsure = lambda: sum(len(load.unsure) for load in loads)
        until(lambda: total() > 3000)
        port = cluster.masters()[0][0]
        next(n for n in cluster.nodes if n.port == port).kill()
        until(lambda: unsure() > 100)
        until(lambda: len([p for p, _ in cluster.masters() if p != port]) == 3)  # a replica took over
        time.sleep(2)
        for load in loads:
            load.done.set()
        for load in loads:
            load.join()
        cluster.wait_settled(alive=5)
        client = cluster.client()
        for load in loads:
            for i, samples in load.samples.items():
                blob = client.execute_command("ANB.SAVE", key(i))
                last = load.unsure.get(i)
                assert blob == replay(library, samples) or (last and blob == replay(library, samples + [last])), key(i)
        print("    a master killed, %d models cut off: all %d acknowledged samples are there" % (unsure(), total()))
    finally:
        cluster.remove()


def redis_py_is_a_client(program, module, library):
    server = Server(program, module)
    try:
        client = redis.Redis(port=server.port, protocol=3, decode_responses=True)
        model = library.model(2, "scale(rls)")
        assert client.execute_command("ANB.CREATE", "m", "scale(rls)", "FEATURES", 2) == "OK"
        for i in range(20):
            assert client.execute_command("ANB.TRAIN", "m", 3 * i, i, i * i) == model.train([i, i * i], 3 * i)
        info = client.execute_command("ANB.INFO", "m")
        assert info["samples"] == 20 and info["expression"] == "scale(rls)"
        pipeline = client.pipeline(transaction=True)
        for i in range(10):
            pipeline.execute_command("ANB.PREDICT", "m", i, i)
        assert pipeline.execute() == [model.predict([i, i]) for i in range(10)]
    finally:
        server.remove()


if __name__ == "__main__":
    program, module, path = sys.argv[1:4]
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    print(re.sub(r" sha=.*", "", version).strip())
    run([redis_py_is_a_client, a_reshard_under_load, a_reshard_behind_the_worker, slots_that_move_at_once,
         slots_that_move_at_once_behind_the_worker, a_master_is_killed_under_load], program, os.path.abspath(module),
        Library(os.path.abspath(path)))
