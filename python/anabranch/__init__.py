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
from ._evaluate import Evaluation, evaluate
from ._learner import register
from ._model import Mixture, Model, Network, load
from ._recorder import Recorder
from ._schema import Schema
from ._serve import Reader, Server

__all__ = [
    "Error",
    "Evaluation",
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
