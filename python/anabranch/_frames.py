"""Tables of any kind to matrices of doubles, and predictions back to the caller's kind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._columns import cells_of, column_values, seconds
from ._core import InputError
from ._kinds import column_of, schema_of
from ._schema import article
from ._sparse import Sparse, is_sparse
from ._vectors import doubles
from ._warn import warn

Wrap = Callable[[np.ndarray], Any]
Table = np.ndarray | list[np.ndarray] | Sparse  # a matrix, or a vector for each feature; of doubles with any strides


def library_of(X: Any) -> str:
    """The library that a table is of, without importing any."""
    for name in ("pandas", "polars", "pyarrow"):
        module = sys.modules.get(name)
        if module is None:
            continue
        types = {"pandas": ("DataFrame",), "polars": ("DataFrame",), "pyarrow": ("Table", "RecordBatch")}[name]
        if any(isinstance(X, getattr(module, t)) for t in types if hasattr(module, t)):
            return name
    if type(X).__module__.partition(".")[0] == "polars" and hasattr(X, "collect"):
        return "lazy"
    array = hasattr(X, "__array__") and hasattr(X, "ndim") and not hasattr(X, "columns")  # as of xarray
    return "arrow" if hasattr(X, "__arrow_c_stream__") and not array else ""


def _import_arrow(X: Any) -> Any:
    """What offers an Arrow stream, by whichever library is there."""
    try:
        import pyarrow
    except ImportError:
        pass
    else:
        try:
            return pyarrow.table(X)
        except pyarrow.ArrowInvalid as error:
            raise InputError(f"X is an Arrow stream of no table: {error}") from None
    try:
        import polars

        return polars.DataFrame(X)
    except ImportError:
        raise InputError("reading an Arrow stream needs pyarrow or polars") from None


def frame_of(X: Any) -> tuple[str, Any]:
    """A frame with the library that it is of, a lazy one collected; "" and X itself where it is none."""
    library = library_of(X)
    if library == "lazy":
        return "polars", X.collect()
    if library == "arrow":
        X = _import_arrow(X)
        return library_of(X), X
    return library, X


def _names(library: str, X: Any) -> list[str]:
    names = list(X.schema.names) if library == "pyarrow" else list(X.columns)
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"a column is named by {article(name)}: name the columns by str, or give X.to_numpy()")
    return names


# ---- frames ----


def _kinds(model: Any) -> list[str]:
    text = model.schema_text
    return [model._kind(j) for j in range(model.n_features)] if text else ["number"] * model.n_features


def _warn_of_lacking(model: Any, lacking: list[str]) -> None:
    if not lacking:
        return
    more = f" and {len(lacking) - 1} more of the model's features" if len(lacking) > 1 else ""
    cell = "missing" if model.takes_missing else "0"
    warn(f"the table has no column {lacking[0]!r}{more}: taken for {cell} in every row")


def _features(model: Any, library: str, X: Any, names: list[str]) -> list[str]:
    """The names that the model's features have in the table; some may not be there."""
    if model.n_features is None:
        given = [name for name in names if name != model.target]
        features = sorted(given)
        if not features:
            but = f" besides the target's, {model.target!r}" if names else ""
            raise InputError(f"the table has no columns{but}: a model needs at least one feature")
        kinds, held = schema_of(library, X, features, [name for name in features if model._wants(name)])
        model._adopt(features, kinds, features != given)
        model._held = held
    features = list(model.features) if model.features is not None else names
    if model.features is None and len(features) != model.n_features:
        raise InputError(f"X has {len(features)} columns, the model {model.n_features} features")
    there = set(names).intersection(features)
    if model._wants_a_feature and not there:
        raise InputError(f"no column of the table is a feature of the model: {', '.join(features[:5])}")
    if model._wants_a_feature and len(there) < len(features):
        of_kind = zip(features, _kinds(model))
        _warn_of_lacking(model, [name for name, kind in of_kind if name not in there and kind != "ignored"])
    model._extra_columns(len(names) - len(there) - (model.target in names and model.target not in features), names)
    return features


def _one_block(X: Any) -> np.ndarray | None:
    """All doubles of a frame in place, where it keeps them in one piece.

    pandas has an attribute for that, which is not public; without it the columns are taken one by one, which is slower.
    """
    if not getattr(getattr(X, "_mgr", None), "is_single_block", False):
        return None
    block = X.to_numpy()
    return block if block.dtype == float else None


def _numbers_of(X: Any, block: np.ndarray | None, place: int) -> np.ndarray | None:
    """A column of pandas as doubles, where it holds numbers of numpy: without a Series, which takes longer to make.

    That attribute is not public either.
    """
    if block is not None:
        return block[:, place]
    array = X._get_column_array(place) if hasattr(X, "_get_column_array") else None
    plain = type(array) is np.ndarray and array.dtype.kind in "iufb"
    return np.asarray(array, float) if plain else None


def columns(model: Any, library: str, X: Any, passed: tuple[str, ...] = (), first: int | None = None) -> Table:
    """A frame's features as doubles; columns of the names in ``passed`` are none. A piece is behind ``first`` rows."""
    names = _names(library, X)
    features = _features(model, library, X, [name for name in names if name not in passed] if passed else names)
    place = {name: i for i, name in enumerate(names)}
    unique = len(place) == len(names)
    block = _one_block(X) if library == "pandas" and not model.schema_text and unique else None
    if block is not None and features == names:
        return block
    rows = X.num_rows if library == "pyarrow" else len(X)
    numeric = ("number", "code", "boolean") if library == "pandas" and unique else ()
    vectors: list[np.ndarray] = []
    for j, (name, column_kind) in enumerate(zip(features, _kinds(model))):
        if name not in place:
            vectors.append(np.full(rows, cells_of(model, j, [None])[0]))
        elif column_kind in numeric and (numbers := _numbers_of(X, block, place[name])) is not None:
            vectors.append(numbers)
        elif column_kind == "ignored":
            vectors.append(np.zeros(rows))
        else:
            column = column_of(library, X, name, place[name] if unique else None)
            vectors.append(column_values(model, library, j, name, column_kind, column, first))
    return vectors


# ---- matrices and rows ----


def dimensions(X: np.ndarray) -> str:
    """Their number, as in a sentence."""
    return f"{X.ndim} dimension{'' if X.ndim == 1 else 's'}"


def plain(X: Any) -> Any:
    """An array of durations as seconds, anything else as it is."""
    return seconds(X) if isinstance(X, np.ndarray) and X.dtype.kind == "m" else X


def _array(model: Any, X: np.ndarray) -> np.ndarray:
    X = plain(X)
    if X.dtype.names:
        raise InputError("X is an array of records: pandas.DataFrame(X) makes a table of it")
    if X.ndim != 2:
        raise InputError(f"X has {dimensions(X)}; a table of rows and columns has 2")
    if X.dtype == object or model.schema_text:
        return _rows(model, X.tolist() if X.dtype.kind != "f" or X.dtype == float else list(X))
    return doubles(X, "X", "A")


def _compressed(model: Any, X: Any) -> Sparse:
    if X.ndim != 2:
        raise InputError(f"X has {dimensions(X)}; a table of rows and columns has 2")
    if model.schema_text:
        raise InputError("the model reads names or times, which a sparse matrix has not: give a frame or X.toarray()")
    rows = X.tocsr()
    return Sparse(doubles(rows.data, "X", "AC"), rows.indices, rows.indptr, X.shape[1])


def _rows(model: Any, rows: list[Any], first: int = 0) -> np.ndarray:
    if not rows:
        return np.empty((0, model.n_features or 0))
    if model.n_features is None:
        model._ready(rows[0])
    out = np.empty((len(rows), model.n_features))
    model._rows(rows, out, first)
    return out


def _series(library: str, X: Any, name: str) -> Wrap:
    if library == "pandas":
        pandas, index = sys.modules["pandas"], X.index
        return lambda out: pandas.Series(out, index=index, name=name)
    if library == "polars":
        polars = sys.modules["polars"]
        return lambda out: polars.Series(name, out)
    pyarrow = sys.modules["pyarrow"]
    return lambda out: pyarrow.array(out)


def _nameless(X: Any) -> bool:
    """Whether the cells of the rows of what is no frame are found by their places."""
    listed = isinstance(X, (list, tuple)) and len(X) > 0 and not hasattr(X[0], "keys") and not hasattr(X[0], "_fields")
    return listed or is_sparse(X) or hasattr(X, "__array__")


def table(model: Any, X: Any, before: int = 0) -> tuple[Table, Wrap]:
    """X as doubles, and what makes a vector of predictions the caller's library; messages count from ``before`` on."""
    if type(X) is np.ndarray and X.dtype == float and X.ndim == 2 and X.flags.aligned and not model.schema_text:
        if model.n_features is not None:
            model._unnamed()
            return X, lambda out: out
    if hasattr(X, "to_frame"):
        one = "X.to_frame() makes one of a column, and a row goes to the methods *_one"
        raise TypeError(f"X is a table, not {article(X)}: {one}")
    library, X = frame_of(X)
    if library:
        return columns(model, library, X), _series(library, X, model.target or "prediction")
    if hasattr(X, "columns") and not isinstance(X, np.ndarray):  # of dask and others, as an array it has no names
        of = type(X).__module__.partition(".")[0]
        raise TypeError(f"X is {article(X)} of {of}: make one of pandas, polars or pyarrow of it")
    if _nameless(X) and model.n_features is not None:
        model._unnamed()
    if is_sparse(X):
        return _compressed(model, X), lambda out: out
    if isinstance(X, memoryview):
        X = np.asarray(X)
    if isinstance(X, np.ndarray):
        return _array(model, X), lambda out: out
    if isinstance(X, dict):
        raise TypeError("X is a table, not a dict: a row goes to the methods *_one, and pandas.DataFrame(X) is a table")
    if isinstance(X, (str, bytes)):
        raise TypeError(f"X is a table, not {article(X)}")
    if hasattr(X, "__array__") or hasattr(X, "__array_interface__"):
        return _array(model, np.asarray(X)), lambda out: out
    if hasattr(X, "toarray"):
        raise TypeError(f"X is a table, not {article(X)}: X.toarray() makes one of it")
    try:
        rows = iter(X)
    except TypeError:
        raise TypeError(f"X is a table of rows, not {article(X)}") from None
    for first in rows:
        if library_of(first):
            raise TypeError(f"X is a table, not several, the first {article(first)}: Model.learn_frames takes several")
        return _rows(model, [first, *rows], before), lambda out: out
    return _rows(model, []), lambda out: out


def _warn_of_own_target(model: Any, X: Any, y: Any) -> None:
    """Where y is a column of the frame and a feature."""
    library, name = library_of(X), getattr(y, "name", None)
    if library not in ("pandas", "polars") or type(y).__name__ != "Series" or name not in (model.features or ()):
        return
    column = column_of(library, X, name) if name in _names(library, X) else None
    if column is None or len(column) == 0 or len(column) != len(y):
        return
    if column.equals(y) if type(y).__module__.partition(".")[0] == library else np.array_equal(column, y):
        warn(
            f"y is the column {name!r} of X and a feature, so that each row tells its own target: give X without it, "
            f"or Model(..., target={name!r})"
        )


def warn_of_order(X: Any, values: Any, name: str) -> None:
    """Where pandas's values have the labels of X in another order."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(X, pandas.DataFrame):
        return
    if not isinstance(values, (pandas.Series, pandas.DataFrame)):
        return
    rows, others = X.index, values.index
    if len(rows) != len(others) or rows.equals(others) or rows.nlevels != others.nlevels:
        return
    if rows.isin(others).all() and others.isin(rows).all():
        warn(
            f"{name} has the labels of X in another order: rows are paired by their places, not by their labels, as "
            f"{name}.loc[X.index] would be"
        )


def warn_of_targets(model: Any, X: Any, y: Any, w: Any) -> None:
    """Where targets or weights may not be those that were meant; an array has neither names nor labels."""
    if isinstance(X, np.ndarray):
        return
    _warn_of_own_target(model, X, y)
    for values, name in ((y, "y"), (w, "w")):
        warn_of_order(X, values, name)


def by_names(features: Sequence[str], X: Any) -> Any:
    """The columns of a frame that have these names, in their order; what is no frame as it is."""
    library, X = frame_of(X)
    if not library:
        return X
    names = _names(library, X)
    lacking = [name for name in features if name not in names]
    if lacking:
        raise InputError(f"X has no column {lacking[0]!r}, which is a feature of the model")
    wanted = list(features)
    return X[wanted] if library == "pandas" else X.select(wanted)


def beside(names: Sequence[str], vectors: Sequence[Any]) -> Any:
    """Vectors of a library as the columns of one of its tables, of numpy as those of a matrix."""
    library = type(vectors[0]).__module__.partition(".")[0]
    if library == "numpy":
        return np.column_stack(vectors)
    columns = dict(zip(names, vectors))
    return getattr(sys.modules[library], "table" if library == "pyarrow" else "DataFrame")(columns)


def n_rows(rows: Table) -> int:
    """How many rows a table has."""
    return rows.n_rows if isinstance(rows, Sparse) else len(rows[0]) if isinstance(rows, list) else len(rows)


def part(rows: Table, first: int, end: int) -> Table:
    """Some rows of a table, in place."""
    if isinstance(rows, Sparse):
        return rows.part(first, min(end, rows.n_rows))
    return [column[first:end] for column in rows] if isinstance(rows, list) else rows[first:end]


def contiguous(rows: Table) -> np.ndarray:
    """A table as a C-contiguous matrix."""
    if isinstance(rows, Sparse):
        return rows.dense()
    return np.column_stack(rows) if isinstance(rows, list) else np.ascontiguousarray(rows)


def matrix(model: Any, X: Any) -> tuple[np.ndarray, Wrap]:
    """As ``table``, but always a C-contiguous matrix."""
    rows, wrap = table(model, X)
    return contiguous(rows), wrap
