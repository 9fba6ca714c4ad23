"""Keeping what a model's inside looked like while it learned."""

from __future__ import annotations

import math
import os
import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np

from . import _core
from ._model import Model
from ._schema import article

DEFAULT_METRICS = (
    "target", "prediction", "error", "rmse", "mae", "gate_entropy", "gate_confidence", "gate_margin", "disagreement",
    "effective_experts", "switching_rate", "experts_active", "experts_dead", "drifts", "restarts", "resets",
    "expert_weight", "expert_share", "expert_probability", "expert_prediction", "expert_rmse", "expert_load",
)  # fmt: skip
IMPORTANCES = ("feature_importance", "feature_sage", "feature_changed")


class Recorder(_core.Recorder):
    """Keeps every k-th sample's figures in a ring, whichever method learns it; `len` is the number of records.

    Parameters
    ----------
    model : Model
        Its features are set. It is observed until ``detach``, or until the recorder is no longer used.
    every : int
        Samples from one record to the next.
    capacity : int
        Records that are kept; new ones replace the oldest.
    audit : bool or str
        A rule audit beside it, where the model holds a mixture; a text is rules of one's own (``audit_rules()`` shows
        the language).
    metrics : "all" or iterable of str, optional
        What is kept, of ``metric_table()``; those that the model has not are left out.
    span : int
        Samples of the faded means.
    period : int
        Samples of a step of the audit.
    importance : int
        At every so many-th sample the importances of the features are measured, by some 5 n_features predictions, and
        kept where ``metrics`` does not say otherwise: ``feature_importance``, ``feature_sage``, ``feature_changed``;
        0: never. Since 0.13.

    Examples
    --------
    >>> from anabranch import Model
    >>> model = Model("moe(linear, mean)", 1)
    >>> recorder = Recorder(model, every=10)
    >>> model.learn_many([[i] for i in range(100)], [2.0 * i for i in range(100)])
    >>> len(recorder), int(recorder.array["step"][-1])
    (10, 100)
    """

    def __new__(
        cls,
        model: Model,
        *,
        every: int = 1,
        capacity: int = 10_000,
        audit: bool | str = True,
        metrics: str | Iterable[str] | None = None,
        span: int = 500,
        period: int = 32,
        importance: int = 0,
    ) -> Recorder:
        if metrics is None:
            names: tuple[str, ...] = DEFAULT_METRICS + IMPORTANCES
        elif isinstance(metrics, str):
            if metrics != "all":
                raise ValueError(f"metrics is 'all' or names, not {metrics!r}")
            names = tuple(name for name, row in _core.metric_table().items() if row["shape"] != "pair")
        elif not isinstance(metrics, Iterable):
            raise TypeError(f"metrics is 'all' or names, not {article(metrics)}")
        else:
            names = tuple(metrics)
        rules = audit if isinstance(audit, str) else None
        wanted = bool(audit)
        if wanted and rules is None and isinstance(model, Model) and model.n_features is not None:
            try:
                model._mixture()
            except _core.UnsupportedError:
                wanted = False
        recorder = super().__new__(cls, model, every, capacity, wanted, rules, names, span, period, importance)
        model.__dict__["_recorder"] = weakref.ref(recorder)
        return recorder

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r}, {len(self):,} records of {self.n_observed:,} samples)"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a Recorder cannot be pickled: take its .array or .to_pandas()")

    def _dtype(self) -> np.dtype:
        return np.dtype([(name, float, (n,)) if n > 1 else (name, float) for name, n in self._layout])

    @property
    def array(self) -> np.ndarray:
        """ndarray : the records, the oldest first, in a structured array that looks at the ring: copy it to keep it."""
        dtype = self._dtype()
        return np.frombuffer(self, dtype) if len(self) else np.empty(0, dtype)

    @property
    def experts(self) -> list[str]:
        """list of str : the experts' names; empty without a mixture."""
        return [expert["name"] for expert in self.pool()]

    def _of(self, metric: str) -> tuple[str, list[Any]]:
        """What the values of a metric that has several are of: a dimension and its coordinates."""
        shape = _core.metric_table()[metric]["shape"]
        if shape == "level":
            return "level", list(self.model.coverages)
        if shape == "feature":
            return "feature", list(self.model.features or range(self.model.n_features or 0))
        return "expert", self.experts

    def _columns(self) -> dict[str, np.ndarray]:
        """One vector for each column, and for each expert, level or feature."""
        records = self.array
        columns: dict[str, np.ndarray] = {}
        for name in records.dtype.names or ():
            values = records[name]
            if values.ndim == 1:
                columns[name] = values.copy()
            else:
                columns.update((f"{name}.{of}", values[:, i].copy()) for i, of in enumerate(self._of(name)[1]))
        columns["step"] = columns["step"].astype(np.int64)
        return columns

    def to_pandas(self) -> Any:
        """A pandas DataFrame with the index ``step``.

        Values of experts, levels and features are columns like ``expert_weight.rls_1``.
        """
        import pandas

        return pandas.DataFrame(self._columns()).set_index("step")

    def to_polars(self) -> Any:
        """A polars DataFrame with the column ``step``.

        Values of experts, levels and features are columns like ``expert_weight.rls_1``.
        """
        import polars

        return polars.DataFrame(self._columns())

    def to_xarray(self) -> Any:
        """An xarray Dataset.

        Returns
        -------
        xarray.Dataset
            Dimension ``step``, for values of experts, levels and features also ``expert``, ``level`` or ``feature``.
            Variables: the metrics, ``loss`` (the squared error), the audit's metrics as ``audit_<name>``, and
            ``<rule>_L`` and ``<rule>_U``, the bounds of each rule's truth.
        """
        import xarray

        records = self.array
        variables: dict[str, Any] = {}
        coordinates: dict[str, Any] = {"step": records["step"].astype(np.int64)}
        if self.experts:
            coordinates["expert"] = self.experts
        for name in (records.dtype.names or ())[1:]:
            values = records[name].copy()
            variables[name] = (("step",), values)
            if values.ndim > 1:
                dimension, coordinates[dimension] = self._of(name)
                variables[name] = (("step", dimension), values)
        if "error" in variables:
            variables["loss"] = (("step",), variables["error"][1] ** 2)
        return xarray.Dataset(variables, coordinates)

    def plot(self, *, window: int = 50, figsize: tuple[float, float] | None = None) -> Any:
        """Draws the rolling loss, the rules' truth as bands, and the experts' weights with the error.

        Parameters
        ----------
        window : int
            Records of the rolling mean of the loss.
        figsize : tuple of float, optional
            Inches.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from . import _plot

        return _plot.figure(self, window, figsize)

    def _lines(self) -> Iterable[str]:
        """The records as lines of JSON, as the program writes them."""
        import json

        records, experts = self.array, self.experts
        audit = [name for name in records.dtype.names or () if name.startswith("audit_")]
        rules = [name[:-2] for name in records.dtype.names or () if name.endswith("_L")]
        weights = {name: rule["weight"] for name, rule in self.rules().items()}
        plain = [n for n in records.dtype.names or () if n != "step" and n not in audit and n[:-2] not in rules]
        for record in records:
            line: dict[str, Any] = {"samples": int(record["step"])}
            line.update((name, _plain(record[name])) for name in plain)
            if experts:
                line["expert_name"] = experts
            if audit:
                line["audit"] = {name[6:]: _plain(record[name]) for name in audit}
                bounds = {rule: (float(record[rule + "_L"]), float(record[rule + "_U"])) for rule in rules}
                line["rules"] = {r: [low, high, weights[r] * (low + high) / 2] for r, (low, high) in bounds.items()}
            yield json.dumps(line, allow_nan=False)
        features = [str(name) for name in self.model.features or range(self.model.n_features or 0)]
        summary = {"learner": self.model.expression, "target": self.model.target, "features": features}
        yield json.dumps({"summary": summary})

    def report(self, path: str | os.PathLike[str]) -> None:
        """Writes the page of the program ``anabranch report`` from the records.

        Raises
        ------
        Error
            There are no records, or the program is not installed.
        """
        import shutil
        import subprocess
        import sysconfig

        program = os.path.join(sysconfig.get_path("scripts"), "anabranch")
        if not os.access(program, os.X_OK):
            found = shutil.which("anabranch")
            if found is None:
                raise _core.Error("the program `anabranch`, which makes the page, is not installed")
            program = found
        if not len(self):
            raise _core.Error("there are no records yet")
        text = "\n".join(self._lines()) + "\n"
        done = subprocess.run(
            [program, "report", "-", "-o", os.fspath(path)], input=text, text=True, capture_output=True, check=False
        )
        if done.returncode:
            raise _core.Error(done.stderr.strip() or f"anabranch report ended with status {done.returncode}")


def _plain(value: Any) -> Any:
    if getattr(value, "ndim", 0):
        return [_plain(v) for v in value]
    return float(value) if math.isfinite(value) else None
