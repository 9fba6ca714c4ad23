"""Explanations: sums, exact values, backgrounds, refusals."""

import copy
import pickle

import numpy as np
import pytest

import anabranch
from anabranch import Explainer, Model

NAMES = ["a", "b", "c"]


def data(n=600):
    random = np.random.default_rng(5)
    X = random.normal(size=(n, 3))
    return X, 3 * X[:, 0] - X[:, 1] ** 2


def trained(expression="linear"):
    X, y = data()
    model = Model(expression, NAMES)
    explainer = Explainer(model, rows=8)
    model.learn_many(X, y)
    return model, explainer, X


def test_a_linear_model_says_its_own_values():
    model, explainer, X = trained()
    why = explainer.explain(dict(zip(NAMES, X[7])))
    zero = model.predict_one([0, 0, 0])
    slope = np.array([model.predict_one(np.eye(3)[j]) - zero for j in range(3)])
    assert why.exact and why.rows == len(explainer) == 8 and why.columns == tuple(NAMES)
    assert np.all(why.error == 0) and why.experts == {}
    assert why.prediction == model.predict_one(X[7])
    # phi_j = slope_j (x_j - mean of the kept rows); the kept rows differ from X[7] by the same amounts in explain(zero
    # row)
    other = explainer.explain([0, 0, 0])
    assert np.allclose(why.phi - other.phi, slope * X[7], rtol=0, atol=1e-12)


@pytest.mark.parametrize("expression", ["rls", "scale(moe(linear, rls, mlp))", "auto(budget=5)"])
def test_values_sum_to_the_prediction(expression):
    model, explainer, X = trained(expression)
    for x in X[:5]:
        why = explainer.explain(x)
        assert why.prediction == model.predict_one(x)
        assert abs(why.base + why.phi.sum() - why.prediction) < 1e-9 * max(1, abs(why.prediction))
        assert explainer.explain(x).phi.tolist() == why.phi.tolist()
    if "moe" in expression:
        assert list(why.experts) == model.mixture().names
    assert abs(why.phi[2]) < abs(why.phi[0]) + abs(why.phi[1])
    assert [name for name, _ in why.top(2)] == [n for n, _ in why.top()][:2]
    assert explainer.cost >= why.rows


def test_a_background_of_ones_own():
    model, explainer, X = trained()
    why = model.explain(X[3], X[:40])
    assert why.rows == 40
    assert np.isclose(why.base, np.mean([model.predict_one(x) for x in X[:40]]))
    assert model.explain(X[3]).rows == 8  # those that the explainer kept
    before = model.to_bytes()
    model.explain(X[3], X[:2])
    assert model.to_bytes() == before


def test_columns_of_a_table_are_explained_as_columns():
    model = Model("scale(rls)", schema={"shop": "category"})
    rows = [{"shop": "ab"[i % 2], "size": float(i % 7)} for i in range(400)]
    for row in rows:
        model.learn_one(row, 10.0 * (row["shop"] == "a") + row["size"])
    why = model.explain({"shop": "a", "size": 6.0}, rows[-50:])
    assert why.columns == ("shop", "size") and len(why.phi) == 2
    assert why.phi[0] > 3 and why.phi[1] > 1


def test_refusals():
    model = Model("linear", NAMES)
    with pytest.raises(anabranch.UnsupportedError, match="background="):
        model.explain([1, 2, 3])
    explainer = Explainer(model)
    with pytest.raises(anabranch.UnsupportedError, match="no rows are kept"):
        model.explain([1, 2, 3])
    with pytest.raises(anabranch.InputError):
        explainer.keep([1, float("inf"), 3])
    with pytest.raises(anabranch.InputError, match="^row 1: feature 'b' is infinite$"):
        model.explain([1, 2, 3], [[1, 2, 3], [1, float("inf"), 3]])
    explainer.keep({"a": 1, "b": 2, "c": 3})
    assert len(explainer) == 1
    with pytest.raises(anabranch.InputError):
        explainer.explain([1, 2])
    for bad in ({"rows": 0}, {"pairs": 0}, {"rows": 70_000}, {"span": -1.0}):
        with pytest.raises(anabranch.Error):
            Explainer(model, **bad)
    with pytest.raises(anabranch.InputError, match="columns"):
        explainer._keep_many(np.zeros((2, 5)))
    with pytest.raises(TypeError):
        import pickle

        pickle.dumps(explainer)


def test_detach():
    model, explainer, X = trained()
    explainer.detach()
    before = [explainer.explain(x).base for x in X[:3]]
    model_before = model.predict_one(X[0])
    model.learn_many(X + 100, X[:, 0])
    assert model.predict_one(X[0]) != model_before
    assert explainer.model is model and len(explainer) == 8 and len(before) == 3


def test_a_copy_has_no_explainer_or_recorder_of_another_model():
    model = Model("scale(rls)", ["a", "b"])
    kept = Explainer(model), anabranch.Recorder(model)
    X = np.random.default_rng(0).normal(size=(50, 2))
    model.learn_many(X, X[:, 0])
    for twin in (model.copy(), copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        twin.learn_many(X, -X[:, 0])
        with pytest.raises(anabranch.UnsupportedError, match="no rows to explain against"):
            twin.explain(X[0])
        with pytest.raises(anabranch.Error, match="make one for this model"):
            twin.report("page.html")
    assert model.explain(X[0]).prediction == model.predict_one(X[0]) and len(kept) == 2
