"""Learners written in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from . import _core
from ._schema import article

_Class = TypeVar("_Class", bound=type)


def register(name: str, *, takes_missing: bool = False) -> Callable[[_Class], _Class]:
    """Makes a class a learner that expressions know by a name: ``moe(linear, my_expert)``.

    The class is made without arguments and has two methods. ``predict(x)`` returns a float and changes nothing;
    ``update(x, y, w)`` learns. ``x`` is a list of floats, standardised where a ``scale`` stands above. Copies, files
    and pickles of a model pickle the object, so the class has to stand in a module that can be imported where they are
    loaded, and has to be registered there. It is slow beside the library's own: about a microsecond a call.

    Parameters
    ----------
    name : str
        1 to 64 of a-z, 0-9 and _, a letter first; none of the library's names.
    takes_missing : bool
        Whether ``x`` may hold nan.

    Returns
    -------
    callable
        A decorator that returns the class.

    Raises
    ------
    InputError
        The name is none that expressions can have, or the library has it. Told when the class is decorated.
    TypeError
        The name is no str, or what is decorated is no class with these two methods.

    Notes
    -----
    A call that raises counts as a prediction of 0 or as no update; the exception is raised by the method of the model
    that was called, after the sample. Loading a file that holds such a learner unpickles it: load only files that you
    trust.
    """

    if not isinstance(name, str):
        raise TypeError(f"a learner's name is a str, not {article(name)}: @register('name') above its class")

    def decorate(cls: _Class) -> _Class:
        if not isinstance(cls, type):
            raise TypeError(f"a learner is a class, not {article(cls)}")
        if not (callable(getattr(cls, "predict", None)) and callable(getattr(cls, "update", None))):
            raise TypeError(f"{cls.__name__} has no predict(x) and update(x, y, w)")
        _core._register(name, cls, takes_missing)
        return cls

    return decorate
