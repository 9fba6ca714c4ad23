"""The Model: single rows are handled in C; here are tables, pickles and read-outs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from . import _core, _frames
from ._ranges import ranges
from ._saved import _unpickle, held_text, save_to
from ._schema import Schema
from ._vectors import vectors

if TYPE_CHECKING:
    from ._explain import Explanation
    from ._recorder import Recorder
    from ._views import Category, Mixture, Network

_M = TypeVar("_M", bound="Model")


class Model(_core.Model):
    """A model that learns from one sample at a time.

    Parameters
    ----------
    expression : str
        The learner, such as ``"scale(rls)"`` or ``"auto(budget=5)"``; see ``learners()`` and the manual.
    features : int or sequence of str, optional
        How many cells a row has, or their names. Else both come from the first row; named cells are then sorted by
        name.
    seed : int
        What every random choice is derived from.
    schema : Schema or mapping of str to str, optional
        Kinds of some columns: ``{"store": "category", "when": "time"}``. Those of the others come from the first row's
        cells or the first frame's dtypes; with ``features`` by name they are numbers. A table that holds more than
        numbers is read through the learner ``columns``, which is put around the expression where it is not in it.
    target : str, optional
        The target's name, kept in files. A key or column of that name in the first row or frame is no feature, and is
        passed over in all of them.
    bad_rows : {"raise", "skip"}
        What happens to a row that is refused: an ``InputError``, or nan in place of each number that a method would
        return for it; those predicted or learned are counted in ``counters``. A cell that cannot be read, such as a
        text for a number, raises in either case.
    extra : {"ignore", "raise"}
        What happens to keys and columns that are no features.
    max_bytes : int
        Bound of the model's memory; 1 GiB.
    threads : int
        Threads that share the experts of the model's mixture, the caller included; 0: as many as the process may use
        cores. Results are bit-identical to those of one thread; it pays where a sample takes more than 5 us. Learners
        written in Python run in one thread.

    Raises
    ------
    ExpressionError
        The expression is refused; the message shows where. What depends on how many features there are, such as the
        memory that it takes, is told when they are known.
    InputError, TypeError
        An argument is out of range or of a wrong type, or a name is one that no file can keep.
    """

    def __init__(
        self,
        expression: str = "auto",
        features: int | Sequence[str] | None = None,
        *,
        seed: int = 1,
        schema: Mapping[str, str] | None = None,
        target: str | None = None,
        bad_rows: str = "raise",
        extra: str = "ignore",
        max_bytes: int = 1 << 30,
        threads: int = 1,
    ) -> None:
        text = None if schema is None else Schema(schema).text or None
        super().__init__(
            expression,
            features,
            seed=seed,
            schema=text,
            target=target,
            bad_rows=bad_rows,
            extra=extra,
            max_bytes=max_bytes,
            threads=threads,
        )

    # ---- tables ----

    _held: dict[str, str] = {}  # which columns held texts or times in the frame that gave the kinds
    _wants_a_feature: bool = True  # a frame without any of the features is refused; else its rows have missing cells

    def learn_many(self, X: Any, y: Any, w: Any = None) -> None:
        """Learns many samples in order; the model is bit-identical to that of a loop over ``learn_one``.

        Parameters
        ----------
        X : array, data frame or sequence of rows, shape (n, n_features)
            numpy, pandas, polars, pyarrow, whatever offers an Arrow stream, scipy's sparse matrices, or dicts and
            sequences. An array of float64 is read in place, with any strides. Columns of frames are found by their
            names. Durations are seconds; what a masked array hides is missing. Rows of a sparse matrix are filled with
            zeros some at a time.
        y : array-like, shape (n,)
            The targets, finite.
        w : array-like, shape (n,), optional
            How many samples each counts for, >= 0.

        Raises
        ------
        InputError
            A row is refused; all are checked first, so nothing was learned.
        KeyboardInterrupt
            Or what else the handler of a signal raises, some tenths of a second after the signal. The rows before have
            been learned: ``n_samples_seen`` says how many.
        """
        targets, weights = vectors(y, w)
        rows, _ = _frames.table(self, X)
        _frames.warn_of_targets(self, X, y, w)
        self._many(rows, targets, weights, None)

    def train_many(self, X: Any, y: Any, w: Any = None) -> Any:
        """As ``learn_many``, with its parameters and exceptions; returns what it predicted before it learned.

        Returns
        -------
        ndarray, Series or array of X's library, shape (n,)
            The prediction of each sample, in the target's unit.
        """
        targets, weights = vectors(y, w)
        rows, wrap = _frames.table(self, X)
        _frames.warn_of_targets(self, X, y, w)
        out = np.empty(_frames.n_rows(rows))
        self._many(rows, targets, weights, out)
        return wrap(out)

    def learn_frames(self, frames: Any, y: str | None = None, w: str | None = None) -> int:
        """Learns a table that comes in pieces, such as one that is larger than memory; as ``learn_many`` of all rows.

        Parameters
        ----------
        frames : iterable of data frames
            Of pandas, polars or pyarrow, each read when the one before was learned: a generator,
            ``pandas.read_csv(..., chunksize=n)``. Or a lazy frame of polars, a data set or file of Parquet of pyarrow,
            or what offers an Arrow stream. All have the columns of the first one, in any order; the first one gives
            names and kinds of a new model's features.
        y : str, optional
            The column of targets; else the model's ``target``. It is no feature.
        w : str, optional
            The column of weights, which is no feature either; else each row counts for one sample.

        Returns
        -------
        int
            How many rows were read.

        Raises
        ------
        InputError
            A frame has other columns, one of them holds numbers where it held texts before, or a row is refused: the
            frames before it have been learned, of this one nothing. The message names the frame, and the row or column.

        Notes
        -----
        Since 0.14.
        """
        from ._pieces import pieces

        n = 0
        for rows, targets, weights in pieces(self, frames, y, w):
            self._many(rows, targets, weights, None, n)
            n += len(targets)
        return n

    def predict_many(self, X: Any) -> Any:
        """The predictions for many rows; bit-identical to those of a loop over ``predict_one``.

        Parameters
        ----------
        X : array, data frame or sequence of rows, shape (n, n_features)
            As for ``learn_many``.

        Returns
        -------
        ndarray, Series or array of X's library, shape (n,)
            With X's index.

        Raises
        ------
        InputError
            A row is refused; the message names it.
        """
        rows, wrap = _frames.table(self, X)
        out = np.empty(_frames.n_rows(rows))
        self._many(rows, None, None, out)
        return wrap(out)

    def predict_interval_many(self, X: Any, coverage: float) -> Any:
        """The intervals of ``predict_interval`` for many rows.

        Parameters
        ----------
        X : array, data frame or sequence of rows, shape (n, n_features)
            As for ``learn_many``.
        coverage : float
            One of ``coverages``.

        Returns
        -------
        ndarray of shape (n, 2), or DataFrame or Table of X's library with the columns ``low`` and ``high``
            With X's index.

        Raises
        ------
        UnsupportedError, InputError
            As of ``predict_interval``; the message names the row.

        Notes
        -----
        Since 0.16.
        """
        if coverage is None:
            raise TypeError("coverage is a number, not None")
        return ranges(self, X, coverage)

    def predict_quantiles_many(self, X: Any) -> Any:
        """The quantiles of ``predict_quantiles`` for many rows.

        Parameters
        ----------
        X : array, data frame or sequence of rows, shape (n, n_features)
            As for ``learn_many``.

        Returns
        -------
        ndarray of shape (n, len(levels)), or DataFrame or Table of X's library with a column for each level
            The columns are named by the levels: ``"0.1"``. With X's index.

        Raises
        ------
        UnsupportedError, InputError
            As of ``predict_quantiles``; the message names the row.

        Notes
        -----
        Since 0.16.
        """
        return ranges(self, X, None)

    # ---- copies, bytes and files ----

    def _attributes(self) -> dict[str, Any]:
        """Those that a copy has as well: a Recorder and an Explainer stay with the model that they were made for."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_recorder", "_explainer")}

    def copy(self: _M) -> _M:
        """An independent copy, with the attributes that a subclass added."""
        twin = self._copy()
        twin.__dict__.update(self._attributes())
        return twin

    def __copy__(self: _M) -> _M:
        return self.copy()

    def __deepcopy__(self: _M, memo: dict[int, Any]) -> _M:
        import copy

        twin = self._copy()
        memo[id(self)] = twin
        twin.__dict__.update(copy.deepcopy(self._attributes(), memo))
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        settings = self._settings()
        data = self.to_bytes() if settings.pop("made") else None
        return _unpickle, (type(self), data, settings), self._attributes() or None

    def to_bytes(self) -> bytes:
        """The model as a snapshot: the bytes of ``save``, and of the program's and Redis' files.

        Returns
        -------
        bytes
            Equal for equal models that took names and kinds of their columns from the same table.
        """
        return self._bytes(held_text(self._held))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model to a file atomically: at every moment there is the old file or the whole new one.

        Parameters
        ----------
        path : str or os.PathLike
            The program ``anabranch`` and the Redis module read it too.

        Raises
        ------
        OSError
            It was not written; an old file is unchanged.
        """
        save_to(self, path)

    # ---- seeing inside ----

    @property
    def schema(self) -> Schema | None:
        """Schema or None : the columns' kinds, where they are not all numbers."""
        if not self.schema_text or self.n_features is None:
            return None
        return Schema({name: self._kind(j) for j, name in enumerate(self.features or ())})

    def mixture(self, path: str | None = None) -> Mixture:
        """A mixture of the model as it stands.

        Parameters
        ----------
        path : str, optional
            Names from below the root to a mixture, with slashes between; else the first one is meant.

        Raises
        ------
        UnsupportedError
            There is no mixture.
        """
        from ._views import mixture_of

        return mixture_of(self._mixture(path))

    def gate_weights(self) -> dict[str, np.ndarray | None]:
        """The first mixture's gate: ``weight`` (K x n_features or empty), ``bias`` and ``load_bias`` (K, or None)."""
        return {key: None if value is None else np.array(value, dtype=float) for key, value in self._gate().items()}

    def routing_probabilities(self, x: Any) -> np.ndarray:
        """The probabilities that the first mixture's gate gives a row; changes nothing.

        Parameters
        ----------
        x : dict, sequence or array of n_features numbers

        Returns
        -------
        ndarray of float, shape (K,)
            They sum to 1.

        Raises
        ------
        UnsupportedError
            There is no mixture.
        InputError
            The row is refused.
        """
        return np.array(self._routing_probabilities(x))

    def expert_predictions(self, x: Any) -> np.ndarray:
        """The prediction of every expert of the first mixture for a row; changes nothing.

        Parameters and exceptions are those of ``routing_probabilities``.

        Returns
        -------
        ndarray of float, shape (K,)
            In the target's unit.
        """
        return np.array(self._expert_predictions(x))

    def superposition(self) -> list[Network]:
        """How the networks among the experts share their hidden units among the features.

        Raises
        ------
        UnsupportedError
            There is no network.
        """
        from ._views import networks_of

        return networks_of(self._superposition())

    def categories(self, column: str | int, names: Iterable[Any] = (), n: int = 20) -> list[Category]:
        """The most frequent categories of a column, and what they do to the target.

        Parameters
        ----------
        column : str or int
            A column of categories, codes or times, by name or index.
        names : iterable
            Texts that may stand in the column, such as ``frame["store"].unique()``: a model keeps no texts.
        n : int
            How many at most, 1 to 1,000,000.

        Returns
        -------
        list of Category
            The most frequent first; empty where the model keeps no statistics of the column.

        Raises
        ------
        InputError
            There is no such column.
        """
        from ._views import categories_of

        return categories_of(self, column, names, n)

    def explain(self, x: Any, background: Any = None) -> Explanation:
        """Why the model predicts what it does for a row: how much each column adds.

        Parameters
        ----------
        x : dict, sequence or array of n_features numbers
            The row.
        background : array, data frame or sequence of rows, optional
            The rows to explain against, at most 65,536. Else those that the last ``Explainer`` of this model kept.

        Returns
        -------
        Explanation

        Raises
        ------
        UnsupportedError
            There are no rows to explain against.
        """
        from ._explain import explainer_of

        return explainer_of(self, background).explain(x)

    def report(self, path: str | os.PathLike[str]) -> None:
        """Writes the page of the program ``anabranch report`` from what the last Recorder of this model kept.

        Raises
        ------
        Error
            No recorder was made for this model, or the program is not there.
        """
        recorder: Recorder | None = self.__dict__.get("_recorder", lambda: None)()
        if recorder is None:
            raise _core.Error("a report is made of what a Recorder kept: make one for this model before learning")
        recorder.report(path)

    def __repr__(self) -> str:
        samples = self.n_samples_seen
        return f"{type(self).__name__}({self.expression!r}, n_features={self.n_features}, n_samples_seen={samples})"

    def _repr_html_(self) -> str:
        from . import _page

        return _page.model_html(self)
