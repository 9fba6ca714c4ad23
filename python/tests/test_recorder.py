"""The Recorder: what it keeps, and in which shapes it gives it."""

import numpy as np
import pytest

import anabranch
from anabranch import Model, Recorder


def stream(n=1000):
    random = np.random.default_rng(5)
    X = random.normal(size=(n, 3))
    return X, X @ [1.0, -2.0, 0.5]


def recorded(every=5, capacity=10_000, n=1000, **more):
    X, y = stream(n)
    model = Model("scale(moe(linear, rls, mean))", 3)
    recorder = Recorder(model, every=every, capacity=capacity, **more)
    model.learn_many(X, y)
    return model, recorder, X, y


def test_records_are_the_loops():
    model, recorder, X, y = recorded()
    twin = Model("scale(moe(linear, rls, mean))", 3)
    other = Recorder(twin, every=5)
    before = [twin.train_one(x, t) for x, t in zip(X, y)]
    assert len(recorder) == 200
    assert recorder.array.tobytes() == other.array.tobytes()
    assert recorder.array["step"].tolist() == list(range(5, 1001, 5))
    assert np.array_equal(recorder.array["prediction"], before[4::5])
    assert np.array_equal(recorder.array["target"], y[4::5])
    assert np.array_equal(recorder.array["expert_weight"][-1], model.mixture().weight)


def test_recording_changes_no_model():
    model, _, X, y = recorded()
    plain = Model("scale(moe(linear, rls, mean))", 3)
    plain.learn_many(X, y)
    assert plain.equal(model)


@pytest.mark.parametrize("n", [30, 35, 64, 100])
def test_the_ring_keeps_the_newest(n):
    _, recorder, _, _ = recorded(every=1, capacity=32, n=n)
    assert recorder.array["step"].tolist() == list(range(max(1, n - 31), n + 1))


@pytest.mark.parametrize("expression", ["interval(scale(rls), coverage=[0.5, 0.9])", "interval(scale(moe(linear, rls, mean)), coverage=[0.5, 0.9])"])
def test_levels_and_features_are_dimensions_of_their_own(expression):
    xarray, pandas = pytest.importorskip("xarray"), pytest.importorskip("pandas")
    X, y = stream()
    model = Model(expression, ["a", "b", "c"])
    recorder = Recorder(model, every=10, metrics="all", importance=1)
    model.learn_many(X, y)
    records, data, frame = recorder.array, recorder.to_xarray(), recorder.to_pandas()
    assert isinstance(data, xarray.Dataset) and isinstance(frame, pandas.DataFrame)
    assert data["interval_low"].dims == ("step", "level") and data["level"].values.tolist() == [0.5, 0.9]
    assert data["feature_sage"].dims == ("step", "feature") and data["feature"].values.tolist() == ["a", "b", "c"]
    assert np.array_equal(frame["interval_high.0.9"], records["interval_high"][:, 1], equal_nan=True)
    assert np.array_equal(frame["feature_importance.b"], records["feature_importance"][:, 1])
    assert set(data["interval_width"].coords) == {"step", "level"}


def test_importances_follow_what_the_model_uses():
    X, y = stream(3000)
    model = Model("scale(rls)", 3)
    recorder, without = Recorder(model, every=100, importance=2), Recorder(model, every=100)
    model.learn_many(X, y)
    last = recorder.array[-1]
    assert np.allclose(last["feature_importance"], [2 * 1.0, 2 * 4.0, 2 * 0.25], rtol=0.3)
    assert np.allclose(last["feature_sage"].sum(), 5.25, rtol=0.3)
    assert "feature_sage" not in without.array.dtype.names
    assert list(recorder._lines())[-1] == '{"summary": {"learner": "scale(rls)", "target": null, "features": ["0", "1", "2"]}}'
    with pytest.raises(anabranch.Error, match="importance"):
        Recorder(model, importance=-1)


def test_the_array_looks_at_the_ring():
    model, recorder, X, y = recorded(every=1, capacity=2000)
    first = recorder.array
    assert not first.flags.owndata and not first.flags.writeable
    model.learn_one(X[0], y[0])
    assert len(first) == 1000 and recorder.array["step"][-1] == 1001
    del recorder, model
    assert first["step"][-1] == 1000


def test_detach():
    model, recorder, X, y = recorded()
    recorder.detach()
    model.learn_many(X, y)
    assert len(recorder) == 200 and recorder.n_observed == 1000


def test_rejected_samples_leave_no_record():
    model = Model("scale(rls)", 1, bad_rows="skip")
    recorder = Recorder(model)
    model.learn_many([[1.0], [2.0], [float("inf")]], [1.0, float("nan"), 1.0])
    assert len(recorder) == 1


def test_samples_of_weight_0_leave_no_record():
    model, recorder, X, y = recorded(every=1, n=10)
    model.train_one(X[0], y[0], 0)
    model.learn_many(X, y, [0, 1] * 5)
    late = Recorder(model)
    model.train_one(X[0], y[0], 0)
    assert len(recorder) == recorder.n_observed == model.n_samples_seen == 15
    assert recorder.array["step"].tolist() == list(range(1, 16))
    assert len(late) == 0


def test_frames():
    pandas, polars, xarray = map(pytest.importorskip, ("pandas", "polars", "xarray"))
    _, recorder, _, _ = recorded()
    frame = recorder.to_pandas()
    assert isinstance(frame, pandas.DataFrame) and frame.index.name == "step" and "expert_weight.rls_1" in frame
    assert recorder.to_polars()["step"].to_list() == frame.index.to_list()
    dataset = recorder.to_xarray()
    assert dataset["expert_weight"].dims == ("step", "expert")
    assert dataset["expert"].values.tolist() == ["linear_0", "rls_1", "mean_2"]
    rules = [name[:-2] for name in dataset if name.endswith("_L")]
    assert rules and all((dataset[r + "_L"] <= dataset[r + "_U"]).all() for r in rules)
    assert np.array_equal(dataset["loss"].values, recorder.array["error"] ** 2)
    assert isinstance(dataset, xarray.Dataset)


def test_read_outs():
    model, recorder, X, y = recorded()
    metrics = recorder.metrics()
    assert metrics["samples"] == 1000 and len(metrics["expert_rmse"]) == 3 and len(metrics["coactivation"]) == 9
    assert {"lower", "upper", "severity", "weight", "alarmed"} == set(next(iter(recorder.rules().values())))
    assert [e["name"] for e in recorder.pool()] == recorder.experts == ["linear_0", "rls_1", "mean_2"]
    assert "\nanabranch_samples_total 1000\n" in recorder.prometheus()
    assert '"expert_name"' in recorder.json() and '"rules"' in recorder.json()


def test_choices():
    _, everything, _, _ = recorded(metrics="all")
    assert set(everything.array.dtype.names) >= set(n for n, m in anabranch.metric_table().items() if m["shape"] in ("model", "mixture", "expert"))
    _, few, _, _ = recorded(metrics=["rmse"], audit=False)
    assert few.array.dtype.names == ("step", "rmse") and few.rules() == {}
    _, own, _, _ = recorded(audit="low = ramp(gate_margin, 0.2, slope=-12)\ntorn = 0.6 :: low")
    assert list(own.rules()) == ["torn"] and "torn_U" in own.array.dtype.names
    plain = Model("linear", 1)
    assert Recorder(plain).array.shape == (0,)
    with pytest.raises(anabranch.InputError, match="no metric"):
        Recorder(plain, metrics=["nonsense"])
    with pytest.raises(ValueError):
        Recorder(plain, metrics="some")
    with pytest.raises(anabranch.InputError):
        Recorder(plain, every=0)
    with pytest.raises((anabranch.InputError, MemoryError)):
        Recorder(plain, capacity=2**60)
    with pytest.raises(anabranch.Error):
        Recorder(Model("linear"))
    with pytest.raises((anabranch.ExpressionError, anabranch.InputError)):
        Recorder(Model("moe(linear, mean)", 1), audit="torn = 0.6 ::")
    with pytest.raises(TypeError):
        Recorder("linear")


def test_plot():
    pytest.importorskip("matplotlib")
    _, recorder, _, _ = recorded()
    figure = recorder.plot()
    loss, rules, experts = figure.axes[:3]
    drawn = loss.lines[0].get_ydata()
    squares = recorder.array["error"] ** 2
    assert drawn[10] == pytest.approx(squares[:11].mean()) and drawn[-1] == pytest.approx(squares[-50:].mean(), abs=1e-12)
    assert len(rules.collections) == len(recorder.rules()) and len(experts.collections) == 3
    figure.canvas.draw()
    with pytest.raises(ValueError):
        recorded(metrics=["samples"], audit=False)[1].plot()


def needs_program():
    import os
    import shutil
    import sysconfig

    if not (os.access(os.path.join(sysconfig.get_path("scripts"), "anabranch"), os.X_OK) or shutil.which("anabranch")):
        pytest.skip("the program anabranch is not installed")


def test_report(tmp_path):
    needs_program()
    model, recorder, _, _ = recorded(metrics="all")
    model.report(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "<svg" in page and "rls_1" in page
    with pytest.raises(anabranch.Error, match="Recorder"):
        Model("linear", 1).report(tmp_path / "other.html")


def test_a_report_names_the_features(tmp_path):
    needs_program()
    X, y = stream()
    model = Model("scale(rls)", ["area", "rooms", "floor"])
    recorder = Recorder(model, every=10, importance=5)
    model.learn_many(X, y)
    recorder.report(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "<code>scale(rls)</code>" in page and all(f"</i>{name}</td>" in page for name in model.features)
    assert "<td>-</td>" in page and "<td>0.0 %</td>" not in page  # how many cells were missing is not known


def test_every_sample_after_a_reset_is_recorded():
    model = Model("moe(linear, mean)", 1)
    recorder, explainer = Recorder(model, importance=1, metrics="all"), anabranch.Explainer(model)
    for _ in range(4):
        model.reset()
        model.learn_one([1], 2, 0)
        model.learn_one([1], 2)
    assert len(recorder) == len(explainer) == recorder.n_observed == 4 and set(recorder.array["step"]) == {1}
    assert recorder.pool()[0]["processed"] == 4
