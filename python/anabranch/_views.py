"""What read-outs of a model return."""

from __future__ import annotations

import dataclasses

import numpy as np


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
