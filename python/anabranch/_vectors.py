"""Vectors and matrices of doubles from whatever numpy takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._core import InputError
from ._kinds import type_kind
from ._schema import article

_OTHERS = {"c": "complex numbers", "U": "texts", "S": "texts", "T": "texts", "M": "times", "m": "durations"}
_HINTS = {
    "times": "give seconds since a time of your own",
    "durations": 'give seconds: {0}.dt.total_seconds() of a series, {0} / numpy.timedelta64(1, "s") of an array',
}


def _unmasked(values: np.ma.MaskedArray) -> np.ndarray:
    """What is masked is missing."""
    hidden = np.ma.getmaskarray(values)
    return np.where(hidden, np.nan, values.data) if hidden.any() else values.data


def _other_objects(array: np.ndarray) -> str | None:
    """What else than numbers an array of objects holds."""
    types = [t for t in set(map(type, array.flat)) if t.__name__ != "NaTType"]
    if any(issubclass(t, (complex, np.complexfloating)) for t in types):
        return "complex numbers"
    if any(issubclass(t, (list, tuple, dict, set)) for t in types) or (
        np.ndarray in types and any(isinstance(value, np.ndarray) and value.ndim for value in array.flat)
    ):
        return "lists or arrays"
    if any(issubclass(t, (str, bytes)) for t in types):
        return "texts"
    kinds = set(map(type_kind, types))
    return "durations" if "duration" in kinds else "times" if "time" in kinds else None


def doubles(values: Any, name: str, layout: str) -> np.ndarray:
    """An array of doubles, aligned ("A") and where asked for C-contiguous ("C"); complex numbers are none."""
    try:
        array = _unmasked(values) if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
        other = _other_objects(array) if array.dtype == object else _OTHERS.get(array.dtype.kind)
        if other:
            hint = _HINTS.get(other, "").format(name)
            raise InputError(f"{name} holds {other}, not numbers{hint and ': ' + hint}")
        return np.require(array, float, list(layout))
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name} is no array of numbers: {error}") from None


def vector(values: Any, name: str) -> np.ndarray:
    """Targets or weights as doubles."""
    if values is None or isinstance(values, (str, bytes, dict)):
        hint = ": Model.learn_frames and evaluate take names of columns" if isinstance(values, str) else ""
        raise TypeError(f"{name} is a vector, not {article(values)}{hint}")
    if hasattr(values, "toarray"):
        raise TypeError(f"{name} is a vector, not {article(values)}: {name}.toarray() makes one of it")
    if hasattr(values, "__iter__") and not hasattr(values, "__getitem__") and not hasattr(values, "__array__"):
        hint = "" if isinstance(values, (set, frozenset)) else f": list({name}) makes one of it"
        raise TypeError(f"{name} is a vector, not {article(values)}{hint}")
    out = doubles(values, name, "AC")
    if out.ndim == 2 and 1 in out.shape:
        out = out.reshape(-1)
    if out.ndim != 1:
        hint = ": a model has one target, so make one for each column" if name == "y" and out.ndim == 2 else ""
        hint = ": one sample goes to the methods *_one" if name == "y" and out.ndim == 0 else hint
        raise InputError(f"{name} has {out.ndim} dimensions; a vector has one{hint}")
    return out


def vectors(y: Any, w: Any = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Targets, and weights where there are any."""
    return vector(y, "y"), None if w is None else vector(w, "w")
