"""anabranch as a regressor of River: `pip install river` is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from river import base

from ._model import Model


class Regressor(Model, base.MiniBatchRegressor):
    """A Model that is one of River's regressors: for pipelines, `progressive_val_score` and ensembles.

    Parameters
    ----------
    expression, features, seed, schema, bad_rows, extra, threads
        As of ``anabranch.Model``.

    Notes
    -----
    ``learn_one``, ``predict_one`` and the rest are those of ``Model``; ``learn_many`` is equal to the loop. Keys of
    rows are str; ``str(key)`` is what a pipeline's ``FuncTransformer`` can make of others. The features are the keys of
    the first row, or ``features``. Keys that come later are passed over and counted (``counters["extra_keys"]``), so
    behind a transformer that makes keys as it meets values, such as ``OneHotEncoder``, name all of them by
    ``features``; texts themselves may stand in rows, without an encoder.

    Examples
    --------
    >>> from river import compose, preprocessing
    >>> from anabranch.river import Regressor
    >>> model = compose.Pipeline(preprocessing.StandardScaler(), Regressor("rls"))
    """

    _wants_a_feature = False  # River's features may appear and disappear

    def __init__(
        self,
        expression: str = "auto",
        features: int | Sequence[str] | None = None,
        seed: int = 1,
        schema: Mapping[str, str] | None = None,
        bad_rows: str = "raise",
        extra: str = "ignore",
        threads: int = 1,
    ) -> None:
        super().__init__(
            expression, features, seed=seed, schema=schema, bad_rows=bad_rows, extra=extra, threads=threads
        )
        self._params: dict[str, Any] = {
            "expression": expression,
            "features": features,
            "seed": seed,
            "schema": schema,
            "bad_rows": bad_rows,
            "extra": extra,
            "threads": threads,
        }

    def _get_params(self) -> dict[str, Any]:
        return dict(self._params)

    @property
    def _memory_usage(self) -> str:
        from river import utils

        return utils.pretty.humanize_bytes(self.__sizeof__())
