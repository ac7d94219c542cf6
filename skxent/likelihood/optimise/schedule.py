"""The schedule: which preconditioner the search uses, and the sample of rows that it comes from.

The choices go from cheap to expensive, see `choices.plan`. If a preconditioner from all rows costs
too much, it is made from a sample, drawn in proportion to the rows' part in the curvature. The
search begins at the minimum of a sample. With P parameters, the minimum of all rows has a gap of
about P/2 nats in the objective of the sample, so that a sample is not minimised much further.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.choices import Plan, PreconditionerChoice
from skxent.likelihood.optimise.lbfgs import Function, Stage
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint, Preconditioner
from skxent.likelihood.optimise.row_factor import Extreme, RowFactor
from skxent.likelihood.optimise.tilted import Tilted
from skxent.likelihood.sources.base import Scores
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.moments import compute_moments

# Leverage of a row in its sample, above which steps minimise on samples drawn by leverage. One row
# then has a quarter of the curvature of some parameter. The leverage must also be this multiple of
# the mean: in a small sample of even data all leverages are large.
UNEVEN_LEVERAGE = 0.25
UNEVEN_RATIO = 10.0
# Largest change of an undecided logit after which a sample drawn by leverage serves again.
CHANGED_LEVERAGE = 1.0
# Factor by which the decrement of a tilted objective falls, and the number of stages for it. A step
# on a sample leaves about a twentieth of the gap, so that the minimum itself is worth no more.
TILTED_FALL = 300.0
TILTED_STAGES = 6
# Number of steps on samples that lower the objective too little, after which none follows.
MOST_POOR_STEPS = 2


def leverages(objective: Objective, theta: np.ndarray) -> Scores:
    """Return the leverage of each row at `theta`, with the diagonal of the Hessian."""
    per_leverage = preconditioners.diagonal(objective, theta).scale ** 2
    return objective.sampling_scores(theta, per_leverage)


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
        self.drawn_at: np.ndarray | None = None  # where the present sample was drawn by scores
        self.poor_steps = 0  # steps on samples that lowered the objective too little
        self.by_leverage = False  # whether rows are drawn by their leverage
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
        self.by_leverage = self._is_uneven(theta)
        return theta

    def begin(self, theta: np.ndarray) -> None:
        """Choose the rows for the preconditioners at the start of the search on all rows.

        The last sample is used again, or a new one is drawn by the curvature at `theta`.
        """
        if self.by_leverage or self.source is self.objective or not self._serves_again(theta):
            self._draw_source(theta)

    def renew(self, before: np.ndarray, theta: np.ndarray) -> None:
        """Draw the rows anew after a step from `before` to `theta` that changed leverages."""
        if self.source.max_logit_range(theta - before, theta) >= CHANGED_LEVERAGE:
            self._draw_source(theta)

    def sample_minimum(self, here: PreconditionedPoint) -> tuple[np.ndarray, float]:
        """Minimise the sample, tilted to the gradient of `here`; return the minimum and the fall.

        The fall of the tilted objective predicts that of the objective of all rows, see `tilted`.
        """
        with self.source.with_products_in(single=False):
            tilted = Tilted.of(self.source, here.point)
            start = replace(here, point=tilted.start)
            end = self._minimise(tilted, start, here.decrement / TILTED_FALL, TILTED_STAGES)
        return end.theta, tilted.start.value - end.value

    @property
    def on_sample(self) -> bool:
        """Whether steps minimise on a sample drawn by leverage, see `tilted`."""
        helps = self.poor_steps < MOST_POOR_STEPS
        return self.by_leverage and helps and self.source is not self.objective

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
        A sample of the same size, drawn by leverage, comes before a larger one, if it helps.
        """
        if len(self.choices) == 1:
            return False
        if self.choices[1].passes > self.objective.n_passes + advance:
            return False
        grows = self.choices[1].kind is self.choice.kind and self.drawn_at is not theta
        if grows and (self.on_sample or self._is_uneven(theta)):
            self.by_leverage = True
        else:
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
        whole, scores = self.objective, None
        if theta is not None and self.by_leverage:
            scores = leverages(whole, theta)
        elif theta is not None:
            scores = whole.sampling_scores(theta)
        small = whole.data.sample(self.moments, whole.mean, rows, scores)
        drawn = Objective(small, compute_moments(small), whole.penalty, None, sampled=True)
        drawn.has_flat = whole.has_flat
        return drawn

    def _minimise_source(self, theta: np.ndarray) -> np.ndarray:
        """Minimise on the present sample until its gap is `SAMPLE_GAP` for each parameter."""
        point = self.source(theta)
        floor = tuning.SAMPLE_GAP * theta.size
        here = PreconditionedPoint.of(self.preconditioner(theta, 0.0), point)
        return self._minimise(self.source, here, floor, tuning.SAMPLE_STAGES).theta

    def _minimise(
        self, function: Function, here: PreconditionedPoint, floor: float, stages: int
    ) -> Point:
        """Minimise a function of the present sample until its decrement is at most `floor`."""
        point, residual_weight = here.point, 0.0
        for _ in range(stages):
            if here.decrement <= floor:
                break
            stage = Stage(function, here, floor, self.choice.fall, residual_weight > 0)
            stage.run(self.choice.iterations)
            if stage.best is point:
                break
            point = stage.best
            if stage.decrement <= floor and function is not self.source:
                break
            residual_weight = tuning.RESIDUAL_WEIGHT * stage.line_search_struggling
            here = PreconditionedPoint.of(self.preconditioner(point.theta, residual_weight), point)
        return point

    def _serves_again(self, theta: np.ndarray) -> bool:
        """Whether preconditioners can be made from the sample that was minimised last.

        The sample must have the size of the choice, and many of its rows must have curvature.
        """
        if self.choice.rows != self.plan.first_rows[-1]:
            return False
        share = self.source.sampling_scores(theta)
        rows = share.sum() ** 2 / np.square(share).sum()
        return bool(rows > tuning.CURVED_ROWS * self.choice.rows)

    def _is_uneven(self, theta: np.ndarray) -> bool:
        """Whether steps should minimise on a sample drawn by leverage, see `tilted`.

        A row of the present sample then has much of the curvature of some parameter.
        """
        can = self.plan.by_leverage and self.objective.penalty.is_definite
        if not can or self.by_leverage or self.source is self.objective:
            return False
        found = leverages(self.source, theta)
        return bool(found.max() > max(UNEVEN_LEVERAGE, UNEVEN_RATIO * found.mean()))

    def _draw_source(self, theta: np.ndarray) -> None:
        self._close_source()
        self.drawn_at = theta
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
