"""One server: every command, what is refused, and that no acknowledged sample is lost. single.py SERVER MODULE
LIBRARY"""

import importlib.util
import math
import os
import random
import subprocess
import threading

from cases import D, MIXTURE, WORKER, as_map, feed, fresh, main, refused, with_server
from harness import PATIENCE, Server, pack, sample, unpack, until

@with_server()
def answers_are_the_library_s(server, library):
    client = fresh(server)
    rng = random.Random(1)
    model = library.model(D, MIXTURE)
    assert client.call("ANB.CREATE", "m", MIXTURE, "FEATURES", D) == "OK"
    feed(client, model, "m", 300, rng)
    for _ in range(20):
        x, _ = sample(rng, D)
        assert float(client.call("ANB.PREDICT", "m", *x)) == model.predict(x)
    rows = [sample(rng, D) for _ in range(50)]
    flat = [v for x, y in rows for v in (y, *x)]
    ours = [model.train(x, y) for x, y in rows]
    assert [float(v) for v in client.call("ANB.MTRAIN", "m", len(rows), *flat)] == ours
    rows = [sample(rng, D) for _ in range(50)]
    ours = [model.train(x, y, 2.0) for x, y in rows]
    assert unpack(client.call("ANB.TRAINB", "m", pack(*[(y, *x) for x, y in rows]), "WEIGHT", 2)) == ours
    ours = [model.predict(x) for x, _ in rows]
    assert unpack(client.call("ANB.PREDICTB", "m", pack(*[x for x, _ in rows]))) == ours
    assert [float(v) for v in client.call("ANB.MPREDICT", "m", 50, *[v for x, _ in rows for v in x])] == ours
    x, y = sample(rng, D)
    assert float(client.call("ANB.TRAIN", "m", y, *x, "WEIGHT", "0.5")) == model.train(x, y, 0.5)
    assert float(client.call("ANB.TRAIN", "m", y, x[0], "nan", "", x[3])) == model.train(
        [x[0], math.nan, math.nan, x[3]], y)
    assert client.call("ANB.SAVE", "m") == model.blob()


@with_server()
def snapshots_cross_unchanged(server, library):
    client = fresh(server)
    rng = random.Random(2)
    model = library.model(D, MIXTURE)
    for _ in range(100):
        x, y = sample(rng, D)
        model.train(x, y)
    blob = model.blob()
    assert client.call("ANB.RESTORE", "r", blob) == "OK"
    assert client.call("ANB.SAVE", "r") == blob
    feed(client, model, "r", 100, rng)
    again = library.load(client.call("ANB.SAVE", "r"))
    x, _ = sample(rng, D)
    assert again.predict(x) == model.predict(x)
    refused(client, "BUSYKEY", "ANB.RESTORE", "r", blob)
    assert client.call("ANB.RESTORE", "r", blob, "REPLACE") == "OK"
    assert client.call("ANB.SAVE", "r") == blob
    for i in range(0, len(blob), max(1, len(blob) // 60)):
        broken = blob[:i] + bytes([blob[i] ^ 1]) + blob[i + 1:]
        refused(client, "refused", "ANB.RESTORE", "broken", broken)
    refused(client, "refused", "ANB.RESTORE", "broken", blob[:-1])
    refused(client, "refused", "ANB.RESTORE", "broken", b"")
    assert client.call("EXISTS", "broken") == 0


@with_server()
def read_outs(server, library):
    client = fresh(server)
    client.call("ANB.CREATE", "m", MIXTURE, "FEATURES", D, "SEED", 5)
    rng = random.Random(3)
    for _ in range(50):
        x, y = sample(rng, D)
        client.call("ANB.TRAIN", "m", y, *x)
    info = as_map(client.call("ANB.INFO", "m"))
    assert info[b"expression"] == MIXTURE.encode() and info[b"samples"] == 50 and info[b"seed"] == 5
    x, y = sample(rng, D)
    said = float(client.call("ANB.PREDICT", "m", *x))
    diag = as_map(client.call("ANB.TRAIN", "m", y, *x, "WITHDIAG"))
    assert float(diag[b"prediction"]) == said and float(diag[b"target"]) == y
    assert math.isclose(float(diag[b"error"]), y - said) and diag[b"samples"] == 51
    assert as_map(client.call("ANB.DIAG", "m"))[b"samples"] == 51
    experts = [as_map(e) for e in client.call("ANB.EXPERTS", "m")]
    assert [e[b"name"] for e in experts] == [b"linear_0", b"linear_1", b"rls_2", b"mean_3"]
    assert math.isclose(sum(float(e[b"weight"]) for e in experts), 1)
    resp3 = server.client(resp3=True)
    info = resp3.call("ANB.INFO", "m")
    assert isinstance(info, dict) or server.major < 7
    assert as_map(info)[b"features"] == D
    assert isinstance(resp3.call("ANB.PREDICT", "m", *x), float) or server.major < 7
    section = client.call("INFO", "anabranch").decode()
    assert "anabranch_models:1" in section and "anabranch_samples_trained:51" in section
    client.call("ANB.RESET", "m")
    assert as_map(client.call("ANB.INFO", "m"))[b"samples"] == 0


@with_server()
def refusals_leave_the_model(server, library):
    client = fresh(server)
    client.call("ANB.CREATE", "m", "moe(linear, rls)", "FEATURES", 2)
    client.call("ANB.TRAIN", "m", 1, 2, 3)
    client.call("SET", "text", "x")
    before = client.call("DEBUG", "DIGEST-VALUE", "m")
    refused(client, "wrong number", "ANB.TRAIN", "m", 1)
    refused(client, "2 features, the row 1", "ANB.TRAIN", "m", 1, 2)
    refused(client, "'x' is not a number", "ANB.TRAIN", "m", 1, 2, "x")
    refused(client, "'inf' is not a number", "ANB.TRAIN", "m", 1, 2, "inf")
    refused(client, "infinite", "ANB.TRAIN", "m", 1, 2, "1e400")
    refused(client, "missing", "ANB.TRAIN", "m", 1, 2, "nan")
    refused(client, "target", "ANB.TRAIN", "m", "nan", 2, 3)
    refused(client, "WEIGHT", "ANB.TRAIN", "m", 1, 2, 3, "WEIGHT", -1)
    refused(client, "row 2", "ANB.MTRAIN", "m", 2, 1, 2, 3, 4, 5, "1e400")
    refused(client, "6 values, not 5", "ANB.MTRAIN", "m", 2, 1, 2, 3, 4, 5)
    refused(client, "whole number", "ANB.MTRAIN", "m", 1.5, 1, 2, 3)
    refused(client, "whole number", "ANB.MTRAIN", "m", -1, 1, 2, 3)
    refused(client, "row 2", "ANB.TRAINB", "m", pack((1, 2, 3), (1, 2, math.inf)))
    refused(client, "24 bytes", "ANB.TRAINB", "m", b"12345678")
    refused(client, "24 bytes", "ANB.TRAINB", "m", b"")
    refused(client, "no model", "ANB.TRAIN", "nothing", 1, 2, 3)
    refused(client, "WRONGTYPE", "ANB.TRAIN", "text", 1, 2, 3)
    refused(client, "WRONGTYPE", "ANB.INFO", "text")
    refused(client, "exists already", "ANB.CREATE", "text", "linear", "FEATURES", 2)
    refused(client, "exists already", "ANB.CREATE", "m", "linear", "FEATURES", 2)
    refused(client, "unknown learner", "ANB.CREATE", "n", "nothing", "FEATURES", 2)
    refused(client, "at byte 12", "ANB.CREATE", "n", "linear(rate=x)", "FEATURES", 2)
    refused(client, "FEATURES", "ANB.CREATE", "n", "linear", "FEATURES", 0)
    refused(client, "FEATURES", "ANB.CREATE", "n", "linear", "FEATURES", "x")
    refused(client, "limit", "ANB.CREATE", "n", "rls", "FEATURES", 1000000)
    assert client.call("ANB.CREATE", "m", "linear", "FEATURES", 2, "IFNOTEXISTS") == "EXISTS"
    assert client.call("DEBUG", "DIGEST-VALUE", "m") == before
    assert client.call("DBSIZE") == 2


@with_server()
def copies_and_keys(server, library):
    client = fresh(server)
    rng = random.Random(4)
    model = library.model(D, MIXTURE)
    client.call("ANB.CREATE", "a", MIXTURE, "FEATURES", D)
    feed(client, model, "a", 30, rng)
    client.call("ANB.CLONE", "a", "b")
    client.call("COPY", "a", "c")
    refused(client, "BUSYKEY", "ANB.CLONE", "a", "b")
    assert len(set(client.call("DEBUG", "DIGEST-VALUE", "a", "b", "c"))) == 1
    feed(client, model, "c", 30, rng)
    assert len(set(client.call("DEBUG", "DIGEST-VALUE", "a", "b", "c"))) == 2
    assert client.call("MEMORY", "USAGE", "a") > 1000
    client.call("ANB.CREATE", "small", "scale(rls)", "FEATURES", 8)
    alone = client.call("MEMORY", "USAGE", "small")
    client.call("ANB.CREATE", "other", "scale(rls)", "FEATURES", 8)
    shared = client.call("MEMORY", "USAGE", "small")
    assert shared == client.call("MEMORY", "USAGE", "other") < 1450 < alone  # the plan is not counted twice
    client.call("DEL", "small", "other")
    client.call("RENAME", "c", "d")
    feed(client, model, "d", 10, rng)
    dump = client.call("DUMP", "d")
    client.call("RESTORE", "e", 0, dump)
    feed(client, model, "e", 10, rng)
    client.call("UNLINK", "a", "b", "d", "e")
    assert "anabranch_models:0" in client.call("INFO", "anabranch").decode()


@with_server()
def labels_that_come_later(server, library):
    client = fresh(server)
    expression = "pending(interval(scale(moe(linear, rls))), capacity=8)"
    model = library.model(D, "interval(scale(moe(linear, rls)))")
    client.call("ANB.CREATE", "p", expression, "FEATURES", D)
    rng = random.Random(9)
    for i in range(100):
        x, y = sample(rng, D)
        said = float(client.call("ANB.PENDING", "p", i, *x))
        assert float(client.call("ANB.LABEL", "p", i, y)) == said == model.train(x, y)
    refused(client, "learned already", "ANB.LABEL", "p", 99, 1)
    refused(client, "no row is pending", "ANB.LABEL", "p", 12345, 1)
    refused(client, "no row is pending", "ANB.LABEL", "p", "x", 1)
    refused(client, "not empty", "ANB.LABEL", "p", "", 1)
    refused(client, "4 features", "ANB.PENDING", "p", 1, 2)
    for i in range(9):
        client.call("ANB.PENDING", "p", 1000 + i, *x)
    refused(client, "was replaced", "ANB.LABEL", "p", 1000, 1)
    blob = client.call("ANB.SAVE", "p")
    client.call("ANB.RESTORE", "q", blob)
    assert client.call("ANB.LABEL", "q", 1008, 5) == client.call("ANB.LABEL", "p", 1008, 5)
    client.call("ANB.CREATE", "m", "linear", "FEATURES", D)
    refused(client, "pending", "ANB.PENDING", "m", 1, *x)


def restarted(server, library, before_stop, end):
    client = fresh(server)
    rng = random.Random(5)
    model = library.model(D, MIXTURE)
    client.call("ANB.CREATE", "m", MIXTURE, "FEATURES", D)
    feed(client, model, "m", 100, rng)
    before_stop(client)
    feed(client, model, "m", 50, rng)
    if end == "kill":
        server.kill()
    else:
        client.call("SAVE") if end == "save" else None
        server.stop()
    server.start()
    client = server.client()
    assert client.call("ANB.SAVE", "m") == model.blob()
    feed(client, model, "m", 50, rng)


@with_server()
def a_restart_from_rdb(server, library):
    restarted(server, library, lambda c: None, "save")


@with_server("--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no")
def a_kill_with_the_log(server, library):
    restarted(server, library, lambda c: None, "kill")


def rewrite(client):
    def done():
        state = client.call("INFO", "persistence")
        return b"aof_rewrite_in_progress:0" in state and b"aof_rewrite_scheduled:0" in state
    client.call("BGREWRITEAOF")
    until(done)
    assert b"aof_last_bgrewrite_status:ok" in client.call("INFO", "persistence")


@with_server("--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no")
def a_kill_with_a_rewritten_log(server, library):
    restarted(server, library, rewrite, "kill")


def killed_amid_writes(server, library):
    """The model holds every sample that was answered, and at most one more."""
    fresh(server).call("ANB.CREATE", "m", MIXTURE, "FEATURES", D)
    for round in range(3):
        rng = random.Random(100 + round)
        model = library.load(server.client().call("ANB.SAVE", "m"))
        client = server.client()
        threading.Timer(0.15 + 0.1 * round, server.kill).start()
        pending = None
        try:
            while True:
                pending = sample(rng, D)
                client.call("ANB.TRAIN", "m", pending[1], *pending[0])
                model.train(*pending)
                pending = None
        except (ConnectionError, OSError):
            pass
        server.process.wait()
        server.start()
        blob = server.client().call("ANB.SAVE", "m")
        if blob != model.blob():
            model.train(*pending)
        assert blob == model.blob()


@with_server("--appendonly", "yes", "--appendfsync", "always")
def no_acknowledged_sample_is_lost(server, library):
    killed_amid_writes(server, library)


@with_server(settings=WORKER)
def a_replica_is_equal(server, library):
    replica = Server(server.program, server.module)
    server.client().call("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    try:
        replica.client().call("REPLICAOF", "127.0.0.1", server.port)
        client = fresh(server)
        rng = random.Random(6)
        model = library.model(D, MIXTURE)
        client.call("ANB.CREATE", "m", MIXTURE, "FEATURES", D)
        feed(client, model, "m", 200, rng)
        rows = [sample(rng, D) for _ in range(500)]
        ours = [model.train(x, y) for x, y in rows]
        assert unpack(client.call("ANB.TRAINB", "m", pack(*[(y, *x) for x, y in rows]))) == ours
        client.call("ANB.CLONE", "m", "n")
        client.call("MULTI")
        x, y = sample(rng, D)
        client.call("ANB.TRAIN", "m", y, *x)
        client.call("EXEC")
        model.train(x, y)
        client.call("EVAL", "return redis.call('ANB.TRAIN', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])", 1,
                    "m", y, *x)
        model.train(x, y)
        other = replica.client()
        until(lambda: client.call("WAIT", 1, 1000) == 1)
        keys = ("DEBUG", "DIGEST-VALUE", "m", "n")
        until(lambda: client.call(*keys) == other.call(*keys))
        assert other.call("ANB.SAVE", "m") == model.blob()
        refused(other, "READONLY", "ANB.TRAIN", "m", y, *x)
    finally:
        replica.remove()


@with_server()
def redis_cli_is_a_client(server, library):
    def cli(*arguments):
        return subprocess.run(["redis-cli", "-p", str(server.port), *arguments], capture_output=True, text=True,
                              timeout=PATIENCE).stdout.strip()
    assert cli("ANB.CREATE", "m", "scale(linear)", "FEATURES", "1") == "OK"
    assert cli("ANB.TRAIN", "m", "5", "1") == "0"
    assert cli("ANB.PREDICT", "m", "1") == "5"
    assert "linear" in cli("ANB.INFO", "m")


@with_server()
def the_benchmark_saves_and_loads_its_models(server, library):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "redis.py")
    spec = importlib.util.spec_from_file_location("bench_redis", path)
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    bench.many_models(server, library, 1000)


TESTS = [answers_are_the_library_s, snapshots_cross_unchanged, read_outs, refusals_leave_the_model, copies_and_keys,
         labels_that_come_later, a_restart_from_rdb, a_kill_with_the_log, a_kill_with_a_rewritten_log,
         no_acknowledged_sample_is_lost, a_replica_is_equal, redis_cli_is_a_client,
         the_benchmark_saves_and_loads_its_models]

if __name__ == "__main__":
    main(TESTS)
