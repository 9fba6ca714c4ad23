"""Tables that come in pieces."""

import pickle
import numpy as np
import pytest

import anabranch
from anabranch import InputError, Model

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")


def frame(n=1000, seed=0):
    r = np.random.default_rng(seed)
    columns = {"b": r.normal(size=n), "store": r.choice(["x", "y", "z"], n), "a": r.normal(size=n)}
    columns["price"] = columns["a"] * 2 + (columns["store"] == "x")
    columns["share"] = r.integers(0, 3, n).astype(float)
    return pandas.DataFrame(columns)


def parts(whole, size=300):
    return (whole.iloc[i : i + size] for i in range(0, len(whole), size))


def batches(whole):
    return pyarrow.Table.from_pandas(whole, preserve_index=False).to_batches(max_chunksize=300)


KINDS = {
    "pandas": parts,
    "one frame": lambda whole: whole,
    "polars": lambda whole: (polars.from_pandas(part) for part in parts(whole)),
    "lazy": lambda whole: polars.from_pandas(whole).lazy(),
    "batches": batches,
    "stream": lambda whole: pyarrow.RecordBatchReader.from_batches(batches(whole)[0].schema, batches(whole)),
    "data set": lambda whole: pytest.importorskip("pyarrow.dataset").dataset(batches(whole)),
    "other order": lambda whole: (part[list(whole)[:: 1 - 2 * (i % 2)]] for i, part in enumerate(parts(whole))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_have_the_bits_of_the_whole(kind):
    whole = frame()
    X = whole[["b", "store", "a"]]
    model, twin = Model("scale(rls)"), Model("scale(rls)")
    assert model.learn_frames(KINDS[kind](whole), "price", "share") == 1000
    twin.learn_many(X, whole["price"], whole["share"])
    assert model.equal(twin) and model.features == ("a", "b", "store")
    parted = anabranch.evaluate(Model("scale(rls)"), KINDS[kind](whole), "price", "share", progress=True)
    at_once = anabranch.evaluate(Model("scale(rls)"), X, whole["price"], whole["share"])
    assert np.array_equal(parted.predictions, at_once.predictions) and parted.n == at_once.n == np.count_nonzero(whole["share"])


def test_a_stream_is_one_piece_for_pyarrow_before_15(monkeypatch):
    stream, twin = KINDS["stream"](frame()), Model("scale(rls)")
    monkeypatch.setattr(pyarrow, "RecordBatchReader", object)  # without from_stream
    model = Model("scale(rls)")
    model.learn_frames(stream, "price")
    twin.learn_frames(frame(), "price")
    assert model.equal(twin)


def test_the_target_of_the_model_is_the_column():
    whole = frame()[["a", "b", "price"]]
    model, twin = Model("rls", target="price"), Model("rls")
    assert model.learn_frames(parts(whole)) == 1000
    twin.learn_many(whole[["a", "b"]], whole["price"])
    assert np.array_equal(model.predict_many(whole), twin.predict_many(whole[["a", "b"]]))


def test_frames_that_differ_are_told():
    whole = frame()[["a", "b", "price"]]
    for other, why in (
        (whole.drop(columns="b"), "frame 1, of the rows from 1000 on: it has no column 'b', which .*; the 1000 rows before it were learned"),
        (whole.assign(c=1), "it has a column 'c', which the frames before it have not"),
        (whole.assign(a="x"), "frame 1, of the rows from 1000 on: row 1000: feature 'a' is .* not a number"),
        (whole.assign(price="x"), "frame 1.*: y holds texts"),
        (whole.assign(a=np.inf), "row 1000: feature 'a' is infinite; the 1000 rows before"),
    ):
        model = Model("rls")
        with pytest.raises(InputError, match=why):
            model.learn_frames([whole, other], "price")
        assert model.n_samples_seen == 1000


COLUMNS = {
    "texts": ["x", "y", "z"],
    "digits": ["1", "2", "3"],
    "numbers": [1, 2, 3],
    "objects": np.array([1, 2.5, None], object),
    "mixed": np.array([1, "y", 3], object),
    "booleans": [True, False, True],
    "times": pandas.date_range("2024-01-01", periods=3),
    "gaps": [np.nan] * 3,
    "declared": pandas.Categorical(["x", "y", "x"]),
}
NUMBER = "frame 1, of the rows from 3 on: row {}: feature 'a' is .*, which is not a number"
HELD = "frame 1, of the rows from 3 on: column 'a' holds {} and held {} before: give it one type in all frames, or say what it is: schema={{'a': '{}'}}; the 3 rows"
REFUSED = {
    ("numbers", "texts"): NUMBER.format(3),
    ("numbers", "digits"): NUMBER.format(3),
    ("objects", "mixed"): NUMBER.format(4),
    ("numbers", "times"): NUMBER.format(3),
    ("gaps", "texts"): NUMBER.format(3),
    ("numbers", "declared"): NUMBER.format(3),
    ("texts", "numbers"): HELD.format("numbers", "texts", "category"),
    ("digits", "numbers"): HELD.format("numbers", "texts", "category"),
    ("texts", "objects"): HELD.format("numbers", "texts", "category"),
    ("texts", "booleans"): HELD.format("booleans", "texts", "category"),
    ("texts", "times"): HELD.format("times", "texts", "category"),
    ("times", "numbers"): HELD.format("numbers", "times", "time"),
    ("times", "texts"): "row 3: .* is not a time",
}
TAKEN = [("texts", "mixed"), ("texts", "gaps"), ("texts", "declared"), ("mixed", "numbers"), ("declared", "numbers"), ("numbers", "objects"),
         ("numbers", "gaps"), ("numbers", "booleans"), ("times", "gaps"), ("gaps", "numbers")]


def of_kind(kind, library=lambda frame: frame):
    return library(pandas.DataFrame({"a": COLUMNS[kind], "price": [1.0, 2.0, 3.0]}))


@pytest.mark.filterwarnings("ignore:column 'a' holds .*read as names; make")
@pytest.mark.parametrize("first, then", [*REFUSED, *TAKEN])
def test_a_column_holds_the_same_in_all_frames(first, then):
    model = Model("scale(rls)")
    if (first, then) in REFUSED:
        with pytest.raises(InputError, match=REFUSED[first, then].replace("{", r"\{")):
            model.learn_frames([of_kind(first), of_kind(then)], "price")
        assert model.n_samples_seen == 3
    else:
        assert model.learn_frames([of_kind(first), of_kind(then)], "price") == 6


@pytest.mark.parametrize("held", [None, "", "{", "[]", "null", '{"a":["x"]}'])
def test_files_without_what_columns_held_are_read(held):
    model = Model("scale(rls)")
    model.learn_many(of_kind("texts"), [1, 2, 3])
    old = anabranch.load(data=model._bytes(held))
    assert old.equal(model) and old.predict_many(of_kind("texts")).tolist() == model.predict_many(of_kind("texts")).tolist()


@pytest.mark.filterwarnings("ignore:column 'a' holds texts such as")
@pytest.mark.parametrize("library", [lambda frame: frame, polars.from_pandas, pyarrow.Table.from_pandas])
def test_a_later_frame_that_holds_something_else_warns(library, tmp_path):
    model = Model("scale(rls)", target="price")
    model.learn_many(of_kind("digits", library), [1, 2, 3])
    numbers = of_kind("numbers", library)
    server = anabranch.Server(model)
    model.save(tmp_path / "m.anb")
    assert (tmp_path / "m.anb").read_bytes() == model.to_bytes()
    loaded = [anabranch.load(tmp_path / "m.anb"), anabranch.load(data=model.to_bytes()), pickle.loads(pickle.dumps(model))]
    assert {m.to_bytes() for m in loaded} == {model.to_bytes()}
    for asked in (model, model.copy(), server.reader(), server.model(), anabranch.Reader(model), *loaded):
        with pytest.warns(UserWarning, match="column 'a' holds numbers and held texts before: they are read as names; give") as told:
            found = asked.predict_many(numbers)
        assert told[0].filename == __file__ and np.array_equal(found, model.predict_many(of_kind("digits", library)))
    for call in (lambda: anabranch.evaluate(model.copy(), numbers, [1, 2, 3]), lambda: model.explain({"a": "1"}, numbers)):
        with pytest.warns(UserWarning, match="column 'a' holds numbers and held texts before") as told:
            call()
        assert told[0].filename == __file__
    with pytest.raises(InputError, match="column 'a' holds numbers and held texts before"):
        model.learn_frames([numbers])
    with pytest.raises(InputError, match="frame 1.* column 'a' holds numbers and held texts before"):
        anabranch.evaluate(Model("scale(rls)"), [of_kind("digits", library), numbers], "price")
    for kind in ("digits", "gaps", "declared"):
        model.predict_many(of_kind(kind, library))
    stated = Model("scale(rls)", schema={"a": "category"})
    assert stated.learn_frames([of_kind("digits", library), numbers, of_kind("texts", library)], "price") == 9


def test_rows_that_cannot_be_read_are_named():
    rows = [{"a": 1.0}] * 1500 + [{"a": "x"}]
    for call, why in (
        (lambda: Model("rls").learn_many(rows, np.ones(1501)), "^row 1500: feature 'a' is .* not a number"),
        (lambda: anabranch.evaluate(Model("rls"), ((x, 1.0) for x in rows)), "^row 1500: feature 'a'"),
        (lambda: Model("rls", ["a"]).learn_many(pandas.DataFrame({"a": [1, [2], 3]}), np.ones(3)), "^row 1: feature 'a'"),
        (lambda: Model("rls", ["a"], bad_rows="skip").predict_many([[1], ["x"]]), "^row 1: feature 'a' is .* not a number"),
        (lambda: Model("rls", ["a"]).predict_many(pandas.DataFrame({"a": ["1", "2.5", "?", "-"]})), "^row 2: feature 'a' is .*'\\?'"),
        (lambda: Model("rls", ["a"]).predict_many(pandas.DataFrame({"a": ["1", "2.5", None]})), "^row 0: feature 'a' is .*'1'"),
        (lambda: Model("rls", schema={"a": "time"}).predict_many(pandas.DataFrame({"a": pandas.Categorical([None, "1", "x", "1"])})), "^row 1: .*\"1\""),
    ):
        with pytest.raises(InputError, match=why):
            call()


def test_what_are_no_frames_is_told():
    whole = frame()[["a", "b", "price"]]
    model = Model("rls")
    for frames, y, kind, why in (
        ([whole], None, TypeError, "names of columns"),
        ([whole], whole["price"], TypeError, "names of columns"),
        ([whole], "cost", InputError, "y is the name of a column, and the first frame has no column 'cost'"),
        ([whole.to_numpy()], "price", TypeError, "frame 0 is an ndarray"),
        (whole.to_numpy(), "price", TypeError, "not an ndarray"),
        ("big.csv", "price", TypeError, "not a str"),
        (pyarrow.chunked_array([[1.0]]), "price", InputError, "of no table"),
    ):
        with pytest.raises(kind, match=why):
            model.learn_frames(frames, y)
    with pytest.raises(InputError, match="'a' is y and a feature"):
        Model("rls", ["a", "b"]).learn_frames([whole], "a")
    for frames in (whole, [whole], polars.from_pandas(whole).lazy()):
        with pytest.raises(TypeError, match="frames need y"):
            anabranch.evaluate(model, frames)
    with pytest.raises(TypeError, match="evaluate take names"):
        model.learn_many(whole, "price")
    assert model.learn_frames([], "price") == 0 and model.n_features is None


def test_a_generator_of_frames_is_not_read_to_its_end_before_it_is_refused():
    more = parts(frame())
    with pytest.raises(TypeError, match="learn_frames"):
        Model("rls").learn_many(more, [1])
    assert len(next(more)) == 300
