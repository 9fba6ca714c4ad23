"""Learning from the server's streams: cursors, bad entries, gaps, waiting, kills, replicas. streams.py SERVER MODULE
LIBRARY"""

import math
import random
import time

from cases import D, MIXTURE, as_map, fresh, main, refused, rows_of, with_server
from harness import ReplyError, Server, until

NAMES = ["a", "b", "c", "d"]


def add(client, stream, rows, **more):
    """The rows as entries, pipelined; their ids."""
    for x, y in rows:
        fields = [v for name, value in zip(NAMES, x) for v in (name, value)]
        client.send("XADD", stream, "*", *fields, "y", y, "other", "ignored", *[v for kv in more.items() for v in kv])
    return [client.read().decode() for _ in rows]


def make(client, key="m", columns=NAMES, target="y"):
    client.call("ANB.CREATE", key, MIXTURE, "COLUMNS", *columns, "TARGET", target)


def feed(client, *more, key="m", stream="s"):
    return as_map(client.call("ANB.FEED", key, "STREAM", stream, *more))


def drain(client, **where):
    """Until nothing is left; the sum of what was learned."""
    learned = 0
    while True:
        reply = feed(client, **where)
        learned += reply[b"learned"]
        if not reply[b"more"]:
            return learned


def streams(client, key="m"):
    return {k: as_map(v) for k, v in as_map(as_map(client.call("ANB.INFO", key))[b"streams"]).items()}


@with_server()
def entries_are_learned_once_and_in_order(server, library):
    client = fresh(server)
    make(client)
    model = library.load(client.call("ANB.SAVE", "m"))
    rows = rows_of(random.Random(1), 300)
    assert feed(client) == {b"learned": 0, b"bad": 0, b"gaps": 0, b"more": 0, b"last_id": b"0-0"}
    ids = add(client, "s", rows[:200])
    first = feed(client, "COUNT", 7)
    assert first[b"learned"] == 7 and first[b"more"] == 1 and first[b"last_id"].decode() == ids[6]
    assert drain(client) == 193 and drain(client) == 0
    add(client, "s", rows[200:])
    assert drain(client) == 100
    errors = [y - model.train(x, y) for x, y in rows]
    x = rows[0][0]
    assert float(client.call("ANB.PREDICT", "m", *x)) == model.predict(x)
    info = as_map(client.call("ANB.INFO", "m"))
    assert math.isclose(float(info[b"rmse"]), math.sqrt(sum(e * e for e in errors) / 300), rel_tol=1e-9)
    assert math.isclose(float(info[b"mae"]), sum(map(abs, errors)) / 300, rel_tol=1e-9)
    weights = [(1 - 2 / 1001) ** (299 - i) for i in range(300)]
    faded = sum(w * abs(e) for w, e in zip(weights, errors)) / sum(weights)
    assert math.isclose(float(info[b"mae_recent"]), faded, rel_tol=1e-9)
    assert streams(client)[b"s"][b"learned"] == 300 and info[b"samples"] == 300


@with_server()
def bad_entries_are_passed_and_counted(server, library):
    client = fresh(server)
    client.call("ANB.CREATE", "m", "moe(linear, rls)", "COLUMNS", "a", "b")
    refused(client, "target", "ANB.FEED", "m", "STREAM", "s")
    good = ("a", 1, "b", 2, "y", 3)
    for fields in (good, ("a", "x", "b", 2, "y", 3), ("a", 1, "y", 3), ("a", 1, "b", 2), ("a", 1, "b", "1e400", "y", 1),
                   ("a", 1, "b", 2, "y", "nan"), good):
        last = client.call("XADD", "s", "*", *fields)
    bad = client.call("XRANGE", "s", "-", "+")[-2][0]
    reply = feed(client, "TARGET", "y")
    assert reply[b"learned"] == 2 and reply[b"bad"] == 5 and reply[b"last_id"] == last
    assert streams(client)[b"s"][b"last_bad_id"] == bad and streams(client)[b"s"][b"bad"] == 5
    client.call("SET", "text", "x")
    refused(client, "WRONGTYPE", "ANB.FEED", "m", "STREAM", "text", "TARGET", "y")
    refused(client, "COUNT", "ANB.FEED", "m", "STREAM", "s", "COUNT", 0, "TARGET", "y")
    refused(client, "wrong number", "ANB.FEED", "m", "STREAM", "s", "COUNT")
    refused(client, "once", "ANB.FEED", "m", "STREAM", "s", "TARGET", "y", "COUNT", 1, "count", 2)
    client.call("ANB.CREATE", "n", "linear", "FEATURES", 2)
    refused(client, "names", "ANB.FEED", "n", "STREAM", "s", "TARGET", "y")
    assert set(streams(client)) == {b"s"}


@with_server()
def gaps_are_told(server, library):
    client = fresh(server)
    make(client)
    add(client, "s", rows_of(random.Random(2), 20))
    drain(client)
    add(client, "s", rows_of(random.Random(3), 20))
    client.call("XTRIM", "s", "MAXLEN", 5)
    reply = feed(client)
    assert reply[b"learned"] == 5 and reply[b"gaps"] == 1
    assert feed(client)[b"gaps"] == 0 and streams(client)[b"s"][b"gaps"] == 1


@with_server()
def a_reader_waits_for_entries(server, library):
    client, waiting = fresh(server), server.client()
    make(client)
    start = time.monotonic()
    waiting.call("ANB.FEED", "m", "STREAM", "s", "BLOCK", 50)
    assert time.monotonic() - start >= 0.045
    waiting.send("ANB.FEED", "m", "STREAM", "s", "BLOCK", 0)
    until(lambda: b"blocked_clients:1" in client.call("INFO", "clients"))
    client.call("XADD", "other", "*", "a", 1)
    ids = add(client, "s", rows_of(random.Random(4), 1))
    reply = as_map(waiting.read())
    assert reply[b"learned"] == 1 and reply[b"last_id"].decode() == ids[0]
    waiting.send("ANB.FEED", "m", "STREAM", "s", "BLOCK", 0)
    until(lambda: b"blocked_clients:1" in client.call("INFO", "clients"))
    client.call("DEL", "m")
    add(client, "s", rows_of(random.Random(4), 1))
    try:
        waiting.read()
        raise AssertionError("it was served")
    except ReplyError as error:
        assert "no model" in str(error)
    make(client)
    client.call("MULTI")
    client.call("ANB.FEED", "m", "STREAM", "nothing", "BLOCK", 0)
    assert as_map(client.call("EXEC")[0])[b"learned"] == 0


def the_same(client, other, *keys):
    until(lambda: client.call("WAIT", 1, 1000) == 1)
    for key in keys:
        assert other.call("ANB.SAVE", key) == client.call("ANB.SAVE", key)
        ours, theirs = as_map(client.call("ANB.INFO", key)), as_map(other.call("ANB.INFO", key))
        assert ours[b"rmse"] == theirs[b"rmse"] and ours[b"mae_recent"] == theirs[b"mae_recent"]


@with_server("--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no")
def replicas_files_and_copies_go_on_where_it_was(server, library):
    replica, client = Server(server.program, server.module), fresh(server)
    client.call("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    try:
        make(client)
        add(client, "s", rows_of(random.Random(5), 50))
        feed(client, "COUNT", 30)
        replica.client().call("REPLICAOF", "127.0.0.1", server.port)
        until(lambda: b"master_link_status:up" in replica.client().call("INFO", "replication"))
        waiting = server.client()
        drain(client)
        waiting.send("ANB.FEED", "m", "STREAM", "s", "BLOCK", 0)
        until(lambda: b"blocked_clients:1" in client.call("INFO", "clients"))
        add(client, "s", rows_of(random.Random(6), 20))
        waiting.read()
        drain(client)
        client.call("ANB.CLONE", "m", "n")
        client.call("ANB.RESTORE", "o", client.call("ANB.SAVE", "m"))
        the_same(client, replica.client(), "m", "n")
        add(client, "s", rows_of(random.Random(7), 5))
        assert drain(client, key="o") == drain(client, key="n") == 5
        client.call("BGREWRITEAOF")
        until(lambda: b"aof_rewrite_in_progress:0" in client.call("INFO", "persistence"))
        drain(client)
        state, info = client.call("ANB.SAVE", "m"), client.call("ANB.INFO", "m")
        server.kill()
        server.start()
        client = server.client()
        assert client.call("ANB.SAVE", "m") == state and client.call("ANB.INFO", "m") == info
        assert drain(client) == 0
        client.call("ANB.RESET", "m")
        assert streams(client) == {} and drain(client) == 75
    finally:
        replica.remove()


@with_server("--appendonly", "yes", "--appendfsync", "always")
def kills_amid_feeding(server, library):
    client = fresh(server)
    make(client)
    model = library.load(client.call("ANB.SAVE", "m"))
    rows = rows_of(random.Random(8), 2000)
    add(client, "s", rows)
    rng, learned = random.Random(9), 0
    for _ in range(5):
        server.client().call("ANB.FEED", "m", "STREAM", "s", "COUNT", rng.randrange(1, 300))
        client.send("ANB.FEED", "m", "STREAM", "s", "COUNT", 300)
        time.sleep(rng.uniform(0, 0.003))
        server.kill()
        server.start()
        client = server.client()
    drain(client)
    for x, y in rows:
        model.train(x, y)
    info = as_map(client.call("ANB.INFO", "m"))
    assert info[b"samples"] == 2000 and float(client.call("ANB.PREDICT", "m", *rows[0][0])) == model.predict(rows[0][0])


TESTS = [entries_are_learned_once_and_in_order, bad_entries_are_passed_and_counted, gaps_are_told,
         a_reader_waits_for_entries, replicas_files_and_copies_go_on_where_it_was, kills_amid_feeding]

if __name__ == "__main__":
    main(TESTS)
