"""Tables that come in pieces."""

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
        (whole.assign(a="x"), "frame 1, of the rows from 1000 on: feature 'a' is .* not a number"),
        (whole.assign(price="x"), "frame 1.*: y holds texts"),
        (whole.assign(a=np.inf), "row 1000: feature 'a' is infinite; the 1000 rows before"),
    ):
        model = Model("rls")
        with pytest.raises(InputError, match=why):
            model.learn_frames([whole, other], "price")
        assert model.n_samples_seen == 1000


def test_what_are_no_frames_is_told():
    whole = frame()[["a", "b", "price"]]
    model = Model("rls")
    for frames, y, kind, why in (
        ([whole], None, TypeError, "names of columns"),
        ([whole], whole["price"], TypeError, "names of columns"),
        ([whole], "cost", InputError, "y is the name of a column, and the first frame has no column 'cost'"),
        ([whole.to_numpy()], "price", TypeError, "frame 0 is a ndarray"),
        (whole.to_numpy(), "price", TypeError, "not a ndarray"),
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
