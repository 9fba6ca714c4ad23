"""Threads, servers, forks and misuse."""

import copy
import gc
import os
import pickle
import random
import threading
import time
import warnings

import numpy as np
import pytest

import anabranch
from anabranch import Model, Reader, Recorder, Server


def stream(n=2000):
    generator = np.random.default_rng(2)
    X = generator.normal(size=(n, 4))
    return X, X @ [1.0, 2.0, 3.0, 4.0]


def together(*functions):
    failures = []

    def run(function):
        try:
            function()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(f,)) for f in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_one_model_of_many_threads():
    X, y = stream()
    model = Model("scale(rls)", 4)
    recorder = Recorder(model, every=7, capacity=50)

    def rows():
        for i in range(500):
            model.learn_one(X[i], y[i])
            model.predict_one(X[i])

    def tables():
        for _ in range(5):
            model.learn_many(X, y)
            model.predict_many(X)

    def reads():
        for _ in range(50):
            model.to_bytes()
            recorder.metrics()
            model.copy()

    together(rows, rows, tables, tables, reads)
    assert model.n_samples_seen == 2 * 500 + 2 * 5 * 2000


def test_readers_predict_beside_the_learner():
    X, y = stream()
    server = Server(Model("scale(rls)", 4), interval=16)
    serial = Model("scale(rls)", 4)
    stop = threading.Event()
    counts = []

    def predicts():
        reader, n = server.reader(), 0
        while not stop.is_set() or n == 0:
            assert np.isfinite(reader.predict_many(X[:100])).all()
            n += 1
        counts.append(n)

    def learns():
        try:
            for _ in range(5):
                assert np.array_equal(server.train_many(X, y), serial.train_many(X, y))
        finally:
            stop.set()

    together(predicts, predicts, learns)
    assert len(counts) == 2
    server.publish()
    reader = server.reader()
    assert reader.predict_one(X[0]) == serial.predict_one(X[0]) == reader.predict_many(X[:1])[0]
    assert reader.version == server.version > 0
    assert server.model().equal(serial)


def test_a_reader_of_a_model_is_a_copy():
    X, y = stream()
    model = Model("interval(scale(rls))", ["a", "b", "c", "d"])
    model.learn_many(X, y)
    reader = Reader(model)
    said = model.predict_one(X[0])
    model.learn_many(X, -y)
    assert reader.predict_one(dict(zip("abcd", X[0]))) == said != model.predict_one(X[0])
    low, high = reader.predict_interval(X[0], 0.9)
    assert low < said < high and reader.features == ("a", "b", "c", "d") and reader.version is None
    del model
    gc.collect()
    assert reader.predict_one(X[0]) == said


def reordered(n=60):
    """A model that learned a frame whose columns are not in the order of their names."""
    pandas = pytest.importorskip("pandas")
    X = np.random.default_rng(1).normal(size=(n, 3))
    frame, y = pandas.DataFrame(X, columns=["z", "a", "b"]), X @ [1.0, 2.0, 3.0]
    model = Model("scale(rls)")
    model.learn_many(frame, y)
    return model, frame, y


@pytest.mark.filterwarnings("ignore:a row without names")
def test_readers_find_the_columns_of_frames_by_name():
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    model, frame, y = reordered()
    said = model.predict_many(frame).to_numpy()
    server = Server(model)
    table = polars.from_pandas(frame)
    for reader in (Reader(model), server.reader()):
        for X in (frame, frame.assign(more=1), table, table.lazy(), pyarrow.Table.from_pandas(frame)):
            assert np.array_equal(reader.predict_many(X), said)
        with pytest.raises(anabranch.InputError, match="X has 1 dimension;"):
            reader.predict_many(said)
    assert np.array_equal(server.train_many(frame, y), model.train_many(frame, y))


def outcome(call):
    """What a call gives, with its type, or how it refuses; and its warnings, all of this file."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            value = call()
            said = type(value), np.asarray(value).tolist(), getattr(value, "name", None)
        except (anabranch.InputError, TypeError) as error:
            said = type(error), str(error), None
    assert all(w.filename == __file__ for w in told), [str(w) for w in told]
    return said, [str(w.message) for w in told]


def test_servers_and_readers_read_what_the_model_reads():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    typed = pandas.DataFrame({"store": list("abca") * 20, "when": pandas.date_range("2024-01-01", periods=80), "t": np.arange(80.0)})
    plain = pandas.DataFrame({"a": np.arange(80.0), "b": np.arange(80.0) % 7, "c": np.arange(80.0) % 3})
    for frame in (typed, plain):
        first = frame.columns[0]
        for expression in ("scale(rls)", "auto(budget=2)"):
            model = Model(expression, target="y", extra="raise")
            model.learn_many(frame, frame.iloc[:, 2].to_numpy(copy=True))
            server = Server(model)
            tables = [frame, polars.from_pandas(frame), frame.assign(y=1.0), frame.assign(more=1), frame.drop(columns=first),
                      frame[[first]], frame[[]], frame.to_dict("records"), frame.to_numpy(), frame.to_numpy().tolist(),
                      frame.rename(columns=str.upper), frame.iloc[0], "text", 5, [], {first: [1]}]
            for X in tables:
                expected = outcome(lambda: model.copy().predict_many(X))
                for reader in (Reader(model), server.reader()):
                    assert outcome(lambda: reader.predict_many(X)) == expected
                y = frame.iloc[:, 2]
                assert outcome(lambda: Server(model).train_many(X, y)) == outcome(lambda: model.copy().train_many(X, y))
            assert server.schema_text == Reader(model).schema_text == model.schema_text
            assert server.target == "y" and Reader(server).takes_missing == model.takes_missing


def test_servers_take_targets_as_the_model_does():
    model = Model("linear", 2)
    server = Server(model)
    for y, w in ((None, 1), (np.datetime64("2024-01-01"), 1), ("x", 1), (1, "x"), (1j, 1), (np.float32(2), None)):
        theirs, ours = outcome(lambda: server.train_one([1, 2], y, w))[0], outcome(lambda: model.copy().train_one([1, 2], y, w))[0]
        assert ours[0] is theirs[0]
        assert ours == theirs or y is None
    skipping = Model("linear", 2, bad_rows="skip")
    for asked in (skipping, Reader(skipping), Server(skipping).reader()):
        assert np.isnan(asked.predict_one([1, np.inf]))
    assert np.isnan(Server(skipping).train_one([1, 2], np.nan)) and np.isnan(Server(skipping).model().train_one([1, 2], np.nan))


def test_servers_and_readers_refuse_the_rows_that_the_model_refuses():
    X, y = stream(200)
    hot, late = X.copy(), y.copy()
    hot[150, 2], late[160] = np.inf, np.nan
    model = Model("scale(rls)", list("abcd"))
    model.learn_many(X, y)
    server = Server(model)
    samples = {"row 150: feature 'c' is infinite": (hot, y), "row 160: the target": (X, late), "row 3: the weight": (X, y, y * 0 - 1)}
    samples["row 3: the weight"][2][:3] = 1
    for why, sample in samples.items():
        said = outcome(lambda: model.copy().train_many(*sample))
        assert why in said[0][1] and said[0][1].endswith("nothing was learned")
        assert outcome(lambda: server.train_many(*sample)) == said
        assert outcome(lambda: Server(model).reader().predict_many(sample[0])) == outcome(lambda: model.predict_many(sample[0]))
    assert server.model().equal(model) and server.bad_rows == server.reader().bad_rows == model.bad_rows == "raise"
    loaded = anabranch.load(data=model.to_bytes())
    loaded.bad_rows = server.bad_rows = "skip"
    before = loaded.train_many(hot, late)
    assert np.flatnonzero(np.isnan(before)).tolist() == [150, 160] and loaded.copy().bad_rows == "skip"
    assert np.array_equal(server.train_many(hot, late), before, equal_nan=True) and server.model().equal(loaded)
    for reader in (server.reader(), Reader(loaded)):
        assert np.flatnonzero(np.isnan(reader.predict_many(hot))).tolist() == [150] and reader.bad_rows == "skip"
        reader.bad_rows = "raise"
        with pytest.raises(anabranch.InputError, match="row 150: feature 'c' is infinite$"):
            reader.predict_many(hot)
        for word, kind in (("never", anabranch.InputError), (None, TypeError), ("\udc80", ValueError)):
            with pytest.raises(kind):
                reader.bad_rows = word
        with pytest.raises(AttributeError, match="^bad_rows cannot be deleted$"):
            del reader.bad_rows
        assert reader.bad_rows == "raise"


def test_servers_and_readers_warn_of_an_order_once():
    model, frame, y = reordered()
    X = frame[["a", "b", "z"]].to_numpy()
    server, other = Server(model), Server(model)
    calls = (lambda: server.train_many(X, y), lambda: other.train_many(X.tolist(), y))
    for call in (*calls, *(lambda r=r: r.predict_many(X) for r in (Reader(model), Server(model).reader()))):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            for _ in range(3):
                call()
        assert len(told) == 1 and told[0].filename == __file__


def test_a_reader_keeps_its_server():
    X, y = stream(100)
    server = Server(Model("linear", 4))
    server.train_many(X, y)
    reader = server.reader()
    del server
    gc.collect()
    assert np.isfinite(reader.predict_one(X[0]))
    for bad in ([1, 2], {"a": 1}, "x", None):
        with pytest.raises((anabranch.InputError, TypeError)):
            reader.predict_one(bad)


def test_objects_say_what_they_are():
    X, y = stream(20)
    model = Model("moe(linear, rls)", 4)
    recorder, explainer, server = Recorder(model, every=5), anabranch.Explainer(model), Server(model)
    model.learn_many(X, y)
    assert repr(recorder) == f"Recorder({model!r}, 4 records of 20 samples)"
    assert repr(explainer).startswith(f"Explainer({model!r}, ")
    assert repr(server) == f"Server(version={server.version})"
    assert repr(Reader(model)) == "Reader(n_features=4, version=None)"


# ---- threads that share a model's experts ----

SHARED = "scale(moe(mlp(hidden=64), rls, mlp(hidden=48), linear))"


def n_threads(expected=None):
    """Of this process. A thread that was joined may be listed for a moment longer: looks until there are as many as
    expected."""
    for _ in range(1000):
        time.sleep(0.01)
        found = len(os.listdir("/proc/self/task"))
        if expected in (None, found):
            break
    return found


def test_threads_have_the_bits_of_one():
    X, y = stream(500)
    one, two = Model(SHARED, 4), Model(SHARED, 4, threads=2)
    assert (one.threads, two.threads) == (1, 2)
    for row, target in zip(X[:100], y[:100]):
        assert one.train_one(row, target) == two.train_one(row, target)
    assert (one.train_many(X, y) == two.train_many(X, y)).all()
    assert one.to_bytes() == two.to_bytes()


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="no list of threads")
def test_threads_belong_to_the_model():
    gc.collect()
    before = n_threads()
    model = Model(SHARED, 4, threads=3)
    assert n_threads(before + 2) == before + 2
    model.threads = 1
    assert n_threads(before) == before
    model.threads = 2
    copies = [model.copy(), copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    assert [c.threads for c in copies] == [2, 2, 2] and n_threads(before + 4) == before + 4
    del model, copies
    gc.collect()
    assert n_threads(before) == before


def test_threads_of_a_model_that_went_back():
    X, y = stream()
    model, expected = Model("scale(moe(linear, rls))", 4, threads=2), Model("scale(moe(linear, rls))", 4)
    model.learn_many(X, y)
    expected.learn_many(X, y)
    before, spoiled = n_threads(), y.copy()
    spoiled[1900] = np.inf
    with pytest.raises(anabranch.InputError, match="row 1900"):
        model.learn_many(X, spoiled)
    assert n_threads(before) == before and model.threads == 2
    assert model.train_one(X[0], y[0]) == expected.train_one(X[0], y[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_model_without_features_keeps_its_threads():
    model = Model(SHARED, threads=2)
    assert pickle.loads(pickle.dumps(model)).threads == 2
    model.threads = 0
    model.learn_one({"a": 1.0, "b": 2.0}, 3.0)
    assert model.threads == 0
    child = os.fork()
    if child == 0:
        model.learn_one({"a": 2.0, "b": 2.0}, 3.0)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("threads", [-1, 10_000, "two", None, 1.5])
def test_threads_that_are_none(threads):
    with pytest.raises((anabranch.InputError, TypeError)):
        Model("moe(linear, rls)", 2, threads=threads)
    model = Model("moe(linear, rls)", 2)
    with pytest.raises((anabranch.InputError, TypeError)):
        model.threads = threads
    with pytest.raises(AttributeError):
        del model.threads
    assert model.threads == 1


@anabranch.register("one_thread")
class OneThread:
    def predict(self, x):
        return 0.0

    def update(self, x, y, w):
        pass


def test_learners_in_python_run_in_one_thread():
    for features in (2, None):
        with pytest.raises(anabranch.UnsupportedError, match="written in Python"):
            Model("moe(linear, one_thread)", features, threads=2).learn_one([1.0, 2.0], 3.0)
    model = Model("moe(linear, one_thread)", 2)
    with pytest.raises(anabranch.UnsupportedError, match="written in Python"):
        model.threads = 2
    model.learn_one([1.0, 2.0], 3.0)
    assert model.threads == 1 and Model(SHARED, 2, threads=2).threads == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fork():
    X, y = stream(200)
    model = Model("scale(rls)", 4)
    model.learn_many(X, y)
    expected = model.copy().train_many(X, y)
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(model.train_many(X, y), expected) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert np.array_equal(model.train_many(X, y), expected)


def test_a_child_of_a_server_says_that_it_does_not_learn():
    X, y = stream(20)
    model = Model("linear", 4)
    model.learn_many(X, y)
    server = Server(model)
    child = os.fork()
    if child == 0:
        refused = 0
        for call in (lambda: server.train_one(X[0], 1.0), lambda: server.train_many(X, y)):
            try:
                call()
            except anabranch.UnsupportedError as error:
                refused += "forked" in str(error)
        os._exit(0 if refused == 2 and server.reader().predict_one(X[0]) == model.predict_one(X[0]) else 1)
    assert os.waitpid(child, 0)[1] == 0


class Nasty:
    """A cell that uses the model while it is converted."""

    def __init__(self, act):
        self.act = act

    def __float__(self):
        self.act()
        return 1.0


def test_a_cell_may_use_the_model():
    model = Model("scale(rls)", ["a", "b"])
    row = {"a": 1.0, "b": Nasty(lambda: model.learn_one({"b": 2.0, "a": 1.0}, 3.0))}
    model.learn_one(row, 1.0)
    assert model.n_samples_seen == 2
    changing = {"a": 1.0}
    changing["b"] = Nasty(changing.clear)
    model.learn_one(changing, 1.0)
    first = Model("linear")
    first.learn_one({"a": 1.0, "b": Nasty(lambda: first.learn_one({"a": 1.0, "b": 1.0}, 1.0))}, 1.0)
    assert first.n_samples_seen == 2


def test_a_thousand_misuses():
    choose = random.Random(4)
    junk = [
        None, 0, -1, 2**70, 1.5, float("nan"), float("inf"), "", "abc", "\udc80", b"x", [], [1.0], [1.0] * 4, (None,) * 4,
        {}, {"a": 1}, {1: 2}, {"a": "x", "b": None}, np.zeros(4), np.zeros((3, 4)), np.zeros((0, 4)), np.zeros(3),
        np.zeros((3, 4), order="F"), np.array(["a"]), object(), type, Model, lambda: 1, iter([]), range(4), bytearray(8),
        memoryview(b"12345678"), True, complex(1), Model("linear"), Model("scale(rls)", 4), {"a": {}}, [[]], [[1, 2], [3]],
    ]  # fmt: skip
    made = [Model("linear", 4), Model("scale(rls)"), Model.__new__(Model), Server(Model("linear", 4)), Reader(Model("linear", 4))]
    made += [Model("pending(interval(scale(moe(linear, rls))))", 4), Recorder(Model("linear", 4))]
    raised = done = 0
    for _ in range(1000):
        target = choose.choice(made)
        names = [n for n in dir(target) if not n.startswith("__") or n in ("__init__", "__reduce__", "__copy__", "__repr__")]
        name = choose.choice([n for n in names if n not in ("report", "save", "plot")])
        arguments = [choose.choice(junk) for _ in range(choose.randrange(5))]
        try:
            value = getattr(target, name)
            if callable(value):
                value(*arguments)
            done += 1
        except Exception:
            raised += 1
    assert raised > 300 and done > 50
    for cls in (Model, Server, Reader, Recorder):
        for _ in range(100):
            try:
                cls(*[choose.choice(junk) for _ in range(choose.randrange(4))])
            except Exception:
                pass
    gc.collect()
