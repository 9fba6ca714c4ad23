"""How much each column adds to a prediction."""

from __future__ import annotations

import dataclasses
import weakref
from typing import Any

import numpy as np

from . import _core, _frames
from ._model import Model
from ._schema import whole


@dataclasses.dataclass(frozen=True)
class Explanation:
    """A prediction as a sum: ``base`` and what each column adds.

    Attributes
    ----------
    prediction : float
        For the row.
    base : float
        The mean prediction of the rows that it was explained against.
    columns : tuple of str
        The columns' names; their numbers where they have none.
    phi : ndarray
        Shapley values, one a column, in units of the target. With ``base`` they sum to ``prediction``.
    error : ndarray
        Standard errors of ``phi`` by the random orders; 0 where exact, nan with one pair of orders.
    exact : bool
        Whether all values are exact, up to rounding.
    rows : int
        Rows that it was explained against.
    experts : dict of str to float
        Of each expert of the first mixture its weight times its prediction; empty without a mixture.
    """

    prediction: float
    base: float
    columns: tuple[str, ...]
    phi: np.ndarray
    error: np.ndarray
    exact: bool
    rows: int
    experts: dict[str, float]

    def top(self, k: int | None = None) -> list[tuple[str, float]]:
        """The columns that add or take most, the largest first.

        Parameters
        ----------
        k : int, optional
            How many at most, at least 0; all of them where it is None.

        Returns
        -------
        list of tuple of str and float
            Columns and their values of ``phi``.

        Raises
        ------
        ValueError
            k is below 0.
        """
        if k is not None and whole(k, "k") < 0:
            raise ValueError(f"k = {k}: at least 0")
        order = np.argsort(-np.abs(self.phi), kind="stable")[:k]
        return [(self.columns[j], float(self.phi[j])) for j in order]


class Explainer(_core.Explainer):
    """Keeps rows of a model's stream and explains predictions against them; `len` is the number of rows kept.

    Parameters
    ----------
    model : Model
        Its features are set. It is observed until ``detach``, or until the explainer is no longer used.
    rows : int
        Rows that are kept, 1 to 65,536. The cost of an explanation is in proportion.
    pairs : int
        Random orders for each kept row, each used forward and backward, where values are not exact; 1 to 1,024.
    span : float
        How many samples a kept row stays, on average; ``inf``: every row of the stream is as likely to be kept.
    seed : int
        Seed of the random choices.

    Examples
    --------
    >>> from anabranch import Explainer, Model
    >>> model = Model("linear", ["a", "b"])
    >>> explainer = Explainer(model)
    >>> model.learn_many([[i % 3, i % 5] for i in range(300)], [2.0 * (i % 3) for i in range(300)])
    >>> why = explainer.explain({"a": 2, "b": 1})
    >>> why.exact, abs(why.base + why.phi.sum() - why.prediction) < 1e-12
    (True, True)
    """

    def __new__(
        cls, model: Model, *, rows: int = 16, pairs: int = 2, span: float = 10_000.0, seed: int = 1
    ) -> Explainer:
        explainer = super().__new__(cls, model, rows, pairs, span, seed)
        model.__dict__["_explainer"] = weakref.ref(explainer)
        return explainer

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r}, {len(self):,} rows)"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("an Explainer cannot be pickled: make one for the model that was")

    def explain(self, x: Any) -> Explanation:
        """How much each column adds to the prediction for a row; the model learns nothing.

        Parameters
        ----------
        x : dict, sequence or array of n_features numbers

        Returns
        -------
        Explanation
            All nan where the row is refused and the model's ``bad_rows`` is "skip".

        Raises
        ------
        UnsupportedError
            No rows are kept yet.
        InputError
            The row is refused.
        """
        figures = self._explain(x)
        model = self.model
        columns = model.features or tuple(str(j) for j in range(model.n_features or 0))
        if figures is None:
            unknown = np.full(len(columns), np.nan)
            return Explanation(np.nan, np.nan, columns, unknown, unknown.copy(), False, len(self), {})
        expert = figures.pop("expert")
        names = model._mixture()["names"] if expert else []
        for name in ("phi", "error"):
            figures[name] = np.array(figures[name], dtype=float)
        return Explanation(columns=columns, experts=dict(zip(names, expert)), **figures)


def explainer_of(model: Model, background: Any) -> Explainer:
    """The model's own explainer, or one that has kept the rows of a background."""
    if background is None:
        reference = model.__dict__.get("_explainer")
        explainer = reference() if reference is not None else None
        if explainer is None:
            raise _core.UnsupportedError(
                "no rows to explain against: give background=, or make an Explainer before learning"
            )
        return explainer
    rows, _ = _frames.matrix(model, background)
    count = max(1, min(len(rows), 65_536))
    explainer = _core.Explainer.__new__(Explainer, model, count, 2, float("inf"), 1)
    explainer.detach()
    explainer._keep_many(rows)
    return explainer
