"""Intervals and quantiles of many rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core, _frames

if TYPE_CHECKING:
    from ._model import Model


def ranges(model: Model, X: Any, coverage: float | None) -> Any:
    """The intervals of a coverage, or where that is None the quantiles, one row of X beside the other."""
    rows, wrap = _frames.matrix(model, X)
    if model.n_features is None:
        model._many(rows[:0], None, None, np.empty(0))  # takes the width of the table
    known = bool(model.levels) if coverage is None else coverage in model.coverages
    if not known and model.n_features is not None:
        model._range(np.zeros(model.n_features), coverage)  # raises what is wrong with it
    names = [str(level) for level in model.levels] if coverage is None else ["low", "high"]
    out = np.empty((len(names), len(rows)))
    for i, row in enumerate(rows):
        try:
            out[:, i] = model._range(row, coverage)
        except _core.InputError as error:
            raise _core.InputError(f"row {i}: {error}") from None
    return _frames.beside(names, [wrap(values) for values in out])
