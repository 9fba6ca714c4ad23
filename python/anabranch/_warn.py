"""Warnings at the line that called the package."""

from __future__ import annotations

import os
import sys
import warnings

_HERE = os.path.dirname(__file__)


def warn(message: str) -> None:
    """A UserWarning; its place is the first caller outside of the package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and os.path.dirname(frame.f_code.co_filename) == _HERE:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)
