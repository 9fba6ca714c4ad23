"""Predicting beside a thread that learns."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _core, _frames
from ._model import Model
from ._vectors import vectors


class Server(_core.Server):
    """One thread learns, any number of threads predict from the same model, and none of them waits for another.

    Parameters
    ----------
    model : Model
        Copied twice and not changed. Its features are set.
    interval : int
        Samples from one publication to the next, 1 to 1,048,576.

    Notes
    -----
    Learning costs twice as much as without a server. A ``Reader`` of the server belongs to one thread at a time; each
    sees a published version that is at most ``interval`` samples old. ``bad_rows`` is the model's until it is set.
    """

    def __init__(self, model: Model, interval: int = 64) -> None:
        self._wants_a_feature, self._held = model._wants_a_feature, model._held

    def __repr__(self) -> str:
        return f"{type(self).__name__}(version={self.version})"

    def train_many(self, X: Any, y: Any, w: Any = None) -> Any:
        """As Model.train_many, without the GIL; readers predict meanwhile."""
        targets, weights = vectors(y, w)
        rows, wrap = _frames.table(self, X)
        _frames.warn_of_targets(self, X, y, w)
        out = np.empty(_frames.n_rows(rows))
        self._many(rows, targets, weights, out)
        return wrap(out)

    def model(self) -> Model:
        """A Model that is a copy of the learner's, with everything learned: for read-outs and saving."""
        model = self._model(Model.__new__(Model))
        model._wants_a_feature, model._held = self._wants_a_feature, self._held
        return model

    def reader(self) -> Reader:
        """A new reader of this server."""
        return Reader(self)


class Reader(_core.Reader):
    """Predicts without waiting for the thread that learns: from a Server, or from a copy of a Model as it is now.

    Parameters
    ----------
    source : Server or Model
        A reader of a model shares nothing with it that changes; make a new one to see what was learned since.

    Notes
    -----
    One thread at a time uses a reader; ``predict_many`` releases the GIL, so readers of several threads run at once.
    ``bad_rows`` is that of the source until it is set.
    """

    def __init__(self, source: Server | Model) -> None:
        self._wants_a_feature, self._held = source._wants_a_feature, source._held

    def __repr__(self) -> str:
        return f"{type(self).__name__}(n_features={self.n_features}, version={self.version})"

    def predict_many(self, X: Any) -> Any:
        """As Model.predict_many, without the GIL."""
        rows, wrap = _frames.table(self, X)
        out = np.empty(_frames.n_rows(rows))
        self._many(rows, out)
        return wrap(out)
