"""The other libraries' own checks."""

import warnings

import numpy as np
import pytest

import anabranch
from anabranch import Model

EXPRESSIONS = ["auto(budget=5)", "scale(rls)", "linear"]


def river_checks():
    try:
        from river.utils.estimator_checks import yield_checks
    except ImportError:
        try:
            from river.checks import yield_checks
        except ImportError:
            return []
    from anabranch.river import Regressor

    cases = []
    for expression in EXPRESSIONS:
        for check in yield_checks(Regressor(expression)):
            name = getattr(check, "__name__", None) or getattr(getattr(check, "func", None), "__name__", "check")
            marks = []
            cases.append(pytest.param(expression, check, id=f"{expression}-{name}", marks=marks))
    return cases


@pytest.mark.parametrize("expression, check", river_checks())
def test_river(expression, check):
    from anabranch.river import Regressor

    check(Regressor(expression))


def test_a_pipeline_of_river():
    pytest.importorskip("river")
    from river import compose, datasets, evaluate, linear_model, metrics, preprocessing

    from anabranch.river import Regressor

    def score(regressor):
        model = compose.Select("clouds", "humidity", "pressure", "temperature", "wind") | preprocessing.StandardScaler() | regressor
        metric = metrics.MAE()
        evaluate.progressive_val_score(datasets.Bikes().take(3000), model, metric)
        return metric.get()

    try:
        next(iter(datasets.Bikes().take(1)))
    except Exception:
        pytest.skip("River's data set Bikes has to be downloaded")
    assert score(Regressor("rls")) < score(linear_model.LinearRegression())


def test_river_equals_the_model():
    pytest.importorskip("river")
    from anabranch.river import Regressor

    regressor, model = Regressor("scale(rls)"), Model("scale(rls)")
    for i in range(100):
        row = {"a": i % 7, "b": i % 3}
        assert regressor.predict_one(row) == (model.predict_one(row) if i else regressor.predict_one(row))
        regressor.learn_one(row, float(i % 7))
        model.learn_one(row, float(i % 7))
    assert regressor.equal(model)


# One stream in order is what these learn from: a sample of weight 2 is one longer step, not the same sample twice.
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "learns in order; weights scale a step, as in SGDRegressor",
    "check_sample_weight_equivalence_on_sparse_data": "learns in order; weights scale a step, as in SGDRegressor",
}


@pytest.mark.parametrize("expression, importance", [("auto(budget=5)", 0), ("scale(rls)", 0), ("scale(rls)", 2)])
def test_scikit_learn(expression, importance):
    pytest.importorskip("sklearn")
    from sklearn.exceptions import SkipTestWarning
    from sklearn.utils.estimator_checks import check_estimator

    from anabranch.sklearn import AnabranchRegressor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)  # of checks that need a setting of scipy's
        results = check_estimator(AnabranchRegressor(expression, importance=importance), expected_failed_checks=EXPECTED, on_fail=None)
    failed = [(r["check_name"], repr(r["exception"])[:300]) for r in results if r["status"] == "failed"]
    assert not failed
    assert sum(r["status"] == "passed" for r in results) >= 40


def test_scikit_learn_goes_on():
    pytest.importorskip("sklearn")
    from sklearn.base import clone

    from anabranch.sklearn import AnabranchRegressor

    X = np.random.default_rng(0).normal(size=(300, 3))
    y = X @ [1.0, 2.0, 3.0]
    whole = AnabranchRegressor("scale(rls)").fit(X, y)
    parts = clone(whole)
    for i in range(0, 300, 100):
        parts.partial_fit(X[i : i + 100], y[i : i + 100])
    assert np.array_equal(whole.predict(X), parts.predict(X)) and whole.score(X, y) > 0.99


@pytest.mark.parametrize("more", [[], ["x"]])
def test_scikit_learn_takes_durations_of_any_unit_as_seconds(more):
    pytest.importorskip("sklearn")
    pandas, polars, pyarrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    from anabranch.sklearn import AnabranchRegressor

    seconds = pandas.DataFrame({"took": np.arange(300) % 9 + 0.25, "x": np.arange(300.0) % 4})[["took", *more]]
    y = 2 * seconds["took"] + 10
    frame = seconds.assign(took=pandas.to_timedelta(seconds["took"], unit="s"))
    said = AnabranchRegressor("scale(rls)").fit(seconds, y).predict(seconds)
    fitted = AnabranchRegressor("scale(rls)").fit(frame, y)
    for unit in ("ms", "us", "ns"):
        assert np.array_equal(fitted.predict(frame.assign(took=frame["took"].astype(f"m8[{unit}]"))), said)
    for other in (polars.from_pandas(frame), pyarrow.Table.from_pandas(frame)):
        assert np.array_equal(AnabranchRegressor("scale(rls)").fit(other, y).predict(other), said)
    if not more:
        array = frame.to_numpy()
        assert array.dtype.kind == "m" and np.array_equal(AnabranchRegressor("scale(rls)").fit(array, y).predict(array), said)
    with pytest.raises(anabranch.InputError, match="named by an int"):
        AnabranchRegressor().fit(frame.set_axis(range(frame.shape[1]), axis=1), y)


def test_scikit_learn_wants_a_frame_where_it_was_fitted_to_names():
    pandas = pytest.importorskip("pandas")
    from anabranch.sklearn import AnabranchRegressor

    frame = pandas.DataFrame({"z": np.arange(20.0), "c": pandas.Categorical(np.arange(20) % 3)})
    fitted = AnabranchRegressor("scale(rls)").fit(frame, np.arange(20.0))
    for use in (fitted.predict, lambda X: fitted.partial_fit(X, np.arange(20.0))):
        with pytest.raises(anabranch.InputError, match="was fitted to a frame with names or times"):
            use(frame.to_numpy(dtype=float))


def test_scikit_learn_keeps_sparse_matrices_sparse():
    pytest.importorskip("sklearn")
    from scipy import sparse

    from anabranch.sklearn import AnabranchRegressor

    dense = np.where(np.random.default_rng(1).random((200, 30)) < 0.1, 1.0, 0.0)
    y = dense[:, 0] - dense[:, 1]
    fitted, twin = AnabranchRegressor("scale(rls)").fit(sparse.csc_matrix(dense), y), AnabranchRegressor("scale(rls)").fit(dense, y)
    assert fitted.model_.equal(twin.model_) and fitted.n_features_in_ == 30
    assert np.array_equal(fitted.predict(sparse.csr_array(dense)), twin.predict(dense))
    dense[0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        fitted.partial_fit(sparse.csr_array(dense), y)


def test_scikit_learn_importances():
    pytest.importorskip("sklearn")
    pandas = pytest.importorskip("pandas")
    import copy
    import pickle

    from sklearn.base import clone
    from sklearn.feature_selection import SelectFromModel

    from anabranch.sklearn import AnabranchRegressor

    r = np.random.default_rng(0)
    X = pandas.DataFrame({"z": r.normal(size=900), "b": r.choice(["u", "v"], 900), "a": r.normal(size=900)})
    y = 3 * X["z"] + 3 * (X["b"] == "u")
    plain = AnabranchRegressor("scale(rls)").fit(X, y)
    assert not hasattr(plain, "feature_importances_")
    fitted = AnabranchRegressor("scale(rls)", importance=2).fit(X, y)
    shares = fitted.feature_importances_
    assert fitted.model_.equal(plain.model_) and list(fitted.feature_names_in_) == ["z", "b", "a"]
    assert shares.sum() == pytest.approx(1) and shares[0] > 0.6 > shares[1] > 0.1 > 0.05 > shares[2] >= 0
    for twin in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        assert np.array_equal(twin.feature_importances_, shares)
        twin.partial_fit(X, -3 * X["a"])
        assert twin.feature_importances_[2] > 0.5
    parted = clone(fitted).partial_fit(X[:500], y[:500]).partial_fit(X[500:], y[500:])
    assert np.array_equal(parted.feature_importances_, shares)
    assert not hasattr(fitted.set_params(importance=0).fit(X, y), "feature_importances_")
    numbers = X.assign(b=X["b"] == "u").to_numpy(dtype=float)
    chosen = SelectFromModel(AnabranchRegressor("scale(rls)", importance=1)).fit(numbers, y)
    assert chosen.get_support()[0] and not chosen.get_support()[2]


def test_scikit_learn_tells_of_labels_in_another_order():
    pytest.importorskip("sklearn")
    pandas = pytest.importorskip("pandas")
    from anabranch.sklearn import AnabranchRegressor

    X, y = pandas.DataFrame({"a": [1.0, 2, 3]}), pandas.Series([1.0, 2, 3], index=[2, 1, 0])
    with pytest.warns(UserWarning, match="y has the labels of X in another order") as warned:
        fitted = AnabranchRegressor("rls").fit(X, y)
    assert warned[0].filename == __file__
    assert np.array_equal(fitted.predict(X), AnabranchRegressor("rls").fit(X, y.to_numpy()).predict(X))


def test_scikit_learn_takes_a_random_state():
    from anabranch.sklearn import AnabranchRegressor

    def seeds(state):
        regressor = AnabranchRegressor("linear", random_state=state)
        return [regressor.fit(np.eye(3), [1, 2, 3]).model_.seed for _ in range(2)]

    assert seeds(None) == [1, 1] and seeds(np.int64(7)) == [7, 7]
    first = seeds(np.random.RandomState(3))
    assert first == seeds(np.random.RandomState(3)) and first[0] != first[1]


def test_scikit_learn_finds_columns_of_mixed_frames_by_name():
    pytest.importorskip("sklearn")
    pandas = pytest.importorskip("pandas")
    from anabranch.sklearn import AnabranchRegressor

    frame = pandas.DataFrame({"rooms": np.arange(90.0) % 7, "area": np.arange(90.0) % 11, "town": ["Ulm", "Bonn", "Jena"] * 30})
    y = frame["rooms"] - frame["area"] + 5 * (frame["town"] == "Ulm")
    fitted = AnabranchRegressor("rls").fit(frame, y)
    assert list(fitted.feature_names_in_) == list(frame)
    lost = frame.assign(town=np.nan)  # nothing of it says that it was a text
    assert np.array_equal(fitted.predict(lost), fitted.predict(lost[["area", "rooms", "town"]]))
    assert np.array_equal(fitted.predict(lost), fitted.model_.predict_many(lost))
    fitted.partial_fit(lost, y)
    with pytest.raises(anabranch.InputError, match="'town'"):
        fitted.predict(frame[["rooms", "area"]])
    plain = AnabranchRegressor("scale(rls)").fit(frame[["rooms", "area"]].to_numpy(), y)
    empty = frame[["rooms", "area"]].assign(area=None)
    with pytest.warns(UserWarning, match="fitted without feature names"):
        assert np.array_equal(plain.predict(empty), plain.predict(empty.astype(float).to_numpy()))
    with pytest.raises(anabranch.InputError, match="data frame, not an ndarray"):
        AnabranchRegressor("rls", schema={"town": "category"}).fit(frame.to_numpy(), y)
    for X in (frame.to_numpy(), frame.to_numpy(str)):  # as a ColumnTransformer makes
        with pytest.raises(ValueError) as caught:
            AnabranchRegressor("rls").fit(X, y)
        assert "set_output" in caught.value.__notes__[0]
    with pytest.raises(anabranch.InputError, match="X has no rows"):
        AnabranchRegressor("rls").fit(frame[:0], y[:0])


def test_capymoa():
    pytest.importorskip("capymoa.evaluation")
    from capymoa.evaluation import prequential_evaluation
    from capymoa.stream import NumpyStream

    from anabranch.capymoa import Regressor

    X = np.random.default_rng(0).normal(size=(2000, 4))
    y = X @ [1.0, 2.0, 3.0, 4.0]
    stream = NumpyStream(X, y, dataset_name="made", target_type="numeric")
    results = prequential_evaluation(stream, Regressor(stream.get_schema(), expression="scale(rls)"), window_size=500)
    assert results.cumulative.rmse() < 2 and results.windowed.metrics_per_window()["rmse"].iloc[-1] < 0.2


@pytest.mark.parametrize("typed", [False, True], ids=["numbers", "names"])
def test_scikit_learn_is_as_it_was_after_a_fit_that_raises(typed):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("sklearn")
    from anabranch.sklearn import AnabranchRegressor
    from sklearn.exceptions import NotFittedError

    random = np.random.default_rng(0)
    frame = pandas.DataFrame({"a": random.normal(size=60), "b": random.normal(size=60)})
    if typed:
        frame["shop"] = list("xyz") * 20
    y = frame["a"].where(frame["a"].index != 7)
    for first in ("fit", "partial_fit"):
        regressor = AnabranchRegressor("scale(rls)", importance=4)
        for X, targets, weights in ((frame, y, None), (frame, frame["a"], -np.ones(60)), (frame, None, None), (frame, y[:3], None)):
            with pytest.raises(ValueError):
                getattr(regressor, first)(X, targets, weights)
            with pytest.raises(NotFittedError):
                regressor.predict(frame)
        regressor.fit(frame, frame["a"])
        said, importances = regressor.predict(frame), regressor.feature_importances_
        other = frame.rename(columns={"a": "c"})
        for method, X, targets in (("fit", frame, y), ("fit", other, y), ("partial_fit", frame, y)):
            with pytest.raises(ValueError):
                getattr(regressor, method)(X, targets)
            assert np.array_equal(regressor.predict(frame), said)
            assert list(regressor.feature_names_in_) == list(frame) and regressor.n_features_in_ == len(list(frame))
            assert regressor.feature_importances_ is importances
        regressor.set_params(expression="scale(rlz)")
        with pytest.raises(anabranch.ExpressionError):
            regressor.fit(frame, frame["a"])
        assert np.array_equal(regressor.predict(frame), said)


def test_scikit_learn_names_its_parameters():
    pytest.importorskip("sklearn")
    from anabranch.sklearn import AnabranchRegressor

    for parameters, kind, words in (({"random_state": "1"}, TypeError, "^random_state is a whole number.*, not a str$"),
                                    ({"random_state": np.random.default_rng(1)}, TypeError, "not a Generator$"),
                                    ({"random_state": -1}, ValueError, "^random_state = -1: at least 0$"),
                                    ({"importance": "x"}, TypeError, "^importance is a whole number, not a str$")):
        with pytest.raises(kind, match=words):
            AnabranchRegressor("rls", **parameters).fit([[1.0], [2.0]], [1.0, 2.0])


def test_river_shows_what_holds_a_regressor():
    pytest.importorskip("river")
    from river import compose, ensemble, preprocessing
    from anabranch.river import Regressor

    model = Regressor("scale(rls)", extra="raise", bad_rows="skip")
    held = preprocessing.TargetStandardScaler(ensemble.BaggingRegressor(model, n_models=2, seed=1))
    assert "extra=\"raise\"" in repr(held) and "bad_rows=\"skip\"" in repr(held)
    assert "Regressor" in repr(compose.Pipeline(preprocessing.StandardScaler(), held))
    assert all(hasattr(model, name) for name in model._get_params())
