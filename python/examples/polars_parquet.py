"""A Parquet file of a million rows through polars, in pieces: polars_parquet.py [ROWS]"""

import os
import sys
import tempfile
import time

import numpy as np
import polars

from anabranch import Model

rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
random = np.random.default_rng(0)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "stream.parquet")
    X = random.normal(size=(rows, 8))
    frame = polars.DataFrame({f"x{j}": X[:, j] for j in range(8)}).with_columns(y=polars.Series(X @ np.arange(8.0)))
    frame.write_parquet(path)
    del frame, X

    model = Model("scale(rls)", [f"x{j}" for j in range(8)])
    start, squares = time.perf_counter(), 0.0
    for i in range(0, rows, 100_000):
        piece = polars.scan_parquet(path).slice(i, 100_000).collect()
        said = model.train_many(piece.drop("y"), piece["y"])
        squares += ((piece["y"] - said) ** 2).sum()
    taken = time.perf_counter() - start

print(f"{rows:,} rows in {taken:.2f} s, rmse {np.sqrt(squares / rows):.4f}, {model.__sizeof__():,} bytes")
assert model.n_samples_seen == rows and np.sqrt(squares / rows) < 1
