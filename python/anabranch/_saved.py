"""Models from files and bytes, and what is kept beside them."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, TypeVar

from . import _core
from ._schema import article

if TYPE_CHECKING:
    from ._model import Model

_M = TypeVar("_M", bound="Model")
_MOST = 1 << 30  # bytes of a model, unless told


def held_text(held: dict[str, str]) -> str | None:
    """What columns held in the frame that gave their kinds, as a text."""
    if not held:
        return None
    import json

    return json.dumps(held, separators=(",", ":"), sort_keys=True)


def save_to(model: Model, path: Any) -> None:
    """Writes a model to a file."""
    if hasattr(path, "write"):
        raise TypeError(f"save() takes a path, not {article(path)}: write to_bytes() to a file that is open")
    model._save(path, held_text(model._held))


def loaded(cls: type[_M], data: bytes | None, path: Any, max_bytes: int) -> _M:
    """A model of a class from bytes or a file."""
    model = _core._load(cls, data, path, max_bytes)
    if text := model.__dict__.pop("_held_text", None):
        import json

        with contextlib.suppress(ValueError, AttributeError):
            model._held = {str(name): str(words) for name, words in json.loads(text).items()}
    return model


def _unpickle(cls: type[_M], data: bytes | None, settings: dict[str, Any]) -> _M:
    """Pickles before 0.20 name it in the module of Model."""
    if data is not None:
        model = loaded(cls, data, None, max(settings.get("max_bytes", 0), _MOST))
        _core._restore(model, settings["bad_rows"] == "skip", settings["extra"] == "raise", settings["expression"])
        model.threads = settings.get("threads", 1)  # pickles of 0.4 have none
        return model
    model = cls.__new__(cls)
    expression = settings.pop("expression")
    features = settings.pop("features")
    _core.Model.__init__(model, expression, features, **settings)
    return model


def load(
    path: str | os.PathLike[str] | None = None, *, data: bytes | None = None, max_bytes: int = _MOST
) -> Model:
    """The model in a file or in bytes: predicts and learns as the saved one would have.

    Parameters
    ----------
    path : str or os.PathLike, optional
        A file of ``Model.save``, the program or the Redis module.
    data : bytes, optional
        What ``Model.to_bytes`` returned.
    max_bytes : int
        Bound of the model's memory; 1 GiB. A model that was made with more needs it here too. Since 0.20.

    Returns
    -------
    Model
        With its features, its target's name and the kinds of its columns. ``bad_rows``, ``extra`` and ``threads`` are
        the defaults: files do not keep them, pickles do, and ``max_bytes`` as well.

    Raises
    ------
    SnapshotError
        No snapshot, or a damaged one; ``code`` is the library's.
    OSError
        The file cannot be read; FileNotFoundError where there is none.
    """
    if (path is None) == (data is None):
        raise TypeError("load() takes a path or data=, not both")
    if hasattr(path, "read") or (isinstance(path, (bytes, bytearray, memoryview)) and 0 in bytes(path)):
        raise TypeError(f"load() takes a path, not {article(path)}: bytes of a model go to load(data=...)")
    if path is not None:
        os.stat(path)  # a file that is not there is a FileNotFoundError
    from ._model import Model

    return loaded(Model, data, path, max_bytes)
