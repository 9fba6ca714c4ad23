"""Sparse matrices of scipy, which are read some rows at a time."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np


class Sparse(NamedTuple):
    """Compressed rows: row i has the cells ``data[starts[i]:starts[i + 1]]`` in columns ``indices``, else 0."""

    data: np.ndarray
    indices: np.ndarray
    starts: np.ndarray
    n_columns: int

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(self.starts) - 1

    def part(self, first: int, end: int) -> Sparse:
        """Some of the rows, in place."""
        return self._replace(starts=self.starts[first : end + 1])

    def dense(self) -> np.ndarray:
        """The matrix with all of its zeros."""
        shape = self.n_rows, self.n_columns
        return np.asarray(sys.modules["scipy.sparse"].csr_matrix(self[:3], shape).toarray())


def is_sparse(X: Any) -> bool:
    """Whether X is one of scipy's, without importing it."""
    module = sys.modules.get("scipy.sparse")
    return module is not None and bool(module.issparse(X))
