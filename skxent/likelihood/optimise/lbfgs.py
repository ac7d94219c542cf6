"""A stage: SciPy's L-BFGS-B in the coordinates of one model of the curvature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise.newton_cg import View

NEAR = 50.0  # a goal that is no farther than this from the end of a stage is worth going to
CAUTION = 0.1  # of the model after a stage that was not straight, see `curvature`
SHORT = 8.0  # logits; the longest first step of a careful stage
SLOW = 10.0  # a model is too poor when the decrement did not fall by this
CORRECTIONS = 10  # pairs that L-BFGS keeps
FEW_CORRECTIONS = 3  # where going through them takes longer than a pass over sparse rows
MANY_PARAMETERS = 30_000


class Stage:
    """L-BFGS from one point in the coordinates of one model.

    SciPy's first trial step has length one, so v is measured in units of its gradient's norm
    there: that trial is then the Newton step, or, where the stage is to be `careful`, the part of
    it that moves no logit by more than `SHORT`. The stage has done its work when the decrement is
    at `goal` nats, or has fallen by `fall`.
    """

    def __init__(
        self,
        objective: Objective,
        start: View,
        goal: float,
        fall: float,
        careful: bool = False,
        after_iteration: Callable[[Point], bool] | None = None,
    ) -> None:
        self.objective = objective
        self.model = start.model
        self.start = self.best = start.point
        self.slope = start.slope
        self.unit = float(np.linalg.norm(self.slope))
        self.first_decrement = start.decrement
        fallen = self.first_decrement / fall
        self.enough = fallen if fallen > NEAR * goal else goal
        if careful:
            move = objective.largest_move(start.newton_step)
            if move > SHORT:  # at least one logit moves
                self.unit *= SHORT / move
        self.after_iteration = after_iteration
        self.n_iterations = self.n_evaluations = 0

    def run(self, max_iter: int) -> Self:
        """Minimise; `best` is the best point found, the start itself when none is better."""
        if self.unit > 0:
            many = len(self.slope) > MANY_PARAMETERS
            options = {
                "maxiter": max_iter,
                "maxfun": 4 * max_iter + 20,
                "maxcor": FEW_CORRECTIONS if many else CORRECTIONS,
                "ftol": 0.0,
                "gtol": 0.0,
            }
            minimize(
                self._value_and_gradient,
                np.zeros(len(self.slope)),
                jac=True,
                method="L-BFGS-B",
                callback=self._callback,
                options=options,
            )
        return self

    @property
    def decrement(self) -> float:
        """Of the best point so far, in nats."""
        return 0.5 * float(self.slope @ self.slope)

    @property
    def arrived(self) -> bool:
        """Whether the decrement fell as far as it should."""
        return self.decrement <= self.enough

    @property
    def crooked(self) -> bool:
        """Whether many steps were too long or too short at first."""
        return self.n_evaluations > 1.3 * self.n_iterations + 3

    @property
    def slow(self) -> bool:
        """Whether the model was too poor to get on with."""
        return self.decrement > self.first_decrement / SLOW

    def _value_and_gradient(self, u: np.ndarray) -> tuple[float, np.ndarray]:
        if self.n_evaluations == 0:
            point, slope = self.start, self.slope
        else:
            theta = self.start.theta + self.model.to_theta(self.unit * u)
            point = self.objective(theta)
            slope = self.model.to_v(point.gradient)
        self.n_evaluations += 1
        if point.at_most < self.best.at_most:
            self.best, self.slope = point, slope
        return point.value - self.start.value, self.unit * slope

    def _callback(self, intermediate_result: OptimizeResult) -> None:
        self.n_iterations += 1
        stop = self.after_iteration is not None and self.after_iteration(self.best)
        if stop or self.arrived or self.crooked:
            raise StopIteration
