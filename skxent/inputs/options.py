"""Checks of options: the error names the option, its value and what to pass."""

from __future__ import annotations

import math
import numbers
import sys
from collections.abc import Container, Iterable

import numpy as np

_MAX_LOSS = -math.log(np.finfo(np.float64).eps)  # nats, at the default floor


def is_one_of(value: object, choices: tuple[str | None, ...]) -> bool:
    """Tell whether an option is one of some strings, or None; an array never is."""
    if isinstance(value, str):
        return value in choices
    return value is None and None in choices


def check_option(
    name: str, value: object, choices: tuple[str | None, ...], cure: str | None = None
) -> None:
    """Require one of some strings, or None; `cure` replaces the list of choices in the error."""
    if not is_one_of(value, choices):
        known = [f'"{choice}"' for choice in choices if choice]
        raise ValueError(f"{name}={value!r}: {cure or f'pass {_either(known)}'}.")


def _either(words: list[str]) -> str:
    """Join words as in "a, b or c"."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def check_keywords(given: Iterable[str], known: Container[str], function: str) -> None:
    """Raise, as Python does, for a keyword argument that a function does not have."""
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise TypeError(f"{function}() got an unexpected keyword argument {unknown!r}")


def check_flag(value: object, name: str) -> None:
    """Require True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name}={value!r}: pass True or False.")


def check_level(level: object) -> None:
    """Require a level of intervals between 0 and 1."""
    if not isinstance(level, numbers.Real) or not 0 < level < 1:  # type: ignore[operator]
        raise ValueError(f"level={level!r}: pass a number between 0 and 1, such as 0.95.")


def check_count(value: object, name: str, what: str) -> None:
    """Require a whole number of 0 or more."""
    if not isinstance(value, numbers.Integral) or int(value) < 0:
        raise ValueError(f"{name}={value!r}: pass {what}, 0 or more.")


def is_positive(value: object) -> bool:
    """Tell whether an option is a finite number above 0."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    return 0.0 < float(value) < math.inf


def check_isotonic(n_classes: int) -> None:
    """Require two classes for recalibration by isotonic regression."""
    if n_classes > 2:
        raise ValueError(
            f'calibration="isotonic" is for two classes, but here are {n_classes}: pass "scaling".'
        )


def unit(base: float | None) -> float:
    """Return the number of nats in one unit of the logarithm's base."""
    if base is None:
        return 1.0
    if not isinstance(base, numbers.Real) or not 1 < base <= sys.float_info.max:
        raise ValueError(f"base={base!r}: pass a number above 1, or None for nats.")
    return math.log(base)


def max_loss(eps: float | None) -> float:
    """Return the largest loss of one class, -log(eps), that the floor `eps` allows, in nats."""
    if eps is None:
        return _MAX_LOSS
    if not isinstance(eps, numbers.Real) or not 0 <= eps < 1:
        raise ValueError(f"eps={eps!r}: pass a number in [0, 1), or None for machine epsilon.")
    return -math.log(eps) if eps else np.inf
