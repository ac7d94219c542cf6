"""Checks of options: what is not one of a few values is an error that names the option."""

from __future__ import annotations

from typing import Any

import numpy as np


def is_one_of(value: Any, choices: tuple[str | None, ...]) -> bool:
    """Tell whether an option is one of some strings, or None; arrays are neither."""
    if isinstance(value, str):
        return value in choices
    return value is None and None in choices


def check_flag(value: Any, name: str) -> None:
    """Require True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name}={value!r}: pass True or False.")
