"""The sentences of the page docs/speed.md about the time that rivals have.

The limits are those of race_limits.py, as the results hold them.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from race_results import Figures, listed


def named_with_limits(figures: Figures) -> list[str]:
    """The problems that no rival solved, and how long each run had."""
    return [f"{p.name} ({p.data['limit']:.3g} s)" for p in figures.alone]


def how_rivals_ended(figures: Figures) -> str:
    """Say how the rivals ended on the problems that no rival solved."""
    ends = Counter(end for p in figures.alone for end in p.outcomes().values())
    others = [
        f"{ends[end]} {text}"
        for end, text in (
            ("elsewhere", "ended by themselves farther from the optimum"),
            ("failed", "failed"),
        )
        if ends[end]
    ]
    more = f", {listed(others)}" if others else ""
    return f"""The number in brackets is the limit, which is the same for all rivals of a problem.
        Over these problems, the rivals started {sum(ends.values())} times: {ends["time up"]} were
        stopped at the limit{more}."""


def time_limits(rules: dict[str, Any]) -> str:
    """How long a run may take."""
    limit = rules["limit"]
    hard = [f"{name} ({seconds:.3g} s)" for name, seconds in limit["hard"].items()]
    return f"""A run of a rival has a time limit. It depends on the problem and is the same for all
        rivals, whether they run early or late. The limit is {limit["floor"]:.3g} s, plus 1 s
        for each {limit["dense"] / 1e6:.3g} million multiplications of X with the coefficients.
        If X is sparse, only its nonzero entries count, and 1 s is added for each
        {limit["sparse"] / 1e6:.3g} million. Some problems take long for their size and have
        fixed limits: {listed(hard)}. A limit is at least {limit["ours"]:g} times as long as the fit
        of skxent. If a run ends by itself before the limit and has not solved the problem, the
        rival goes on to the next tolerance, again with the whole limit. A run is also stopped when
        it takes longer than {rules["beaten"]} times the time of the fastest rival that has already
        solved the problem, plus {rules["margin"]} s, except on the problems whose curves are shown
        below. Some compiled solvers cannot be interrupted. If such a run solves the problem within
        {rules["grace"]:g} s after its limit, it counts."""
