"""Columns whose dtype does not say what they hold: their values do, as in dicts."""

import contextlib
import datetime
import pickle
import uuid
import warnings
from decimal import Decimal

import numpy as np
import pytest

import anabranch
from anabranch import Model

pandas, polars, pyarrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))

DAYS = [datetime.date(2020, 1, 1 + i % 28) for i in range(40)]
MOMENTS = [datetime.datetime(2020, 1, 1, i % 24, tzinfo=datetime.UTC) for i in range(40)]
HOLDINGS = {
    "dates": DAYS,
    "datetimes": MOMENTS,
    "timestamps": [pandas.Timestamp(m) for m in MOMENTS],
    "numpy times": [np.datetime64(d) for d in DAYS],
    "dates and datetimes": DAYS[:20] + MOMENTS[20:],
    "floats": [i % 9 + 0.5 for i in range(40)],
    "integers": [i % 9 for i in range(40)],
    "floats, integers and booleans": [0.5, 3, True, 1] * 10,
    "decimals": [Decimal(i % 9) / 4 for i in range(40)],
    "numpy numbers": [np.float32(0.5), np.int8(3)] * 20,
    "durations": [datetime.timedelta(hours=i % 7) for i in range(40)],
    "booleans": [i % 3 == 0 for i in range(40)],
    "texts": ["a", "b", "c", "a"] * 10,
    "periods": [pandas.Period("2020-01", "M") + i % 5 for i in range(40)],
    "durations of pandas": [pandas.Timedelta(hours=i % 7) for i in range(40)],
    "intervals": list(pandas.cut(np.arange(40.0) % 9, 4)),
    "uuids": [uuid.UUID(int=i % 3) for i in range(40)],
}


@pytest.mark.parametrize("holding", HOLDINGS)
@pytest.mark.parametrize("missing", [False, True])
def test_values_decide_as_in_dicts(holding, missing):
    values = list(HOLDINGS[holding])
    if missing:
        values[5::7] = [None] * len(values[5::7])
    y = np.arange(40.0) % 5
    rows = Model("auto(budget=5)")
    rows.learn_many([{"it": v, "b": float(i % 4)} for i, v in enumerate(values)], y)
    b = np.arange(40.0) % 4
    frames = [pandas.DataFrame({"it": pandas.Series(values, dtype=object), "b": b})]
    if holding not in ("booleans", "texts"):
        frames.append(polars.DataFrame({"it": polars.Series(values, dtype=polars.Object), "b": b}))
    for frame in frames:
        model = Model("auto(budget=5)")
        model.learn_many(frame, y)
        assert model.equal(rows) and model.schema == rows.schema


@pytest.mark.parametrize("nothing", [None, float("nan"), pandas.NA, pandas.NaT])
def test_missing_cells_say_nothing(nothing):
    y = [1.0, 2.0, 3.0]
    frame = pandas.DataFrame({"day": pandas.Series([DAYS[0], nothing, DAYS[1]], dtype=object), "n": pandas.Series([1, nothing, 2.5], dtype=object)})
    model = Model("auto(budget=5)")
    model.learn_many(frame, y)
    assert dict(model.schema) == {"day": "time", "n": "number"}
    with pytest.raises(anabranch.InputError, match="row 1: feature .* is missing"):
        Model("linear").learn_many(frame[["n"]], y)


@pytest.mark.parametrize("library", [lambda frame: frame, polars.from_pandas, pyarrow.Table.from_pandas, lambda frame: frame.to_dict("records")])
def test_a_schema_of_some_columns_leaves_the_others_to_the_frame(library):
    frame = pandas.DataFrame({"when": [f"{i}/10/2020" for i in range(1, 31)], "shop": ["a", "b", "c"] * 10, "n": range(30), "b": [True, False] * 15})
    y = np.arange(30.0) % 7
    model, whole = Model("scale(rls)", schema={"when": "time-dmy"}), Model("scale(rls)", schema={"when": "time-dmy", "shop": "category", "b": "boolean"})
    for m in (model, whole):
        m.learn_many(library(frame), y)
    assert dict(model.schema) == {"b": "boolean", "n": "number", "shop": "category", "when": "time-dmy"}
    assert model.equal(whole) and pickle.loads(pickle.dumps(model)).equal(whole)
    for taken in (Model("scale(rls)", schema={"n": "category"}), pickle.loads(pickle.dumps(Model("scale(rls)", schema={"n": "category"})))):
        taken.learn_many(library(frame[["n", "b"]]), y)
        assert dict(taken.schema) == {"b": "boolean", "n": "category"}
    with pytest.raises(anabranch.InputError, match="the schema names 'town', which is no feature"):
        Model("scale(rls)", schema={"town": "category"}).learn_many(library(frame[["n"]]), y)
    with pytest.raises(anabranch.InputError, match="is not a number; schema="):
        Model("scale(rls)", ["shop", "n"], schema={"n": "category"}).learn_many(library(frame), y)
    with pytest.warns(UserWarning, match="'when'.*schema={'when': 'time-dmy'}"):
        Model("scale(rls)", schema={"n": "category"}).learn_many(library(frame[["when", "n"]]), y)


def test_columns_without_values_take_numbers_and_texts():
    for frame in (
        pandas.DataFrame({"it": pandas.Series([None, None], dtype=object)}),
        polars.DataFrame({"it": [None, None]}),
        pyarrow.table({"it": pyarrow.nulls(2)}),
    ):
        model = Model("auto(budget=5)")
        model.learn_many(frame, [1, 2])
        assert dict(model.schema) == {"it": "code"}
        model.learn_one({"it": "a"}, 1)
        model.learn_one({"it": 2.5}, 1)


@pytest.mark.parametrize("values, words", [(["a", 1, None], "numbers and texts"), ([DAYS[0], "today", 2], "numbers and texts and times")])
def test_mixed_columns_warn_and_say_what_to_do(values, words):
    for column, table in ((pandas.Series(values, dtype=object), pandas.DataFrame), (polars.Series(values, dtype=polars.Object), polars.DataFrame)):
        frame, model = table({"it": column}), Model("auto(budget=5)")
        with pytest.warns(UserWarning, match=f"'it' holds {words}: it is read as names; .* schema=") as told:
            model.learn_many(frame, [1, 2, 3])
        assert dict(model.schema) == {"it": "category"} and told[0].filename == __file__
        said = Model("auto(budget=5)", schema={"it": "category"})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.predict_many(frame)
            said.learn_many(frame, [1, 2, 3])


@pytest.mark.parametrize("texts, look", [(["2020-01-05", None, "2020-01-06 10:00"], "time"), (["1.5", "-2", "x"], None), (["02/10/2020", "13/10/2020", ""], "time-dmy"), (["10/02/2020", "10/13/2020 9:00", None], "time-mdy"), (["1.5", "-2.5", "1e3"], "number"), (["17", "18", "19"], None)])
def test_texts_that_look_like_numbers_or_times_warn(texts, look):
    frame = pandas.DataFrame({"it": pandas.Series(texts, dtype=object)})
    for table in (frame, polars.DataFrame({"it": texts}), pyarrow.table({"it": texts}), frame.astype("string")):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            model = Model("scale(tree)")
            model.learn_many(table, [1, 2, 3])
        assert [w.filename for w in told] == ([__file__] if look else []) and dict(model.schema) == {"it": "category"}
        assert look is None or f"schema={{'it': '{look}'}}" in str(told[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Model("scale(tree)").learn_many(frame.astype("category"), [1, 2, 3])
        Model("scale(tree)").learn_many(polars.DataFrame({"it": texts}).with_columns(polars.col("it").cast(polars.Categorical)), [1, 2, 3])
        Model("scale(tree)", schema={"it": "category"}).learn_many(frame, [1, 2, 3])


def test_arrow_dtypes_of_pandas():
    y = np.arange(40.0)
    for holding in ("dates", "datetimes", "decimals", "durations", "texts", "floats"):
        values = [*HOLDINGS[holding][:-1], None]
        table = pyarrow.table({"it": values})
        one, other = Model("auto(budget=5)"), Model("auto(budget=5)")
        one.learn_many(table, y)
        other.learn_many(pandas.DataFrame({"it": pandas.Series(values, dtype=pandas.ArrowDtype(table.schema.field("it").type))}), y)
        assert one.equal(other) and one.schema == other.schema, holding


def test_scikit_learn():
    pytest.importorskip("sklearn")
    from anabranch.sklearn import AnabranchRegressor

    y = np.arange(40.0) % 5
    numbers = pandas.DataFrame({"it": HOLDINGS["floats"], "b": y})
    numbers.loc[3, "it"] = np.nan
    said = AnabranchRegressor().fit(numbers, y).predict(numbers)
    for nothing in (None, pandas.NA):
        objects = numbers.astype({"it": object})
        objects.loc[3, "it"] = nothing
        assert np.array_equal(AnabranchRegressor().fit(objects, y).predict(numbers), said)
        assert np.array_equal(AnabranchRegressor().fit(numbers, y).predict(objects), said)
        assert objects["it"].dtype == object
    times = pandas.DataFrame({"it": pandas.Series(DAYS, dtype=object), "b": y})
    assert dict(AnabranchRegressor().fit(times, y).model_.schema) == {"b": "number", "it": "time"}
    with pytest.raises(anabranch.InputError, match="two columns are named 'it'"):
        AnabranchRegressor().fit(times.set_axis(["it", "it"], axis=1), y)


def arrow_columns():
    big = 2**60 + np.arange(40) % 5
    tensor = pyarrow.FixedShapeTensorArray.from_numpy_ndarray(np.ones((40, 2)))
    bytes_of = getattr(pyarrow, "bool8", pyarrow.bool_)  # since pyarrow 18
    return {
        "integers beyond 2**53": (pyarrow.array(big), big.astype(float), "number"),
        "run ends": (pyarrow.RunEndEncodedArray.from_arrays([20, 40], [1.0, 2.5]), np.repeat([1.0, 2.5], 20), "number"),
        "booleans of 8 bits": (pyarrow.array([1, 0] * 20, pyarrow.int8()).cast(bytes_of()), np.array([True, False] * 20), "boolean"),
        "months and days": (pyarrow.array([pyarrow.MonthDayNano([1, 2, 3])] * 40), None, "category"),
        "tensors": (tensor, None, None),
    }


@pytest.mark.parametrize("name", arrow_columns())
def test_columns_of_arrow(name):
    column, like, kind = arrow_columns()[name]
    y, b = np.arange(40.0) % 5, pandas.Series(["u", "v"] * 20)
    model, other = Model("auto(budget=5)"), Model("auto(budget=5)")
    if kind is None:
        with pytest.raises(anabranch.InputError, match="which is not a name"):
            model.learn_many(pyarrow.table({"it": column, "b": pyarrow.array(b)}), y)
        return
    model.learn_many(pyarrow.table({"it": column, "b": pyarrow.array(b)}), y)
    assert model.schema["it"] == kind
    if like is not None:
        other.learn_many(pandas.DataFrame({"it": like, "b": b}), y)
        assert model.equal(other)


def test_a_series_is_a_row():
    frame = pandas.DataFrame({"b": [1.5, None, 2.5] * 9, "a": ["u", "v", None] * 9, "t": pandas.date_range("2020-01-01", periods=27, tz="Europe/Berlin")})
    by_series, by_dict = Model("scale(tree)"), Model("scale(tree)")
    for (_, series), row in zip(frame.iterrows(), frame.to_dict("records")):
        by_series.learn_one(series, 1.0)
        by_dict.learn_one(row, 1.0)
    assert by_series.equal(by_dict) and by_series.schema == by_dict.schema
    with pytest.raises(anabranch.InputError):
        Model("linear", ["a"]).learn_one(pandas.Series([1.0, 2.0], index=["a", "a"]), 1.0)


def test_two_columns_of_one_name_in_arrow():
    table = pyarrow.table([[1.0, 2.0], [1.0, 2.0]], names=["a", "a"])
    for model in (Model("linear"), Model("linear", ["a"])):
        with pytest.raises(anabranch.InputError, match="two columns are named 'a'"):
            model.learn_many(table, [1, 2])


@pytest.mark.parametrize("cell", [[1, 2], np.ones(2), {"a": 1}, {1}, polars.Series([1, 2])])
def test_lists_and_arrays_are_no_cells(cell):
    column = pandas.Series([cell] * 3, dtype=object)
    with pytest.raises(anabranch.InputError, match="which is not a name"):
        Model("linear").learn_many(pandas.DataFrame({"it": column}), [1, 2, 3])
    with pytest.raises(anabranch.InputError, match="which is not a number"):
        Model("linear").learn_one({"it": cell}, 1)


def test_several_tables_and_streams_of_no_table_are_told():
    frame = pandas.DataFrame({"a": [1.0, 2.0]})
    for tables in ([frame], iter([polars.DataFrame(frame)]), pyarrow.table(frame).to_batches()):
        with pytest.raises(TypeError, match="a table, not several, the first a (DataFrame|RecordBatch): Model.learn_frames takes"):
            Model("linear").learn_many(tables, [1, 2])
    with pytest.raises(anabranch.InputError, match="stream of no table"):
        Model("linear").learn_many(pyarrow.chunked_array([[1.0, 2.0]]), [1, 2])


def test_arrays_that_offer_arrow_are_arrays():
    xarray = pytest.importorskip("xarray")
    X, y = np.arange(12.0).reshape(4, 3), [1.0, 2.0, 3.0, 4.0]
    for table in (xarray.DataArray(X, dims=("row", "column")), memoryview(X)):
        model, other = Model("scale(rls)"), Model("scale(rls)")
        model.learn_many(table, y)
        other.learn_many(X, y)
        assert model.equal(other) and len(model.predict_many(table)) == 4


@pytest.mark.parametrize("kind", ["category", "code", None])
def test_columns_that_keep_each_text_once(kind):
    texts = ["b", None, "a", "b", "c", "7"] * 20
    y, schema = np.arange(120.0) % 5, kind and {"it": kind}
    rows = Model("scale(rls)", schema=schema)
    rows.learn_many([{"it": t} for t in ["b", *texts]], [0.0, *y])
    wide = pandas.Categorical(texts, categories=["c", "b", "7", "a", *map(str, range(100, 300))])
    codes = pyarrow.chunked_array([pyarrow.array(texts[:50]).dictionary_encode(), pyarrow.array(texts[50:]).dictionary_encode()])
    for frame in (
        pandas.DataFrame({"it": pandas.Categorical(texts)}),
        pandas.DataFrame({"it": wide}),
        pyarrow.table({"it": codes}),
        pyarrow.table({"it": pyarrow.array(texts, pyarrow.large_string())}),
        pandas.DataFrame({"it": pandas.Series(texts, dtype=pandas.ArrowDtype(pyarrow.dictionary(pyarrow.int32(), pyarrow.string())))}),
    ):
        model = Model("scale(rls)", schema=schema)
        model.learn_one({"it": "b"}, 0.0)
        model.learn_many(frame, y)
        assert model.equal(rows)


@pytest.mark.parametrize("narrow", ["float32", "float64"])
@pytest.mark.parametrize("missing", [False, True])
def test_numbers_of_a_column_of_names_are_those_of_a_file(narrow, missing):
    numbers = np.array([12, 0.1, 7.5, 1e6, 0.1, 12] * 5, narrow)
    if missing:
        numbers[3::6] = np.nan
    y = np.arange(30.0) % 5
    nullable = pandas.Series([None if n != n else n for n in numbers], dtype=narrow.capitalize())
    arrow = pyarrow.table({"it": pyarrow.array(nullable)})
    texts = ["" if n != n else "1000000" if n == 1e6 else str(n).removesuffix(".0") for n in numbers]
    rows = Model("scale(rls)", schema={"it": "category"})
    rows.learn_many(pandas.DataFrame({"it": texts}), y)
    decimals = [None if n != n else Decimal(str(n)) for n in numbers]
    for frame in (
        pandas.DataFrame({"it": numbers}),
        pandas.DataFrame({"it": nullable}),
        pandas.DataFrame({"it": pandas.Categorical(numbers)}),
        pandas.DataFrame({"it": pandas.Categorical(numbers, categories=np.unique([*numbers[numbers == numbers], *np.arange(40).astype(narrow)]))}),
        pandas.DataFrame({"it": pandas.Series(decimals, dtype=object)}),
        pandas.DataFrame({"it": pandas.Series(nullable, dtype=pandas.ArrowDtype(arrow["it"].type))}),
        polars.DataFrame({"it": numbers}),
        polars.DataFrame(arrow),
        polars.DataFrame({"it": decimals}),
        arrow,
        pyarrow.table({"it": decimals}),
        [{"it": n} for n in numbers],
        [[n] for n in numbers],
        numbers[:, None],
    ):
        model = Model("scale(rls)", ["it"], schema={"it": "category"})
        model.learn_many(frame, y)
        assert model.equal(rows), type(frame)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_any_zone_and_unit_are_those_of_utc(unit):
    utc = pandas.Series(pandas.date_range("2021-10-30 20:00", periods=40, freq="15min", tz="UTC"))
    utc[7] = pandas.NaT
    y, plain = np.arange(40.0) % 5, Model("scale(tree)")
    plain.learn_many(pandas.DataFrame({"when": utc.dt.tz_localize(None)}), y)
    berlin = pandas.DataFrame({"when": utc.dt.tz_convert("Europe/Berlin").dt.as_unit(unit)})
    zoned = pyarrow.timestamp("ms" if unit == "s" else unit, "Europe/Berlin")  # polars has no seconds
    arrow = pyarrow.table({"when": pyarrow.array(berlin["when"]).cast(zoned)})
    for table in (berlin, arrow, polars.DataFrame(arrow), berlin.astype({"when": pandas.ArrowDtype(zoned)}), berlin.to_dict("records")):
        model = Model("scale(tree)", schema={"when": "time"})
        model.learn_many(table, y)
        assert model.equal(plain)


def test_a_model_without_names_reads_frames_by_the_places_of_their_columns():
    X = np.arange(60.0).reshape(30, 2) % 7
    model = Model("scale(rls)")
    model.learn_many(X, X @ [1.0, 2.0])
    frame = pandas.DataFrame(X, columns=["b", "a"])
    for table in (frame, frame.astype("float32"), frame.convert_dtypes(), polars.DataFrame(frame), pyarrow.table(frame)):
        assert np.array_equal(model.predict_many(table), model.predict_many(X))
        assert np.array_equal(anabranch.Reader(model).predict_many(table), model.predict_many(X))
    with pytest.raises(anabranch.InputError, match="row 0: feature 1 is a str"):
        model.predict_many(frame.assign(a="x"))
    with pytest.raises(anabranch.InputError, match="column 'a' holds times of day"):
        model.predict_many(pyarrow.table({"b": [1.0], "a": [datetime.time(1)]}))


def test_sparse_columns_are_those_of_their_values():
    values = [1.5, 0.0, 3.0, np.nan] * 10
    for kind in ("number", "category", "time", "code"):
        dense, sparse = (Model("scale(rls)", schema={"a": kind}) for _ in range(2))
        dense.learn_many(pandas.DataFrame({"a": values}), np.arange(40.0))
        sparse.learn_many(pandas.DataFrame({"a": pandas.arrays.SparseArray(values, fill_value=0.0)}), np.arange(40.0))
        assert sparse.equal(dense)


@pytest.mark.parametrize("holding", ["dates", "timestamps", "durations of pandas", "periods", "intervals", "integers", "booleans"])
def test_a_categorical_is_named_by_its_values(holding):
    y = np.arange(40.0) % 5
    frame = pandas.DataFrame({"a": pandas.Series(HOLDINGS[holding]).astype("category")})
    rows, table = (Model("scale(tree)", schema={"a": "category"}) for _ in range(2))
    rows.learn_many([{"a": v} for v in frame["a"]], y)
    table.learn_many(frame, y)
    assert table.equal(rows)


def libraries(values):
    """Tables of a column of these values, as objects, as their library guesses and as categories where it can."""
    guess = pandas.Series(values)
    yield pandas.DataFrame({"a": pandas.Series(values, dtype=object)})
    yield pandas.DataFrame({"a": guess})
    yield pandas.DataFrame({"a": guess.astype("category")})
    with contextlib.suppress(pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError, pyarrow.ArrowTypeError):
        chunks = pyarrow.chunked_array([values[:100], values[100:]])
        yield pyarrow.table({"a": chunks})
        yield pyarrow.table({"a": chunks.dictionary_encode()}).slice(3)
        yield pyarrow.table({"a": chunks.dictionary_encode()}).slice(len(values) - 3)
        yield polars.DataFrame(pyarrow.table({"a": chunks}))
        if pyarrow.types.is_string(chunks.type):
            yield polars.DataFrame({"a": polars.Series(values, dtype=polars.Categorical)})
            yield polars.DataFrame({"a": polars.Series(values, dtype=polars.Enum(sorted(set(values) - {None})))})


@pytest.mark.parametrize("holding", ["texts", "texts of digits", "integers", "booleans", "dates", "datetimes", "decimals", "floats", "uuids"])
@pytest.mark.parametrize("kind", ["category", "code", "number", "time", "boolean"])
def test_long_columns_are_read_as_their_cells(holding, kind):
    values = (HOLDINGS | {"texts of digits": ["7", "1", "0", "7"] * 10})[holding] * 8
    values[5::7] = [None] * len(values[5::7])
    read = 0
    for table in libraries(values):
        cells, model = table.to_pylist() if isinstance(table, pyarrow.Table) else None, {"schema": {"a": kind}}
        cells = cells or (table.to_dicts() if isinstance(table, polars.DataFrame) else [{"a": v} for v in table["a"].astype(object)])
        rows, columns = Model("scale(tree)", **model), Model("scale(tree)", **model)
        y = np.arange(float(len(cells))) % 5
        try:
            rows.learn_many(cells, y)
        except anabranch.InputError as error:
            with pytest.raises(anabranch.InputError) as caught:
                columns.learn_many(table, y)
            assert str(caught.value) == str(error)
        else:
            columns.learn_many(table, y)
            assert columns.equal(rows), (table, kind)
            read += 1
    assert read or kind not in ("category", "code") or holding in ("dates", "datetimes", "uuids")


def test_a_value_that_stands_often_is_read_once():
    class Counting(Model):
        n = 0

        def _cells(self, j, cells, out):
            self.n += len(cells)
            super()._cells(j, cells, out)

    tables = list(libraries(["Ulm", "Bonn", None, "Jena"] * 100))
    assert len(tables) == 9
    for table in tables:
        model = Counting("scale(rls)", schema={"a": "category"})
        model.learn_many(table, np.zeros(len(table)))
        assert 3 <= model.n <= 5


def test_times_in_rows_are_those_of_columns():
    local = datetime.timezone(datetime.timedelta(minutes=53, seconds=28))  # of Berlin before 1893
    random = np.random.default_rng(5)
    moments = [
        datetime.datetime(1677, 9, 22, tzinfo=local if i % 2 else datetime.UTC) + datetime.timedelta(microseconds=int(us))
        for i, us in enumerate(random.integers(0, 584 * 365 * 86_400_000_000, 300))
    ]
    y = np.arange(300.0) % 7
    frame = pandas.DataFrame({"a": pandas.to_datetime(moments, utc=True)})
    table, other = Model("scale(tree)", schema={"a": "time"}), Model("scale(tree)", schema={"a": "time"})
    table.learn_many(frame, y)
    other.learn_many(polars.DataFrame(frame).with_columns(polars.col("a").dt.convert_time_zone("Asia/Tokyo")), y)
    assert other.equal(table)
    naive = [m.astimezone(datetime.UTC).replace(tzinfo=None) for m in moments]

    class Moment(datetime.datetime):
        pass

    for cells in (moments, naive, list(map(pandas.Timestamp, moments)), list(map(pandas.Timestamp, naive)),
                  [Moment(*m.timetuple()[:6], m.microsecond) for m in naive]):
        rows = Model("scale(tree)", schema={"a": "time"})
        rows.learn_many([{"a": cell} for cell in cells], y)
        assert rows.equal(table)
    read = np.empty(2)
    table._cells(0, [datetime.date(1, 1, 1), datetime.date(9999, 12, 31)], read)
    assert read.tolist() == [-62135596800, 253402214400]


def test_a_duration_is_one_after_numbers_of_numpy():
    model = Model("linear", 1)
    read = np.empty(6)
    cells = [np.float32(2), np.timedelta64(2, "m"), np.array(2.0), np.array(2, "m8[h]"), np.float32(3), np.timedelta64(3, "h")]
    model._cells(0, cells, read)
    assert read.tolist() == [2, 120, 2, 7200, 3, 10800]


def test_unused_categories_are_not_read_and_cells_without_a_hash_are_told():
    model = Model("scale(rls)", features=["a"], schema={"a": "time"})
    days = pandas.Series(["2024-01-01"] * 300).astype(pandas.CategoricalDtype(["2024-01-01", "never"]))
    said = model.predict_many(pandas.DataFrame({"a": days}))
    arrow = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 300), pyarrow.array(["2024-01-01", "never"]))
    assert np.array_equal(model.predict_many(pyarrow.table({"a": arrow})), said)
    for cells in ([["x"]] * 300, [{"x": 1}] * 300):
        for table in (pandas.DataFrame({"a": cells}), pyarrow.table({"a": cells})):
            with pytest.raises(anabranch.InputError, match="^row 0: feature 'a' is a (list|dict|ndarray): "):
                Model("scale(rls)", schema={"a": "category"}).learn_many(table, np.zeros(300))


def test_a_wide_frame_with_a_column_of_texts():
    frame = pandas.DataFrame(np.ones((4, 6000)), columns=[f"c{i}" for i in range(6000)]).assign(c5="x")
    for table in (frame, polars.DataFrame(frame), pyarrow.table(frame)):
        model = Model("linear")
        model.learn_many(table, np.ones(4))
        assert model.schema["c5"] == "category" and model.schema["c7"] == "number"


def test_a_name_that_is_not_utf8_is_refused_beside_a_schema():
    with pytest.raises(UnicodeEncodeError):
        Model("scale(rls)", schema={"a": "number"}).learn_many(pandas.DataFrame({"a": [1.0], "\udc80": [2.0]}), [1.0])


def test_texts_of_digits_are_told_of_beside_a_column_of_names():
    for schema in (None, {"shop": "category"}):
        with pytest.warns(UserWarning, match="1 feature is read as names, not as numbers.*'n': '17'"):
            Model("scale(rls)", schema=schema).learn_one({"shop": "a", "n": "17"}, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Model("scale(rls)", schema={"size": "number"}).learn_one({"size": 1, "n": "17"}, 1.0)


HELD = {
    "day": DAYS,
    "flag": [True, False, None, True] * 10,
    "name": ["a", "b", None, "c"] * 10,
    "number": [0.5, None, 3, Decimal("1.25")] * 10,
    "seconds": [datetime.timedelta(seconds=i % 5) for i in range(40)],
    "when": [*MOMENTS[:39], None],
}
HOLDERS = {
    "scalars of pyarrow": pyarrow.scalar,
    "arrays without dimensions": np.array,
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_holds_a_value_is_read_as_that_value(holder):
    hold = HOLDERS[holder]
    y = [float(i % 5) for i in range(40)]
    rows = [dict(zip(HELD, cells)) for cells in zip(*HELD.values())]
    held = [{name: hold(value) for name, value in row.items()} for row in rows]
    plain, dicts, lists, bulk, frame = (Model("auto(budget=5)") for _ in range(5))
    for row, target in zip(rows, y):
        plain.learn_one(row, target)
    for row, target in zip(held, y):
        dicts.learn_one(row, hold(target))
    lists.learn_one(held[0], y[0])
    for row, target in zip(held[1:], y[1:]):
        lists.learn_one([row[name] for name in lists.features], target)
    bulk.learn_many(held, y)
    frame.learn_many(pandas.DataFrame({name: pandas.Series([row[name] for row in held], dtype=object) for name in HELD}), y)
    for model in (dicts, lists, bulk, frame):
        assert model.equal(plain) and model.schema == plain.schema
    assert plain.schema["day"] == plain.schema["when"] == "time" and plain.schema["name"] == "category"
    with pytest.raises(Exception, match="finite"):
        dicts.learn_one(held[0], hold(None))


def test_a_number_that_is_held_has_the_name_of_its_width():
    model = Model("auto(budget=2)", ["a"], schema={"a": "category"})
    for i in range(20):
        model.learn_one([["0.1", "3", "True"][i % 3]], i % 3)
    for cells in (
        ["0.1", np.float32(0.1), pyarrow.scalar(0.1), pyarrow.scalar(0.1, pyarrow.float32()), np.array(0.1, np.float32)],
        ["0.1", pyarrow.scalar(np.float16(0.1), pyarrow.float16()), pyarrow.scalar(Decimal("0.10")), pyarrow.scalar("0.1")],
        ["3", pyarrow.scalar(3), pyarrow.scalar(3.0), np.array(3), np.array("3"), pyarrow.array(["3"]).dictionary_encode()[0]],
        ["", None, pyarrow.scalar(None), pyarrow.scalar(None, pyarrow.string()), np.ma.masked, np.array(None)],
    ):
        assert len({model.predict_one([cell]) for cell in cells}) == 1
    for cell in ([3], pyarrow.scalar([3]), np.array([3]), np.array([[3]])):
        with pytest.raises(anabranch.InputError, match="not a name"):
            model.predict_one([cell])
