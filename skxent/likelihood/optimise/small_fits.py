r"""Fits of few dense rows by Newton's method, where the number of calls decides the time.

A fit of a few hundred rows takes about a millisecond, most of it the cost of calling functions on
small arrays. This module minimises the same objective to the same gap as `search`, in one place and
with few calls. It takes whole Newton steps, or the better of a whole step and the estimated minimum
on its line, as `newton_lines` does. At the end it has the same certificate: the Hessian from before
the last step, see `certificate.gap_after_step`.

The algorithm, for samples :math:`\tilde x_i` that are centred rows with the entry one, as in
`objective`:

1. From the logits at :math:`\Theta` compute the value, the gradient g and the Hessian H, and factor
   :math:`H = L L^\top`.
2. Take the step :math:`s = -H^{-1} g`, with the decrement :math:`-\tfrac12 g^\top s`. If the slope
   at its end is not small, compare the end with the point on the line where a quadratic model of
   the slope is zero. The logits there need no product: they are on the line of the logits.
3. Repeat until the decrement is at most the target and logits have changed by less than a tenth
   since the last Hessian. The decrement, times the factors for these changes, bounds the gap.
4. Take up to three more steps with the same factor, see `newton_lines.polished`.

It declines whatever is not plain, and the search then fits as if this module did not exist: a step
that does not lower the objective, a factor whose curvature might be rounding, losses that are much
smaller than logits, columns far from zero, classes without weight, offsets, a minimum that might
not be finite.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.optimise.cost_model import CostModel
from skxent.likelihood.optimise.newton_cg import self_concordance_factor
from skxent.likelihood.optimise.newton_lines import DISTANCE, step_length
from skxent.likelihood.optimise.small_samples import (
    EPS,
    Declined,
    Evaluation,
    Factor,
    Parameters,
    Samples,
    logit_range,
)
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution, target_gap
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.local_rows import LocalRows

Report = Callable[[np.ndarray, np.ndarray, float], bool]

# Largest width of a Hessian, which is factored for nearly every step.
MOST_PARAMETERS = 180
# Largest number of operations of a Hessian, by the cost model: a few milliseconds.
MOST_OPERATIONS = tuning.FEW_OPERATIONS
# Largest number of steps. Fits that need more are not plain.
MOST_STEPS = 25
# Number of steps with a Hessian from before that cost as much as a new Hessian.
HESSIAN_PASSES = 2


class Stopped(Exception):
    """The report has ended the fit."""


class SmallFit:
    """A fit of some samples.

    Parameters
    ----------
    definite : bool
        Whether every coefficient is penalised.
    tol : float
        The tolerance, see `target_gap`.
    max_steps : int
        Largest number of steps; more raise `Declined`.
    report : function(coef, intercept, value) -> bool, or None
        Called after each step. The fit ends if it returns True.
    """

    def __init__(
        self,
        tol: float,
        max_steps: int,
        *,
        definite: bool,
        report: Report | None = None,
    ) -> None:
        self.report = report
        self.errors = np.geterr()  # how NumPy treats errors in the report
        self.stopped = False  # whether `report` has ended the fit
        self.definite = definite
        self.tol = tol
        self.max_steps = max_steps
        self.n_passes = tuning.FIRST_READ_PASSES
        self.curve: list[tuple[float, float]] = []  # passes and objective after each step
        self.fall = 1.0  # factor by which the last step has changed the decrement

    def run(self, samples: Samples, theta: np.ndarray) -> tuple[np.ndarray, float, float]:
        """Minimise from theta; return the last parameters, the objective and a bound of the gap.

        The search begins at zero if theta is no better. If the report ends it, the objective bounds
        the gap, because no loss is negative.
        """
        self.samples = samples
        try:
            return self._minimised(theta)
        except Stopped:
            return self.here.theta, self.here.value, self.here.value

    def _minimised(self, theta: np.ndarray) -> tuple[np.ndarray, float, float]:
        here = self._at(theta)
        lost = self.max_steps > 0 and theta.any()
        if lost and not here.value < self.samples.total * np.log(self.samples.n_classes):
            here = self._at(np.zeros_like(theta))
        self._go_to(here)
        self._renew()
        while True:
            if self.decrement <= self.target:
                change = self._change()
                gap = self._gap(change)
                if gap <= self.target:
                    self.factor.check(self.samples, definite=self.definite)
                    return self._polished(gap, change + tuning.SMALL_CHANGE)
            if self.factor.here is self.here or self._serves():
                self._descend()
            else:
                self._renew()

    def _at(self, theta: np.ndarray, logits: np.ndarray | None = None) -> Evaluation:
        self.n_passes += 1
        return self.samples.at(theta, logits)

    def _go_to(self, there: Evaluation) -> None:
        self.here, self.gradient = there, self.samples.gradient(there)

    def _renew(self) -> None:
        """Factor the Hessian at the present point."""
        self.n_passes += 1
        self.factor, self.fall = Factor(self.samples, self.here), 1.0
        self._aim()

    def _aim(self) -> None:
        """Compute the Newton step from the present point, its decrement, and the gap to reach."""
        self.step = self.factor.step(self.gradient)
        self.decrement = -0.5 * float(np.vdot(self.gradient, self.step))
        self.target = target_gap(self.tol, self.here.value, self.here.rounding)

    def _descend(self) -> None:
        """Take a Newton step, or a part or a multiple of it, see `newton_lines.newton_trial`."""
        if len(self.curve) >= self.max_steps:
            raise Declined
        here, before = self.here, self.decrement
        there = self._at(here.theta + self.step)
        gradient = self.samples.gradient(there)
        slope = float(np.vdot(gradient, self.step)) / (-2 * before)
        if not slope > tuning.STEEP_SLOPE:
            raise Declined
        if abs(slope) > tuning.LINE_SLOPE:
            length = step_length(slope)
            logits = here.logits + length * (there.logits - here.logits)
            other = self._at(here.theta + length * self.step, logits)
            if other.at_most < there.at_most:
                there, gradient = other, self.samples.gradient(other)
        if not there.at_most < here.at_most - tuning.SUFFICIENT_FALL * before:
            raise Declined
        self.here, self.gradient = there, gradient
        self._record(there.theta, there.value)
        if self.stopped:
            raise Stopped
        self._aim()
        self.fall = self.decrement / before

    def _record(self, theta: np.ndarray, value: float) -> None:
        self.curve.append((self.n_passes, value))
        if self.report is not None:
            parameters = self.samples.leave(theta)
            with np.errstate(**self.errors):
                self.stopped = self.report(*parameters, value)

    def _serves(self) -> bool:
        """Whether more steps with a factor from before reach the target for less than a new one."""
        near = self.decrement > self.target >= self.decrement * self.fall**HESSIAN_PASSES
        return near and self.fall < 1

    def _change(self) -> float:
        """Largest change of a logit from the point of the Hessian to the present point."""
        if self.factor.here is self.here:
            return 0.0
        return logit_range(self.here.logits - self.factor.here.logits)

    def _gap(self, change: float) -> float:
        """Return an upper bound of the gap, see `certificate.gap_after_step`."""
        if change >= tuning.SMALL_CHANGE:
            return np.inf
        left = logit_range(self.step @ self.samples.x.T)
        if left >= tuning.SMALL_CHANGE:
            return np.inf
        return float(self.decrement * np.exp(change) * self_concordance_factor(left))

    def _polished(self, gap: float, change: float) -> tuple[np.ndarray, float, float]:
        """Take up to three more steps, which count as one, see `newton_lines.polished`.

        A last step follows whose objective is known without an evaluation.
        """
        factor = float(np.exp(change) * self_concordance_factor(change))
        contraction = float(np.expm1(change))
        theta, value = start, _ = self.here.theta, self.here.value
        for left in (3, 2, 1, 0) if len(self.curve) < self.max_steps else ():
            if gap <= tuning.NEGLIGIBLE_GAP * value:
                break
            known = contraction * self.decrement <= self.here.rounding
            near = contraction * np.abs(self.step).max() <= DISTANCE * np.abs(theta).max()
            if known and (near or not left):
                theta, value = theta + self.step, value - self.decrement
            if left == 0 or (known and near):
                break
            self._go_to(self._at(theta + self.step))
            self._aim()
            bound = factor * self.decrement
            if not bound < gap:
                break
            theta, value, gap = self.here.theta, self.here.value, bound
        if theta is not start:
            self._record(theta, value)
        return theta, value, gap


def fit_small(
    data: RowSource,
    penalty: Penalty,
    tol: float,
    max_iter: int,
    start: Parameters | None,
    report: Report | None,
) -> Solution | None:
    """Minimise the penalised cross-entropy of few dense rows; None if the search must do so.

    Parameters are those of `solver.minimise`. If there is a report, the fit is first made without
    it: a fit that is declined must not report steps that the search reports again.
    """
    rows = data.in_memory()
    if rows is None or rows.sparse or rows.offset is not None:
        return None
    costs = CostModel.of(rows)
    few = rows.are_one_block and costs.n_parameters <= MOST_PARAMETERS
    few = few and rows.n_rows * costs.hessian.row <= MOST_OPERATIONS
    if not few or not (penalty.is_definite or penalty.is_zero):
        return None
    most, solution = min(max_iter, MOST_STEPS), None
    for reported in (None, report) if report is not None else (None,):
        try:
            solution = _fitted(rows, penalty, tol, most, start, reported)
        except Declined:
            return None
    return solution


def _fitted(
    rows: LocalRows,
    penalty: Penalty,
    tol: float,
    max_steps: int,
    start: Parameters | None,
    report: Report | None,
) -> Solution:
    definite = penalty.is_definite
    fit = SmallFit(tol, max_steps, definite=definite, report=report)
    with np.errstate(all="ignore"):
        samples = Samples.of(rows, penalty)
        theta, value, gap = fit.run(samples, samples.enter(start))
        coef, intercept = samples.leave(theta)
        # See `returned`: logits of the rows as they are may have fewer digits.
        size = np.abs(samples.mean) + np.sqrt(samples.squares[: len(samples.mean)])
        error = EPS * float((np.abs(coef) @ size).max())
    lost = error * samples.total > tuning.SAME_VALUE * value or error > tuning.SAME_LOGITS
    if lost and not fit.stopped:
        raise Declined
    target = target_gap(tol, value, fit.here.rounding)
    return Solution(
        coef=coef,
        intercept=intercept,
        value=value,
        log_likelihood=penalty.value(coef) - value,
        gap=gap,
        target=target,
        converged=gap <= target,
        unbounded=False,
        stopped=fit.stopped,
        n_iterations=len(fit.curve),
        n_passes=fit.n_passes,
        curve=tuple(fit.curve),
        unpenalised=np.full(rows.n_features, penalty.is_zero),
    )
