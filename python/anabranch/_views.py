"""What read-outs of a model return."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from ._core import InputError
from ._schema import whole


@dataclasses.dataclass(frozen=True)
class Category:
    """Statistics of the targets of one category of a column.

    Attributes
    ----------
    name : str or None
        The category; of a time the hour of the week, such as ``"Mon 08:00"``. None where its text was not among the
        names asked about: a model keeps numbers, no texts.
    count : float
        Number of its samples; older ones count less.
    weight : float
        Sum of the weights of its samples since it came in.
    mean, recent : float
        Of their targets; the same of late.
    effect : float
        Its coefficient in a linear model of all columns, in units of the target.
    """

    name: str | None
    count: float
    weight: float
    mean: float
    recent: float
    effect: float


@dataclasses.dataclass(frozen=True)
class Mixture:
    """A mixture of experts as it stood at the last row; the arrays have one entry for each expert.

    Attributes
    ----------
    names : list of str
        The experts' names.
    weight, probability, after : ndarray
        Weights in the mix; the gate's probabilities for the row; those after the last learning step.
    prediction_of : ndarray
        The prediction of each expert; nan where it was not active.
    utilization, load, progress : ndarray
        Running mean of ``after``; running share of samples where the expert was active; warmup, 0 to 1.
    trained : ndarray of int
        Samples each expert learned since its last reset.
    dead, reset : ndarray of bool
        Hardly used; reset by the last sample.
    active : list of int
        The active experts in the order of selection.
    samples : int
        Seen by this mixture.
    prediction, target, error : float
        Of the last row and the last sample learned.
    disagreement, gate_entropy, alignment, load_balance_rate : float
        Sample standard deviation of the active predictions; running entropy of the gate divided by ln K; running
        agreement of the prediction's accelerations; step of the load's bias.
    dense : bool
        Whether every expert is active at each row.
    """

    names: list[str]
    weight: np.ndarray
    probability: np.ndarray
    after: np.ndarray
    prediction_of: np.ndarray
    utilization: np.ndarray
    load: np.ndarray
    progress: np.ndarray
    trained: np.ndarray
    dead: np.ndarray
    reset: np.ndarray
    active: list[int]
    samples: int
    prediction: float
    target: float
    error: float
    disagreement: float
    gate_entropy: float
    alignment: float
    load_balance_rate: float
    dense: bool


def categories_of(model: Any, column: str | int, names: Iterable[Any], n: int) -> list[Category]:
    """The most frequent categories of a column of a model."""
    from ._columns import category_names

    features = model.features or ()
    j = features.index(column) if column in features else column
    if not isinstance(j, int) or not 0 <= j < (model.n_features or 0):
        raise InputError(f"there is no column {column!r}")
    if not 1 <= whole(n, "n") <= 1_000_000:
        raise InputError(f"n = {n}: 1 to 1,000,000")
    known = category_names(model, j, names)
    return [Category(known(code), *figures) for code, *figures in model._categories(j, n)]


def mixture_of(figures: dict[str, Any]) -> Mixture:
    """From what the extension reads of a mixture."""
    for name in ("weight", "probability", "after", "prediction_of", "utilization", "load", "progress"):
        figures[name] = np.array(figures[name], dtype=float)
    for name, dtype in (("trained", np.uint64), ("dead", bool), ("reset", bool)):
        figures[name] = np.array(figures[name], dtype=dtype)
    return Mixture(**figures)


@dataclasses.dataclass(frozen=True)
class Network:
    """How an expert that is a network shares its hidden units among the features.

    Attributes
    ----------
    expert : int
        Which expert of the mixture.
    norms, dimensionality, specialization, polysemanticity : ndarray
        One value for each feature.
    interference : ndarray
        features x features; 0 on the diagonal.
    """

    expert: int
    norms: np.ndarray
    dimensionality: np.ndarray
    specialization: np.ndarray
    polysemanticity: np.ndarray
    interference: np.ndarray


def networks_of(read: list[dict[str, Any]]) -> list[Network]:
    """From what the extension reads of networks."""
    networks = []
    for figures in read:
        arrays = {key: np.array(value) for key, value in figures.items() if key != "expert"}
        d = len(arrays["norms"])
        arrays["interference"] = arrays["interference"].reshape(d, d)
        networks.append(Network(expert=figures["expert"], **arrays))
    return networks
