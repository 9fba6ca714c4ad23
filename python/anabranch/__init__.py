"""Regression on streams by mixtures of experts.

A model learns from one sample at a time and predicts at any moment. It is described by an expression of the library's
learners, keeps a bounded amount of memory, and gives the same bits on every machine.

>>> import anabranch
>>> model = anabranch.Model("rls")
>>> for i in range(200):
...     before = model.train_one({"a": i % 7, "b": i % 3}, 2.0 * (i % 7) - (i % 3))
>>> round(model.predict_one({"a": 5, "b": 1}), 3)
9.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._core import (
    Error,
    ExpressionError,
    InputError,
    SnapshotError,
    UnsupportedError,
    __version__,
    audit_rules,
    learners,
    metric_table,
)
from ._learner import register
from ._model import Model
from ._saved import load
from ._schema import Schema

if TYPE_CHECKING:
    from ._evaluate import Evaluation, evaluate
    from ._explain import Explainer, Explanation
    from ._recorder import Recorder
    from ._serve import Reader, Server
    from ._views import Category, Mixture, Network

# Loaded when they are first asked for: a program that only predicts starts sooner.
_LATER = {
    "Category": "_views",
    "Evaluation": "_evaluate",
    "Explainer": "_explain",
    "Explanation": "_explain",
    "Mixture": "_views",
    "Network": "_views",
    "Reader": "_serve",
    "Recorder": "_recorder",
    "Server": "_serve",
    "evaluate": "_evaluate",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module("." + _LATER[name], __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "Category",
    "Error",
    "Evaluation",
    "Explainer",
    "Explanation",
    "ExpressionError",
    "InputError",
    "Mixture",
    "Model",
    "Network",
    "Reader",
    "Recorder",
    "Schema",
    "Server",
    "SnapshotError",
    "UnsupportedError",
    "__version__",
    "audit_rules",
    "evaluate",
    "learners",
    "load",
    "metric_table",
    "register",
]
