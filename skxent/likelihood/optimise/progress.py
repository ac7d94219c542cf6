"""Iterations of a search: their number, the objective after each, and reports to the caller."""

from __future__ import annotations

from skxent.likelihood import tuning
from skxent.likelihood.coordinates.frame import Report
from skxent.likelihood.objective import Objective, Point


class Progress:
    """The iterations so far.

    Parameters
    ----------
    max_iter : int
        Largest number of iterations.
    report : function(coef, intercept, value) -> bool, or None
        Called after each iteration. The search ends if it returns True.
    """

    def __init__(self, max_iter: int, report: Report | None) -> None:
        self.max_iter = max_iter
        self.report = report
        self.n_iterations = 0
        self.curve: list[tuple[float, float]] = []  # passes and objective after each iteration
        self.stopped = False  # whether `report` ended the search
        self.last: Point | None = None

    @property
    def n_left(self) -> int:
        """Number of iterations that the search may still take."""
        return self.max_iter - self.n_iterations

    def correct(self, point: Point, exact: Point) -> None:
        """Replace the last iteration's point, if it is `point`, by the same one in float64."""
        if self.last is point:
            self.last = exact
            self.curve[-1] = self.curve[-1][0], exact.value

    def must_end(self, n_passes: float) -> bool:
        """Whether the search may take no further iteration, after `n_passes` passes."""
        spent = n_passes > tuning.PASSES_PER_ITERATION * self.max_iter
        return self.stopped or spent or self.n_left <= 0

    def record(self, objective: Objective, point: Point, n_passes: float) -> bool:
        """Count and report an iteration that ended at `point`; return whether to stop."""
        self.n_iterations += 1
        self.last = point
        self.curve.append((n_passes, point.value))
        if self.report is not None:
            self.stopped = self.report(*objective.leave(point.theta), point.value)
        return self.stopped
