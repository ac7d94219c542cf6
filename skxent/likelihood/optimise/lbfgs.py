"""A stage: SciPy's L-BFGS-B in the whitened coordinates of one preconditioner."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol, Self

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from skxent.likelihood import tuning
from skxent.likelihood.objective import Point
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint


class Function(Protocol):
    """What a stage minimises: an objective, or the tilted one of a sample, see `tilted`."""

    def __call__(self, theta: np.ndarray) -> Point:
        """Return value and gradient."""
        ...

    def max_logit_range(self, direction: np.ndarray) -> float:
        """Return the largest difference, over samples, between the changes of two logits."""
        ...


class Stage:
    """L-BFGS from one point in the whitened coordinates of one preconditioner.

    SciPy's first trial step has length one. Whitened coordinates are therefore divided by the norm
    of the first gradient, so that the first trial is the Newton step. SciPy limits this step to
    1e10 times the gradient, so that the objective is divided by a power of two near the norm of the
    gradient in these coordinates. The stage ends when the decrement is at most `goal` nats, or has
    fallen by the factor `fall`.

    Parameters
    ----------
    objective : Function
    start : PreconditionedPoint
    goal : float
        The decrement to reach, in nats.
    fall : float
        Factor by which the decrement falls before the preconditioner should be made anew.
    short_first_step : bool
        Whether the first trial changes no logit by more than `tuning.FIRST_CHANGE`.
    after_iteration : function(Point) -> bool, or None
        Called with the best point after each iteration. The stage ends if it returns True.
    """

    def __init__(
        self,
        objective: Function,
        start: PreconditionedPoint,
        goal: float,
        fall: float,
        short_first_step: bool = False,
        after_iteration: Callable[[Point], bool] | None = None,
    ) -> None:
        self.objective = objective
        self.preconditioner = start.preconditioner
        self.start = self.best = start.point
        self.gradient = start.gradient
        self.unit = float(np.linalg.norm(self.gradient))
        self.first_decrement = start.decrement
        fallen = self.first_decrement / fall
        self.floor = fallen if fallen > tuning.GOAL_IN_REACH * goal else goal
        if short_first_step:
            change = objective.max_logit_range(start.newton_step)
            if change > tuning.FIRST_CHANGE:
                self.unit *= tuning.FIRST_CHANGE / change
        slope = self.unit * float(np.linalg.norm(self.gradient))
        self.scale = math.ldexp(1.0, math.frexp(slope)[1])
        self.after_iteration = after_iteration
        self.n_iterations = self.n_evaluations = 0

    def run(self, max_iter: int) -> Self:
        """Minimise; afterwards `best` is the best point found, or the start if none was better."""
        if self.unit > 0:
            many = len(self.gradient) > tuning.MANY_PARAMETERS
            options = {
                "maxiter": max_iter,
                "maxfun": 4 * max_iter + 20,
                "maxcor": tuning.FEW_CORRECTIONS if many else tuning.CORRECTIONS,
                "ftol": 0.0,
                "gtol": 0.0,
            }
            minimize(
                self._value_and_gradient,
                np.zeros(len(self.gradient)),
                jac=True,
                method="L-BFGS-B",
                callback=self._callback,
                options=options,
            )
        return self

    @property
    def decrement(self) -> float:
        """The decrement of the best point so far, in nats."""
        return 0.5 * float(self.gradient @ self.gradient)

    @property
    def converged(self) -> bool:
        """Whether the decrement has reached the goal, or has fallen by the factor `fall`."""
        return self.decrement <= self.floor

    @property
    def line_search_struggling(self) -> bool:
        """Whether the line searches take many more evaluations than one for each iteration."""
        return self.n_evaluations > tuning.EVALUATIONS * self.n_iterations + 3

    @property
    def slow(self) -> bool:
        """Whether the decrement fell by less than `SLOW_FALL`: the preconditioner is too poor."""
        return self.decrement > self.first_decrement / tuning.SLOW_FALL

    def _value_and_gradient(self, u: np.ndarray) -> tuple[float, np.ndarray]:
        if self.n_evaluations == 0:
            point, gradient = self.start, self.gradient
        else:
            step = self.preconditioner.from_whitened(self.unit * u)
            point = self.objective(self.start.theta + step)
            gradient = self.preconditioner.to_whitened(point.gradient)
        self.n_evaluations += 1
        if point.at_most < self.best.at_most:
            self.best, self.gradient = point, gradient
        return (point.value - self.start.value) / self.scale, self.unit * gradient / self.scale

    def _callback(self, intermediate_result: OptimizeResult) -> None:
        self.n_iterations += 1
        stop = self.after_iteration is not None and self.after_iteration(self.best)
        if stop or self.converged or self.line_search_struggling:
            raise StopIteration
