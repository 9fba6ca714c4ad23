"""Tables that come in pieces, such as those that are larger than memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _frames
from ._core import InputError
from ._kinds import column_of
from ._schema import article
from ._vectors import vectors

if TYPE_CHECKING:
    from ._model import Model

Piece = tuple[_frames.Table, np.ndarray, np.ndarray | None]  # rows, targets, weights


def _frames_in(X: Any) -> Iterator[Any]:
    """The frames of an iterable of frames, a lazy frame, or what else gives record batches; a frame is one."""
    library = _frames.library_of(X)
    if library == "lazy":
        return iter(X.collect_batches()) if hasattr(X, "collect_batches") else iter([X.collect()])
    if library == "arrow":
        try:
            import pyarrow

            return iter(pyarrow.RecordBatchReader.from_stream(X))
        except (ImportError, AttributeError, ValueError):  # before pyarrow 15; what is no table is told by frame_of
            pass
    if library:
        return iter([X])
    for method in ("to_batches", "iter_batches"):  # of pyarrow's data sets and files of Parquet
        if hasattr(X, method):
            return iter(getattr(X, method)())
    if isinstance(X, (str, bytes, dict)) or hasattr(X, "__array__"):
        of = f" of {type(X).__module__.partition('.')[0]}" if hasattr(X, "columns") else ""
        raise TypeError(f"frames are an iterable of data frames, not {article(X)}{of}")
    try:
        return iter(X)
    except TypeError:
        raise TypeError(f"frames are an iterable of data frames, not {article(X)}") from None


def _difference(first: list[str], names: list[str]) -> str | None:
    """What distinguishes the columns of a frame from those of the first one; their order does not."""
    for name in first:
        if name not in names:
            return f"it has no column {name!r}, which the frames before it have"
    for name in names:
        if name not in first:
            return f"it has a column {name!r}, which the frames before it have not"
    return None


def _check_names(model: Model, names: list[str], given: dict[str, str]) -> None:
    for what, name in given.items():
        if name not in names:
            raise InputError(f"{what} is the name of a column, and the first frame has no column {name!r}")
        if name in (model.features or ()):
            raise InputError(f"the column {name!r} is {what} and a feature of the model")


def pieces(model: Model, frames: Any, y: str | None, w: str | None) -> Iterator[Piece]:
    """Rows, targets and weights of one frame after the other, each read when the one before was used."""
    y = model.target if y is None else y
    if not isinstance(y, str) or not isinstance(w, (str, type(None))):
        raise TypeError("y and w are names of columns; Model(..., target=...) is the default of y")
    given = {"y": y} if w is None else {"y": y, "w": w}
    first: list[str] = []
    n = 0
    for i, frame in enumerate(_frames_in(frames)):
        library, frame = _frames.frame_of(frame)
        if not library:
            raise TypeError(f"frame {i} is {article(frame)}, not a data frame")
        names = _frames._names(library, frame)
        if i == 0:
            _check_names(model, names, given)
            first = names
        try:
            difference = _difference(first, names)
            if difference:
                raise InputError(difference)
            targets, weights = vectors(*(column_of(library, frame, name) for name in given.values()))
            rows = _frames.columns(model, library, frame, tuple(given.values()), n)
        except InputError as error:
            if i == 0:
                raise
            learned = f"the {n} rows before it were learned"
            raise InputError(f"frame {i}, of the rows from {n} on: {error}; {learned}") from None
        yield rows, targets, weights
        n += len(targets)
