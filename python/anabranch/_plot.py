"""The figure of a Recorder."""

from __future__ import annotations

from typing import Any

import numpy as np


def _rolling(values: np.ndarray, window: int) -> np.ndarray:
    """The mean of the last `window` values, of fewer at the start."""
    sums = np.cumsum(np.insert(values, 0, 0.0))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    return (sums[ends] - sums[starts]) / (ends - starts)


def _loss(axes: Any, records: np.ndarray, window: int) -> None:
    axes.plot(records["step"], _rolling(records["error"] ** 2, window), color="#333333", linewidth=1)
    axes.set_ylabel("loss")
    axes.set_title(f"squared error, mean of {window} records")


def _rules(axes: Any, records: np.ndarray, rules: list[str]) -> None:
    for rule in rules:
        axes.fill_between(records["step"], records[rule + "_L"], records[rule + "_U"], alpha=0.35, label=rule)
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel("truth")
    axes.set_title("rules, from lower to upper bound")
    axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))


def _experts(axes: Any, records: np.ndarray, names: list[str]) -> None:
    axes.stackplot(records["step"], records["expert_share"].T, labels=names, alpha=0.8)
    axes.set_ylabel("share")
    axes.set_title("experts' shares of the prediction, and the error")
    axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.08, 0.5))
    right = axes.twinx()
    right.plot(records["step"], records["rmse"], color="black", linewidth=1)
    right.set_ylabel("rmse")


def figure(recorder: Any, window: int, figsize: tuple[float, float] | None) -> Any:
    """A panel for each thing that was recorded, below one another."""
    from matplotlib.figure import Figure

    records, columns = recorder.array.copy(), recorder.array.dtype.names or ()
    rules = list(recorder.rules())
    panels = [lambda axes: _loss(axes, records, window)] if "error" in columns else []
    if rules:
        panels.append(lambda axes: _rules(axes, records, rules))
    if {"expert_share", "rmse"} <= set(columns) and records["expert_share"].ndim == 2:
        panels.append(lambda axes: _experts(axes, records, recorder.experts))
    if not panels:
        raise ValueError("nothing to draw was recorded: neither error nor rules nor expert_share with rmse")
    drawing = Figure(figsize=figsize or (10, 2.8 * len(panels)), layout="constrained")
    all_axes = np.atleast_1d(drawing.subplots(len(panels), sharex=True))
    for axes, draw in zip(all_axes, panels):
        draw(axes)
    all_axes[-1].set_xlabel("samples learned")
    return drawing
