"""Names and kinds of a table's columns."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from typing import Any

KINDS = ("number", "category", "code", "boolean", "time", "time-dmy", "time-mdy", "ignored")


def article(value: object) -> str:
    """The name of a value's type in a sentence."""
    name = type(value).__name__
    if value is None:
        return "None"
    return f"an {name}" if name[:1].lower() in "aeiou" or name == "ndarray" else f"a {name}"


def whole(value: Any, name: str) -> int:
    """An argument that is a whole number of any type."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is a whole number, not {article(value)}") from None


class Schema(Mapping[str, str]):
    """Names and kinds of a table's columns: a mapping of each name to its kind.

    Parameters
    ----------
    columns : mapping of str to str
        ``number``, ``category``, ``code`` (a number that names something and whose size may matter too),
        ``boolean``, ``time`` (``time-dmy`` and ``time-mdy`` for texts like 02/10/2012), or ``ignored``.

    Raises
    ------
    ValueError
        A kind is none of these.
    TypeError
        It is no mapping, or a name is no str.

    Examples
    --------
    >>> Schema({"store": "category", "price": "number"}).text
    '"store":category "price":number'
    """

    def __init__(self, columns: Mapping[str, str]) -> None:
        if not isinstance(columns, Mapping):
            raise TypeError(f"a schema is a mapping of names to kinds, not {article(columns)}")
        for name, kind in columns.items():
            if not isinstance(name, str):
                raise TypeError(f"a column is named by {article(name)}, not a str")
            if "\0" in name:
                raise ValueError(f"column {name!r}: a name cannot hold the character NUL")
            if kind not in KINDS:
                raise ValueError(f"column {name!r}: there is no kind {kind!r}; the kinds are {', '.join(KINDS)}")
        self._columns: dict[str, str] = dict(columns)

    @property
    def text(self) -> str:
        """str : the compact text that the C library and the program read."""
        return " ".join('"' + name.replace('"', '""') + '":' + kind for name, kind in self._columns.items())

    def __getitem__(self, name: str) -> str:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Schema({self._columns!r})"

