"""Columns of frames to doubles."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ._core import InputError
from ._kinds import is_clock, now_holds, of_clock
from ._schema import article
from ._warn import warn

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def category_names(model: Any, j: int, names: Iterable[Any]) -> Callable[[float], str | None]:
    """A function that returns the name of a category of column j by its number in the model."""
    if model._kind(j) == "time":
        return lambda hour: f"{_DAYS[int(hour) // 24]} {int(hour) % 24:02d}:00" if 0 <= hour < 168 else "(missing)"
    if isinstance(names, (str, bytes)) or not isinstance(names, Iterable):
        raise TypeError(f"names is an iterable of texts that stand in the column, not {article(names)}")
    given = [name for name in names if name is not None]
    known = dict(zip(cells_of(model, j, given).tolist(), map(str, given)))
    missing = cells_of(model, j, [None])[0]

    def name_of(code: float) -> str | None:
        if code == missing or code != code:
            return "(missing)"
        if code < 2**52:  # a number that is its own category
            return str(int(code)) if code == int(code) else repr(code)
        return known.get(code)

    return name_of


def cells_of(model: Any, j: int, cells: list[Any]) -> np.ndarray:
    """Cells of any kind."""
    values = np.empty(len(cells))
    model._cells(j, cells, values)
    return values


def seconds(column: np.ndarray) -> np.ndarray:
    """Of numpy's times or durations, to the microsecond."""
    micros = column.astype(f"{column.dtype.kind}8[us]")
    count = micros.astype(np.int64)
    out = count / 1e6
    far = np.abs(count) > 2**53  # the count itself would be rounded: beyond the years 1684 to 2255
    if far.any():
        whole, rest = np.divmod(count[far], 1_000_000)
        out[far] = whole + rest / 1e6
    out[np.isnat(micros)] = np.nan
    return out


_FLOAT = np.dtype(float)


class _Refused(InputError):
    """A cell of a column is refused; its row in the table."""

    row = 0


def _spells_number(cell: Any) -> bool:
    if isinstance(cell, str):
        with contextlib.suppress(ValueError):
            float(cell)
            return True
    return False


def _refusal(model: Any, j: int, kind: str, cells: list[Any]) -> _Refused:
    """Of the first cell that is refused. Texts that spell numbers come last: pandas may have made them."""
    for row in sorted(range(len(cells)), key=lambda row: kind == "number" and _spells_number(cells[row])):
        try:
            model._cells(j, [cells[row]], np.empty(1))
        except InputError as error:
            refused = _Refused(*error.args)
            refused.row = row
            return refused
    return _Refused("a cell is refused")


def _scalars(array: np.ndarray) -> list[Any]:
    """Cells of numpy's numbers; those of a narrow float keep its precision, and so its text: 0.1, not 0.10000000149."""
    return list(array) if array.dtype.kind == "f" and array.dtype.itemsize < 8 else array.tolist()


def _values(model: Any, j: int, kind: str, cells: list[Any]) -> np.ndarray:
    """Of cells of any kind; numbers and times that are missing are NaN, as in other columns."""
    values = cells_of(model, j, cells)
    if kind in ("number", "boolean", "time"):
        values[[cell is None for cell in cells]] = np.nan
    return values


def _objects(model: Any, j: int, kind: str, cells: list[Any]) -> np.ndarray:
    try:
        return _values(model, j, kind, cells)
    except InputError:
        raise _refusal(model, j, kind, cells) from None


# ---- columns in which few values stand often: each is read once ----

_SHORT = 256  # the cells of a shorter column are read one by one, which is faster


def _by_codes(model: Any, j: int, kind: str, codes: np.ndarray, cells: list[Any]) -> np.ndarray | None:
    """Of a column with cells[code] in each row, where -1 is missing; None where one is refused, perhaps in no row."""
    with contextlib.suppress(InputError):
        return _values(model, j, kind, [*cells, None])[codes]
    return None


def _listed(values: Any) -> list[Any]:
    """Of an index or array of pandas without missing values."""
    dtype = values.dtype
    return _scalars(np.asarray(values, f"f{dtype.itemsize}")) if dtype.kind == "f" else values.tolist()


def _pandas_codes(model: Any, j: int, kind: str, s: Any) -> np.ndarray | None:
    pandas = sys.modules["pandas"]
    if isinstance(s.dtype, pandas.CategoricalDtype) and len(s.array.categories) <= max(len(s), _SHORT):
        return _by_codes(model, j, kind, s.array.codes, _listed(s.array.categories))
    if len(s) > _SHORT and kind != "number":
        with contextlib.suppress(TypeError):  # cells without a hash
            codes, values = pandas.factorize(s.to_numpy() if s.dtype == object else s)
            return _by_codes(model, j, kind, codes, _listed(values))
    return None


def _polars_codes(model: Any, j: int, kind: str, s: Any) -> np.ndarray | None:
    polars = sys.modules["polars"]
    if len(s) > _SHORT and (s.dtype in (polars.String, polars.Categorical, polars.Enum) or s.dtype.is_integer()):
        names = s.unique()
        with contextlib.suppress(InputError):
            values = polars.Series(_values(model, j, kind, names.to_list()))
            return s.replace_strict(names, values, return_dtype=polars.Float64).to_numpy()
    return None


def _arrow_codes(model: Any, j: int, kind: str, s: Any) -> np.ndarray | None:
    pyarrow = sys.modules["pyarrow"]
    types = pyarrow.types
    coded = types.is_dictionary(s.type)
    wanted = coded or (len(s) > _SHORT and kind != "number")
    if not wanted or types.is_floating(s.type.value_type if coded else s.type):
        return None
    try:
        s = s if coded else s.dictionary_encode()
        if isinstance(s, pyarrow.ChunkedArray):
            s = s.unify_dictionaries().combine_chunks()
    except NotImplementedError:  # of nulls, and of types that are nested
        return None
    if len(s.dictionary) > max(len(s), _SHORT):
        return None
    return _by_codes(model, j, kind, s.indices.cast(pyarrow.int64()).fill_null(-1).to_numpy(), s.dictionary.to_pylist())


# ---- columns of each library ----


def _pandas(model: Any, j: int, kind: str, s: Any) -> np.ndarray:
    if hasattr(s.dtype, "pyarrow_dtype"):
        return _arrow(model, j, kind, sys.modules["pyarrow"].array(s))
    if isinstance(s.dtype, sys.modules["pandas"].SparseDtype):
        s = s.sparse.to_dense()
    if kind == "time" and isinstance(s.dtype, sys.modules["pandas"].PeriodDtype):
        s = s.dt.to_timestamp()
    letter = getattr(s.dtype, "kind", "O")
    if kind == "time" and letter == "M":
        zone = getattr(s.dtype, "tz", None)
        return seconds((s.dt.tz_convert(None) if zone is not None else s).to_numpy())
    if kind == "number" and letter == "m":
        return seconds(s.to_numpy(dtype=f"m8[{getattr(s.dt, 'unit', 'ns')}]"))
    if kind in ("number", "code", "boolean") and letter in "iufb":
        return s.to_numpy() if s.dtype is _FLOAT else s.to_numpy(dtype=float, na_value=np.nan)
    values = _pandas_codes(model, j, kind, s)
    if values is not None:
        return values
    if isinstance(s.dtype, sys.modules["pandas"].CategoricalDtype) and s.cat.categories.dtype.kind == "f":
        s = s.astype(s.cat.categories.dtype)
    if s.dtype.kind == "f":
        return _objects(model, j, kind, _scalars(s.to_numpy(dtype=f"f{s.dtype.itemsize}", na_value=np.nan)))
    return _objects(model, j, kind, s.to_numpy(dtype=object, na_value=None).tolist())


def _polars(model: Any, j: int, kind: str, s: Any) -> np.ndarray:
    polars = sys.modules["polars"]
    if kind == "number" and s.dtype == polars.Duration:
        return seconds(s.to_numpy())
    if kind == "time" and s.dtype.is_temporal() and s.dtype != polars.Duration:
        return seconds(s.cast(polars.Datetime("us")).to_numpy())
    if kind in ("number", "code", "boolean") and (s.dtype.is_numeric() or s.dtype == polars.Boolean):
        return (s if s.dtype == polars.Float64 else s.cast(polars.Float64)).to_numpy()
    values = _polars_codes(model, j, kind, s)
    if values is not None:
        return values
    return _objects(model, j, kind, _scalars(s.to_numpy()) if s.dtype.is_float() else s.to_list())


def _arrow_array(s: Any) -> np.ndarray:
    """Doubles in place where they are one piece without nulls; of texts and times copies."""
    if getattr(s, "num_chunks", 0) == 1:
        s = s.chunk(0)
    return s.to_numpy(zero_copy_only=False)


def _arrow(model: Any, j: int, kind: str, s: Any) -> np.ndarray:
    pyarrow = sys.modules["pyarrow"]
    types = pyarrow.types
    number = types.is_integer(s.type) or types.is_floating(s.type) or types.is_boolean(s.type)
    duration = types.is_duration(s.type)
    if kind == ("number" if duration else "time") and types.is_temporal(s.type) and not types.is_interval(s.type):
        return seconds(_arrow_array(s))
    if kind in ("number", "code", "boolean") and number:
        return np.asarray(_arrow_array(s.cast(pyarrow.uint8()) if types.is_boolean(s.type) else s), float)
    if kind == "number" and types.is_decimal(s.type):
        return _arrow_array(s.cast(pyarrow.string()).cast(pyarrow.float64()))  # the nearest, which its own cast is not
    values = _arrow_codes(model, j, kind, s)
    if values is not None:
        return values
    if types.is_dictionary(s.type):
        s = s.cast(s.type.value_type)
    if types.is_floating(s.type):
        return _objects(model, j, kind, _scalars(_arrow_array(s)))
    text = types.is_string(s.type) or types.is_large_string(s.type)
    return _objects(model, j, kind, _arrow_array(s).tolist() if text else s.to_pylist())


_READ = {"pandas": _pandas, "polars": _polars, "pyarrow": _arrow}


def column_values(
    model: Any, library: str, j: int, name: str, kind: str, column: Any, first: int | None
) -> np.ndarray:
    """A frame's column as doubles; one of a piece is behind ``first`` rows."""
    if kind != "category" and is_clock(library, column):
        raise of_clock(name)
    held = model._held.get(name)
    holds = held and now_holds(library, column, held)
    if holds:
        _tell_of_other(name, held, holds, first is not None)
    try:
        return _READ[library](model, j, kind, column)
    except _Refused as error:
        raise InputError(f"row {(first or 0) + error.row}: {error}") from None


def _tell_of_other(name: str, held: str, holds: str, is_piece: bool) -> None:
    """A column holds something else than in the frame that gave its kind; the pieces of one table may not."""
    told = f"column {name!r} holds {holds} and held {held} before"
    one = "give it one type in all frames"
    kind, read = ("time", "seconds since 1970") if held == "times" else ("category", "names")
    if is_piece:
        raise InputError(f"{told}: {one}, or say what it is: schema={{{name!r}: {kind!r}}}")
    warn(f"{told}: they are read as {read}; {one}")
