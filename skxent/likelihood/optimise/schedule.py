"""The model of the curvature in use, and the sample of rows that it is made from.

Models stand on a ladder from cheap to dear, see `plan`. One that is too dear for all rows is made
from a sample of those whose curvature matters. A sample is also where the search begins: its
minimum lies about P/2 of its own nats from the whole's, P parameters.
"""

from __future__ import annotations

import numpy as np

from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise.cost_model import Rung, plan
from skxent.likelihood.optimise.lbfgs import CAUTION, Stage
from skxent.likelihood.optimise.newton_cg import View
from skxent.likelihood.optimise.preconditioners import Curvature
from skxent.likelihood.optimise.row_factor import Extreme, RowFactor
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.moments import compute_moments

SAMPLE_NATS = 0.05  # gap at which a sample is left, per parameter
SAMPLE_STAGES = 20  # on a sample, at most
SPREAD = 0.2  # of the rows of a sample, that its curvature should come from
EARLY = 12.0  # passes that a model which was too poor may be in advance of what has been spent


class Models:
    """The models for one objective, cheap ones first."""

    def __init__(self, objective: Objective, moments: Moments) -> None:
        self.objective = objective
        self.moments = moments
        self.source = objective  # whose rows the model is made from
        self.plan = plan(objective.data)
        self.ladder = list(self.plan.ladder)
        self.extreme: Extreme | None = None  # then models of all rows are made by QR
        self._passes_left = 0.0

    @property
    def rung(self) -> Rung:
        """The model in use."""
        return self.ladder[0]

    def at(self, theta: np.ndarray, caution: float) -> Curvature | RowFactor:
        """The model of the curvature at a point."""
        if self.extreme is not None and self.rung.exact:
            return RowFactor.of(self.source, theta, caution, self.extreme.sizes)
        return self.rung.model(self.source, theta, caution)

    def start(self) -> np.ndarray:
        """Where the search on all rows begins: the minimum of a sample, or zero."""
        theta = np.zeros(self.objective.shape)
        for rows in self.plan.first_rows:
            self._leave_source()
            self.source = self._draw(rows)
            theta = self._minimise_source(theta)
        return theta

    def use(self, theta: np.ndarray) -> None:
        """Take rows for the models: those of the last sample again, or those that matter here."""
        if self.source is self.objective or not self._serves_again(theta):
            self._draw_source(theta)

    def climb(self, theta: np.ndarray, poor: bool) -> bool:
        """Go on with the next model if it is worth its cost; tell whether.

        That is when as much has been spent without it: in the end it costs twice as much as it
        had to, at most. A model that was too poor is left a little earlier.
        """
        if len(self.ladder) == 1:
            return False
        if self.ladder[1].passes > self.objective.n_passes + EARLY * poor:
            return False
        self.ladder.pop(0)
        self._draw_source(theta)
        return True

    def climb_to_exact(self, theta: np.ndarray, most: float) -> bool:
        """Go on with the Hessian itself if it costs `most` passes at most; tell whether."""
        top = self.ladder[-1]
        if self.rung.exact or not top.exact or top.passes > most:
            return False
        del self.ladder[:-1]
        self._draw_source(theta)
        return True

    @property
    def passes(self) -> float:
        """What reading samples cost so far, in reads of X."""
        return self._passes_left + self._passes_of_source()

    def close(self) -> None:
        """End the threads."""
        self._leave_source()

    def _draw(self, rows: int, theta: np.ndarray | None = None) -> Objective:
        """The objective on a sample of rows, of those that matter to the curvature at `theta`."""
        everything = self.objective
        importance = None if theta is None else everything.sampling_scores(theta)
        small = everything.data.sample(self.moments, everything.mean, rows, importance)
        return Objective(small, compute_moments(small), everything.penalty, None)

    def _minimise_source(self, theta: np.ndarray) -> np.ndarray:
        """Minimise on a sample, as far as its minimum is worth."""
        point, caution = self.source(theta), 0.0
        enough = SAMPLE_NATS * theta.size
        for _ in range(SAMPLE_STAGES):
            here = View.of(self.at(point.theta, caution), point)
            if here.decrement <= enough:
                break
            stage = Stage(self.source, here, enough, self.rung.fall, careful=caution > 0)
            stage.run(self.rung.iterations)
            if stage.best is point:
                break
            point, caution = stage.best, CAUTION * stage.crooked
        return point.theta

    def _serves_again(self, theta: np.ndarray) -> bool:
        """Whether the sample that was minimised is as good as one drawn for its curvature.

        That is where its curvature does not come from a few of its rows.
        """
        if self.rung.rows != self.plan.first_rows[-1]:
            return False
        share = self.source.sampling_scores(theta)
        rows = share.sum() ** 2 / np.square(share).sum()
        return bool(rows > SPREAD * self.rung.rows)

    def _draw_source(self, theta: np.ndarray) -> None:
        self._leave_source()
        if self.rung.rows is not None:
            self.source = self._draw(self.rung.rows, theta)

    def _leave_source(self) -> None:
        if self.source is not self.objective:
            self._passes_left += self._passes_of_source()
            self.source.close()
            self.source = self.objective

    def _passes_of_source(self) -> float:
        """Of the sample in use, drawing and a first read included."""
        if self.source is self.objective:
            return 0.0
        return (self.source.n_passes + 2) * self.source.data.n_rows / self.objective.data.n_rows
