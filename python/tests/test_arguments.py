"""What a wrong argument is told: its name, what it has to be, an exception of a fitting type, and a model as it was."""

import pickle
import warnings

import numpy as np
import pytest

import anabranch
from anabranch import Explainer, ExpressionError, InputError, Model, Reader, Recorder, Server, UnsupportedError, evaluate

X = np.random.default_rng(0).normal(size=(300, 2))
Y = X @ [1.0, 2.0]


def mixture():
    model = Model("scale(moe(linear, rls))", ["a", "b"])
    model.learn_many(X, Y)
    return model


MODEL = mixture()
WHOLE = "is a whole number, not a (str|float)$"

REFUSED = {
    "expression": (lambda: Model(None), TypeError, "^expression is a str, not None$"),
    "bytes": (lambda: Model(b"rls"), TypeError, "^expression is a str, not a bytes$"),
    "seed": (lambda: Model(seed=1.5), TypeError, f"^seed {WHOLE}"),
    "no seed": (lambda: Model(seed=None), TypeError, "^seed is a whole number, not None$"),
    "a large count": (lambda: Model("rls", 10**30), InputError, "^features = 10{30} is out of range$"),
    "max_bytes": (lambda: Model(max_bytes=1e9), TypeError, f"^max_bytes {WHOLE}"),
    "few bytes": (lambda: Model(max_bytes=-1), InputError, "^max_bytes = -1: at least 1$"),
    "threads": (lambda: Model(threads="2"), TypeError, f"^threads {WHOLE}"),
    "threads of a model": (lambda: setattr(MODEL, "threads", "2"), TypeError, f"^threads {WHOLE}"),
    "bad_rows": (lambda: Model(bad_rows=None), TypeError, "^bad_rows is 'skip' or 'raise', not None$"),
    "extra": (lambda: Model(extra=0), TypeError, "^extra is 'raise' or 'ignore', not an int$"),
    "extra of a model": (lambda: setattr(MODEL, "extra", "skip"), InputError, "^extra is raise or ignore, not 'skip'$"),
    "target": (lambda: Model(target=3), TypeError, "^target is a str or None, not an int$"),
    "name": (lambda: Model("rls", ["a", 1]), TypeError, "^feature 1 is named by an int, not a str$"),
    "no y": (lambda: MODEL.train_one([1, 2]), TypeError, r"^train_one\(\) takes x, y and an optional w$"),
    "no id": (lambda: MODEL.learn_label(y=1), TypeError, r"^learn_label\(\) takes id, y and an optional w$"),
    "X": (lambda: MODEL.learn_one(X=[1, 2], y=1), TypeError, r"^learn_one\(\) takes x, y .* 'X' is none of them$"),
    "x twice": (lambda: MODEL.learn_one([1, 2], 1, x=[1, 2]), TypeError, "the argument 'x' is given twice$"),
    "coverage": (lambda: MODEL.predict_interval([1, 2], "0.9"), TypeError, "^coverage is a number, not a str$"),
    "coverages": (lambda: MODEL.predict_interval_many(X, "0.9"), TypeError, "^coverage is a number, not a str$"),
    "no coverage": (lambda: MODEL.predict_interval_many(X, None), TypeError, "^coverage is a number, not None$"),
    "no vector": (lambda: MODEL.learn_many(X, None), TypeError, "^y is a vector, not None$"),
    "path": (lambda: MODEL.mixture(5), TypeError, "^path is a str or None, not an int$"),
    "n": (lambda: MODEL.categories("a", n="3"), TypeError, f"^n {WHOLE}"),
    "names": (lambda: MODEL.categories("a", "xyz"), TypeError, "^names is an iterable of texts .*, not a str$"),
    "equal": (lambda: MODEL.equal("rls"), TypeError, r"^equal\(\) takes a Model, not a str$"),
    "top": (lambda: MODEL.explain([1, 2], X[:9]).top(-1), ValueError, "^k = -1: at least 0$"),
    "top by a text": (lambda: MODEL.explain([1, 2], X[:9]).top("2"), TypeError, f"^k {WHOLE}"),
    "recorder": (lambda: Recorder("rls"), TypeError, "^a Recorder takes a Model, not a str$"),
    "every": (lambda: Recorder(MODEL, every=1.5), TypeError, f"^every {WHOLE}"),
    "every 0": (lambda: Recorder(MODEL, every=0), InputError, "^every = 0: at least 1$"),
    "capacity": (lambda: Recorder(MODEL, capacity=0), InputError, "^capacity = 0: at least 1$"),
    "span": (lambda: Recorder(MODEL, span="9"), TypeError, f"^span {WHOLE}"),
    "a long span": (lambda: Recorder(MODEL, span=2**40), InputError, "^span = 1099511627776 is out of range$"),
    "metrics": (lambda: Recorder(MODEL, metrics=5), TypeError, "^metrics is 'all' or names, not an int$"),
    "explainer": (lambda: Explainer(None), TypeError, "^an Explainer takes a Model, not None$"),
    "rows": (lambda: Explainer(MODEL, rows="9"), TypeError, f"^rows {WHOLE}"),
    "a span of rows": (lambda: Explainer(MODEL, span="9"), TypeError, "^span is a number, not a str$"),
    "its seed": (lambda: Explainer(MODEL, seed=-1), InputError, r"^seed = -1: 0 to 2\*\*64 - 1$"),
    "server": (lambda: Server("rls"), TypeError, "^a Server takes a Model, not a str$"),
    "interval": (lambda: Server(MODEL, "9"), TypeError, f"^interval {WHOLE}"),
    "reader": (lambda: Reader(3), TypeError, "^a Reader takes a Model or a Server, not an int$"),
    "register": (lambda: anabranch.register(5), TypeError, "^a learner's name is a str, not an int"),
    "no class": (lambda: anabranch.register("mine")(5), TypeError, "^a learner is a class, not an int$"),
    "frames": (lambda: MODEL.learn_frames(5, "y"), TypeError, "^frames are an iterable of data frames, not an int$"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_argument_is_named(case):
    call, kind, words = REFUSED[case]
    before, settings = MODEL.to_bytes(), MODEL._settings()
    with pytest.raises(kind, match=words) as told:
        call()
    assert told.type is kind
    assert MODEL.to_bytes() == before and MODEL._settings() == settings


@pytest.mark.parametrize(
    "expression, words",
    [("auto(budget=-5)", "budget = -5 is outside"), ("scale(rls(lambda=5))", "lambda = 5 is outside"),
     ("moe(rls)", "moe takes 2 to"), ("scale(interval(rls))", "only at the root"),
     ("quantile(rls, levels=[0.9, 0.1])", "must ascend")],
)  # fmt: skip
def test_an_expression_is_refused_before_there_is_a_row(expression, words):
    with pytest.raises(ExpressionError, match=words) as late:
        Model(expression, 3)
    with pytest.raises(ExpressionError, match=words) as soon:
        Model(expression)
    assert str(soon.value) == str(late.value) and soon.value.position == late.value.position


def test_an_expression_that_needs_more_features_than_one_waits_for_the_row():
    for learner in anabranch.learners().values():
        Model(learner["example"])
    with pytest.raises(ExpressionError, match="limit of 1074 MB"):
        Model("rls", 10**6)
    assert Model("poly(rls)").train_one([1.0, 2.0], 1.0) == 0


def test_texts_that_no_file_can_keep_are_refused():
    for text, what in (("a\0b", "the character NUL"), ("\udce9", "a character that UTF-8 has not")):
        for call in (lambda: Model("rls", [text]), lambda: Model("rls").learn_one({text: 1}, 1), lambda: Model("rls", target=text)):
            with pytest.raises(InputError, match=f"name '.*' holds {what}"):
                call()
    with pytest.raises(ExpressionError, match="holds the character NUL"):
        Model("rls\0(lambda=7)")
    with pytest.raises(ValueError, match="NUL"):
        Model("rls", schema={"a\0b": "category"})


def test_what_is_no_feature_is_named():
    strict = Model("linear", ["a", "b"], target="y", extra="raise")
    for row, words in (({"a": 1, "y": 2, "c": 3, "d": 4}, "the key 'c' is no feature of the model, nor is 1 more"),
                       ({"a": 1, "b": 2, 7: 3}, "the key 7 is no feature of the model, and extra is 'raise'")):
        with pytest.raises(InputError, match=words):
            strict.learn_one(row, 1)
    assert strict.extra == "raise" and strict.n_samples_seen == strict.counters["extra_keys"] == 0
    strict.extra = "ignore"
    strict.learn_one({"a": 1, "b": 2, "c": 3}, 1)
    assert strict.counters["extra_keys"] == 1 and pickle.loads(pickle.dumps(strict)).extra == strict.copy().extra == "ignore"
    for reader in (Reader(strict), Server(strict)):
        assert reader.extra == "ignore"
        with pytest.raises(AttributeError, match="^extra cannot be deleted$"):
            del reader.extra


def test_what_is_no_feature_is_named_in_tables():
    pandas = pytest.importorskip("pandas")
    strict = Model("linear", ["a"], target="y", extra="raise")
    with pytest.raises(InputError, match="^the column 'c' is no feature of the model, nor are 2 more, and extra is 'raise'$"):
        strict.predict_many(pandas.DataFrame(np.zeros((2, 5)), columns=list("aycde")))
    with pytest.raises(InputError, match="^row 1: the key 'c'"):
        strict.predict_many([{"a": 1}, {"a": 1, "c": 2}])
    for columns, words in (([], "^the table has no columns: "), (["y"], "^the table has no columns besides the target's, 'y': ")):
        with pytest.raises(InputError, match=words):
            Model("linear", target="y").predict_many(pandas.DataFrame(columns=columns))


def test_ranges_of_a_table_that_comes_first():
    assert Model("quantile(rls, levels=[0.1, 0.5, 0.9])").predict_quantiles_many(X).shape == (300, 3)
    assert Model("interval(rls)").predict_interval_many(X, 0.9).shape == (300, 2)
    for n in (0, 2):
        with pytest.raises(UnsupportedError, match="no quantiles"):
            Model("rls", 2).predict_quantiles_many(X[:n])
        with pytest.raises(InputError, match="no interval of coverage 0.3"):
            Model("interval(rls)", 2).predict_interval_many(X[:n], 0.3)


@pytest.mark.parametrize("number", [np.complex64(1 + 1j), np.complex128(1 + 1j), 1j], ids=type)
def test_complex_numbers_are_none(number):
    model = Model("scale(rls)", 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for cell in (number, np.array(number)):
            for call in (lambda: model.predict_one([1.0, cell]), lambda: model.train_one([1, 2], cell),
                         lambda: model.train_one([1, 2], 1, cell)):
                with pytest.raises(InputError, match="complex.*, which is not a number"):
                    call()
        with pytest.raises(InputError, match="^y holds complex numbers"):
            model.learn_many(X[:2], np.array([1.0, number], dtype=object))
    assert model.n_samples_seen == 0


def test_arrays_and_series_of_one_value_are_no_numbers():
    model = Model("scale(rls)", 2)
    cells = [np.array([1.0]), [1.0]]
    try:
        import pandas
    except ImportError:
        pass
    else:
        cells.append(pandas.Series([1.0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for cell in cells:
            for call in (lambda: model.predict_one([1.0, cell]), lambda: model.train_one([1, 2], cell)):
                with pytest.raises(InputError, match="is (an ndarray|a Series|a list): .*"):
                    call()
            targets = np.empty(2, dtype=object)
            targets[0], targets[1] = cell, 1.0
            with pytest.raises(InputError, match="^y (holds lists or arrays|is no array)"):
                model.learn_many(X[:2], targets)
    assert model.n_samples_seen == 0


def test_a_target_of_another_library_is_compared():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    frame = pandas.DataFrame(X, columns=["a", "b"])
    for table, y in ((frame, polars.Series("a", X[:, 0])), (polars.from_pandas(frame), frame["a"])):
        model = Model("linear", ["a", "b"])
        with pytest.warns(UserWarning, match="^y is the column 'a' of X and a feature"):
            model.learn_many(table, y)


def test_files_and_pickles_of_large_models_are_read(tmp_path):
    model = Model("rls", 2, max_bytes=3 << 30)
    model.save(tmp_path / "m.anb")
    for how in ({"path": tmp_path / "m.anb"}, {"data": model.to_bytes()}):
        assert anabranch.load(**how)._settings()["max_bytes"] == 1 << 30
        assert anabranch.load(**how, max_bytes=3 << 30)._settings()["max_bytes"] == 3 << 30
        with pytest.raises((InputError, anabranch.SnapshotError), match="over .*limit of 99"):
            anabranch.load(**how, max_bytes=99)
        with pytest.raises(InputError, match="^max_bytes = 0: at least 1$"):
            anabranch.load(**how, max_bytes=0)
        with pytest.raises(TypeError, match=f"^max_bytes {WHOLE}"):
            anabranch.load(**how, max_bytes=1e9)
    assert pickle.loads(pickle.dumps(model))._settings()["max_bytes"] == model.copy()._settings()["max_bytes"] == 3 << 30
    small = Model("rls", 2, max_bytes=5000)
    assert pickle.loads(pickle.dumps(small)).equal(small)


def test_pickles_before_0_20_are_read():
    model = Model("scale(rls)", ["a", "b"], bad_rows="skip")
    model.learn_many(X, Y)
    reduced = model.__reduce__()
    assert anabranch._model._unpickle(*reduced[1]).equal(model)


def test_an_object_whose_text_is_its_address_is_no_name():
    class Shop:
        pass

    class Named(Shop):
        def __repr__(self):
            return "north"

    model = Model("scale(rls)", schema={"shop": "category"})
    model.learn_one({"shop": "north", "n": 1}, 2.0)
    with pytest.raises(InputError, match="feature 'shop' is a Shop: .*, which is not a name"):
        model.learn_one({"shop": Shop(), "n": 1}, 2.0)
    assert model.predict_one({"shop": Named(), "n": 1}) == model.predict_one({"shop": "north", "n": 1})


def test_a_time_in_another_order_is_told_its_kind():
    model = Model("scale(rls)", ["when"], schema={"when": "time"})
    for text, kind in (("31/12/2024", "time-dmy"), ("12/31/2024", "time-mdy")):
        with pytest.raises(InputError, match=f"'{kind}' in schema= reads it$"):
            model.predict_one({"when": text})
        Model("scale(rls)", ["when"], schema={"when": kind}).predict_one({"when": text})


def test_evaluate_takes_the_models_target():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b"]).assign(y=Y, w=2.0)
    for frames in (frame, [frame[:100], frame[100:]], (part for part in (frame[:7], frame[7:]))):
        said = evaluate(Model("scale(rls)", ["a", "b"], target="y"), frames)
        assert np.array_equal(said.predictions, evaluate(Model("scale(rls)", ["a", "b"]), frame, "y").predictions)
    weighted = evaluate(Model("scale(rls)", target="y"), frame, w="w")
    assert np.array_equal(weighted.predictions, evaluate(Model("scale(rls)"), frame, "y", "w").predictions)
    with pytest.raises(TypeError, match=r"frames need y, the name of the column of targets, or Model\(..., target=...\)"):
        evaluate(Model("scale(rls)"), frame)
