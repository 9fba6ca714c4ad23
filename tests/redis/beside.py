"""What is kept beside a model: how its intervals held, and the rows that its predictions are explained against.
beside.py SERVER MODULE LIBRARY"""

import ctypes
import random

from cases import D, MIXTURE, WORKER, as_map, fresh, information, main, packed_rows, refused, rows_of, with_server
from harness import Server, sample, until

ALWAYS = ("--appendonly", "yes", "--appendfsync", "always")
BOUNDED = "pending(interval(scale(rls), coverage=[0.5, 0.9]))"


def told(client, key="m"):
    return as_map(client.call("ANB.INFO", key))


def coverage(client, which="coverage", key="m"):
    return {float(k): float(v) for k, v in as_map(told(client, key)[which.encode()]).items()}


# ---- how intervals held


@with_server(*ALWAYS)
def coverage_is_that_of_what_was_answered(server, library):
    client = fresh(server)
    client.call("ANB.CREATE", "m", BOUNDED, "FEATURES", D)
    assert all(v != v for v in coverage(client).values())
    rng, held, faded, weight, n = random.Random(1), [0, 0], [0.0, 0.0], 0.0, 0
    for t in range(400):
        x, y = sample(rng, D)
        said = [client.call("ANB.PREDICT", "m", *x, "WITHINTERVAL", c) for c in (0.5, 0.9)]
        late = t % 3 == 0
        if late:
            client.call("ANB.PENDING", "m", t, *x)
            client.call("ANB.LABEL", "m", t, y)
        else:
            client.call("ANB.TRAIN", "m", y, *x)
        n, weight = n + 1, (1 - 2 / 1001) * weight + 1
        for i, (_, low, high) in enumerate(said):
            inside = float(low) <= y <= float(high)
            held[i] += inside
            faded[i] += (inside - faded[i]) / weight
    assert coverage(client) == {0.5: held[0] / n, 0.9: held[1] / n}, (coverage(client), held, n)
    recent = coverage(client, "coverage_recent")
    assert all(abs(recent[c] - faded[i]) < 1e-12 for i, c in enumerate((0.5, 0.9)))
    assert abs(recent[0.9] - 0.9) < 0.05
    before = told(client)
    server.kill()
    server.start()
    assert told(server.client()) == before
    client = server.client()
    client.call("BGREWRITEAOF")
    until(lambda: b"aof_rewrite_in_progress:0" in client.call("INFO", "persistence") and
          b"aof_rewrite_scheduled:0" in client.call("INFO", "persistence"))
    server.kill()
    server.start()
    assert told(server.client()) == before


@with_server(settings=WORKER)
def the_worker_counts_the_same(server, library):
    client = fresh(server)
    rows = rows_of(random.Random(2), 300)
    for key, each in (("m", 50), ("n", 300)):
        client.call("ANB.CREATE", key, BOUNDED, "FEATURES", D, "SEED", 1)
        for i in range(0, 300, each):
            client.call("ANB.TRAINB", key, packed_rows(rows[i:i + each]))
    assert coverage(client) == coverage(client, key="n")
    assert 0.8 < coverage(client)[0.9] < 1


# ---- explanations


class Explanation(ctypes.Structure):
    _fields_ = [("prediction", ctypes.c_double), ("base", ctypes.c_double), ("n", ctypes.c_size_t),
                ("phi", ctypes.POINTER(ctypes.c_double)), ("error", ctypes.POINTER(ctypes.c_double)),
                ("exact", ctypes.c_bool), ("rows", ctypes.c_size_t), ("n_experts", ctypes.c_size_t),
                ("expert", ctypes.POINTER(ctypes.c_double)), ("predictions", ctypes.c_uint64)]


def kept_rows(rows, capacity, span=10000):
    """The reservoir as the module fills it."""
    mask, kept = 2**64 - 1, []
    for n, x in enumerate(rows):
        if n < capacity:
            kept.append(x)
            continue
        h = (n + 0x9e3779b97f4a7c15) & mask
        h = ((h ^ h >> 30) * 0xbf58476d1ce4e5b9) & mask
        h = ((h ^ h >> 27) * 0x94d049bb133111eb) & mask
        place = (h ^ h >> 31) % min(n + 1, span)
        if place < capacity:
            kept[place] = x
    return kept


def explain_here(library, model, kept, x):
    """By the library: prediction, base, values."""
    c = library.c
    c.anb_explainer_new.restype = ctypes.c_void_p
    c.anb_explainer_new.argtypes = [ctypes.c_void_p] * 3
    c.anb_explainer_keep.argtypes = [ctypes.c_void_p] * 2
    c.anb_explain.argtypes = [ctypes.c_void_p] * 4
    c.anb_explainer_free.argtypes = [ctypes.c_void_p]
    explainer, why = c.anb_explainer_new(model.pointer, None, None), Explanation()
    for row in kept:
        assert c.anb_explainer_keep(explainer, (ctypes.c_double * D)(*row)) == 0
    assert c.anb_explain(explainer, model.pointer, (ctypes.c_double * D)(*x), ctypes.byref(why)) == 0
    said = (why.prediction, why.base, list(why.phi[:D]), why.exact, list(why.expert[:why.n_experts]))
    c.anb_explainer_free(explainer)
    return said


def explained(client, x, key="m"):
    why = as_map(client.call("ANB.EXPLAIN", key, *x))
    values = as_map(why[b"values"])
    return (float(why[b"prediction"]), float(why[b"base"]), [float(v) for v in values.values()], why[b"exact"] == 1,
            [float(v) for v in as_map(why[b"experts"]).values()])


def explains(server, library, expression):
    client, model = fresh(server), library.model(D, expression)
    client.call("ANB.CREATE", "m", expression, "FEATURES", D)
    refused(client, "ANB.BACKGROUND", "ANB.EXPLAIN", "m", *[0] * D)
    client.call("ANB.TRAIN", "m", 1, *[0.5] * D)
    model.train([0.5] * D, 1)
    client.call("ANB.BACKGROUND", "m", 16)
    refused(client, "ANB.BACKGROUND", "ANB.EXPLAIN", "m", *[0] * D)
    rows = rows_of(random.Random(4), 200)
    for x, y in rows[:100]:
        assert float(client.call("ANB.TRAIN", "m", y, *x)) == model.train(x, y)
    client.call("ANB.TRAINB", "m", packed_rows(rows[100:]))
    for x, y in rows[100:]:
        model.train(x, y)
    kept = kept_rows([x for x, _ in rows], 16)
    for x, _ in rows[:5]:
        ours, theirs = explain_here(library, model, kept, x), explained(client, x)
        assert ours == theirs, (ours, theirs)
        assert abs(theirs[1] + sum(theirs[2]) - theirs[0]) < 1e-9
    return client, rows[0][0]


@with_server(*ALWAYS)
def explanations_are_the_library_s(server, library):
    explains(server, library, "scale(sgbt)")
    client, x = explains(server, library, "linear")
    assert explained(client, x)[3]
    client, x = explains(server, library, MIXTURE)
    why = explained(client, x)
    assert len(why[4]) == 4 and told(client)[b"background"] == 16
    server.kill()
    server.start()
    client = server.client()
    assert explained(client, x) == why
    replica = Server(server.program, server.module)
    client.call("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    try:
        copy = replica.client()
        copy.call("REPLICAOF", "127.0.0.1", server.port)
        until(lambda: client.call("WAIT", 1, 100) == 1 and copy.call("EXISTS", "m") == 1)
        assert explained(copy, x) == why
        client.call("ANB.TRAIN", "m", 1, *x)
        until(lambda: client.call("WAIT", 1, 1000) == 1)
        assert explained(copy, x) == explained(client, x) != why
    finally:
        replica.remove()
    client.call("ANB.CLONE", "m", "other")
    assert explained(client, x, "other") == explained(client, x)
    client.call("ANB.RESET", "m")
    refused(client, "ANB.BACKGROUND", "ANB.EXPLAIN", "m", *x)
    client.call("ANB.BACKGROUND", "other", 0)
    refused(client, "ANB.BACKGROUND", "ANB.EXPLAIN", "other", *x)
    refused(client, "whole number", "ANB.BACKGROUND", "m", 5000)
    refused(client, "whole number", "ANB.BACKGROUND", "m", "x")


@with_server(settings=WORKER)
def the_worker_explains_as_well(server, library):
    client, x = explains(server, library, MIXTURE)
    assert int(information(client)["commands_queued"]) > 100
    refused(client, "features", "ANB.EXPLAIN", "m", 1, 2)
    refused(client, "the row alone", "ANB.EXPLAIN", "m", *x, "WITHINTERVAL", 0.9)


@with_server()
def columns_are_named_and_streams_are_kept(server, library):
    client = fresh(server)
    client.call("ANB.CREATE", "m", "scale(rls)", "COLUMNS", "size", "town:category", "TARGET", "y")
    client.call("ANB.BACKGROUND", "m", 32)
    for i in range(200):
        town = ("ulm", "jena")[i % 2]
        client.call("XADD", "s", "*", "size", i % 7, "town", town, "y", i % 7 + 10 * (i % 2))
    while as_map(client.call("ANB.FEED", "m", "STREAM", "s"))[b"more"]:
        pass  # a call runs for so many microseconds
    why = as_map(client.call("ANB.EXPLAIN", "m", "FIELDS", 2, "town", "jena", "size", 3))
    values = {k: float(v) for k, v in as_map(why[b"values"]).items()}
    assert list(values) == [b"size", b"town"] and values[b"town"] > 2 > abs(values[b"size"]), values
    assert why[b"rows"] == 32


if __name__ == "__main__":
    main([coverage_is_that_of_what_was_answered, the_worker_counts_the_same, explanations_are_the_library_s,
          the_worker_explains_as_well, columns_are_named_and_streams_are_kept])
