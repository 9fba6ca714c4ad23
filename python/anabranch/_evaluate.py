"""Test, then learn: how good a model is on a stream."""

from __future__ import annotations

import dataclasses
import itertools
import math
import operator
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from . import _core, _frames
from ._model import Model
from ._pieces import Piece, pieces
from ._schema import article
from ._vectors import vectors

_BLOCK = 16384
_LONG = 200_000


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The result of ``evaluate``; errors are of predictions made before the target was learned.

    Attributes
    ----------
    n : int
        Predictions that were scored: of rows that were learned, so without those of weight 0 and those refused.
    mae, rmse, r2 : float
        Mean absolute error, root mean squared error, 1 - SSE/SST, all of every row. The program's r2
        leaves out a new model's first prediction.
    rmse_second_half : float
        Root mean squared error of rows n // 2 and on.
    predictions : ndarray
        One for each row, those that were not scored included; nan where a row was refused.
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


def _table(model: Model, X: Any, y: Any, w: Any) -> Iterator[Piece]:
    targets, weights = vectors(y, w)
    rows, _ = _frames.table(model, X)
    _frames.warn_of_targets(model, X, y, w)
    n = _frames.n_rows(rows)
    for name, vector in (("y", targets), ("w", weights)):
        if vector is not None and len(vector) != n:
            raise _core.InputError(f"{name} has {len(vector)} values for {n} rows")
    for i in range(0, n, _BLOCK):
        end = i + _BLOCK
        yield _frames.part(rows, i, end), targets[i:end], None if weights is None else weights[i:end]


def _sample(number: int, sample: Any) -> tuple[Any, Any, Any]:
    try:
        x, y, *w = sample
    except (TypeError, ValueError):
        x = None
    if x is None or len(w) > 1 or isinstance(sample, (str, dict)):
        what = f"{article(sample)}{f' of {len(sample)}' if isinstance(sample, (tuple, list)) else ''}"
        raise TypeError(f"sample {number} of the stream is {what}: it has to be a pair (x, y) or a triple (x, y, w)")
    return x, y, w[0] if w else 1.0


def _samples(model: Model, stream: Iterable[Any]) -> Iterator[Piece]:
    if not hasattr(stream, "__iter__") and not hasattr(stream, "__getitem__"):
        raise TypeError(f"X is a table, frames or an iterable of samples, not {article(stream)}")
    samples = iter([stream] if _frames.library_of(stream) else stream)
    for first in samples:
        samples = itertools.chain([first], samples)
        if _frames.library_of(first):
            if model.target is None:
                raise TypeError("frames need y, the name of the column of targets, or Model(..., target=...)")
            yield from pieces(model, samples, None, None)
            return
        break
    n = 0
    while block := list(itertools.islice(samples, 1024)):
        if set(map(type, block)) != {tuple} or set(map(len, block)) != {2}:
            block = [_sample(n + i, sample) for i, sample in enumerate(block)]
        rows, *given = zip(*block)
        yield _frames.table(model, list(rows), n)[0], *vectors(*given)
        n += len(block)


def _score(y: np.ndarray, w: np.ndarray, predictions: np.ndarray) -> Evaluation:
    use = np.isfinite(predictions) & (w > 0)
    error = (y - predictions)[use]
    n = len(error)
    if n == 0:
        return Evaluation(0, math.nan, math.nan, math.nan, math.nan, predictions)
    spread = float(np.sum((y[use] - np.mean(y[use])) ** 2))
    squares = error**2
    r2 = 1 - float(np.sum(squares)) / spread if spread > 0 else math.nan
    late = math.sqrt(float(np.mean(squares[n // 2 :])))
    return Evaluation(n, float(np.mean(np.abs(error))), math.sqrt(float(np.mean(squares))), r2, late, predictions)


def evaluate(model: Model, X: Any, y: Any = None, w: Any = None, *, progress: bool | None = None) -> Evaluation:
    """Predicts each row, then learns it, and measures the errors of the predictions.

    Parameters
    ----------
    model : Model
        It learns.
    X : table as for ``Model.learn_many``, frames as for ``Model.learn_frames``, or, without y, an iterable of samples
        Samples are pairs (x, y) or triples (x, y, w). They may come from a generator; they are read as they are needed.
    y : array-like or str, optional
        The targets, or the name of their column: X is a frame or several then. Names since 0.14. Where X is frames and
        there is no y it is the model's ``target``, since 0.20.
    w : array-like or str, optional
        How many samples each row counts for when it is learned, as for ``Model.learn_many``. Each error counts once;
        those of rows of weight 0, which are not learned, do not. Since 0.14.
    progress : bool, optional
        Whether to show a bar of tqdm, if that is installed. None: where stderr is a terminal and the work is long.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        A row, target or weight is refused, or there is no such column; the message says which, and how many rows before
        it were learned.
    TypeError
        X is no table, frames or samples.
    """
    if not isinstance(model, Model):
        raise TypeError(f"evaluate() takes a Model, not a {type(model).__name__}")
    if y is None and (isinstance(w, str) or _frames.library_of(X) or hasattr(X, "to_batches")):
        y = model.target
    if y is None and w is not None:
        raise TypeError("w needs y; samples of an iterable have their weights with them: (x, y, w)")
    named = isinstance(y, str)
    bar = _bar(None if y is None or named else operator.length_hint(y), progress)
    stream = _samples(model, X) if y is None else pieces(model, X, y, w) if named else _table(model, X, y, w)
    scored: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []  # targets, weights, predictions
    n = 0
    try:
        for rows, targets, weights in stream:
            out = np.empty(len(targets))
            model._many(rows, targets, weights, out, n)
            scored.append((targets, np.ones(len(out)) if weights is None else weights, out))
            n += len(targets)
            if bar is not None:
                bar.update(len(targets))
    finally:
        if bar is not None:
            bar.close()
    return _score(*map(np.concatenate, zip(*scored))) if scored else _score(np.empty(0), np.empty(0), np.empty(0))
