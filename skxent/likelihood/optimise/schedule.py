"""The schedule: which preconditioner the search uses, and the sample of rows that it comes from.

The choices go from cheap to expensive, see `choices.plan`. If a preconditioner from all rows costs
too much, it is made from a sample, drawn in proportion to the rows' part in the curvature. The
search begins at the minimum of a sample. With P parameters, the minimum of all rows has a gap of
about P/2 nats in the objective of the sample, so that a sample is not minimised much further.
"""

from __future__ import annotations

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise.choices import Plan, PreconditionerChoice
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
        The objective on all rows.
    moments : Moments
        Moments of all rows.
    plan : Plan
        The preconditioners and the samples.
    extreme : Extreme or None
        An extreme entry of X, if there is one: the Hessian is then factored by QR of the rows.
    """

    def __init__(
        self,
        objective: Objective,
        moments: Moments,
        plan: Plan,
        extreme: Extreme | None = None,
    ) -> None:
        self.objective = objective
        self.moments = moments
        self.extreme = extreme
        self.source = objective  # objective on the rows of the preconditioner
        self.plan = plan
        self.choices = list(plan.choices)
        self._passes_of_closed = 0.0

    @property
    def choice(self) -> PreconditionerChoice:
        """The kind and rows of the current preconditioner, and the length of its stages."""
        return self.choices[0]

    def preconditioner(self, theta: np.ndarray, residual_weight: float) -> Preconditioner:
        """Return the preconditioner at a point."""
        if self.extreme is not None and self.choice.is_hessian:
            return RowFactor.of(self.source, theta, residual_weight, self.extreme.sizes)
        return self.choice.kind.build(self.source, theta, residual_weight)

    def start(self) -> np.ndarray:
        """Return the start of the search on all rows: the minimum of a sample, or zero."""
        theta = np.zeros(self.objective.shape)
        for rows in self.plan.first_rows:
            self._close_source()
            self.source = self._draw(rows)
            theta = self._minimise_source(theta)
        return theta

    def begin(self, theta: np.ndarray) -> None:
        """Choose the rows for the preconditioners at the start of the search on all rows.

        The last sample is used again, or a new one is drawn by the curvature at `theta`.
        """
        if self.source is self.objective or not self._serves_again(theta):
            self._draw_source(theta)

    def serves_still(self, theta: np.ndarray, built_at: np.ndarray) -> bool:
        """Whether a preconditioner made at `built_at` may measure the gap at `theta`.

        If logits of its sample have changed much, their curvature may have gone. The preconditioner
        then overrates the curvature by any factor, and a gap along such a direction is not seen.
        Preconditioners from all rows are not checked, as that would cost a pass.
        """
        if self.source is self.objective:
            return True
        return self.source.max_logit_range(theta - built_at) < tuning.FAR_CHANGE

    def escalate(self, theta: np.ndarray, advance: float = 0.0) -> bool:
        """Go on to the next choice and return True, if that choice is worth its cost.

        A choice is worth its cost once as many passes have been spent without it. The search then
        costs at most twice as much as with the best choice. `advance` is added to the passes spent.
        """
        if len(self.choices) == 1:
            return False
        if self.choices[1].passes > self.objective.n_passes + advance:
            return False
        self.choices.pop(0)
        self._draw_source(theta)
        return True

    def escalate_to_hessian(self, theta: np.ndarray, most: float) -> bool:
        """Go on to the Hessian of all rows and return True, if it costs at most `most` passes."""
        last = self.choices[-1]
        if self.choice.is_hessian or not last.is_hessian or last.passes > most:
            return False
        del self.choices[:-1]
        self._draw_source(theta)
        return True

    @property
    def passes(self) -> float:
        """Cost of all reads of samples so far, in reads of X."""
        return self._passes_of_closed + self._passes_of_source()

    def close(self) -> None:
        """End the threads."""
        self._close_source()

    def _draw(self, rows: int, theta: np.ndarray | None = None) -> Objective:
        """Return the objective on a sample, drawn uniformly or by the curvature at `theta`."""
        whole = self.objective
        scores = None if theta is None else whole.sampling_scores(theta)
        small = whole.data.sample(self.moments, whole.mean, rows, scores)
        drawn = Objective(small, compute_moments(small), whole.penalty, None, sampled=True)
        drawn.has_flat = whole.has_flat
        return drawn

    def _minimise_source(self, theta: np.ndarray) -> np.ndarray:
        """Minimise on the present sample until its gap is `SAMPLE_GAP` for each parameter."""
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
        """Whether preconditioners can be made from the sample that was minimised last.

        The sample must have the size of the choice, and many of its rows must have curvature.
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
        """Cost of the present sample in reads of X, including the draw and its first read."""
        if self.source is self.objective:
            return 0.0
        return (self.source.n_passes + 2) * self.source.data.n_rows / self.objective.data.n_rows
