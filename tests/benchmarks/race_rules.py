"""The sentences of the page docs/speed.md about the time that rivals have.

Results of races with the limits of race_limits.py have a rule "limit". In earlier races the rivals
of a problem shared a time, so that a late one might never begin; the page says so.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from race_results import Figures, listed


def time_limits(rules: dict[str, Any]) -> str:
    """How long a run may take."""
    return _limits(rules) if "limit" in rules else _shared_time(rules)


def named_with_limits(made: dict[str, Any], figures: Figures) -> list[str]:
    """The problems that no rival solved, and how long each run had."""
    if "limit" not in made["rules"]:
        return [p.name for p in figures.alone]
    return [f"{p.name} ({p.data['limit']:.3g} s)" for p in figures.alone]


def how_rivals_ended(made: dict[str, Any], figures: Figures) -> str:
    """How the rivals ended on the problems that none of them solved."""
    return _tried(figures) if "limit" in made["rules"] else _not_begun(figures)


def _tried(figures: Figures) -> str:
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


def _not_begun(figures: Figures) -> str:
    """Say on how many problems that no rival solved some rivals were never begun."""
    late = sum(any(run[-1] == "no time left" for run in p.data["runs"]) for p in figures.alone)
    if not late:
        return ""
    return f"""On {late} of them the time that the rivals share was over before each rival had
        begun. A rival late in the order might have solved the problem."""


def _limits(rules: dict[str, Any]) -> str:
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


def _shared_time(rules: dict[str, Any]) -> str:
    """The rule of races before each rival had a time of its own."""
    return f"""The rivals of a problem share a time, which is longer where skxent takes longer. One
        rival may use about half of this time: that is its time limit. A run is also stopped when it
        has taken {rules["beaten"]} times as long as the fastest rival that has solved the problem,
        except on the problems whose curves are shown below."""
