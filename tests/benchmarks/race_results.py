"""The results of the race in docs/_static/speed.json, and the figures that follow from them."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[2] / "docs" / "_static" / "speed.json"
NEAR_ENOUGH = 1e-6
DISTRIBUTION = {"intelex": "scikit-learn-intelex", "liblinear": "liblinear-multicore"}
OTHERS = ("cyanure", "glum", "statsmodels")


@dataclass(frozen=True)
class Run:
    """One rival at one tolerance; `end` says why a run has no end of its own."""

    rival: str
    tol: float | None
    seconds: float | None
    distance: float | None
    iterations: float | None
    end: str

    @property
    def there(self) -> bool:
        """Whether it solved the problem."""
        return self.distance is not None and self.distance <= NEAR_ENOUGH


@dataclass(frozen=True)
class Raced:
    """One problem with all runs."""

    data: dict[str, Any]

    @cached_property
    def runs(self) -> list[Run]:
        """All runs, also of skxent and of the defaults."""
        return [Run(*run) for run in self.data["runs"]]

    @property
    def name(self) -> str:
        """Name of the problem."""
        return self.data["name"]

    @property
    def ratio(self) -> float | None:
        """Seconds of the fastest rival that solved it, divided by those of skxent."""
        return self.data["ratio"]

    @property
    def solved(self) -> bool:
        """Whether skxent is near enough at its defaults."""
        return self.data["distance"] is not None and self.data["distance"] <= NEAR_ENOUGH

    @cached_property
    def fastest(self) -> Run | None:
        """The fastest run of a rival that solved the problem."""
        if self.data["fastest"] is None:
            return None
        best = tuple(self.data["fastest"])
        return next(r for r in self.runs if (r.rival, r.tol) == best)

    @property
    def default(self) -> Run:
        """LogisticRegression at its defaults."""
        return next(r for r in self.runs if r.rival == "default")

    def outcomes(self) -> dict[str, str]:
        """Rival -> how it ended on this problem."""
        found: dict[str, str] = {}
        for run in self.runs:
            if run.rival in ("skxent", "default") or found.get(run.rival) == "there":
                continue
            if run.there:
                found[run.rival] = "there"
            elif run.end in ("slower", "time up"):
                found[run.rival] = run.end
            elif run.end == "crashed" or run.end.startswith("failed"):
                found[run.rival] = "failed"
            else:
                found[run.rival] = "elsewhere"
        return found


@dataclass(frozen=True)
class Figures:
    """What the sentences of the page and of the README say."""

    problems: list[Raced]

    @cached_property
    def compared(self) -> list[Raced]:
        """Problems that a rival solved."""
        return [p for p in self.problems if p.ratio]

    @cached_property
    def alone(self) -> list[Raced]:
        """Problems that no rival solved."""
        return [p for p in self.problems if not p.ratio]

    @cached_property
    def lost(self) -> list[Raced]:
        """Problems on which a rival is faster, the worst first."""
        return sorted((p for p in self.compared if p.ratio < 1), key=lambda p: p.ratio)

    @property
    def mean(self) -> float:
        """Geometric mean of the ratios."""
        return math.exp(statistics.fmean(math.log(p.ratio) for p in self.compared))

    @property
    def mean_with_limits(self) -> float:
        """The mean if a rival had solved the others at the end of the time that one rival has."""
        limits = [p.data["limit"] / p.data["seconds"] for p in self.alone]
        ratios = [p.ratio for p in self.compared]
        return math.exp(statistics.fmean(map(math.log, ratios + limits)))

    @cached_property
    def solvers(self) -> list[str]:
        """Solvers that ran on at least one problem."""
        return sorted({r for p in self.problems for r in p.outcomes()})

    @cached_property
    def libraries(self) -> list[str]:
        """Distributions of these solvers."""
        return sorted({library_of(r) for r in self.solvers})


def read(path: Path = RESULTS) -> tuple[dict[str, Any], list[Raced]]:
    """The conditions of a run, and its problems."""
    results = json.loads(path.read_text(encoding="utf-8"))
    return results["made"], [Raced(data) for data in results["problems"]]


def library_of(rival: str) -> str:
    """The distribution that has a solver."""
    first = rival.split()[0]
    return first if first in OTHERS else DISTRIBUTION.get(first, "scikit-learn")


def number(x: float | None) -> str:
    """Three digits, without an exponent where that is short."""
    if x is None:
        return "–"
    if not 1e-3 <= abs(x) < 1e6:
        return power(x)
    return f"{x:,.{max(2 - math.floor(math.log10(abs(x))), 0)}f}"


def power(x: float) -> str:
    """One digit and an exponent, as people write it."""
    return f"{x:.0e}".replace("e-0", "e-").replace("e+0", "e")


def times(x: float) -> str:
    """A ratio of two or three digits."""
    return f"{x:.2f}" if x < 1.995 else f"{x:.1f}" if x < 99.95 else f"{x:.0f}"


def listed(texts: list[str]) -> str:
    """A list in a sentence, with semicolons if there are commas in it."""
    comma = "; " if any("," in text for text in texts) else ", "
    return comma.join(texts[:-1]) + (" and " if len(texts) > 1 else "") + texts[-1] if texts else ""


def counted(n: int, noun: str) -> str:
    """A number with its noun."""
    return f"{n} {noun}" + ("" if n == 1 else "s")
