"""Messages of a Kafka topic are learned once and in order, over kills of consumers, of the broker and of Redis, and
while partitions change owners. kafka.py JAVA JARS CONSUMER REDIS_SERVER MODULE LIBRARY [ROWS KILLS]"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "redis"))
from harness import Library, ReplyError, Server, free_port, run, sample  # noqa: E402

JAVA, JARS, CONSUMER, REDIS = sys.argv[1:5]
MODULE, LIBRARY = (os.path.abspath(path) for path in sys.argv[5:7])
ROWS, KILLS = (int(n) for n in (sys.argv[7:9] if len(sys.argv) > 8 else (8000, 12)))
PARTITIONS, D, TOPIC, EXPRESSION = 4, 4, "readings", "scale(moe(linear, rls, mean))"


class Broker:
    """One node in KRaft mode, its data in a folder of its own."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="anabranch-kafka-")
        self.port, control = free_port(), free_port()
        self.config = os.path.join(self.folder, "broker.properties")
        with open(self.config, "w") as f:
            f.write(f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}
controller.listener.names=CONTROLLER
log.dirs={self.folder}/data
num.partitions={PARTITIONS}
offsets.topic.num.partitions=2
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
""")
        self.java("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", self.config).wait(120)
        self.process = None
        self.start()

    def java(self, *words):
        log = open(os.path.join(self.folder, "log"), "ab")
        return subprocess.Popen([JAVA, "-Xmx512m", "-cp", os.path.join(JARS, "*"), *words], stdout=log, stderr=log)

    def start(self):
        self.process = self.java("kafka.Kafka", self.config)
        end = time.monotonic() + 120
        while subprocess.run(["kcat", "-b", self.address(), "-L", "-m", "2"], capture_output=True).returncode:
            assert time.monotonic() < end and self.process.poll() is None, open(os.path.join(self.folder, "log")).read()[-3000:]
            time.sleep(0.2)

    def address(self):
        return "127.0.0.1:%d" % self.port

    def kill(self):
        self.process.kill()
        self.process.wait()

    def produce(self, partition, lines):
        done = subprocess.run(["kcat", "-P", "-b", self.address(), "-t", TOPIC, "-p", str(partition), "-X",
                               "enable.idempotence=true"], input="\n".join(lines) + "\n", text=True, capture_output=True)
        assert done.returncode == 0, done.stderr

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Consumers:
    """Members of a group, started again when they were killed."""

    def __init__(self, broker, n, *sink):
        self.command = [CONSUMER, broker.address(), TOPIC, "group-" + sink[0], str(D), EXPRESSION, *sink]
        self.log = open(os.path.join(broker.folder, "consumers"), "ab+")
        self.member = [self.start() for _ in range(n)]

    def start(self):
        return subprocess.Popen(self.command, stdout=self.log, stderr=self.log)

    def kill_one(self, rng):
        i = rng.randrange(len(self.member))
        self.member[i].kill() if rng.random() < 0.7 else self.member[i].terminate()
        self.member[i].wait(30)
        self.member[i] = self.start()

    def end(self):
        for member in self.member:
            member.terminate()
        for member in self.member:
            member.wait(60)


def stream(rng, n):
    """The rows of each partition; some messages are none."""
    rows = [[] for _ in range(PARTITIONS)]
    for i in range(n):
        rows[i % PARTITIONS].append(None if rng.random() < 0.002 else sample(rng, D))
    return rows


def line_of(row):
    return "not a sample" if row is None else ",".join(repr(v) for v in (row[1], *row[0]))


def undisturbed(library, partition, rows):
    """The model that learned the partition's rows and nothing else."""
    model, last = library.model(D, EXPRESSION), -1
    for offset, row in enumerate(rows):
        if row is not None:
            model.train(*row)
            last = offset
    model.take("%s/%d" % (TOPIC, partition), last)
    return model.blob()


def disturbed(rows, broker, consumers, kill_sink):
    """The rows come in pieces, and after each something is killed."""
    rng, size = random.Random(5), len(rows[0]) // KILLS + 1
    for k in range(KILLS):
        for p in range(PARTITIONS):
            piece = rows[p][k * size:(k + 1) * size]
            if piece:
                broker.produce(p, [line_of(row) for row in piece])
        time.sleep(rng.uniform(0, 0.4))
        if k % 8 == 5:
            broker.kill()
            broker.start()
        elif k % 4 == 1:
            kill_sink(rng)
        else:
            consumers.kill_one(rng)


def until_equal(blobs, wanted, seconds):
    """Once everything was learned nothing changes any more."""
    end = time.monotonic() + seconds
    while True:
        found = blobs()
        if found == wanted:
            return
        assert time.monotonic() < end, [f == w for f, w in zip(found, wanted)]
        time.sleep(0.5)


def at_redis(library):
    broker, rows = Broker(), stream(random.Random(1), ROWS)
    server = Server(REDIS, MODULE, "--appendonly", "yes", "--appendfsync", "always")
    try:
        wanted = [undisturbed(library, p, rows[p]) for p in range(PARTITIONS)]
        broker.produce(0, [line_of(rows[0][0])])  # makes the topic
        consumers = Consumers(broker, 3, "redis", "127.0.0.1", str(server.port), "m")

        def kill_server(rng):
            server.kill()
            time.sleep(rng.uniform(0, 0.5))
            server.start()

        def blobs():
            client = server.client()
            found = []
            for p in range(PARTITIONS):
                try:
                    found.append(client.call("ANB.SAVE", "m:%d" % p))
                except ReplyError:
                    found.append(None)
            client.close()
            return found

        rows[0] = rows[0][1:]
        disturbed(rows, broker, consumers, kill_server)
        until_equal(blobs, wanted, 120)
        consumers.end()
        assert blobs() == wanted
    finally:
        server.remove()
        broker.remove()


def in_files(library):
    broker, rows = Broker(), stream(random.Random(2), ROWS)
    folder = tempfile.mkdtemp(prefix="anabranch-kafka-models-")
    try:
        wanted = [undisturbed(library, p, rows[p]) for p in range(PARTITIONS)]
        broker.produce(0, [line_of(rows[0][0])])  # makes the topic
        consumers = Consumers(broker, 3, "files", folder, "200")
        rows[0] = rows[0][1:]
        disturbed(rows, broker, consumers, consumers.kill_one)
        time.sleep(10)

        def blobs():
            """What is left of the last samples is saved when the members give their partitions back."""
            nonlocal consumers
            consumers.end()
            found = []
            for p in range(PARTITIONS):
                path = os.path.join(folder, "%s-%d.anb" % (TOPIC, p))
                found.append(open(path, "rb").read() if os.path.exists(path) else None)
            if found != wanted:
                consumers = Consumers(broker, 3, "files", folder, "200")
                time.sleep(12)
            return found

        until_equal(blobs, wanted, 180)
    finally:
        broker.remove()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    run([at_redis, in_files], Library(LIBRARY))
