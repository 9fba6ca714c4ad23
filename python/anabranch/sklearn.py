"""anabranch as a regressor of scikit-learn, of which 1.6 or later is needed: `pip install scikit-learn`."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from . import _core, _frames
from ._kinds import column_kind
from ._model import Model
from ._recorder import Recorder
from ._sparse import is_sparse
from ._vectors import vector

_CHECKS: dict[str, Any] = {"accept_sparse": "csr", "dtype": np.float64, "order": "C", "ensure_all_finite": "allow-nan"}

_NO_FRAME = (
    "texts and times are read from data frames with names, such as those of transformers after "
    "set_output(transform='pandas'), where the model was fitted to one"
)


def _typed(X: Any) -> bool:
    """Whether X is a frame that holds more than plain numbers: the model reads its columns."""
    library = _frames.library_of(X)
    if library not in ("pandas", "polars", "pyarrow"):
        return False
    if library == "pandas" and all(isinstance(dtype, np.dtype) and dtype.kind in "iufb" for dtype in X.dtypes):
        return False
    names = list(X.schema.names if library == "pyarrow" else X.columns)
    kinds = {column_kind(library, X, name) for name in names}
    named = all(isinstance(name, str) for name in names)
    return not kinds.isdisjoint(("time", "duration", "clock") + (("category", "code", "mixed") if named else ()))


def _plain(X: Any) -> Any:
    """Durations as seconds, and numbers in columns of objects as floats: numpy reads no pandas.NA."""
    if _frames.library_of(X) != "pandas":
        return _frames.plain(X)
    objects = [name for name, dtype in X.dtypes.items() if dtype == object]
    objects = [name for name in objects if column_kind("pandas", X, name) == "number"]
    if objects:
        X = X.copy(deep=False)
    for name in objects:
        X[name] = X[name].to_numpy(dtype=float, na_value=np.nan)
    return X


class AnabranchRegressor(RegressorMixin, BaseEstimator):
    """A regressor that learns sample by sample: `fit` starts anew, `partial_fit` goes on.

    Parameters
    ----------
    expression : str
        As of ``anabranch.Model``.
    random_state : int, numpy.random.RandomState or None
        The model's seed; None is 1: two fits give the same bits. A RandomState gives each fit another.
    schema : mapping of str to str, optional
        Kinds of some columns; those of the others come from the frame's dtypes.
    threads : int
        As of ``anabranch.Model``.
    importance : int
        At every so many-th sample the importances of the features are measured, by some 5 n_features predictions, for
        ``feature_importances_``; 0: never. Since 0.14.

    Attributes
    ----------
    model_ : anabranch.Model
        The fitted model.
    feature_importances_ : ndarray of float, shape (n_features_in_,)
        Where ``importance`` is above 0: each feature's share in how much smaller than those of the mean the model's
        squared errors are, as Shapley values over samples that have just been learned, of which the last 1,000 measured
        count most (incremental SAGE). They sum to 1; a feature that makes errors larger has 0. Since 0.14.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X has names that are all str.

    Notes
    -----
    Samples are learned once, in their order. Sparse matrices stay sparse. Frames with categories and times may be given
    as they are; a ``ColumnTransformer`` is not needed for them.
    """

    model_: Model
    n_features_in_: int
    feature_names_in_: np.ndarray
    feature_importances_: np.ndarray
    _recorder: Recorder

    def __init__(
        self,
        expression: str = "auto(lags=false)",
        random_state: int | np.random.RandomState | None = None,
        schema: Mapping[str, str] | None = None,
        threads: int = 1,
        importance: int = 0,
    ) -> None:
        self.expression = expression
        self.random_state = random_state
        self.schema = schema
        self.threads = threads
        self.importance = importance

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.target_tags.single_output = True
        return tags

    def _raw(self, X: Any, reset: bool) -> bool:
        """Whether the model reads the columns of X by itself.

        A model that has read names or times does so ever after, one of columns without names never.
        """
        frame = bool(_frames.library_of(X))
        if self.schema is not None and not frame:
            raise _core.InputError(f"schema= is of named columns: X has to be a data frame, not {_frames.article(X)}")
        if not reset and not frame and self.model_.schema_text:
            what = _frames.article(X)
            raise _core.InputError(f"the model was fitted to a frame with names or times: X has to be one, not {what}")
        if self.schema is not None or reset:
            return self.schema is not None or _typed(X)
        return frame and hasattr(self, "feature_names_in_") and (bool(self.model_.schema_text) or _typed(X))

    def _numbers(self, X: Any, *y: Any, **how: Any) -> Any:
        """X, or X and y, as numbers with scikit-learn's checks."""
        try:
            return validate_data(self, _plain(X), *y, **how, **_CHECKS)
        except (TypeError, ValueError) as error:
            if isinstance(X, np.ndarray) and X.dtype.kind in "OU" or _frames.library_of(X) and _typed(X):
                error.add_note(_NO_FRAME)
            raise

    def _new(self, features: int | None = None) -> Model:
        seed = 1 if self.random_state is None else self.random_state
        if isinstance(seed, np.random.RandomState):
            seed = seed.randint(2**31)
        if not isinstance(seed, numbers.Integral):
            what = _frames.article(seed)
            raise TypeError(f"random_state is a whole number, a numpy.random.RandomState or None, not {what}")
        if seed < 0:
            raise _core.InputError(f"random_state = {seed}: at least 0")
        return Model(self.expression, features, seed=seed, schema=self.schema, threads=self.threads)

    def _observe(self, rows: Any) -> None:
        """Measures importances from now on, where they are wanted."""
        recorder = self.__dict__.get("_recorder")
        if self.importance and (recorder is None or recorder.model is not self.model_):
            _frames.table(self.model_, rows)  # takes names and kinds of the columns
            self._recorder = Recorder(
                self.model_, capacity=1, audit=False, metrics=("feature_sage",), importance=self.importance
            )

    def _take_importances(self) -> None:
        sage = np.maximum(self._recorder.metrics()["feature_sage"], 0)
        if self.model_.features:
            sage = sage[[self.model_.features.index(name) for name in self.feature_names_in_]]
        self.feature_importances_ = sage / (sage.sum() or 1)

    def __getstate__(self) -> dict[str, Any]:
        """Without the recorder: a copy that goes on learning measures anew."""
        return {name: value for name, value in super().__getstate__().items() if name != "_recorder"}

    def _learn(self, X: Any, y: Any, sample_weight: Any, reset: bool) -> None:
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        if reset:
            self.__dict__.pop("feature_importances_", None)
        if self._raw(X, reset):
            if reset:
                self.model_ = self._new()
                names = _frames._names(_frames.library_of(X), X)
                self.n_features_in_ = len(names)
                self.feature_names_in_ = np.array(names, dtype=object)
            rows, targets = _frames.by_names(list(self.feature_names_in_), X), vector(y, "y")
            if reset and len(rows) == 0:
                raise _core.InputError("X has no rows: a fit needs at least one")
        else:
            rows, targets = self._numbers(X, y, reset=reset, y_numeric=True)
            if np.isinf(rows.data if is_sparse(rows) else rows).any():
                raise ValueError("Input X contains infinity or a value too large for dtype('float64').")
            if reset:
                self.model_ = self._new(self.n_features_in_)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True)
        for values, name in ((y, "y"), (sample_weight, "sample_weight")):
            _frames.warn_of_order(X, values, name)
        self._observe(rows)
        self.model_.learn_many(rows, targets, weights)
        if self.importance:
            self._take_importances()

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> AnabranchRegressor:
        """Where it raises, the regressor is what it was: fitted before, or not at all."""
        before = dict(self.__dict__)
        try:
            self._learn(X, y, sample_weight, True)
        except BaseException:
            self.__dict__ = before
            raise
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> AnabranchRegressor:
        """Learns all samples from the start.

        Parameters
        ----------
        X : array-like or frame, shape (n_samples, n_features)
            nan and None are missing cells.
        y : array-like, shape (n_samples,)
            The targets, finite.
        sample_weight : array-like, shape (n_samples,), optional
            How many samples each counts for, >= 0.

        Returns
        -------
        AnabranchRegressor
            Itself.

        Raises
        ------
        ValueError
            X, y or a parameter is refused. A regressor that was fitted before is as it was.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> AnabranchRegressor:
        """Goes on learning; the first call is a `fit`. Parameters as of `fit`; where it raises, nothing was learned."""
        if not hasattr(self, "model_"):
            return self._fit(X, y, sample_weight)
        self._learn(X, y, sample_weight, False)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The predictions of all that was learned so far.

        Parameters
        ----------
        X : array-like or frame, shape (n_samples, n_features)
            As for ``fit``, with its columns.

        Returns
        -------
        ndarray of float, shape (n_samples,)
            In the target's unit.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Nothing was fitted yet.
        ValueError
            X is refused, such as one with other columns.
        """
        check_is_fitted(self, "model_")
        if self._raw(X, False):
            X = _frames.by_names(list(self.feature_names_in_), X)
        else:
            X = self._numbers(X, reset=False)
        return np.asarray(self.model_.predict_many(X))
