"""Making models, single rows, bytes and copies."""

import copy
import datetime
import doctest
import importlib
import pickle
import subprocess
import sys
import warnings
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest

import anabranch
from anabranch import Explainer, InputError, Model, Reader, Server, UnsupportedError

EXPRESSIONS = ["linear", "scale(rls)", "auto(budget=5)", "scale(moe(linear, rls, mean, top_k=2))"]


def stream(n=400, d=4, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, d))
    return X, X @ np.arange(1.0, d + 1) + 0.1 * random.normal(size=n)


def trained(expression, n=400):
    X, y = stream(n)
    model = Model(expression, 4)
    model.learn_many(X, y)
    return model, X


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_train_one_returns_what_predict_one_said(expression):
    X, y = stream(200)
    model = Model(expression)
    for x, t in zip(X.tolist(), y.tolist()):
        said = model.predict_one(x) if model.n_features else 0.0
        assert model.train_one(x, t) == said
    assert model.n_samples_seen == 200


def test_kinds_of_rows_agree():
    X, y = stream(100)
    names = ["a", "b", "c", "d"]
    by_dict, by_list, by_array, by_strided = (Model("scale(rls)", names) for _ in range(4))
    wide = np.zeros((100, 8))
    wide[:, ::2] = X
    for i in range(100):
        row = X[i].tolist()
        cells = list(zip(names, row))
        by_dict.learn_one(dict(cells if i % 3 else cells[::-1]), y[i])
        by_list.learn_one(row if i % 2 else tuple(row), y[i])
        by_array.learn_one(X[i], y[i])
        by_strided.learn_one(wide[i, ::2], y[i])
    assert by_dict.equal(by_list) and by_dict.equal(by_array) and by_dict.equal(by_strided)


def test_keys_that_are_equal_but_other_objects():
    model, twin = Model("rls", ["aa", "bb"]), Model("rls", ["aa", "bb"])
    for i in range(50):
        model.learn_one({"aa": i % 5, "bb": i % 3}, i % 4)
        twin.learn_one({"".join(["a", "a"]): i % 5, "".join(["b", "b"]): i % 3}, i % 4)
    assert model.equal(twin)


def test_arrays_without_dimensions_are_the_cell_they_hold():
    model = Model("linear", ["a", "b"])
    model.learn_one([np.array(3.0), np.array(2)], np.array(1.0))
    for cell in (np.array(3), np.array(Decimal(3), dtype=object), np.array(np.timedelta64(3, "s")), np.ma.array(3.0)):
        assert model.predict_one([cell, 2]) == model.predict_one({"a": cell, "b": 2}) == model.predict_one([3, 2])
    for cell in (np.ma.masked, np.ma.array(3, mask=True), np.array(None), np.array(np.datetime64("NaT", "s"))):
        assert model.predict_one([cell, 2]) == model.predict_one([None, 2])
    for cell in (np.array("3"), np.array([3.0]), np.array(1j), np.array(np.datetime64(0, "s"))):
        with pytest.raises(InputError, match="feature 'a' is a"):
            model.predict_one([cell, 2])
    for target in (np.array("3"), np.ma.masked, np.array(None), np.array([1.0])):
        with pytest.raises(InputError, match="target"):
            model.learn_one([1, 2], target)


def test_cells_that_run_python_may_change_their_dict():
    class Angry:
        def __init__(self, row, value):
            self.row, self.value = row, value

        def __float__(self):
            self.row.clear()
            return self.value

    names = [f"n{i:02d}" for i in range(20)]
    for others in (3, 20):
        model, plain = Model("scale(rls)", names), Model("scale(rls)", names)
        for i in range(50):
            values = {name: float((i * j) % 7) for j, name in enumerate(names)}
            plain.learn_one(values, i % 5)
            row = {}
            row.update({name: Angry(row, v) if i > 0 and others == 3 and j in (2, 5, 9) else np.float32(v) if others == 20 else v for j, (name, v) in enumerate(values.items())})
            model.learn_one(row, i % 5)
            assert i == 0 or others == 20 or not row
        assert model.equal(plain)


def test_arrays_and_mappings_take_turns():
    from types import MappingProxyType

    model, plain = Model("scale(tree)", ["a", "b"]), Model("scale(tree)", ["a", "b"])
    hidden = np.ma.masked_array([5.0, 6.0], [False, True])
    rows = [np.array([1.0, 2.0]), MappingProxyType({"b": 4.0, "a": 3.0}), hidden, np.array([7, 8])]
    rows += [np.array(cells, dtype) for dtype in ("f2", "f4", ">f8", "u1", "i8", "?") for cells in ([1, 0], [0, 1])]
    for row, cells in zip(rows * 3, ([[1, 2], [3, 4], [5, None], [7, 8]] + [[1, 0], [0, 1]] * 6) * 3):
        model.learn_one(row, 1.0)
        plain.learn_one(cells, 1.0)
    assert model.equal(plain)


def test_missing_unknown_and_reordered_keys():
    model = Model("scale(rls)", ["a", "b"])
    for i in range(100):
        model.learn_one({"a": i % 7, "b": i % 3}, i % 7 - i % 3)
    whole = model.predict_one({"a": 2, "b": 1})
    assert model.predict_one({"b": 1, "a": 2}) == whole
    assert model.predict_one({"a": 2, "b": 1, "z": 9}) == whole
    assert model.counters["extra_keys"] == 1
    assert model.predict_one({"a": 2}) == model.predict_one({"a": 2, "b": None}) == model.predict_one({"a": 2, "b": np.nan})
    strict = Model("scale(rls)", ["a", "b"], extra="raise")
    with pytest.raises(anabranch.InputError, match="the key 'c' is no feature of the model, and extra is 'raise'"):
        strict.learn_one({"a": 1, "b": 2, "c": 3}, 1)
    assert strict.n_samples_seen == 0


def test_a_text_where_the_first_row_had_none_is_told_what_takes_it():
    for first in ({"day": None, "c": "x"}, {"day": np.nan, "c": 1.0}):
        model = Model("scale(rls)")
        model.learn_one(first, 1.0)
        with pytest.raises(InputError, match=r"^feature 'day'.* is not a number; schema={'day': 'category'}, or 'time', says that it holds"):
            model.learn_one(first | {"day": "Columbus Day"}, 1.0)
        with pytest.raises(InputError, match=r"^feature 'day' is a date.*; schema={'day': 'category'}, or 'time'"):
            model.learn_one(first | {"day": datetime.date(2020, 10, 12)}, 1.0)
        stated = Model("scale(rls)", schema={"day": "category"})
        stated.learn_one(first, 1.0)
        stated.learn_one(first | {"day": "Columbus Day"}, 1.0)
    with pytest.raises(InputError, match="schema= says which columns hold"):
        Model("linear", 1).learn_one(["x"], 1.0)


def test_numbers_as_texts_in_a_first_row_warn():
    with pytest.warns(UserWarning, match=r"^2 features are read as names.*\['a', 'b'\], such as 'a': '5'.*schema={'a': 'number'}"):
        Model("linear").train_one({"b": "1e3", "a": "5", "c": "x", "zip": "01067"}, 1)
    read = Model("scale(rls)", schema={"a": "number"})
    for i in range(5):
        read.train_one({"a": str(i), "b": 1.0}, i)
    assert dict(read.schema) == {"a": "number", "b": "number"} and read.predict_one({"a": "7", "b": 1}) == read.predict_one([7, 1])
    with pytest.raises(InputError, match="the first row has no cells: give features="):
        Model("linear").learn_one({}, 1.0)
    with pytest.warns(UserWarning, match="^1 feature is read as names.*'a': '5.5'"):
        Model("linear").train_one({"a": "5.5", "b": 3, "store": "17"}, 1)
    for time, kind in (("2024-01-05", "time"), ("05/01/2024 17:30", "time-dmy"), ("2024-01-05T17:30:00+01:00", "time")):
        with pytest.warns(UserWarning, match=f"^1 feature is read as names, not as times, .*'when': .*schema={{'when': '{kind}'"):
            Model("linear").train_one({"a": 1, "when": time}, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Model("linear", schema={"a": "category"}).train_one({"a": "5"}, 1)
        Model("linear").train_one({"store": "17", "price": 2.5}, 1)  # what has numbers has texts on purpose
        Model("linear").train_one({"a": "05", "b": "1024-01-05", "c": "may"}, 1)
        model = Model("linear")
        model.train_one({"a": "x"}, 1)
        model.train_one({"a": "5"}, 1)


def test_missing_targets_and_weights_are_counted_as_in_a_table():
    pandas = pytest.importorskip("pandas")
    for missing in (None, np.nan, pandas.NA, pandas.NaT, np.datetime64("NaT", "s")):
        model = Model("linear", 1, bad_rows="skip")
        model.learn_one([1.0], missing)
        assert np.isnan(model.train_one([1.0], missing)) and model.counters["rejected_target"] == 2
        with pytest.raises(anabranch.InputError, match="the target is not a finite number"):
            Model("linear", 1).learn_one([1.0], missing)
        if missing is not None:
            model.learn_one([1.0], 1.0, missing)
            assert model.counters["rejected_weight"] == 1


def test_a_number_is_no_row():
    for number in (3.0, np.float64(3.0), np.array(3.0), {1.0}, datetime.date(2020, 1, 1)):
        for model in (Model("linear", 1), Model("linear")):
            with pytest.raises(TypeError, match="a row is a dict, a sequence|unsized"):
                model.predict_one(number)
    with pytest.raises(anabranch.InputError, match="this array has 2: tables go to"):
        Model("linear", 1).predict_one(np.ones((1, 1)))


def test_names_come_sorted_from_the_first_row():
    model = Model("linear")
    assert model.n_features is None and model.features is None
    model.learn_one({"z": 1, "b": 2, "m": 3}, 1)
    assert model.features == ("b", "m", "z")


def test_rows_without_names_in_another_order_are_told(recwarn):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"z": [1.0, 2.0, 3.0], "a": [4.0, 5.0, 7.0]})

    def models():
        model = Model("linear")
        model.learn_many(frame, [1, 2, 3])
        yield model
        model = Model("linear")
        model.learn_one({"z": 1, "a": 4}, 1)
        yield model

    for ask in ("predict_many", "predict_one"):
        for model in models():
            x = frame.to_numpy() if ask == "predict_many" else [1, 4]
            with pytest.warns(UserWarning, match=r"the order of the model's features, \('a', 'z'\)"):
                getattr(model, ask)(x)
            getattr(model, ask)(x)
            assert not recwarn.list
    for model in (Model("linear", ["z", "a"]), Model("linear")):
        model.learn_many(frame[["a", "z"]], [1, 2, 3])
        model.predict_many(frame.to_numpy())
        model.predict_one((1, 2))
    assert not recwarn.list


def test_expression_errors_show_where():
    with pytest.raises(anabranch.ExpressionError) as caught:
        Model("scale(rls(lamda=1))")
    assert caught.value.position == 10
    with pytest.raises(anabranch.ExpressionError, match="linear: rate takes .*ä"):  # cut in the middle of a character
        Model("linear(rate=a" + 60 * "ä" + ")", 1)
    lines = str(caught.value).splitlines()
    assert lines[2].index("^") == lines[1].index("lamda")
    with pytest.raises(ValueError):
        Model("nothing_like_it")


@pytest.mark.parametrize("bad", [float("inf"), "three", object(), [1], 10**400])
def test_a_refused_cell_changes_nothing(bad):
    model, X = trained("scale(rls)")
    before = model.copy()
    with pytest.raises(anabranch.InputError):
        model.learn_one([1.0, bad, 2.0, 3.0], 1.0)
    assert model.equal(before)
    assert model.n_samples_seen == 400


@pytest.mark.parametrize("y, w", [(float("nan"), 1), (float("inf"), 1), (1, -1), (1, float("nan"))])
def test_refused_targets_and_weights(y, w):
    model, X = trained("linear")
    with pytest.raises(anabranch.InputError, match="nothing was learned"):
        model.learn_one(X[0], y, w)
    skips = Model("linear", 4, bad_rows="skip")
    assert np.isnan(skips.train_one(X[0], y, w))
    assert skips.n_samples_seen == 0


@pytest.mark.parametrize("y, w", [("3", 1), (b"3", 1), ([1], 1), (object(), 1), (1j, 1), (10**400, 1), (1, "2"), (None, 1)])
def test_targets_and_weights_that_are_no_numbers(y, w):
    model, X = trained("linear")
    before = model.copy()
    with pytest.raises(InputError, match="the (target|weight) is .*; nothing was learned"):
        model.train_one(X[0], y, w)
    assert model.equal(before)


def test_a_target_that_is_none_is_refused_as_nan():
    skips = Model("linear", 2, bad_rows="skip")
    assert np.isnan(skips.train_one([1, 2], None)) and skips.counters["rejected_target"] == 1


def test_messages_say_what_is_wrong():
    model = Model("linear", features=["a", "b"])
    for cell, words in (("x", "'b' is a str: 'x', which is not a number; schema="), (10**400, "'b' is an integer"),
                        (1j, "'b' is a complex"), (np.complex128(1), "complex128")):
        with pytest.raises(InputError, match=words):
            model.predict_one({"a": 1, "b": cell})
    for row, words in (([1], "1 cell, the model 2 features"), (np.zeros((1, 2)), "has 2: tables go to the methods"),
                       (np.zeros((2, 2)), "has 2: tables")):
        with pytest.raises(InputError, match=words):
            model.predict_one(row)
    for row in ({1: 2}, {"a": 1, 2: 3}):
        with pytest.raises(TypeError, match="is no str"):
            Model("linear").train_one(row, 1)
    for row in (b"ab", bytearray(b"ab"), "ab"):
        with pytest.raises(TypeError, match="a row is a dict, a sequence of numbers or an array, not a (bytes|bytearray|str)$"):
            model.predict_one(row)
    typed = Model("scale(rls)", features=["name", "when"], schema={"name": "category", "when": "time"})
    for row, words in (({"name": "\udc80"}, "'name' is a str: '.udc80', which is not a name"),
                       ({"when": datetime.time(1)}, "'when' is a .*not a time; a time of day is a number of hours")):
        with pytest.raises(InputError, match=words):
            typed.predict_one(row)


def test_a_row_without_any_feature_is_told_of_once():
    pandas = pytest.importorskip("pandas")
    for row in ({"A": 1, "B": 2}, pandas.Series([1.0, 2.0])):
        model = Model("linear", features=["a", "b"], target="y")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for fine in ({}, {"y": 1.0}, {"b": 1.0, "B": 2}):
                model.predict_one(fine)
        for call in (model.predict_one, Reader(model).predict_one, lambda row: model.copy().learn_many([row], [1.0])):
            with pytest.warns(UserWarning, match="no key of the row is a feature of the model, such as 'a': .* taken for 0") as told:
                call(row)
            assert told[0].filename == __file__
            model = Model("linear", features=["a", "b"], target="y")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.predict_one(row)
            warnings.simplefilter("error")
            model.predict_one(row)
        with pytest.raises(InputError, match="^the key .* is no feature of the model, nor is 1 more"):
            Model("linear", features=["a", "b"], extra="raise").predict_one(row)


def test_warnings_of_a_list_of_rows_are_at_the_line_that_gave_it():
    with pytest.warns(UserWarning, match="read as names, not as numbers") as told:
        Model("scale(rls)").learn_many([{"a": "1.5", "b": 2.0}], [1.0])
    assert told[0].filename == __file__


def test_masked_cells_are_missing():
    X, y = stream()
    hidden = np.ma.array(X, mask=X > 1)
    one, other, table = (Model("scale(rls)", 4) for _ in range(3))
    for row, target in zip(hidden, y):
        one.learn_one(row, target)
    other.learn_many(hidden.filled(np.nan), y)
    table.learn_many(hidden, y)
    assert one.equal(other) and table.equal(other)
    assert table.counters["missing_cells"] == (X > 1).sum()


def test_times_durations_and_missing_cells_of_numpy_and_pandas():
    pandas = pytest.importorskip("pandas")
    model = Model("scale(rls)", schema={"when": "time", "took": "number", "name": "category"})
    moment, hour = datetime.datetime(2024, 5, 6, 7), datetime.timedelta(hours=1)
    for i in range(50):
        row = {"when": moment + i * hour, "took": datetime.timedelta(seconds=i % 5), "name": "ab"[i % 2]}
        model.learn_one(row, i % 5)
    said = model.predict_one({"when": moment, "took": 2.0, "name": "a"})
    for when in (np.datetime64("2024-05-06T07"), np.datetime64("2024-05-06T07:00:00.000000000"), pandas.Timestamp(moment)):
        for took in (datetime.timedelta(seconds=2), np.timedelta64(2, "s"), pandas.Timedelta(2, "s"), np.float32(2)):
            assert model.predict_one({"when": when, "took": took, "name": "a"}) == said
    missing = model.predict_one({"when": None, "took": None, "name": None})
    for when, took, name in ((pandas.NaT, pandas.NA, pandas.NA), (np.datetime64("NaT", "s"), np.timedelta64("NaT", "s"), np.nan)):
        assert model.predict_one({"when": when, "took": took, "name": name}) == missing
    for wrong in ({"when": hour}, {"when": datetime.time(3)}, {"took": moment}, {"name": ["a"]}, {"name": {"a": 1}}):
        with pytest.raises(InputError):
            model.predict_one(wrong)
    first = Model("scale(rls)")
    first.predict_one({"when": np.datetime64("2024-05-06"), "took": np.timedelta64(1, "s")})
    assert dict(first.schema) == {"took": "number", "when": "time"}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_bytes_files_pickles_and_copies_go_on_alike(expression, tmp_path):
    model, X = trained(expression)
    model.save(tmp_path / "m.anb")
    others = [
        anabranch.load(tmp_path / "m.anb"),
        anabranch.load(data=model.to_bytes()),
        pickle.loads(pickle.dumps(model)),
        copy.copy(model),
        copy.deepcopy(model),
        model.copy(),
    ]
    assert pickle.dumps(model) == pickle.dumps(others[2])
    X, y = stream(100, seed=9)
    expected = model.train_many(X, y)
    for other in others:
        assert np.array_equal(other.train_many(X, y), expected)
        assert other.equal(model)


def test_a_subclass_keeps_its_attributes():
    model = Sub("linear", 2, target="price")
    model.note = ["kept"]
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert type(twin) is Sub and twin.note == ["kept"] and twin.target == "price"
    assert copy.deepcopy(model).note is not model.note


class Sub(Model):
    pass


def test_a_model_without_a_row_pickles():
    model = pickle.loads(pickle.dumps(Model("scale(rls)", seed=7, bad_rows="skip", extra="raise")))
    assert model.n_features is None and model.seed == 7 and model.expression == "scale(rls)"


def test_pickles_cross_processes(tmp_path):
    model, X = trained("auto(budget=5)")
    (tmp_path / "m.pickle").write_bytes(pickle.dumps(model))
    code = f"import pickle; m = pickle.load(open({str(tmp_path / 'm.pickle')!r}, 'rb')); print(m.predict_one({X[0].tolist()}).hex())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == model.predict_one(X[0]).hex()


def test_damaged_bytes():
    model, _ = trained("linear")
    data = bytearray(model.to_bytes())
    data[len(data) // 2] ^= 1
    with pytest.raises(anabranch.SnapshotError) as caught:
        anabranch.load(data=bytes(data))
    assert caught.value.code < 0
    with pytest.raises(FileNotFoundError):
        anabranch.load("/nowhere/at/all")
    with pytest.raises(OSError):
        model.save("/nowhere/at/all")


def said(call, *arguments):
    """What a call is refused with."""
    with pytest.raises(InputError) as refusal:
        call(*arguments)
    return str(refusal.value)


MISSING = "feature 'b' is missing, which this model does not take: write scale(...) around its expression"
TARGET = "the target is not a finite number: leave such rows out, or set bad_rows='skip'"


def test_refusals_are_told_alike():
    X, y = stream(400)
    names = ["a", "b", "c", "d"]
    model = Model("interval(rls)", names)
    model.learn_many(X, y)
    server, explainer = Server(model), Explainer(model)
    explainer.keep([0, 1, 2, 3])
    hot, gap = [0, 1, float("inf"), 3], [0, float("nan"), 2, 3]
    samples = {(tuple(hot), 1.0, 1.0): "feature 'c' is infinite", (tuple(gap), 1.0, 1.0): MISSING}
    samples[(0, 1, 2, 3), float("nan"), 1.0] = TARGET
    samples[(0, 1, 2, 3), 1.0, -1.0] = "the weight is negative or not finite"
    for sample, why in samples.items():
        for learn in (model.train_one, model.learn_one, server.train_one):
            assert said(learn, *sample) == why + "; nothing was learned"
        row, *rest = sample
        assert said(model.learn_many, [row], *([value] for value in rest)) == "row 0: " + why + "; nothing was learned"
    for row, why in ((hot, "feature 'c' is infinite"), (gap, MISSING)):
        for call in (model.predict_one, Reader(model).predict_one, server.reader().predict_one, explainer.keep, explainer.explain):
            assert said(call, row) == why
        for of in (model, Reader(model), server.reader()):
            assert said(of.predict_interval, row, 0.9) == why
        assert said(model.predict_many, [row]) == "row 0: " + why
    other = said(model.predict_interval, X[0], 0.5)
    assert other == said(Reader(model).predict_interval, X[0], 0.5) == said(server.reader().predict_interval, X[0], 0.5)
    pending = Model("pending(rls)", names)
    assert said(pending.predict_pending, 1, hot) == "feature 'c' is infinite"
    pending.predict_pending(1, X[0])
    assert said(pending.learn_label, 1, float("nan")) == TARGET + "; nothing was learned"


def test_quantiles():
    X, y = stream(400)
    model = Model("quantile(scale(rls), levels=[0.1, 0.5, 0.9])", 4)
    model.learn_many(X, y)
    assert model.levels == (0.1, 0.5, 0.9)
    values = model.predict_quantiles(X[0])
    assert len(values) == 3 and list(values) == sorted(values) and values[0] < values[2]
    assert values[1] == model.predict_one(X[0])
    assert Reader(model).predict_quantiles(X[0]) == values
    assert Reader(Server(model)).predict_quantiles(X[0]) == values
    with pytest.raises(InputError, match="feature 3 is infinite"):
        model.predict_quantiles([1.0, 2.0, 3.0, float("inf")])
    plain = Model("linear", 4)
    assert plain.levels == ()
    for asked in (plain, Reader(plain)):
        with pytest.raises(UnsupportedError, match="quantile"):
            asked.predict_quantiles(X[0])


def test_categories():
    random = np.random.default_rng(1)
    effects = {"north": 5.0, "south": -5.0, "east": 0.0}
    model = Model("columns(scale(rls))", schema={"shop": "category", "when": "time"}, features=["shop", "when", "a"])
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
    for i in range(900):
        shop = ("north", "south", "north", "east")[i % 4]
        a = float(random.normal())
        when = start + datetime.timedelta(hours=i)
        model.learn_one({"shop": shop, "when": when, "a": a}, effects[shop] + a)
    top = model.categories("shop", effects)
    assert [c.name for c in top[:1]] == ["north"] and {c.name for c in top} == set(effects)
    for c in top:
        assert abs(c.mean - effects[c.name]) < 0.5 and c.weight == (450 if c.name == "north" else 225)
    assert [c.name for c in model.categories(0, ["south"], n=3)].count(None) == 2
    assert len(model.categories("shop", n=1)) == 1
    hours = model.categories("when", n=200)
    assert len(hours) == 168 and {"Mon 00:00", "Sun 23:00"} <= {c.name for c in hours}
    assert model.categories("a") == [] and Model("linear", 2).categories(1) == []
    again = anabranch.load(data=model.to_bytes())
    assert again.categories("shop", effects) == top
    with pytest.raises(InputError, match="no column"):
        model.categories("town")
    with pytest.raises(InputError, match="1 to"):
        model.categories("shop", n=0)


NUMBERS_OF_A_NAME = {
    "12": [12, 12.0, Decimal("12.0"), Decimal("1.2E1"), Fraction(24, 2), np.float16(12), np.float32(12), np.longdouble(12), np.int8(12), np.uint64(12)],
    "0.1": [0.1, Decimal("0.10"), Fraction(1, 10), np.float16(0.1), np.float32(0.1), np.float64(0.1)],
    "0": [0, -0.0, False, np.bool_(False), np.float32(-0.0), Decimal("-0")],
    "1": [True, np.bool_(True), np.float16(1)],
    "100000000000000000": [10**17, 1e17, Decimal(10**17), Fraction(10**17), np.int64(10**17), np.float64(1e17)],
    "18446744073709551615": [2**64 - 1, np.uint64(2**64 - 1), Decimal(2**64 - 1)],
    "": [None, float("nan"), np.float32("nan"), Decimal("nan"), np.datetime64("NaT", "s")],
    "text": [np.str_("text")],
}


@pytest.mark.parametrize("text", NUMBERS_OF_A_NAME)
def test_a_number_is_the_same_category_whatever_its_type(text):
    def learned(cells):
        model = Model("scale(rls)", ["id"], schema={"id": "category"})
        for cell in cells:
            model.learn_one({"id": "first"}, 0.0)
            model.learn_one({"id": cell}, 1.0)
        return model

    for cell in NUMBERS_OF_A_NAME[text]:
        assert learned([cell] * 3).equal(learned([text] * 3)), repr(cell)
    numbers = np.array([12, 0.1, 0, 7.5], np.float32)
    rows, array = (Model("scale(rls)", ["id"], schema={"id": "category"}) for _ in range(2))
    rows.learn_many([{"id": name} for name in ("12", "0.1", "0", "7.5")], range(4))
    array.learn_many(numbers[:, None], range(4))
    assert array.equal(rows)


@pytest.mark.parametrize("cell", [True, np.bool_(True)])
def test_booleans_of_a_first_row_are_booleans(cell):
    model = Model("scale(rls)")
    model.learn_one({"b": cell, "c": "x"}, 1.0)
    assert dict(model.schema) == {"b": "boolean", "c": "category"}


def test_categories_that_are_numbers_are_named_by_all_digits():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"id": [1234567.0, 7.0, None] * 20, "code": [12345678, 0.125, 3] * 20})
    model = Model("scale(rls)", schema={"id": "category", "code": "code"})
    model.learn_many(frame, np.arange(60.0) % 7)
    for names in ([], frame["id"].unique()):
        assert {c.name for c in model.categories("id", names)} == {"1234567", "7", "(missing)"}
    assert {c.name for c in model.categories("code")} == {"12345678", "0.125", "3"}


def test_large_numbers_of_a_category_are_their_texts():
    numbers = [2**60 + i for i in range(5)] + [2**52 + 1, 10**17, -(10**16), 2**64 - 1]
    by_text, by_number = (Model("scale(rls)", ["id"], schema={"id": "category"}) for _ in range(2))
    for i in range(90):
        by_text.learn_one({"id": str(numbers[i % 9])}, i % 9)
        by_number.learn_one({"id": numbers[i % 9]}, i % 9)
    assert by_number.equal(by_text)
    assert {c.name for c in by_number.categories("id", numbers)} == set(map(str, numbers))
    code = by_number.categories("id", [])[0]
    assert code.name is None and by_number.predict_one({"id": 1e17}) == by_text.predict_one({"id": str(10**17)})


def test_integers_and_texts_of_numpy_make_a_model():
    model = Model("scale(rls)", np.int64(3), seed=np.uint64(2**63))
    assert model.n_features == 3 and model.seed == 2**63
    assert Model("linear", np.array(["a", "b"])).features == ("a", "b")
    for seed in (-1, 2**64):
        with pytest.raises(InputError, match=f"seed = {seed}: 0 to 2"):
            Model(seed=seed)
    for features, what in (({"a", "b"}, "a set"), ("ab", "a str"), (b"ab", "a bytes"), (2.5, "a float")):
        with pytest.raises(TypeError, match=f"a count or a sequence of names, not {what}$"):
            Model("linear", features)


def test_a_table_in_place_of_a_row_is_told():
    pandas = pytest.importorskip("pandas")
    X, y = stream(20)
    frame = pandas.DataFrame(X, columns=list("abcd"))
    tables = [frame, frame[:1]]
    for library in ("polars", "pyarrow"):
        module = pytest.importorskip(library)
        tables.append(module.DataFrame(dict(frame)) if library == "polars" else module.table(frame))
    made = Model("linear")
    made.learn_many(frame, y)
    for table in tables:
        for method in (made.predict_one, made.explain, Model("linear").predict_one, lambda x: Model("linear").learn_one(x, 1.0)):
            with pytest.raises(TypeError, match=r"a row is a dict.* tables go to the methods \*_many; row i of a frame is frame.iloc\[i\]"):
                method(table) if method != made.explain else method(table, X)
    for row in (frame.iloc[0], frame.iloc[0].to_dict(), {"a": 0, "b": 0, "c": 0, "d": 0}, {"a": 1}):
        assert np.isfinite(made.predict_one(row))
    with pytest.raises(TypeError, match="a row goes to the methods \\*_one, and pandas.DataFrame"):
        made.predict_many({"a": [1]})
    with pytest.raises(TypeError, match="a Series: .* a row goes to the methods \\*_one"):
        made.predict_many(frame.iloc[0])


def test_intervals_and_pending_rows_take_arguments_by_name():
    X, y = stream(50)
    model = Model("pending(interval(linear))", 4)
    model.learn_many(X, y)
    assert model.predict_interval(x=X[0], coverage=0.9) == model.predict_interval(X[0], 0.9) == Reader(model).predict_interval(X[0], coverage=0.9)
    assert model.predict_pending(id=1, x=X[0]) == model.learn_label(id=1, y=2.0)


@pytest.mark.parametrize("kind", ["dicts", "lists", "array", "pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("typed", [False, True])
def test_intervals_and_quantiles_of_tables_are_those_of_rows(kind, typed):
    module = pytest.importorskip(kind) if kind.startswith("p") else None
    X, y = stream(200)
    rows = [dict(zip("zyxw", [("a", "b", 0.5)[i % 3] if typed else x[0], *x[1:]])) for i, x in enumerate(X.tolist())]
    schema = {"z": "category"} if typed else None
    models = [Model(e, schema=schema) for e in ("interval(scale(rls))", "quantile(scale(rls), levels=[0.1, 0.5, 0.9])")]
    for model in models:
        for row, target in zip(rows, y):
            model.learn_one(row, target)
    rows = rows[-20:]
    columns = {name: [str(row[name]) if name == "z" and typed else row[name] for row in rows] for name in "zyxw"}
    tables = {"dicts": rows, "lists": [[row[name] for name in "wxyz"] for row in rows]}
    tables["array"] = np.array(tables["lists"], object if typed else float)
    table = tables.get(kind) if module is None else module.table(columns) if kind == "pyarrow" else module.DataFrame(columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if kind in ("lists", "array") else "error")
        found = models[0].predict_interval_many(table, 0.9), models[1].predict_quantiles_many(table)
    wanted = [models[0].predict_interval(row, 0.9) for row in rows], [models[1].predict_quantiles(row) for row in rows]
    for values, want, names in zip(found, wanted, (["low", "high"], ["0.1", "0.5", "0.9"])):
        if module is not None:
            assert list(values.column_names if kind == "pyarrow" else values.columns) == names
            values = np.column_stack([values[name] for name in names])
        assert values.tolist() == [list(row) for row in want]


def test_tables_of_intervals_say_what_is_wrong():
    X, y = stream(50)
    model = Model("interval(linear)", 4)
    assert model.predict_interval_many(X[:0], 0.9).shape == (0, 2)
    model.learn_many(X, y)
    X[7, 2] = np.inf
    with pytest.raises(InputError, match="^row 7: feature 2 is infinite"):
        model.predict_interval_many(X, 0.9)
    with pytest.raises(InputError, match=r"^the model has no interval of coverage 0.5; its coverages are \(0.8, 0.9, 0.95\)"):
        model.predict_interval_many(X, 0.5)
    with pytest.raises(UnsupportedError, match="no quantiles"):
        model.predict_quantiles_many(X)
    with pytest.raises(UnsupportedError, match="no intervals"):
        Model("linear", 4).predict_interval_many(X, 0.9)
    model.bad_rows = "skip"
    assert np.flatnonzero(np.isnan(model.predict_interval_many(X, 0.9)).any(axis=1)).tolist() == [7]


def test_bytes_and_open_files_are_no_paths(tmp_path):
    model, _ = trained("linear")
    with (tmp_path / "m.anb").open("wb") as file:
        with pytest.raises(TypeError, match=r"a BufferedWriter: write to_bytes\(\) to a file"):
            model.save(file)
        file.write(model.to_bytes())
    with (tmp_path / "m.anb").open("rb") as file:
        for given in (file, model.to_bytes(), bytearray(model.to_bytes())):
            with pytest.raises(TypeError, match=r"a(n)? (BufferedReader|bytes|bytearray): bytes of a model go to load\(data=\.\.\.\)"):
                anabranch.load(given)
    assert anabranch.load(str(tmp_path / "m.anb").encode()).equal(model)


def test_named_tuples_of_several_types_are_read_by_turns():
    class One(NamedTuple):
        b: Any
        a: Any

    class Other(NamedTuple):
        y: Any
        a: Any
        more: Any
        b: Any

    model, X = Model("scale(rls)", features=["a", "b"], target="y"), stream(40)[0]
    twin = Model("scale(rls)", features=["a", "b"], target="y")

    class Cell:
        def __float__(self):  # uses the model while it reads a row
            return model.predict_one(Other(0, 1.0, 2, np.float32(3))) * 0 + 2.5

    for i, (a, b) in enumerate(X[:, :2]):
        row = One(b, a) if i % 3 else Other(0, a, 7, b)
        model.learn_one(row, a - b)
        twin.learn_one({"a": a, "b": b}, a - b)
    assert model.equal(twin) and model.counters["extra_keys"] == 14
    assert model.predict_one(One(Cell(), 1)) == model.predict_one(One(2.5, 1)) == twin.predict_one({"a": 1, "b": 2.5})
    assert model.copy().predict_one(One(None, 1)) == twin.predict_one({"a": 1})
    with pytest.raises(InputError, match="feature 'a' is a str"):
        model.predict_one(One(1, "x"))
    with pytest.raises(InputError, match="the field 'more' is no feature"):
        Model("linear", features=["a", "b"], target="y", extra="raise").predict_one(Other(0, 1, 2, 3))


def test_named_tuples_are_read_by_their_names():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"shop": ["a", "b", "c"] * 10, "n": np.arange(30) % 7, "a": np.arange(30.0) % 4, "y": 0.0})
    y = np.arange(30.0) % 5
    one, many, rows = (Model("scale(rls)", target="y") for _ in range(3))
    rows.learn_many(frame.to_dict("records"), y)
    for row, target in zip(frame.itertuples(index=False), y):
        one.learn_one(row, target)
    many.learn_many(list(frame.itertuples(index=False)), y)
    assert one.equal(rows) and many.equal(rows) and one.features == ("a", "n", "shop")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert many.predict_many(list(frame[["shop", "a", "n"]].itertuples())).tolist() == rows.predict_many(frame).tolist()
    other = frame.rename(columns={"shop": "the shop"})[["a", "n", "the shop"]]  # its tuples have a field _2
    with pytest.warns(UserWarning, match="a row without names is read in the order of the model's features"):
        assert rows.predict_one(next(other.itertuples(index=False))) == rows.predict_one(frame.iloc[0])
    places = Model("linear", 2)
    places.learn_one(next(frame[["n", "a"]].itertuples(index=False)), 1.0)
    assert places.features is None and places.n_samples_seen == 1


def refused_rows(model):
    return [[np.inf, 0, 0, 0], {"a": np.nan, "b": 0, "c": 1, "d": 2}] if not model.takes_missing else [[1, np.inf, 0, 0]]


@pytest.mark.parametrize("expression", ["interval(linear)", "quantile(scale(rls), levels=[0.1, 0.9])", "scale(moe(linear, rls))", "pending(linear)"])
def test_a_row_that_is_skipped_is_nan_for_every_method(expression):
    X, y = stream(100)
    model = Model(expression, ["a", "b", "c", "d"])
    explainer = Explainer(model)
    model.learn_many(X, y)
    server = Server(model)
    reader, copy = server.reader(), Reader(model)
    for row in refused_rows(model):
        asked = [lambda m: m.predict_one(row)]
        if model.coverages:
            asked.append(lambda m: m.predict_interval(row, 0.9))
        if model.levels:
            asked.append(lambda m: m.predict_quantiles(row))
        own = [lambda m: m.explain(row).phi, lambda m: m.explain(row).prediction, lambda m: m.explain(row, X[:5]).error]
        if "moe" in expression:
            own += [lambda m: m.routing_probabilities(row), lambda m: m.expert_predictions(row)]
        if "pending" in expression:
            own.append(lambda m: m.predict_pending(7, row))
        for source in (model, reader, copy):
            for method in asked + (own if source is model else []):
                source.bad_rows = "raise"
                with pytest.raises(InputError, match="feature '[ab]' is"):
                    method(source)
                source.bad_rows = "skip"
                assert np.isnan(method(source)).all()
        for method in [] if model.coverages else [model.predict_interval, reader.predict_interval]:
            with pytest.raises(UnsupportedError):
                method(row, 0.9)
        for method in [] if model.levels else [model.predict_quantiles, reader.predict_quantiles]:
            with pytest.raises(UnsupportedError):
                method(row)
        kept = len(explainer)
        explainer.keep(row)
        assert len(explainer) == kept and model.explain(X[0], [row if isinstance(row, list) else list(row.values()), X[1]]).rows == 1


def test_intervals():
    X, y = stream(500)
    model = Model("interval(scale(rls), coverage=[0.8, 0.95])", 4)
    model.learn_many(X, y)
    assert model.coverages == (0.8, 0.95)
    low, high = model.predict_interval(X[0], 0.95)
    inner = model.predict_interval(X[0], 0.8)
    assert low < inner[0] < model.predict_one(X[0]) < inner[1] < high
    for asked in (model, Reader(model)):
        with pytest.raises(InputError, match=r"0.5; its coverages are \(0.8, 0.95\)"):
            asked.predict_interval(X[0], 0.5)
    for asked in (ranked := Model("quantile(scale(rls))", 4), Reader(ranked)):
        with pytest.raises(UnsupportedError, match="use predict_quantiles"):
            asked.predict_interval(X[0], 0.8)
    with pytest.raises(anabranch.UnsupportedError):
        Model("linear", 4).predict_interval(X[0], 0.8)


def test_labels_that_come_later():
    X, y = stream(50)
    model, now = Model("pending(scale(rls), capacity=10)", 4), Model("scale(rls)", 4)
    for i in range(50):
        said = model.predict_pending(i, X[i])
        assert model.n_pending == 1
        assert model.learn_label(i, y[i]) == said == now.train_one(X[i], y[i])
    with pytest.raises(anabranch.InputError, match="learned already"):
        model.learn_label(49, 1.0)
    with pytest.raises(anabranch.InputError, match="never seen"):
        model.learn_label(1000, 1.0)
    with pytest.raises(anabranch.UnsupportedError):
        now.predict_pending(1, X[0])


def test_rows_that_wait_are_named_by_numbers_and_texts():
    model = Model("pending(scale(rls))", 2)
    for name, other in (("order-7", "order-7"), ("42", 42), (np.int64(43), 43), (2**64 - 1, str(2**64 - 1))):
        said = model.predict_pending(name, [1.0, 2.0])
        assert model.learn_label(other, 3.0) == said
    for wrong in ("", 1.5, -1, 2**64, None, b"a"):
        with pytest.raises(InputError, match="an id is a whole number"):
            model.predict_pending(wrong, [1.0, 2.0])


def test_drift_and_networks():
    X, y = stream(4000)
    model = Model("drift(scale(linear))", 4)
    model.learn_many(X, np.where(np.arange(4000) < 2000, y, 500 - 20 * y))
    view = model.drift()
    assert view["drifts"] == model.counters["drifts"] >= 1
    with pytest.raises(anabranch.UnsupportedError):
        Model("linear", 4).drift()
    networks = Model("moe(mlp, mlp)", 4).superposition()
    assert [n.expert for n in networks] == [0, 1] and networks[0].interference.shape == (4, 4)


def test_mixture():
    model, X = trained("scale(moe(linear, rls(name=exact), mean))")
    mixture = model.mixture()
    assert mixture.names == ["linear_0", "exact", "mean_2"]
    assert mixture.samples == 400 and mixture.probability.sum() == pytest.approx(1)
    assert len(mixture.active) == 2 and mixture.trained.sum() == 800
    assert model.routing_probabilities(X[0]).sum() == pytest.approx(1)
    assert model.expert_predictions(X[0]).shape == (3,)
    assert model.gate_weights()["weight"].shape == (3, 4)
    assert model.mixture("moe_0").names == mixture.names
    with pytest.raises(anabranch.InputError):
        model.mixture("no/such/path")
    with pytest.raises(anabranch.UnsupportedError):
        Model("linear", 4).mixture()


def test_html_shows_the_tree_and_the_experts():
    model, _ = trained("scale(moe(linear(rate=0.02), rls))")
    page = model._repr_html_()
    assert "<b>scale</b>" in page and "rate=0.02" in page and "rls_1" in page and "trained 400" in page
    assert "nothing learned yet" in Model("linear")._repr_html_()


def test_examples_in_docstrings():
    for name in ("", "._schema", "._recorder"):
        result = doctest.testmod(importlib.import_module("anabranch" + name))
        assert result.attempted and not result.failed


def test_learners_are_described():
    table = anabranch.learners()
    assert "linear" in table and all(row["brief"] for row in table.values())


# ---- learners written in Python ----


@anabranch.register("running_mean")
class RunningMean:
    def __init__(self):
        self.n, self.mean = 0, 0.0

    def predict(self, x):
        return self.mean

    def update(self, x, y, w):
        self.n += 1
        self.mean += (y - self.mean) / self.n


@anabranch.register("angry")
class Angry:
    def predict(self, x):
        return 0.0

    def update(self, x, y, w):
        if y > 3:
            raise RuntimeError("too much")


def test_a_learner_in_python_runs_copies_and_pickles(tmp_path):
    X, y = stream(200)
    model = Model("scale(moe(linear, running_mean, top_k=2))", 4)
    model.learn_many(X, y)
    assert model.expert_predictions(X[0])[1] == pytest.approx(np.mean(y))
    model.save(tmp_path / "m.anb")
    for twin in (model.copy(), pickle.loads(pickle.dumps(model)), anabranch.load(tmp_path / "m.anb")):
        assert twin.equal(model)
        twin.learn_one(X[0], 1000.0)
        assert not twin.equal(model)
    assert model.expert_predictions(X[0])[1] == pytest.approx(np.mean(y))
    model.reset()
    assert model.expert_predictions(X[0])[1] == 0


def test_a_learner_that_predicts_no_finite_number_is_named():
    class Odd(RunningMean):
        def predict(self, x):
            return said

    anabranch.register("odd")(Odd)
    for said, kind in ((float("nan"), ValueError), (np.inf, ValueError), ("a", TypeError), (None, TypeError), (np.zeros(2), TypeError)):
        model = Model("moe(linear, odd)", 1)
        with pytest.raises(kind, match="the learner 'odd' predicts .* no finite number"):
            model.train_one([1.0], 2.0)
        assert model.n_samples_seen == 1
        said = 1.0
        assert np.isfinite(model.predict_one([1.0]))


def test_what_a_learner_raises_is_raised():
    model = Model("moe(linear, angry)", 1)
    model.learn_one([1.0], 2.0)
    with pytest.raises(RuntimeError, match="too much"):
        model.learn_one([1.0], 5.0)
    with pytest.raises(RuntimeError, match="too much"):
        model.learn_many([[1.0]], [5.0])
    assert model.n_samples_seen == 3


def test_a_learner_cannot_use_its_own_model():
    @anabranch.register("recursive")
    class Recursive:
        def predict(self, x):
            return model.predict_one(x)

        def update(self, x, y, w):
            pass

    model = Model("recursive", 1)
    with pytest.raises(anabranch.Error, match="this very call"):
        model.predict_one([1.0])


def test_bad_registrations():
    for name in ("", "Big", "two words", "linear"):
        with pytest.raises(anabranch.InputError):
            anabranch.register(name)(RunningMean)
    with pytest.raises(TypeError):
        anabranch.register("half")(int)
