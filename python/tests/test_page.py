"""The blocks of docs/python.md run, in order, in one interpreter."""

import pathlib
import re

import numpy as np
import pytest

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "python.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.S | re.M)


def given(folder, pandas):
    """What the page speaks of and does not make: a stream, a table, a row, and a large table in files."""
    draw = np.random.default_rng(1)
    frame = pandas.DataFrame({"temperature": draw.normal(15, 8, 300), "wind": draw.uniform(0, 10, 300)})
    price = 2 * frame["temperature"] - frame["wind"]
    big = frame.assign(price=price)
    (folder / "big").mkdir()
    big.to_csv(folder / "big.csv", index=False)
    big.to_parquet(folder / "big" / "1.parquet")
    return {
        "stream": list(zip(frame.to_dict("records"), price)),
        "frame": frame.assign(y=price),
        "features": list(frame),
        "X": frame,
        "y": price,
        "x": frame.iloc[0].to_dict(),
    }


@pytest.mark.filterwarnings("ignore")
def test_blocks(tmp_path, monkeypatch):
    needed = {name: pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow", "xarray", "matplotlib")}
    needed["matplotlib"].use("Agg")
    monkeypatch.chdir(tmp_path)
    names, here = dict(needed), given(tmp_path, needed["pandas"])
    for block in BLOCKS:
        names |= here  # a loop over the stream has used x and y
        exec(compile(block, PAGE.name, "exec"), names)
    assert names["why"].prediction == pytest.approx(names["why"].base + names["why"].phi.sum())
