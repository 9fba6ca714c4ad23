"""Tables of every kind: the bits of the loop, the caller's kind back."""

import datetime
import signal
import warnings

import numpy as np
import pytest

import anabranch
from anabranch import Model, Reader, Schema, Server

NAMES = ["a", "b", "c"]


def data(n=300):
    random = np.random.default_rng(3)
    X = random.normal(size=(n, 3)).round(3)
    return X, X @ [1.0, -2.0, 0.5] + random.normal(size=n) * 0.1


def looped(rows, y, expression="scale(moe(linear, rls))", w=None, features=None):
    model = Model(expression, features)
    said = [model.train_one(row, t, 1.0 if w is None else w[i]) for i, (row, t) in enumerate(zip(rows, y))]
    return model, np.array(said)


def pandas_frame(X):
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(X, columns=NAMES, index=range(1000, 1000 + len(X)))


def several_blocks(X):
    frame = pandas_frame(X)[["b"]]
    for j in (2, 0):
        frame[NAMES[j]] = X[:, j].copy()
    return frame


def polars_frame(X):
    return pytest.importorskip("polars").DataFrame(dict(zip(NAMES, X.T)))


def arrow_table(X):
    return pytest.importorskip("pyarrow").table(dict(zip(NAMES, X.T)))


class Stream:
    """Something that offers an Arrow stream and nothing else."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


KINDS = {
    "C array": lambda X: X,
    "F array": np.asfortranarray,
    "backwards": lambda X: X[::-1].copy()[::-1],
    "part of a wider array": lambda X: np.column_stack([X[:, 0], X, X])[:, 1:4],
    "unaligned": lambda X: np.frombuffer(b"x" + X.tobytes(), offset=1).reshape(X.shape),
    "pandas of several blocks": several_blocks,
    "pandas from a matrix in Fortran's order": lambda X: pandas_frame(np.asfortranarray(X)),
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "read-only": lambda X: np.frombuffer(X.tobytes()).reshape(X.shape),
    "object array": lambda X: X.astype(object),
    "big-endian": lambda X: X.astype(">f8"),
    "lists": lambda X: X.tolist(),
    "tuples": lambda X: tuple(map(tuple, X.tolist())),
    "generator": lambda X: (row for row in X),
    "arrays": list,
    "dicts": lambda X: [dict(zip(NAMES, row)) for row in X.tolist()],
    "pandas": pandas_frame,
    "pandas nullable": lambda X: pandas_frame(X).convert_dtypes(),
    "pandas reordered": lambda X: pandas_frame(X)[["c", "a", "b"]],
    "polars": polars_frame,
    "polars lazy": lambda X: polars_frame(X).lazy(),
    "arrow": arrow_table,
    "arrow batch": lambda X: arrow_table(X).to_batches()[0],
    "arrow stream": lambda X: Stream(arrow_table(X)),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_many_is_the_loop(kind, weighted):
    X, y = data()
    w = np.linspace(0.5, 2, len(y)) if weighted else None
    one, said = looped(X.tolist(), y, w=w)
    many, twin = Model("scale(moe(linear, rls))"), Model("scale(moe(linear, rls))")
    result = many.train_many(KINDS[kind](X), y, w)
    twin.learn_many(KINDS[kind](X), list(y), w)
    assert np.array_equal(np.asarray(result), said)
    assert many.equal(one) and twin.equal(one)
    assert np.array_equal(np.asarray(many.predict_many(KINDS[kind](X))), [one.predict_one(x) for x in X])


def test_frames_with_other_columns():
    X, y = data()
    one, said = looped(X.tolist(), y, features=NAMES)
    with_floats = pandas_frame(X).assign(extra=1.0)[["extra", "c", "b", "a"]]
    for frame in (with_floats, pandas_frame(X).assign(extra=1), polars_frame(X).with_row_index()):
        many = Model("scale(moe(linear, rls))", NAMES)
        assert np.array_equal(many.train_many(frame, y), said) and many.counters["extra_keys"] == 1


def test_a_matrix_in_fortrans_order_is_not_copied():
    X, y = data()
    model = Model("linear", 3)
    rows, _ = anabranch._frames.table(model, np.asfortranarray(X)[::2])
    assert not rows.flags.owndata
    model.learn_many(np.asfortranarray(X)[::2], y[::2])
    assert model.equal(looped(X[::2].tolist(), y[::2], "linear")[0])


def test_numbers_of_other_types():
    X = np.arange(60).reshape(20, 3)
    y = np.arange(20)
    one, _ = looped(X.tolist(), y.tolist())
    for dtype in (np.int64, np.uint8, np.float32, np.int32):
        many = Model("scale(moe(linear, rls))")
        many.learn_many(X.astype(dtype), y.astype(dtype))
        assert many.equal(one)
    for frame in (pandas_frame(X), polars_frame(X), arrow_table(X)):
        many = Model("scale(moe(linear, rls))")
        many.learn_many(frame, y)
        assert many.equal(one)


def test_results_are_the_callers_kind():
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    X, y = data()
    model = Model("linear", NAMES, target="price")
    model.learn_many(X, y)
    series = model.predict_many(pandas_frame(X))
    assert isinstance(series, pandas.Series) and list(series.index[:2]) == [1000, 1001] and series.name == "price"
    assert isinstance(model.predict_many(polars_frame(X)), polars.Series)
    assert isinstance(model.predict_many(arrow_table(X)), pyarrow.Array)
    assert isinstance(model.predict_many(X.tolist()), np.ndarray)
    assert model.predict_many(X[:0]).shape == (0,)
    assert model.predict_many([]).shape == (0,)


def test_missing_cells_of_frames():
    polars, pandas, pyarrow = map(pytest.importorskip, ("polars", "pandas", "pyarrow"))
    cells = {"a": [1.0, None, 3.0], "b": [4, 5, None]}
    rows = [{"a": cells["a"][i], "b": cells["b"][i]} for i in range(3)]
    one, _ = looped(rows, [1, 2, 3], "scale(rls)")
    assert one.counters["missing_cells"] == 2
    for frame in (polars.DataFrame(cells), pandas.DataFrame(cells), pandas.DataFrame(cells).convert_dtypes(), pyarrow.table(cells)):
        many = Model("scale(rls)")
        many.learn_many(frame, [1, 2, 3])
        assert many.equal(one)


def test_nothing_is_learned_of_a_table_with_a_bad_row():
    X, y = data()
    model = Model("scale(rls)", 3)
    for change in ("x", "y", "w"):
        rows, targets, w = X.copy(), y.copy(), np.ones(len(y))
        {"x": rows[250], "y": targets[250:251], "w": w[250:251]}[change][0] = -np.inf
        with pytest.raises(anabranch.InputError, match="row 250"):
            model.learn_many(rows, targets, w)
    assert model.n_samples_seen == 0
    plain = Model("linear", 3)
    X[7, 2] = np.nan
    with pytest.raises(anabranch.InputError, match="row 7: feature 2 is missing"):
        plain.learn_many(X, y)
    for samples, why in (([1, 2], "sample 0 of the stream is an int"), ([([1], 2), ([1], 2, 1, 0)], "sample 1 of the stream is a tuple of 4"), ([{"a": 1, "b": 2}], "is a dict")):
        with pytest.raises(TypeError, match=f"{why}.*: it has to be a pair"):
            anabranch.evaluate(Model("linear"), samples)
    for other, why in ((1.0, "0 dimensions; .*: one sample goes to"), (np.ones((2, 2)), "2 dimensions; .*: a model has one target")):
        with pytest.raises(anabranch.InputError, match=why):
            Model("linear").learn_many([[1.0], [2.0]], other)
    skips = Model("linear", 3, bad_rows="skip")
    assert np.flatnonzero(np.isnan(skips.train_many(X, y))).tolist() == [7]
    assert skips.n_samples_seen == 299


@pytest.mark.parametrize("n", [300, 30_000])
@pytest.mark.parametrize("table", [np.asarray, polars_frame])
@pytest.mark.parametrize("where", ["x", "y", "w"])
def test_a_bad_row_leaves_the_model_as_it_was(n, table, where):
    X, y = data(n)
    model = Model("linear", NAMES)
    model.learn_many(X, y)
    before, counters = model.to_bytes(), model.counters
    rows, targets, w = X.copy(), y.copy(), np.ones(n)
    {"x": rows[n - 9], "y": targets[n - 9 :], "w": w[n - 9 :]}[where][0] = np.inf
    with pytest.raises(anabranch.InputError, match=f"row {n - 9}: .*nothing was learned"):
        model.learn_many(table(rows), targets, w)
    assert model.to_bytes() == before and model.counters == counters


@pytest.mark.parametrize(
    "X, y",
    [
        (np.zeros((3, 4)), np.zeros(3)),
        (np.zeros((3, 3)), np.zeros(2)),
        (np.zeros(3), np.zeros(3)),
        (np.zeros((2, 3, 1)), np.zeros(2)),
        (np.zeros((3, 3)), "abc"),
        (np.zeros((3, 3)), np.zeros((3, 2))),
        (np.zeros((3, 3)), [1, "b", 3]),
        ([[1, 2, 3], [1, 2]], [1, 2]),
        ([[1, 2, 3], None], [1, 2]),
        ([[1, 2, "x"]], [1]),
        ("rows", [1]),
        ({"a": [1]}, [1]),
        (5, [1]),
        (np.zeros((3, 3), dtype=complex), np.zeros(3)),
        (np.array([["a", "b", "c"]]), [1]),
    ],
)
def test_tables_that_do_not_fit(X, y):
    model = Model("linear", 3)
    with pytest.raises((anabranch.InputError, TypeError)):
        model.learn_many(X, y)
    assert model.n_samples_seen == 0


def test_columns_of_frames():
    X, y = data()
    model = Model("linear", NAMES)
    frame = pandas_frame(X)
    model.learn_many(frame.assign(more=1.0), y)
    assert model.counters["extra_keys"] == 1
    with pytest.raises(anabranch.InputError, match="no column of the table"):
        model.learn_many(frame[[]].assign(q=1.0), y)
    short = Model("linear", NAMES)
    with pytest.warns(UserWarning, match="no column 'b': taken for 0"):
        short.learn_many(frame.drop(columns="b"), y)
    assert short.equal(looped(frame.drop(columns="b").to_dict("records"), y, "linear", features=NAMES)[0])
    with pytest.raises(anabranch.InputError, match="named by"):
        Model("linear").learn_many(frame.set_axis([0, 1, 2], axis=1), y)
    with pytest.raises(anabranch.InputError, match="two columns"):
        model.learn_many(frame.set_axis(["a", "b", "c"], axis=1)[["a", "a", "b", "c"]], y)
    with pytest.raises(anabranch.InputError, match="no feature of the model"):
        Model("linear", NAMES, extra="raise").learn_many(frame.assign(more=1.0), y)


def test_what_is_no_table_or_vector_is_told():
    X, y = data(20)
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")

    class Sparse:
        shape = X.shape

        def toarray(self):
            return X

    class DataFrame:  # of a library that is not known
        columns = NAMES

        def __array__(self, dtype=None, copy=None):
            return X

    with pytest.raises(TypeError, match="frames are an iterable of data frames, not a DataFrame of "):
        Model("linear").learn_frames(DataFrame(), "y")
    for table, words in ((DataFrame(), "a DataFrame of .*: make one of pandas, polars or pyarrow of it"), (pandas.Series(y), "to_frame"), (polars.Series(y), "to_frame"), (Sparse(), "toarray"), (7, "an int")):
        with pytest.raises(TypeError, match=words):
            Model("linear").learn_many(table, y)
    texts = [str(v) for v in y]
    for table, targets, words in ((X, texts, "y holds texts"), (X, np.array(texts, object), "y holds texts"),
                                  (X.astype(str), y, "X holds texts"), (X.astype("M8[s]"), y, "X holds times"),
                                  (X.astype(complex), y, "X holds complex"), (X[:, 0], y, "X has 1 dimension;"),
                                  (np.zeros(20, [("a", float)]), y, "DataFrame")):
        with pytest.raises(anabranch.InputError, match=words):
            Model("linear").learn_many(table, targets)
    for targets, words in (((v for v in y), r"not a generator: list\(y\)"), (dict(enumerate(y)).values(), "not a dict_values: list"),
                           (set(y), "not a set$"), (Sparse(), r"y.toarray\(\) makes one")):
        for method in (Model("linear").learn_many, lambda X, y: anabranch.evaluate(Model("linear"), X, y)):
            with pytest.raises(TypeError, match=words):
                method(X, targets)
    with pytest.raises(TypeError, match="not None$"):
        Model("linear").learn_many([None], [1.0])
    with pytest.raises(TypeError, match="not None$"):
        anabranch.evaluate(Model("linear"), None)
    for wrong in ("a:category", ["a"], None):
        with pytest.raises(TypeError, match="a schema is a mapping"):
            Schema(wrong)


# ---- categories and times ----

columns = pytest.mark.skipif("columns" not in anabranch.learners(), reason="the library has no learner `columns`")


def mixed(n=200):
    random = np.random.default_rng(1)
    start = datetime.datetime(2024, 2, 27, 23, 30)
    rows = [
        {
            "price": float(random.normal()),
            "store": str(random.choice(["north", "south", "east"])) if i % 17 else None,
            "open": bool(random.integers(2)),
            "when": start + datetime.timedelta(minutes=37 * i, microseconds=1000 * i),
        }
        for i in range(n)
    ]
    return rows, [r["price"] + {"north": 3, "south": -3}.get(r["store"], 0) for r in rows]


def mixed_frames(rows):
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    frame = pandas.DataFrame(rows)
    yield "pandas", frame
    yield "pandas category", frame.assign(store=frame["store"].astype("category"))
    yield "polars", polars.DataFrame(rows)
    yield "polars category", polars.DataFrame(rows).with_columns(polars.col("store").cast(polars.Categorical))
    yield "arrow", pyarrow.Table.from_pylist(rows)
    yield "dicts", rows


@columns
def test_typed_tables_are_the_loop():
    rows, y = mixed()
    rows[0]["store"] = "north"
    one, said = looped(rows, y, "scale(rls)")
    assert one.schema["store"] == "category" and one.schema["when"] == "time" and "columns" in one.expression
    for kind, frame in mixed_frames(rows):
        many = Model("scale(rls)")
        assert np.array_equal(np.asarray(many.train_many(frame, y)), said), kind
        assert many.schema == one.schema, kind
        assert many.equal(one), kind
    assert np.sqrt(np.mean((said[100:] - y[100:]) ** 2)) < 1.0
    again = anabranch.load(data=one.to_bytes())
    assert again.schema == one.schema and again.predict_one(rows[5]) == one.predict_one(rows[5])


@columns
def test_durations_are_seconds_and_times_of_day_are_refused():
    took = [datetime.timedelta(seconds=i % 9, microseconds=i) for i in range(40)]
    y = [t.total_seconds() for t in took]
    model, _ = looped([{"took": t, "a": i % 3} for i, t in enumerate(took)], y, "scale(rls)")
    pandas, polars, pyarrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    columns = {"took": took, "a": [i % 3 for i in range(40)]}
    for table in (pandas.DataFrame(columns), polars.DataFrame(columns), pyarrow.table(columns)):
        other = Model("scale(rls)")
        other.learn_many(table, y)
        assert other.equal(model) and other.schema is None
    clock = {"took": [datetime.time(3, 4)] * 3, "name": ["a"] * 3}
    for table in (polars.DataFrame(clock), pyarrow.table(clock)):
        with pytest.raises(anabranch.InputError, match="'took' holds times of day"):
            Model("scale(rls)").learn_many(table, [1, 2, 3])


@columns
def test_durations_in_rows_and_arrays():
    pandas = pytest.importorskip("pandas")
    took = np.array([1_500_000_001, -1_500_000_001, 3, 7_000_000_000] * 5, "m8[ns]")
    y = np.arange(20.0)
    seconds = Model("rls", 1)
    seconds.learn_many(took.astype("m8[us]").astype(np.int64)[:, None] / 1e6, y)
    array, listed, one = Model("rls", 1), Model("rls", 1), Model("rls", 1)
    array.learn_many(took[:, None], y)
    listed.learn_many([[t] for t in took], y)
    for t, target in zip(took, y):
        one.learn_one([t], target)
    assert array.equal(seconds) and listed.equal(seconds) and one.equal(seconds)
    objects = pandas.DataFrame({"took": pandas.Series(took.astype("m8[us]").tolist(), dtype=object)})
    frame, rows = Model("rls"), Model("rls")
    frame.learn_many(objects, y)
    rows.learn_many(objects.to_dict("records"), y)
    assert frame.equal(rows) and frame.schema is None
    for kind in ("code", "boolean", "time"):
        with pytest.raises(anabranch.InputError, match="'took' is a .*timedelta"):
            Model("linear", schema={"took": kind}).learn_one({"took": objects["took"][0]}, 1)
    for wrong in (took, took.astype("M8[ns]")):
        with pytest.raises(anabranch.InputError, match="the target is a (timedelta|datetime)64: "):
            one.learn_one([1.0], wrong[0])
    with pytest.raises(anabranch.InputError, match="0 is a .*datetime64"):
        one.predict_one([took.astype("M8[ns]")[0]])


@columns
def test_nanoseconds_are_cut_to_microseconds_alike():
    pandas, polars, pyarrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    took = np.array([1_500_000_001, -1_500_000_001, "NaT", 3], "m8[ns]")
    columns = {"took": took, "at": took.astype("M8[ns]")}
    rows = [dict(zip(columns, cells)) for cells in zip(*columns.values())]
    models = []
    for table in (rows, pandas.DataFrame(columns), polars.DataFrame(columns), pyarrow.table(columns)):
        models.append(Model("scale(rls)", list(columns), schema={"at": "time"}))
        models[-1].learn_many(table, [1, 2, 3, 4])
    assert all(model.equal(models[0]) for model in models)


@columns
def test_times_of_day_may_be_ignored_or_named():
    pandas, polars, pyarrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    columns = {"a": [datetime.time(3), datetime.time(4), datetime.time(3)], "x": [1.0, 2.0, 4.0]}
    models = []
    for table in (pandas.DataFrame(columns), polars.DataFrame(columns), pyarrow.table(columns)):
        Model("linear", schema={"a": "ignored"}).learn_many(table, [1, 2, 3])
        models.append(Model("linear", schema={"a": "category"}))
        models[-1].learn_many(table, [1, 2, 3])
        assert models[-1].equal(models[0])
        with pytest.raises(anabranch.InputError, match="'a' holds times of day"):
            Model("linear").learn_many(table, [1, 2, 3])
        with pytest.raises(anabranch.InputError, match="'a' (holds times of day|is a .*datetime.time)"):
            Model("linear", schema={"a": "number"}).learn_many(table, [1, 2, 3])


@columns
def test_a_schema_of_ones_own():
    rows, y = mixed()
    given = Model("interval(scale(rls))", schema={"store": "category", "when": "ignored"})
    for row, t in zip(rows, y):
        given.learn_one({**row, "when": "whenever"}, t)
    assert given.expression.startswith("interval(columns(") and given.schema["when"] == "ignored"
    assert given.predict_one({**rows[0], "store": "never seen"}) == given.predict_one({**rows[0], "store": "nor this"})
    with pytest.raises(anabranch.InputError):
        given.learn_one({**rows[0], "price": "dear"}, 1)
    with pytest.raises(anabranch.InputError):
        Model(schema={"nowhere": "category"}).learn_one({"a": 1}, 1)


def test_schemas():
    schema = Schema({"flight no": "code", 'say "so"': "category"})
    assert schema.text == '"flight no":code "say ""so""":category' and len(schema) == 2 and dict(schema) == schema
    with pytest.raises(ValueError, match="no kind"):
        Schema({"a": "colour"})
    with pytest.raises(TypeError):
        Schema({1: "number"})


def test_periods_are_times():
    pandas = pytest.importorskip("pandas")
    periods = pandas.DataFrame({"month": pandas.period_range("2024-01", periods=40, freq="M")})
    periods.iloc[3, 0] = pandas.NaT
    starts = periods.assign(month=periods["month"].dt.to_timestamp())
    model, other = Model("scale(rls)"), Model("scale(rls)")
    model.learn_many(periods, np.arange(40.0))
    other.learn_many(starts, np.arange(40.0))
    assert model.schema["month"] == "time" and model.equal(other)
    named = Model("scale(rls)", schema={"month": "category"})
    named.learn_many(periods, np.arange(40.0))
    assert named.categories("month", ["2027-04"])[0].name == "2027-04"


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_target_among_the_columns(library):
    module = pytest.importorskip(library)
    X, y = data()
    frame = module.DataFrame(dict(zip(NAMES, X.T)) | {"y": y})
    for call in (Model("linear").learn_many, Model("linear").train_many, lambda X, y: anabranch.evaluate(Model("linear"), X, y)):
        with pytest.warns(UserWarning, match="y is the column 'y' of X and a feature") as warned:
            call(frame, frame["y"])
        assert warned[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = Model("linear", target="y", extra="raise")
        model.learn_many(frame, frame["y"])
        assert model.features == tuple(NAMES) and model.equal(looped(X, y, "linear", features=NAMES)[0])
        rows = Model("linear", target="y", extra="raise")
        for row, target in zip(frame.to_dict("records") if library == "pandas" else frame.to_dicts(), y):
            rows.train_one(row, target)
        assert rows.equal(model) and rows.counters["extra_keys"] == model.counters["extra_keys"] == 0
        with pytest.raises(anabranch.InputError, match="^the (column|key) .z. is no feature of the model, nor is 1 more"):
            rows.predict_one({"y": 1.0, "z": 2.0, "zz": 3.0})
        rows.train_one(X[0], 1.0)  # a, b and c came in this order
        Model("linear", ["y"]).learn_many(frame, frame["a"])
        Model("linear", ["y"], target="y", extra="raise").learn_many(frame[["y"]], frame["a"])


def test_a_column_that_lacks_warns():
    pandas = pytest.importorskip("pandas")
    X, y = data()
    frame = pandas.DataFrame(dict(zip(NAMES, X.T)))
    for expression, cell in (("scale(rls)", np.nan), ("linear", 0.0)):
        model = Model(expression)
        model.learn_many(frame, y)
        expected = model.predict_many(frame.assign(a=cell, b=cell))
        with pytest.warns(UserWarning, match="no column 'a' and 1 more.*" + ("missing" if cell else "0")) as warned:
            assert np.array_equal(model.predict_many(frame[["c"]]), expected)
        assert warned[0].filename == __file__
    model = Model("linear", schema={"a": "ignored", "b": "number"})
    model.learn_many(frame[["a", "b"]], y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict_many(frame[["b"]])


# ---- signals ----


def test_a_handler_that_raises_ends_a_long_call():
    def handler(*_):
        raise TimeoutError

    X = np.random.default_rng(1).normal(size=(300_000, 4))
    model, old = Model("auto(budget=100)"), signal.signal(signal.SIGALRM, handler)
    try:
        server = Server(Model("auto(budget=100)", 4))
        for call in (lambda: model.learn_many(X, X[:, 0]), lambda: model.predict_many(X), lambda: server.train_many(X, X[:, 0]),
                     lambda: Reader(model).predict_many(X)):
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(TimeoutError):
                call()
            assert model.n_samples_seen < len(X) and server.model().n_samples_seen < len(X)
    finally:
        signal.signal(signal.SIGALRM, old)


# ---- evaluation ----


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("more", [{}, {"town": ["Ulm", "Bonn"] * 150}])
def test_evaluate_takes_a_frame_in_any_order(more):
    pandas = pytest.importorskip("pandas")
    X, y = data()
    frame = pandas.DataFrame(dict(zip(reversed(NAMES), X.T)) | more)
    said = anabranch.evaluate(Model("rls"), frame, y).predictions
    assert np.array_equal(said, Model("rls").train_many(frame, y))


def test_evaluate_tells_the_row_that_is_refused():
    X = np.ones((50_000, 2))
    y = np.where(np.arange(50_000) == 40_000, np.nan, 1.0)
    for stream in ((X, y), (zip(X.tolist(), y), None)):
        model = Model("linear")
        with pytest.raises(anabranch.InputError, match="row 40000: the target.*; the [0-9]+ rows before this block were learned"):
            anabranch.evaluate(model, *stream)
        assert 0 < model.n_samples_seen <= 40_000
    with pytest.raises(anabranch.InputError, match="row 1: .*; nothing was learned"):
        anabranch.evaluate(Model("linear"), X[:3], [1.0, np.inf, 1.0])


def test_a_refused_cell_is_named():
    X = np.ones((3, 2))
    X[1, 1] = np.inf
    for features, said in ((["a", "b"], "'b'"), (2, "1")):
        with pytest.raises(anabranch.InputError, match=f"row 1: feature {said} is infinite; nothing"):
            Model("linear", features).learn_many(X, [1, 2, 3])


def test_an_empty_list_says_nothing_of_the_width():
    model = Model("scale(rls)")
    model.learn_many([], [])
    assert model.n_features is None and len(model.predict_many([])) == 0
    with pytest.raises(anabranch.InputError, match="y has 1 values for 0 rows"):
        model.learn_many([], [1.0])
    model.learn_many(np.eye(3), [1, 2, 3])
    assert model.n_features == 3 and len(model.predict_many([])) == 0
    with pytest.raises(anabranch.InputError, match="no columns"):
        model.learn_many(np.empty((2, 0)), [1, 2])


def test_evaluate():
    X, y = data()
    result = anabranch.evaluate(Model("scale(rls)"), X, y)
    one, said = looped(X.tolist(), y, "scale(rls)")
    assert np.array_equal(result.predictions, said) and result.n == 300
    assert result.rmse == pytest.approx(np.sqrt(np.mean((y - said) ** 2)))
    assert result.mae == pytest.approx(np.mean(np.abs(y - said)))
    assert result.rmse_second_half == pytest.approx(np.sqrt(np.mean((y - said)[150:] ** 2)))
    pairs = anabranch.evaluate(Model("scale(rls)"), ((dict(zip(NAMES, x)), t) for x, t in zip(X.tolist(), y)), progress=True)
    assert np.array_equal(pairs.predictions, said)
    assert anabranch.evaluate(Model("linear"), []).n == 0
    with pytest.raises(anabranch.InputError):
        anabranch.evaluate(Model("linear"), X, y[:-1])
    with pytest.raises(TypeError):
        anabranch.evaluate("linear", X, y)


def test_evaluate_weights():
    X, y = data()
    w = np.arange(len(y)) % 4 * 0.5
    model, twin = Model("scale(rls)"), Model("scale(rls)")
    result = anabranch.evaluate(model, X, y, w)
    assert np.array_equal(result.predictions, twin.train_many(X, y, w)) and model.equal(twin)
    errors = (y - result.predictions)[w > 0]
    assert result.n == np.count_nonzero(w) < len(y)
    assert result.mae == pytest.approx(np.abs(errors).mean()) and result.rmse == pytest.approx(np.sqrt(np.mean(errors**2)))
    samples = anabranch.evaluate(Model("scale(rls)"), zip(X.tolist(), y, w))
    assert np.array_equal(samples.predictions, result.predictions) and samples.rmse == result.rmse
    mixed = anabranch.evaluate(Model("scale(rls)"), [(X[0], y[0]), (X[1], y[1], 0.0), (X[2], y[2])])
    assert mixed.n == 2 and len(mixed.predictions) == 3
    with pytest.raises(anabranch.InputError, match="w has 3 values"):
        anabranch.evaluate(Model("linear"), X, y, w[:3])
    with pytest.raises(anabranch.InputError, match="row 1: the weight is negative"):
        anabranch.evaluate(Model("linear"), X, y, -w)
    with pytest.raises(TypeError, match="w needs y"):
        anabranch.evaluate(Model("linear"), [], w=w)


def sparse_data(n=300, d=40):
    sparse = pytest.importorskip("scipy.sparse")
    r = np.random.default_rng(3)
    dense = np.where(r.random((n, d)) < 0.1, r.normal(size=(n, d)), 0.0)
    dense[5] = 0
    return sparse, dense, dense[:, 0] - 2 * dense[:, 1] + 0.1 * r.normal(size=n)


@pytest.mark.parametrize("form", ["csr_matrix", "csr_array", "csc_array", "coo_array", "dok_array"])
def test_sparse_matrices_have_the_bits_of_dense_ones(form):
    sparse, dense, y = sparse_data()
    X, w = getattr(sparse, form)(dense), np.arange(len(y)) % 3 * 1.0
    model, twin = Model("scale(moe(linear, rls))"), Model("scale(moe(linear, rls))")
    model.learn_many(X, y, w)
    twin.learn_many(dense, y, w)
    assert model.equal(twin) and model.n_features == 40
    assert np.array_equal(model.predict_many(X), twin.predict_many(dense))
    assert np.array_equal(model.train_many(X, y), twin.train_many(dense, y)) and model.equal(twin)
    server, reader = anabranch.Server(model), anabranch.Reader(model)
    assert np.array_equal(reader.predict_many(X), twin.predict_many(dense))
    assert np.array_equal(server.train_many(X, y, w), twin.train_many(dense, y, w))
    assert np.array_equal(anabranch.evaluate(Model("linear"), X, y).predictions, anabranch.evaluate(Model("linear"), dense, y).predictions)


def test_wide_and_unusual_sparse_matrices():
    sparse, dense, y = sparse_data(70, 5000)
    wide = sparse.csr_array(dense.astype(np.float32))
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    model, twin = Model("linear"), Model("linear")
    model.learn_many(wide, y)
    twin.learn_many(dense.astype(np.float32), y)
    assert model.equal(twin)
    double = sparse.csr_array((np.array([1.0, 2.0, -0.0]), np.array([0, 0, 1]), np.array([0, 3, 3])), (2, 3))
    assert np.array_equal(Model("linear", 3).train_many(double, [1, 2]), Model("linear", 3).train_many(double.toarray(), [1, 2]))
    assert len(Model("linear", 3).predict_many(sparse.csr_array((0, 3)))) == 0
    slim = Model("linear", 3)
    for X, why in (
        (sparse.csr_array((2, 4)), "X has 4 columns, the model 3 features"),
        (sparse.csr_array([[1.0, np.inf, 0]]), "row 0: feature 1 is infinite; nothing was learned"),
        (sparse.csr_array([[1j, 0, 0]]), "complex"),
        (sparse.coo_array([1.0, 0, 0]), "X has 1 dimension"),
    ):
        with pytest.raises(anabranch.InputError, match=why):
            slim.learn_many(X, np.ones(X.shape[0]))
    bad = sparse.csr_array(np.eye(3))
    bad.indices[1] = 3
    with pytest.raises(anabranch.InputError, match="outside"):
        slim.learn_many(bad, [1, 2, 3])
    for call in (Model("linear").predict_one, slim.predict_one, lambda row: slim.predict_many([row])):
        with pytest.raises(TypeError, match="a row is a dict, a sequence of numbers or an array, not .*csr"):
            call(sparse.csr_array(np.eye(3)))
    typed = Model("linear", ["a", "b", "c"], schema={"a": "category"})
    with pytest.raises(anabranch.InputError, match="names or times"):
        typed.learn_many(sparse.csr_array(np.eye(3)), [1, 2, 3])


@pytest.mark.parametrize("of", [list, np.array, pytest.param("pandas", id="pandas"), pytest.param("polars", id="polars")])
def test_targets_that_are_durations_or_times_are_told_with_a_hint(of):
    if isinstance(of, str):
        of = pytest.importorskip(of).Series
    hour, day = np.timedelta64(3600, "s").item(), np.datetime64("2020-01-01", "us").item()
    for call in (Model("rls").learn_many, lambda X, y: anabranch.evaluate(Model("rls"), X, y)):
        with pytest.raises(anabranch.InputError, match=r"y holds durations, not numbers: give seconds: y.dt.total_seconds\(\)"):
            call([[1.0], [2.0]], of([hour, hour]))
        with pytest.raises(anabranch.InputError, match="y holds times, not numbers: give seconds"):
            call([[1.0], [2.0]], of([day, day]))
    for duration in (hour, np.timedelta64(hour)):
        with pytest.raises(anabranch.InputError, match="which is not a number: give its seconds; nothing"):
            Model("rls").learn_one([1.0], duration)
    with pytest.raises(anabranch.InputError, match="not a time; a duration is a number of seconds: 'number' in schema="):
        Model("rls", ["t"], schema={"t": "time"}).predict_one({"t": hour})


def test_targets_with_labels_in_another_order_are_told(recwarn):
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame({"a": [1.0, 2, 3]}, index=[7, 8, 9])
    y = pandas.Series([1.0, 2, 3], index=[9, 8, 7], name="y")
    calls = [Model("rls").learn_many, Model("rls").train_many, anabranch.Server(Model("rls", ["a"])).train_many]
    for call in (*calls, lambda *given: anabranch.evaluate(Model("rls"), *given)):
        call(X, y.loc[X.index])
        call(X, y.reset_index(drop=True), y.to_numpy())
        call(X, y.rename(dict(zip(y.index, "abc"))))
        assert not recwarn
        for given, name in (((X, y), "y"), ((X, y.loc[X.index], y), "w")):
            with pytest.warns(UserWarning, match=f"{name} has the labels of X in another order: .*by their places.*{name}.loc") as warned:
                call(*given)
            assert len(warned) == 1 and warned[0].filename == __file__
        recwarn.clear()
