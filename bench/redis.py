"""What a server with the module does a second, next to a command of the module that does nothing: redis.py MODULE
LIBRARY [MODELS]. Starts redis-server and redis-benchmark on loopback."""

import csv
import io
import os
import random
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "redis"))
from harness import Library, Server, pack, sample, until  # noqa: E402

MIXTURE = "scale(moe(linear, linear(rate=0.02), linear(rate=0.05), rls))"
D = 8
ROW = ["0.%d" % (3 * j + 1) for j in range(D)]


def benchmark(port, n, clients, pipeline, *command):
    """Requests a second and the 99th percentile in milliseconds, of redis-benchmark."""
    out = subprocess.run(["redis-benchmark", "-p", str(port), "-n", str(n), "-c", str(clients), "-P", str(pipeline),
                          "--csv", *command], capture_output=True, text=True, check=True).stdout
    row = list(csv.DictReader(io.StringIO(out)))[0]
    return float(row["rps"]), float(row["p99_latency_ms"])


def best(times, run):
    return max(run() for _ in range(times))


def pipelined(server):
    print("%-34s %12s %8s" % ("pipelined, 4 clients x 50", "a second", "ratio"))
    commands = {"ANB.VERSION (does nothing)": ["ANB.VERSION"], "ANB.TRAIN, d = 8": ["ANB.TRAIN", "m", "1.5", *ROW],
                "ANB.PREDICT, d = 8": ["ANB.PREDICT", "m", *ROW]}
    idle = None
    for name, command in commands.items():
        rate = best(3, lambda: benchmark(server.port, 200000, 4, 50, *command)[0])
        idle = idle or rate
        print("%-34s %12.0f %8.2f" % (name, rate, rate / idle), flush=True)


def packed(server):
    rng = random.Random(1)
    rows = [sample(rng, D) for _ in range(1000)]
    train = pack(*[(y, *x) for x, y in rows])
    predict = pack(*[x for x, _ in rows])
    client = server.client()

    def rate(*command):
        start = time.perf_counter()
        for _ in range(200):
            client.send(*command)
        for _ in range(200):
            client.read()
        return 200 * 1000 / (time.perf_counter() - start)

    print("\n%-34s %12s" % ("packed, 1,000 rows a command", "samples a second"))
    print("%-34s %12.0f" % ("ANB.TRAINB", best(5, lambda: rate("ANB.TRAINB", "m", train))))
    print("%-34s %12.0f" % ("ANB.PREDICTB", best(5, lambda: rate("ANB.PREDICTB", "m", predict))), flush=True)


SPELLINGS = ("", "SEQ s n", "SEQ=s:n", "y@s:n", "y@s:n of 64 s")


def numbered_train(client, model, row, spelling, n):
    y, *x = row
    source = "sender-%d" % (n * 37 % 64 if "64" in spelling else 1)
    behind = {"SEQ s n": ("SEQ", source, n), "SEQ=s:n": ("SEQ=%s:%d" % (source, n),)}.get(spelling, ())
    target = "%s@%s:%d" % (y, source, n) if "@" in spelling else y
    return client.encode(("ANB.TRAIN", model, target, *x, *behind))


def learn(client, model, rows, spelling, first, count):
    """Pipelined, 50 commands at a time; numbers grow, so every command learns."""
    commands = [numbered_train(client, model, rows[i % len(rows)], spelling, first + i) for i in range(count)]
    for k in range(0, count, 50):
        client.socket.sendall(b"".join(commands[k:k + 50]))
        for _ in range(50):
            client.read()


def server_us(client, model, rows, spelling, last):
    """Processor time of the server's main thread for a TRAIN of one row, its reading and answering included."""
    def used():
        text = client.call("INFO", "cpu").decode()
        return sum(float(text.split("used_cpu_%s_main_thread:" % part)[1].split()[0]) for part in ("user", "sys"))

    count, before = 2000, used()
    learn(client, model, rows, spelling, last[0], count)
    last[0] += count
    return (used() - before) / count * 1e6


def rows_to_learn():
    rng = random.Random(3)
    return [["%.6g" % v for v in (y, *x)] for x, y in (sample(rng, D) for _ in range(2000))]


def numbered(server):
    """Each spelling of a command's number against none, turn by turn: the least of the turns, and the median of the
    differences within a turn."""
    client, last, rows = server.client(), [1], rows_to_learn()
    print("\n%-24s %10s" % ("the server's us a TRAIN", "no number") + "".join("%22s" % s for s in SPELLINGS[1:]))
    for expression in ("scale(linear)", "auto(budget=5)", "auto"):
        client.call("DEL", "n")
        client.call("ANB.CREATE", "n", expression, "FEATURES", D)
        turns = []
        for turn in range(100):
            order = [(turn + k) % len(SPELLINGS) for k in range(len(SPELLINGS))]
            took = {k: server_us(client, "n", rows, SPELLINGS[k], last) for k in order}
            turns.append([took[k] for k in range(len(SPELLINGS))])
        least = [min(column) for column in zip(*turns)]
        shown = ["%+.0f ns %+.1f %% (%+.1f)" % (1000 * (least[k] - least[0]), 100 * (least[k] / least[0] - 1), 100 * (
            statistics.median(turn[k] / turn[0] for turn in turns) - 1)) for k in range(1, len(SPELLINGS))]
        print("%-24s %10.2f" % (expression, least[0]) + "".join("%22s" % s for s in shown), flush=True)


def streams(server):
    client = server.client()
    names = ["x%d" % j for j in range(D)]
    client.call("ANB.CREATE", "f", "scale(linear)", "COLUMNS", *names, "TARGET", "y")
    rng = random.Random(2)
    for _ in range(100):
        entries = [client.encode(("XADD", "s", "*", "y", y, *[v for pair in zip(names, x) for v in pair]))
                   for x, y in (sample(rng, D) for _ in range(1000))]
        client.socket.sendall(b"".join(entries))
        for _ in range(1000):
            client.read()
    start, calls, reply = time.perf_counter(), 0, {b"more": 1}
    while reply[b"more"]:
        reply = client.call("ANB.FEED", "f", "STREAM", "s")
        reply, calls = dict(zip(reply[::2], reply[1::2])), calls + 1
    took = time.perf_counter() - start
    print("ANB.FEED, 100,000 entries of scale(linear): %.0f a second, %d commands" % (100000 / took, calls), flush=True)


def learning_of_two(module, workers, rows):
    """How long two models of some 30 MB take for 12 batches of so many rows each, each model fed by a client of its
    own."""
    rng = random.Random(3)
    blob = pack(*[(y, *x) for x, y in (sample(rng, D) for _ in range(rows))])
    server = Server("redis-server", module + " inline-microseconds 0 workers %d" % workers)
    try:
        clients = [server.client(timeout=600) for _ in range(2)]
        for i, c in enumerate(clients):
            c.call("ANB.CREATE", "b%d" % i, "scale(moe(forest(trees=40), knn(window=20000)))", "FEATURES", D)
        start = time.perf_counter()
        for _ in range(12):
            for i, c in enumerate(clients):
                c.send("ANB.TRAINB", "b%d" % i, blob)
        for c in clients:
            for _ in range(12):
                c.read()
        return time.perf_counter() - start
    finally:
        server.remove()


def two_workers(module):
    for rows in (1000, 200):
        took = [[learning_of_two(module, workers, rows) for workers in (1, 2)] for _ in range(3)]
        one, two = (min(column) for column in zip(*took))
        print("two models of 30 MB, batches of %d: %.0f rows a second with a worker, %.2f times it with two" %
              (rows, 24 * rows / one, one / two), flush=True)


def unpipelined(server):
    print("\n%-34s %12s %10s" % ("20 clients, one at a time", "a second", "p99 ms"))
    for name, command in {"ANB.VERSION": ["ANB.VERSION"], "ANB.TRAIN": ["ANB.TRAIN", "m", "1.5", *ROW]}.items():
        runs = [benchmark(server.port, 60000, 20, 1, *command) for _ in range(3)]
        print("%-34s %12.0f %10.3f" % (name, max(r for r, _ in runs), min(p for _, p in runs)), flush=True)


def memory_of(client):
    return int(dict(line.split(":", 1) for line in client.call("INFO", "memory").decode().splitlines()
                    if ":" in line)["used_memory"])


def many_models(server, library, models):
    client = server.client(timeout=600)
    client.call("FLUSHALL")
    start, before = time.time(), memory_of(client)
    for i in range(0, models, 1000):
        client.socket.sendall(b"".join(client.encode(("ANB.CREATE", "model:%d" % j, MIXTURE, "FEATURES", D))
                                       for j in range(i, min(models, i + 1000))))
        for _ in range(i, min(models, i + 1000)):
            client.read()
    each = (memory_of(client) - before) / models
    own = library.model(D, MIXTURE).total_bytes()
    print("\n%d models made in %.1f s: %.0f bytes each with its key; the library alone %d" %
          (models, time.time() - start, each, own))
    start = time.time()
    client.call("SAVE")
    size = os.path.getsize(os.path.join(server.folder, "dump.rdb"))
    print("saved in %.1f s: %.0f MB" % (time.time() - start, size / 1e6), flush=True)
    start = time.time()
    server.kill()
    server.start(wait=False)
    until(server.answers, 600)
    client = server.client()
    assert client.call("DBSIZE") == models
    print("loaded in %.1f s" % (time.time() - start))


if __name__ == "__main__":
    module, path = sys.argv[1:3]
    server = Server("redis-server", os.path.abspath(module))
    try:
        server.client().call("ANB.CREATE", "m", MIXTURE, "FEATURES", D)
        pipelined(server)
        numbered(server)
        streams(server)
        two_workers(os.path.abspath(module))
        packed(server)
        unpipelined(server)
        many_models(server, Library(os.path.abspath(path)), int(sys.argv[3]) if len(sys.argv) > 3 else 1000000)
    finally:
        server.remove()
