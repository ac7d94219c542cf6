"""How long one run of a rival may take on a problem.

The limit follows from the problem alone: it is the same for all rivals, none of them uses up the
time of another, and it does not shrink when skxent becomes faster. Most of the time of a race is
spent on the problems that nobody solves, where all rivals run until their limit. The numbers below
are chosen so that a race takes about MINUTES.
"""

from __future__ import annotations

from typing import Any

from rivals import multiplications

MINUTES = 47.0  # length of a race with the limits below
FLOOR = 5.0  # seconds of every limit
DENSE = 5e7  # multiplications of a pass over dense X that make a limit one second longer
SPARSE = 7e6  # those over sparse X, each of which takes longer
OURS = 2.0  # times the seconds of skxent: no limit is shorter
# Seconds on problems that take long for their size, each twice the seconds of skxent on 2026-11-26.
HARD = {"mnist5k": 19.0, "flights_carrier": 17.0, "newsgroups, C=100": 23.0}


def run_limit(name: str, X: Any, classes: int, ours: float, minutes: float = MINUTES) -> float:
    """Seconds that one run of a rival may take. `ours` are the seconds of skxent."""
    each = SPARSE if hasattr(X, "nnz") else DENSE
    by_size = FLOOR + multiplications(X, classes) / each
    return max(max(by_size, HARD.get(name, 0.0)) * minutes / MINUTES, OURS * ours)


def limit_rules(minutes: float) -> dict[str, Any]:
    """What the page says about limits."""
    scale = minutes / MINUTES
    return {
        "floor": FLOOR * scale,
        "dense": DENSE / scale,
        "sparse": SPARSE / scale,
        "ours": OURS,
        "hard": {name: seconds * scale for name, seconds in HARD.items()},
    }
