"""What the columns of a frame hold, as kinds of a schema."""

from __future__ import annotations

import datetime
import functools
import numbers
import operator
import sys
from typing import Any

import numpy as np

from ._core import InputError, _looks
from ._schema import Schema
from ._warn import warn

# Kinds of a schema, and "duration", which is a number, "clock", which is refused, and "mixed", which is a category.
_BY_LETTER = {"M": "time", "m": "duration", "b": "boolean", "i": "number", "u": "number", "f": "number"}
_WORDS = {
    "category": "texts",
    "boolean": "booleans",
    "number": "numbers",
    "time": "times",
    "duration": "durations",
    "clock": "times of day",
}


def of_clock(name: str) -> InputError:
    """A column that is refused."""
    return InputError(f"column {name!r} holds times of day: give hours or seconds as numbers, or whole points in time")


def is_clock(library: str, column: Any) -> bool:
    """Whether the dtype of a column is one of times of day."""
    if library == "polars":
        return bool(column.dtype == sys.modules["polars"].Time)
    dtype = column.type if library == "pyarrow" else getattr(column.dtype, "pyarrow_dtype", None)
    return dtype is not None and bool(sys.modules["pyarrow"].types.is_time(dtype))


def type_kind(t: type) -> str:
    """What values of a type are: a kind of a schema, or one of those above."""
    if issubclass(t, (bool, np.bool_)):
        return "boolean"
    if issubclass(t, (datetime.timedelta, np.timedelta64)):
        return "duration"
    if issubclass(t, datetime.time):
        return "clock"
    if issubclass(t, (numbers.Number, np.number)):
        return "number"
    return "time" if issubclass(t, np.datetime64) or hasattr(t, "isoformat") or hasattr(t, "start_time") else "category"


def _held(value: Any) -> Any:
    """What a scalar of pyarrow, or an array without dimensions, holds."""
    if hasattr(value, "as_py"):
        return value.as_py()
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return None if value is np.ma.masked else value[()]
    return value


def _value_kinds(values: list[Any]) -> set[str]:
    """The kinds of values that are not missing; booleans among numbers are numbers."""
    types = set(map(type, values))
    if any(hasattr(t, "as_py") or issubclass(t, np.ndarray) for t in types):
        types = set(map(type, map(_held, values)))
    kinds = {type_kind(t) for t in types if t is not type(None)}
    return kinds - {"boolean"} if "number" in kinds else kinds


def column_of(library: str, X: Any, name: str, place: int | None = None) -> Any:
    """A frame's column, found faster where its place is known and no other has the name."""
    if place is not None and library != "pandas":
        return X.column(place) if library == "pyarrow" else X.to_series(place)
    if library == "pyarrow":
        if len(X.schema.get_all_field_indices(name)) > 1:
            raise InputError(f"two columns are named {name!r}")
        return X.column(name)
    if library == "polars":
        return X.get_column(name)
    column = X[name]
    if getattr(column, "ndim", 1) != 1:
        raise InputError(f"two columns are named {name!r}")
    return column


def _pandas_values(s: Any) -> list[Any]:
    return s[s.notna()].astype(object).tolist()


def _of_values(values: list[Any]) -> str:
    """Of a column that may hold anything. One without values takes numbers and texts, as with the program."""
    kinds = _value_kinds(values)
    return "code" if not kinds else kinds.pop() if len(kinds) == 1 else "mixed"


def _pandas_kind(s: Any) -> str:
    pandas = sys.modules["pandas"]
    if isinstance(s.dtype, (pandas.CategoricalDtype, pandas.StringDtype)):
        return "category"
    if isinstance(s.dtype, pandas.PeriodDtype):
        return "time"
    if hasattr(s.dtype, "pyarrow_dtype"):
        return _arrow_kind(s.dtype.pyarrow_dtype)
    kind = _BY_LETTER.get(getattr(s.dtype, "kind", "O"))
    return kind if kind else _of_values(_pandas_values(s))


def _polars_kind(s: Any) -> str:
    polars = sys.modules["polars"]
    if s.dtype == polars.Object:
        return _of_values(s.to_list())
    if s.dtype == polars.Null:
        return "code"
    if s.dtype == polars.Duration:
        return "duration"
    if s.dtype == polars.Time:
        return "clock"
    if s.dtype.is_temporal():
        return "time"
    if s.dtype == polars.Boolean:
        return "boolean"
    return "number" if s.dtype.is_numeric() else "category"


def _arrow_kind(dtype: Any) -> str:
    pyarrow = sys.modules["pyarrow"]
    types = pyarrow.types
    if isinstance(dtype, pyarrow.BaseExtensionType):
        return "boolean" if dtype.extension_name == "arrow.bool8" else _arrow_kind(dtype.storage_type)
    if types.is_run_end_encoded(dtype):
        return _arrow_kind(dtype.value_type)
    if types.is_null(dtype):
        return "code"
    if types.is_duration(dtype):
        return "duration"
    if types.is_time(dtype):
        return "clock"
    if types.is_temporal(dtype) and not types.is_interval(dtype):
        return "time"
    if types.is_boolean(dtype):
        return "boolean"
    number = types.is_integer(dtype) or types.is_floating(dtype) or types.is_decimal(dtype)
    return "number" if number else "category"


def _kind_of(library: str, column: Any) -> str:
    if library == "pyarrow":
        return _arrow_kind(column.type)
    return {"pandas": _pandas_kind, "polars": _polars_kind}[library](column)


def column_kind(library: str, X: Any, name: str) -> str:
    """A kind of a schema by the column's dtype or, where that says nothing, its values; or one of those above."""
    return _kind_of(library, column_of(library, X, name))


def now_holds(library: str, column: Any, held: str) -> str | None:
    """What a column holds that held texts, or times, in a first frame, where that is read as something else."""
    pandas = library == "pandas"
    if pandas and column.dtype == object and any(isinstance(value, str) for value in column.to_numpy()):
        return None
    kind = _kind_of(library, column)
    if kind in ("category", "code", "mixed") or _WORDS[kind] == held:
        return None
    lacking = column.isna().sum() if pandas else column.null_count if library == "pyarrow" else column.null_count()
    return _WORDS[kind] if lacking < len(column) else None


def _warn_of_mixed(library: str, X: Any, name: str) -> None:
    column = column_of(library, X, name)
    values = column.to_list() if library == "polars" else _pandas_values(column)
    words = " and ".join(sorted(_WORDS[k] for k in _value_kinds(values)))
    warn(
        f"column {name!r} holds {words}: it is read as names; make its values of one type, or say what it is: "
        f"schema={{{name!r}: 'category'}}"
    )


def _is_declared(library: str, X: Any, name: str) -> bool:
    """Whether the dtype of a column of names says that they are categories."""
    column = column_of(library, X, name)
    if library == "pyarrow":
        return bool(sys.modules["pyarrow"].types.is_dictionary(column.type))
    return type(column.dtype).__name__ in ("CategoricalDtype", "Categorical", "Enum")


def _first_texts(library: str, X: Any, name: str) -> list[str]:
    """Of a column of texts; none of one whose dtype says that they are categories."""
    if _is_declared(library, X, name):
        return []
    column = column_of(library, X, name)
    column = column.slice(0, 100) if library == "pyarrow" else column.head(100)
    values = column.to_pylist() if library == "pyarrow" else column.to_list()
    return [value for value in values if isinstance(value, str) and value]


def _warn_of_texts(library: str, X: Any, name: str) -> None:
    """Where all of the first texts look like numbers or times."""
    texts = _first_texts(library, X, name)
    looks = functools.reduce(operator.and_, map(_looks, texts), 15 if texts else 0)
    if looks:
        look = ("number", "time", "time-dmy", "time-mdy")[(looks & -looks).bit_length() - 1]
        numbers = "numbers" if look == "number" else "times"
        warn(
            f"column {name!r} holds texts such as {texts[0]!r}: it is read as names; make {numbers} of them, or say "
            f"what it is: schema={{{name!r}: {look!r}}}, or 'category'"
        )


def schema_of(library: str, X: Any, names: list[str], wanted: list[str]) -> tuple[str | None, dict[str, str]]:
    """The text of the schema of a frame's columns, None where all are numbers; which hold texts or times.

    Those of ``wanted``, which have their kinds from elsewhere, are numbers here.
    """
    kinds = {name: "number" if name in wanted else column_kind(library, X, name) for name in names}
    typed = [name for name, k in kinds.items() if k in ("category", "time")]
    held = {name: _WORDS[kinds[name]] for name in typed if not _is_declared(library, X, name)}
    for name, k in kinds.items():
        if k == "clock":
            raise of_clock(name)
        if k == "mixed":
            _warn_of_mixed(library, X, name)
        if k == "category":
            _warn_of_texts(library, X, name)
        kinds[name] = {"duration": "number", "mixed": "category"}.get(k, k)
    plain = not wanted and all(k not in ("category", "code", "time") for k in kinds.values())
    return None if plain else Schema(kinds).text, held
