"""Columns with names and kinds: cells as texts, by name, missing; what survives copies and files; intervals, quantiles.
typed.py SERVER MODULE LIBRARY"""

import ctypes
import math
import random

from cases import D, WORKER, as_map, fresh, main, packed_rows, refused, rows_of, with_server
from harness import sample, pack, unpack

COLUMNS = ("distance", "carrier:category", "late:boolean", "when:time")
CARRIERS = ["UA", "DL", "AA", "WN", "17", "été"]


def flights(rng, n):
    """Rows as texts, and their target."""
    for _ in range(n):
        i = rng.randrange(len(CARRIERS))
        day = rng.randrange(1, 28)
        yield ["%d" % rng.randrange(100, 900), CARRIERS[i], rng.choice(["yes", "no"]), "2013-01-%02dT17:30" % day], i + day


def number_of(library, row):
    """The same row as doubles, by the library's functions and not the module's."""
    c = library.c
    c.anb_category.restype = ctypes.c_double
    text = row[1].encode()
    carrier = float(row[1]) if row[1].isdigit() else c.anb_category(text, ctypes.c_size_t(len(text)))
    seconds = ctypes.c_double()
    when = row[3].encode()
    assert c.anb_time_parse(when, ctypes.c_size_t(len(when)), 0, ctypes.byref(seconds)) == 0
    return [float(row[0]), carrier, float(row[2] == "yes"), seconds.value]


@with_server()
def cells_of_every_kind(server, library):
    client = fresh(server)
    assert client.call("ANB.CREATE", "t", "scale(moe(linear, rls))", "COLUMNS", *COLUMNS, "SEED", 3, "TARGET", "delay") == "OK"
    info = as_map(client.call("ANB.INFO", "t"))
    assert info[b"columns"] == b"distance carrier:category late:boolean when:time", info[b"columns"]
    assert b"columns(" in info[b"expression"] and info[b"target"] == b"delay" and info[b"seed"] == 3
    blob = client.call("ANB.SAVE", "t")
    model = library.load(blob)
    for row, y in flights(random.Random(1), 300):
        assert float(client.call("ANB.TRAIN", "t", y, *row)) == model.train(number_of(library, row), y)
    rows = list(flights(random.Random(2), 20))
    ours = [model.train(number_of(library, row), y) for row, y in rows]
    assert [float(v) for v in client.call("ANB.MTRAIN", "t", 20, *[v for row, y in rows for v in (y, *row)])] == ours
    packed = pack(*[(y, *number_of(library, row)) for row, y in rows])
    ours = [model.train(number_of(library, row), y) for row, y in rows]
    assert unpack(client.call("ANB.TRAINB", "t", packed)) == ours
    row, _ = rows[0]
    x = number_of(library, row)
    assert float(client.call("ANB.PREDICT", "t", *row)) == model.predict(x)
    named = ("FIELDS", 4, "when", row[3], "carrier", row[1], "distance", row[0], "late", row[2])
    assert float(client.call("ANB.PREDICT", "t", *named)) == model.predict(x)
    empty = float(client.call("ANB.PREDICT", "t", row[0], "", "nan", "NA"))
    assert float(client.call("ANB.PREDICT", "t", "FIELDS", 1, "distance", row[0])) == empty
    assert float(client.call("ANB.TRAIN", "t", 3, *named, "WEIGHT", 2)) == model.train(x, 3, 2.0)
    assert float(client.call("ANB.PREDICT", "t", *row)) == model.predict(x)
    client.call("ANB.TRAIN", "t", 3, "FIELDS", 1, "distance", "7", "SEQ", "s", 1)
    assert client.call("ANB.TRAIN", "t", 3, "FIELDS", 1, "distance", "7", "SEQ", "s", 1) == "REPEATED"


@with_server()
def what_is_refused_says_where(server, library):
    client = fresh(server)
    client.call("ANB.CREATE", "t", "scale(rls)", "COLUMNS", *COLUMNS)
    client.call("ANB.CREATE", "n", "moe(linear, rls)", "FEATURES", 2)
    before = client.call("ANB.SAVE", "t")
    refused(client, "when", "ANB.TRAIN", "t", 1, 5, "UA", "yes", "yesterday")
    refused(client, "late", "ANB.TRAIN", "t", 1, 5, "UA", "perhaps", "2013-01-01")
    refused(client, "nothing was learned", "ANB.TRAIN", "t", 1, 5, "UA", "perhaps", "2013-01-01")
    refused(client, "no column 'colour'", "ANB.TRAIN", "t", 1, "FIELDS", 1, "colour", "red")
    refused(client, "twice", "ANB.TRAIN", "t", 1, "FIELDS", 2, "late", "yes", "late", "no")
    refused(client, "FIELDS n", "ANB.TRAIN", "t", 1, "FIELDS", 2, "late", "yes")
    refused(client, "FIELDS n", "ANB.PREDICT", "t", "FIELDS", "x", "late", "yes")
    refused(client, "has none", "ANB.TRAIN", "n", 1, "FIELDS", 1, "a", 2, "WEIGHT", 1)
    refused(client, "4 features, the row 5", "ANB.TRAIN", "t", 1, 5, "UA", "yes", "2013-01-01", 5, "WEIGHT", 2)
    assert client.call("ANB.SAVE", "t") == before
    for wrong, says in ((("a:nothing", "b"), "2 features"), (("FEATURES", 3, "COLUMNS", "a", "b"), "3, but COLUMNS names 2")):
        if wrong[0] == "FEATURES":
            refused(client, says, "ANB.CREATE", "w", "rls", *wrong)
    refused(client, "SEED", "ANB.CREATE", "w", "rls", "COLUMNS", "a", "SEED", -1)
    refused(client, "missing", "ANB.CREATE", "w", "rls", "SEED", 1, "IFNOTEXISTS")
    for twice in (("a", "b", "a"), ("a:category", "a"), ("a", '"a"'), ("", "")):
        refused(client, "two are called '%s'" % twice[-1].strip('"'), "ANB.CREATE", "w", "rls", "COLUMNS", *twice)
    refused(client, "one of the COLUMNS", "ANB.CREATE", "w", "rls", "COLUMNS", "a", "y", "TARGET", "y")
    for target in ("", b"y\0z"):
        refused(client, "TARGET takes a name", "ANB.CREATE", "w", "rls", "COLUMNS", "a", "TARGET", target)
    for option in (("SEED", 1), ("TARGET", "y"), ("FEATURES", 1), ("COLUMNS", "a")):
        refused(client, "given twice", "ANB.CREATE", "w", "rls", "COLUMNS", "a", *option, *option)
    assert client.call("EXISTS", "w") == 0
    for command in (("ANB.PREDICT", "n", 1, "x"), ("ANB.PREDICT", "n", 1, "nan"), ("ANB.PREDICT", "n", 1),
                    ("ANB.MPREDICT", "n", 2, 1, 2, 3), ("ANB.MPREDICT", "n", 1, 1, "1e400")):
        try:
            client.call(*command)
            raise AssertionError("taken")
        except Exception as error:
            assert "learned" not in str(error) and "taken" not in str(error), error


@with_server()
def names_with_anything_in_them(server, library):
    client = fresh(server)
    names = ["flight no", 'a"b', "price:eur", "x:y:category", "seed:number"]
    client.call("ANB.CREATE", "t", "scale(rls)", "COLUMNS", *names)
    for name in ("flight no", 'a"b', "price:eur", "x:y", "seed"):
        client.call("ANB.PREDICT", "t", "FIELDS", 1, name, 1)
    refused(client, "no column", "ANB.PREDICT", "t", "FIELDS", 1, "x:y:category", 1)


@with_server("--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no")
def names_survive(server, library):
    client = fresh(server)
    client.call("ANB.CREATE", "t", "pending(scale(rls))", "COLUMNS", *COLUMNS, "TARGET", "delay")
    row, y = next(flights(random.Random(3), 1))
    client.call("ANB.PENDING", "t", "order-7", *row)
    client.call("ANB.PENDING", "t", "order-8", "FIELDS", 1, "carrier", "UA")
    client.call("ANB.LABEL", "t", "order-7", y)
    refused(client, "learned already", "ANB.LABEL", "t", "order-7", y)
    blob = client.call("ANB.SAVE", "t")
    client.call("ANB.RESTORE", "r", blob)
    client.call("ANB.CLONE", "r", "c")
    client.call("COPY", "c", "d")
    client.call("BGREWRITEAOF")
    server.kill()
    server.start()
    client = server.client()
    for key in "trcd":
        assert client.call("ANB.SAVE", key) == blob
        info = as_map(client.call("ANB.INFO", key))
        assert info[b"target"] == b"delay" and b"when:time" in info[b"columns"] and info[b"waiting"] == 1
        client.call("ANB.LABEL", key, "order-8", 1)


@with_server()
def intervals(server, library):
    client = fresh(server)
    client.call("ANB.CREATE", "i", "interval(scale(rls), coverage=[0.8, 0.9])", "FEATURES", D)
    rng = random.Random(4)
    for _ in range(300):
        x, y = sample(rng, D)
        client.call("ANB.TRAIN", "i", y, *x)
    held = 0
    for _ in range(200):
        x, y = sample(rng, D)
        said, low, high = [float(v) for v in client.call("ANB.PREDICT", "i", *x, "WITHINTERVAL", 0.9)]
        assert [low, high] == [float(v) for v in client.call("ANB.INTERVAL", "i", 0.9, *x)]
        inner = [float(v) for v in client.call("ANB.INTERVAL", "i", 0.8, *x)]
        assert low <= inner[0] <= said <= inner[1] <= high and said == float(client.call("ANB.PREDICT", "i", *x))
        held += low <= y <= high
    assert 160 <= held <= 198, held
    refused(client, "this coverage", "ANB.INTERVAL", "i", 0.5, *x)
    refused(client, "coverage", "ANB.INTERVAL", "i", "x", *x)
    refused(client, "4 features", "ANB.INTERVAL", "i", 0.9, 1, 2)
    client.call("ANB.CREATE", "m", "linear", "FEATURES", D)
    refused(client, "no intervals", "ANB.PREDICT", "m", *x, "WITHINTERVAL", 0.9)


def quantiles_of(server, library):
    """The library's, ascending, through wrappers as well; the plain prediction is the level nearest to 1/2."""
    client, rng, inner = fresh(server), random.Random(6), "quantile(scale(rls), levels=[0.1, 0.4, 0.9])"
    below = dict.fromkeys((0, 1, 2), 0)
    for key, expression in ("q", inner), ("p", "pending(%s)" % inner):
        client.call("ANB.CREATE", key, expression, "FEATURES", D)
        assert [float(v) for v in as_map(client.call("ANB.INFO", key))[b"quantiles"]] == [0.1, 0.4, 0.9]
        client.call("ANB.TRAINB", key, packed_rows(rows_of(rng, 500)))
        model = library.load(client.call("ANB.SAVE", key))
        for x, y in rows_of(rng, 200):
            said, *values = [float(v) for v in client.call("ANB.PREDICT", key, *x, "WITHQUANTILES")]
            assert values == model.quantiles(x, 3) == sorted(values) and said == values[1] == model.predict(x)
            for i, value in enumerate(values):
                below[i] += y < value
    assert 15 < below[0] < 85 and 100 < below[1] < 220 and 310 < below[2] < 390, below
    client.call("ANB.CREATE", "m", "interval(scale(rls))", "FEATURES", D)
    assert as_map(client.call("ANB.INFO", "m"))[b"quantiles"] == []
    refused(client, "no quantiles", "ANB.PREDICT", "m", *x, "WITHQUANTILES")
    refused(client, "exclude each other", "ANB.PREDICT", "m", *x, "WITHINTERVAL", 0.9, "WITHQUANTILES")
    refused(client, "goes with ANB.PREDICT", "ANB.MPREDICT", "q", 1, *x, "WITHQUANTILES")
    refused(client, "features", "ANB.PREDICT", "q", *x[1:], "WITHQUANTILES")
    assert [float(v) for v in server.client(resp3=True).call("ANB.PREDICT", "q", *x, "WITHQUANTILES")] == \
        [float(v) for v in client.call("ANB.PREDICT", "q", *x, "WITHQUANTILES")]


@with_server()
def quantiles(server, library):
    quantiles_of(server, library)


@with_server(settings=WORKER)
def quantiles_from_the_worker(server, library):
    quantiles_of(server, library)


@with_server()
def importances_beside_a_model(server, library):
    client = fresh(server)
    rng = random.Random(8)
    client.call("ANB.CREATE", "m", "scale(rls)", "COLUMNS", "a", "none", "b")
    client.call("ANB.CREATE", "plain", "scale(rls)", "COLUMNS", "a", "none", "b")
    refused(client, "nothing is measured", "ANB.IMPORTANCE", "m")
    refused(client, "whole number", "ANB.IMPORTANCE", "m", "EVERY", -1)
    refused(client, "EVERY n", "ANB.IMPORTANCE", "m", "OFTEN", 1)
    before = client.call("MEMORY", "USAGE", "m")
    assert client.call("ANB.IMPORTANCE", "m", "EVERY", 1) == "OK"
    assert client.call("MEMORY", "USAGE", "m") > before + 10000
    for _ in range(1500):
        x = [rng.gauss(0, 1) for _ in range(3)]
        for key in "m", "plain":
            client.call("ANB.TRAIN", key, 3 * x[0] + x[2], *x)
    columns = [as_map(reply) for reply in client.call("ANB.IMPORTANCE", "m")]
    assert [c[b"column"] for c in columns] == [b"a", b"none", b"b"]
    said = [float(c[b"importance"]) for c in columns]
    assert 14 < said[0] < 23 and abs(said[1]) < .1 and 1.5 < said[2] < 2.6, said
    assert 7 < float(columns[0][b"sage"]) < 11 and columns[0][b"changed"] == -1
    assert client.call("ANB.SAVE", "m") == client.call("ANB.SAVE", "plain")  # beside the model, never in it
    assert client.call("ANB.RESET", "m") == "OK"
    assert float(as_map(client.call("ANB.IMPORTANCE", "m")[0])[b"importance"]) == 0
    assert client.call("ANB.IMPORTANCE", "m", "EVERY", 0) == "OK"
    refused(client, "nothing is measured", "ANB.IMPORTANCE", "m")


@with_server()
def diagnostics_do_not_mix_rows(server, library):
    client = fresh(server)
    client.call("ANB.CREATE", "p", "pending(scale(moe(linear, rls)))", "FEATURES", D)
    rng = random.Random(5)
    for i in range(20):
        x, y = sample(rng, D)
        client.call("ANB.TRAIN", "p", y, *x)
    learned = as_map(client.call("ANB.DIAG", "p"))
    assert float(learned[b"target"]) == y
    x, _ = sample(rng, D)
    said = client.call("ANB.PENDING", "p", 1, *x)
    waiting = as_map(client.call("ANB.DIAG", "p"))
    assert math.isnan(float(waiting[b"target"])) and math.isnan(float(waiting[b"error"]))
    assert waiting[b"prediction"] == said
    client.call("ANB.LABEL", "p", 1, 7)
    assert float(as_map(client.call("ANB.DIAG", "p"))[b"target"]) == 7


TESTS = [cells_of_every_kind, what_is_refused_says_where, names_with_anything_in_them, names_survive, intervals, quantiles,
         quantiles_from_the_worker, importances_beside_a_model, diagnostics_do_not_mix_rows]

if __name__ == "__main__":
    main(TESTS)
