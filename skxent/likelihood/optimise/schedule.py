"""The schedule of preconditioners, and the sample of rows that the present one is made from.

The choices go from cheap to dear, see `choices.plan`. A preconditioner that costs too much from all
rows is made from a sample of rows, drawn by their part in the curvature. A sample is also where the
search begins: with P parameters, the gap of its minimum in the objective of all rows is about P/2
nats of the sample.
"""

from __future__ import annotations

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise.choices import PreconditionerChoice, plan
from skxent.likelihood.optimise.lbfgs import Stage
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint, Preconditioner
from skxent.likelihood.optimise.row_factor import Extreme, RowFactor
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.moments import compute_moments


class Schedule:
    """The preconditioners of one objective, cheap ones first.

    Parameters
    ----------
    objective : Objective
        On all rows.
    moments : Moments
        Of all rows.
    extreme : Extreme or None
        An entry out of proportion, because of which the Hessian is factored by QR of the rows.
    """

    def __init__(
        self, objective: Objective, moments: Moments, extreme: Extreme | None = None
    ) -> None:
        self.objective = objective
        self.moments = moments
        self.extreme = extreme
        self.source = objective  # on the rows that the preconditioner is made from
        self.plan = plan(objective.data)
        self.choices = list(self.plan.choices)
        self._passes_of_closed = 0.0

    @property
    def choice(self) -> PreconditionerChoice:
        """The choice in use."""
        return self.choices[0]

    def preconditioner(self, theta: np.ndarray, residual_weight: float) -> Preconditioner:
        """Return the preconditioner at a point."""
        if self.extreme is not None and self.choice.is_hessian:
            return RowFactor.of(self.source, theta, residual_weight, self.extreme.sizes)
        return self.choice.kind.build(self.source, theta, residual_weight)

    def start(self) -> np.ndarray:
        """Return where the search on all rows begins: the minimum of a sample, or zero."""
        theta = np.zeros(self.objective.shape)
        for rows in self.plan.first_rows:
            self._close_source()
            self.source = self._draw(rows)
            theta = self._minimise_source(theta)
        return theta

    def begin(self, theta: np.ndarray) -> None:
        """Choose the rows for the preconditioners at the start of the search on all rows.

        They are those of the last sample again, or a new sample drawn by the curvature at `theta`.
        """
        if self.source is self.objective or not self._serves_again(theta):
            self._draw_source(theta)

    def escalate(self, theta: np.ndarray, advance: float = 0.0) -> bool:
        """Go on to the next choice if it is worth its cost; tell whether.

        That is when as many passes have been spent without it: in the end the search costs twice
        what it had to, at most. `advance` passes are counted as spent if a preconditioner was poor.
        """
        if len(self.choices) == 1:
            return False
        if self.choices[1].passes > self.objective.n_passes + advance:
            return False
        self.choices.pop(0)
        self._draw_source(theta)
        return True

    def escalate_to_hessian(self, theta: np.ndarray, most: float) -> bool:
        """Go on to the Hessian of all rows if it costs `most` passes at most; tell whether."""
        last = self.choices[-1]
        if self.choice.is_hessian or not last.is_hessian or last.passes > most:
            return False
        del self.choices[:-1]
        self._draw_source(theta)
        return True

    @property
    def passes(self) -> float:
        """What reading samples has cost so far, in reads of X."""
        return self._passes_of_closed + self._passes_of_source()

    def close(self) -> None:
        """End the threads."""
        self._close_source()

    def _draw(self, rows: int, theta: np.ndarray | None = None) -> Objective:
        """Return the objective on a sample, drawn by the part of rows in the curvature at theta."""
        whole = self.objective
        scores = None if theta is None else whole.sampling_scores(theta)
        small = whole.data.sample(self.moments, whole.mean, rows, scores)
        return Objective(small, compute_moments(small), whole.penalty, None)

    def _minimise_source(self, theta: np.ndarray) -> np.ndarray:
        """Minimise on a sample, to a gap that is small beside that of its minimum."""
        point, residual_weight = self.source(theta), 0.0
        floor = tuning.SAMPLE_GAP * theta.size
        for _ in range(tuning.SAMPLE_STAGES):
            model = self.preconditioner(point.theta, residual_weight)
            here = PreconditionedPoint.of(model, point)
            if here.decrement <= floor:
                break
            stage = Stage(self.source, here, floor, self.choice.fall, residual_weight > 0)
            stage.run(self.choice.iterations)
            if stage.best is point:
                break
            point = stage.best
            residual_weight = tuning.RESIDUAL_WEIGHT * stage.line_search_struggling
        return point.theta

    def _serves_again(self, theta: np.ndarray) -> bool:
        """Whether the sample that was minimised also serves for the preconditioner.

        It does if its curvature comes from many of its rows.
        """
        if self.choice.rows != self.plan.first_rows[-1]:
            return False
        share = self.source.sampling_scores(theta)
        rows = share.sum() ** 2 / np.square(share).sum()
        return bool(rows > tuning.CURVED_ROWS * self.choice.rows)

    def _draw_source(self, theta: np.ndarray) -> None:
        self._close_source()
        if self.choice.rows is not None:
            self.source = self._draw(self.choice.rows, theta)

    def _close_source(self) -> None:
        if self.source is not self.objective:
            self._passes_of_closed += self._passes_of_source()
            self.source.close()
            self.source = self.objective

    def _passes_of_source(self) -> float:
        """What the sample in use has cost, the draw and the first read included."""
        if self.source is self.objective:
            return 0.0
        return (self.source.n_passes + 2) * self.source.data.n_rows / self.objective.data.n_rows
