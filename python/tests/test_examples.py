"""Every example runs; what it asserts holds."""

import pathlib
import subprocess
import sys

import pytest

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "examples"
NEEDS = {
    "river_pipeline": ["river"],
    "scikit_learn": ["sklearn", "pandas"],
    "rule_audit": ["xarray", "matplotlib"],
    "polars_parquet": ["polars"],
    "service": [],
    "pickles": [],
}


def test_the_first_program_of_the_manual(tmp_path):
    pytest.importorskip("pandas")
    program = (FOLDER.parent.parent / "docs" / "python.md").read_text().split("```python\n")[1].split("```")[0]
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode == 0 and not done.stderr and "Evaluation(n=3900" in done.stdout, done.stdout + done.stderr


def test_all_are_listed():
    assert sorted(NEEDS) == sorted(path.stem for path in FOLDER.glob("*.py"))


@pytest.mark.parametrize("name", NEEDS)
def test_example(name, tmp_path):
    for module in NEEDS[name]:
        pytest.importorskip(module)
    arguments = [str(tmp_path / "figure.png")] if name == "rule_audit" else []
    done = subprocess.run([sys.executable, FOLDER / f"{name}.py", *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
    if arguments:
        assert (tmp_path / "figure.png").stat().st_size > 10_000
