"""Test, then learn: how good a model is on a stream."""

from __future__ import annotations

import dataclasses
import itertools
import math
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from . import _core, _frames
from ._model import Model

_BLOCK = 16384
_LONG = 200_000


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The result of ``evaluate``; errors are of predictions made before the target was learned.

    Attributes
    ----------
    n : int
        Predictions.
    mae, rmse, r2 : float
        Mean absolute error, root mean squared error, 1 - SSE/SST, all of every row. The program's r2 leaves out a new model's first prediction.
    rmse_second_half : float
        Root mean squared error of rows n // 2 and on.
    predictions : ndarray
        Shape (n,).
    """

    n: int
    mae: float
    rmse: float
    r2: float
    rmse_second_half: float
    predictions: np.ndarray = dataclasses.field(repr=False)


def _bar(n: int | None, progress: bool | None) -> Any:
    """tqdm's bar, where it is installed and wanted, or None."""
    if progress is None:
        progress = sys.stderr.isatty() and (n is None or n >= _LONG)
    if not progress:
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(total=n, unit="row", unit_scale=True)


def _blocks(model: Model, X: Any, y: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    rows, _ = _frames.matrix(model, X)
    _frames.warn_of_own_target(model, X, y, 4)
    targets = _frames.vector(y, "y")
    if len(rows) != len(targets):
        raise _core.InputError(f"y has {len(targets)} values for {len(rows)} rows")
    for i in range(0, len(rows), _BLOCK):
        yield rows[i : i + _BLOCK], targets[i : i + _BLOCK]


def _pairs(model: Model, stream: Iterable[Any]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    pairs = iter(stream)
    while block := list(itertools.islice(pairs, 1024)):
        rows, _ = _frames.matrix(model, [x for x, _ in block])
        yield rows, _frames.vector([y for _, y in block], "y")


def _score(y: np.ndarray, predictions: np.ndarray) -> Evaluation:
    use = np.isfinite(predictions)
    error = (y - predictions)[use]
    n = len(error)
    if n == 0:
        return Evaluation(0, math.nan, math.nan, math.nan, math.nan, predictions)
    spread = float(np.sum((y[use] - np.mean(y[use])) ** 2))
    squares = error**2
    r2 = 1 - float(np.sum(squares)) / spread if spread > 0 else math.nan
    late = math.sqrt(float(np.mean(squares[n // 2 :])))
    return Evaluation(n, float(np.mean(np.abs(error))), math.sqrt(float(np.mean(squares))), r2, late, predictions)


def evaluate(model: Model, X: Any, y: Any = None, *, progress: bool | None = None) -> Evaluation:
    """Predicts each row, then learns it, and measures the errors of the predictions.

    Parameters
    ----------
    model : Model
        It learns.
    X : table as for ``Model.learn_many``, or, without y, an iterable of (x, y) pairs
        Pairs may come from a generator; they are read as they are needed.
    y : array-like, optional
    progress : bool, optional
        Whether to show a bar of tqdm, if that is installed. None: where stderr is a terminal and the work is long.

    Returns
    -------
    Evaluation
    """
    if not isinstance(model, Model):
        raise TypeError(f"evaluate() takes a Model, not a {type(model).__name__}")
    bar = _bar(None if y is None else len(y), progress)
    targets: list[np.ndarray] = []
    predicted: list[np.ndarray] = []
    try:
        for rows, block in _pairs(model, X) if y is None else _blocks(model, X, y):
            predicted.append(np.empty(len(block)))
            model._many(rows, block, None, predicted[-1], sum(map(len, targets)))
            targets.append(block)
            if bar is not None:
                bar.update(len(block))
    finally:
        if bar is not None:
            bar.close()
    if not predicted:
        return _score(np.empty(0), np.empty(0))
    return _score(np.concatenate(targets), np.concatenate(predicted))
