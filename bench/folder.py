"""The streams of a folder of CSV files."""
import sys


def streams(folder, only=None):
    """The files, in order, or those called as `only` says. Ends the program where there are none."""
    found = {path.stem: path for path in sorted(folder.glob("*.csv"))}
    missing = [name for name in only or () if name not in found]
    if missing:
        sys.exit(f"{folder}: no stream {', '.join(missing)}; there are {', '.join(found) or 'none'}")
    if not found:
        sys.exit(f"{folder}: no file NAME.csv")
    return [path for name, path in found.items() if not only or name in only]
