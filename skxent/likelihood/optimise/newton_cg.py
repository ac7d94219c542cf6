"""How far a point is from the minimum, in nats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.preconditioners import Curvature
from skxent.likelihood.optimise.row_factor import RowFactor

CG_RESIDUAL = 0.03  # of the gradient, both in coordinates v; at 0.1 a flat direction goes unseen
CG_PRODUCTS = 1000  # to begin anew costs more than to go on
LAST_PRODUCTS = 100  # for a gap to report, where no step follows
LOOSE = 0.3  # of the gradient, what the first steps from afar may leave
ROUGH = 4.0  # times what is seen of a gap, that may be left
STILL = 0.1  # logits; where a Newton step moves none by more, its decrement is the gap
FAR = 8.0  # logits; the Hessian at a point is told from that of another by no useful bound
FLAT = 100.0  # times less than a sample of rows shows, that the curvature of a direction may be


def stretch(move: float) -> float:
    r"""How much farther the minimum may be than a Newton step sees that moves a logit by `move`.

    The third derivative of a log-partition along a direction is at most the second times the range
    q of the logits' moves (F. Bach, "Self-concordant analysis for logistic regression", Electronic
    Journal of Statistics 4, 2010). With Newton decrement l the function along the step is then at
    least :math:`2 l\,[-t + (e^{-qt} + qt - 1) / q^2]`, which falls to :math:`-l` times

    .. math:: 2\,[q + (1 - q) \log(1 - q)] / q^2,

    one for small q and two for q = 1, where the bound ends; twice q is a guess for what lies
    beyond.
    """
    if move >= 1:
        return 2 * move
    if move < 1e-4:
        return 1.0
    return 2 * (move + (1 - move) * np.log1p(-move)) / move**2


def length(left: float) -> float:
    r"""How far to go along a Newton step at whose end `left` of the slope is left.

    Relative to the slope where it begins, the slope is one there, falls by one a step, and is
    `left` after one. The quadratic :math:`1 - t + \mathrm{left}\,t^2` has these three values, and
    its root is where the line is lowest. Where there is none, twice the step: the curvature falls.
    """
    if left >= 0.25:
        return 2.0
    return 2 / (1 + np.sqrt(1 - 4 * left))


@dataclass(frozen=True)
class View:
    """A point as a model of the curvature sees it; `slope` is the gradient in its coordinates."""

    model: Curvature | RowFactor
    point: Point
    slope: np.ndarray

    @classmethod
    def of(cls, model: Curvature | RowFactor, point: Point) -> Self:
        """Look at a point."""
        return cls(model, point, model.to_v(point.gradient))

    @property
    def decrement(self) -> float:
        """Half the squared slope: the gap in nats where the model is the Hessian."""
        return 0.5 * float(self.slope @ self.slope)

    @property
    def newton_step(self) -> np.ndarray:
        """Step to the minimum where the model is the Hessian."""
        return -self.model.to_theta(self.slope)


@dataclass(frozen=True)
class NewtonStep:
    r"""A Newton step, and the gap that it measures.

    Parameters
    ----------
    step : (R, p) array
    gap : float
        :math:`-\tfrac12 g^\top s` for the gradient g and the step s, in nats.
    exact : bool
        Whether the step is that of the model, and not of conjugate gradients.
    told : bool
        Whether the step is accurate enough for `gap` to be the distance from the minimum.
    rest : float or None
        The residual that conjugate gradients left, see `existence.proves_finite`.
    """

    step: np.ndarray
    gap: float
    exact: bool = True
    told: bool = True
    rest: float | None = None


def conjugate_gradients(
    objective: Objective,
    view: View,
    target: float,
    enough: float = 0.0,
    last: bool = False,
    residual: float = CG_RESIDUAL,
) -> tuple[float, np.ndarray, bool]:
    r"""Gap and Newton step by conjugate gradients on exact Hessian products, preconditioned.

    And whether they came to an end, so that the gap is not less than it should be.

    From s = 0 the gap is that of the step, :math:`\tfrac12 b^\top s`, which only grows, and that of
    what is left, :math:`\tfrac12 r^\top H^{-1} r`. A small residual makes it next to nothing. A gap
    below `enough` need not be known better than that, for a model that overrates no curvature by
    more than `FLAT`. Where products run out, or tell of no curvature, what is left is what the
    penalty allows or the model says.

    With a diagonal or a block for each class there are two ends before that. The penalty alone may
    be curvature enough for both gaps together to be within the target and not far above the first.
    And once the first is above the target there is nothing to certify: a step need not be better
    than Newton's own, which is as wrong in proportion as logits move far, and that the gap tells,
    in nats for each nat of the objective.
    """
    model, theta, b = view.model, view.point.theta, -view.slope
    s, r, d = np.zeros_like(b), b, b
    rr = goal = float(b @ b)
    gap, left, told = 0.0, 0.5 * rr, not rr
    for _ in range(LAST_PRODUCTS if last else CG_PRODUCTS):
        Hd = model.to_v(objective.hessian_product(theta, model.to_theta(d)))
        curved = float(d @ Hd)
        if not curved > 0:
            break
        s = s + rr / curved * d
        r = r - rr / curved * Hd
        rr, before = float(r @ r), rr
        gap, told = 0.5 * float(b @ s), rr <= residual**2 * goal
        told = told or gap + 0.5 * FLAT * rr <= enough
        most = None if told else model.most_left(r, objective.penalty, objective.n_features)
        left = 0.0 if told else 0.5 * rr if most is None else most
        if most is not None:
            loose = rr <= LOOSE**2 * goal and rr * view.point.value <= goal * view.decrement
            within = gap + left <= target and left <= ROUGH * gap
            told = loose if gap > target else within
        if told:
            break
        d = r + rr / before * d
    if told:
        left = min(left, ROUGH * gap)
    return gap + left, model.to_theta(s), told


def is_minimum(
    objective: Objective, point: Point, start: np.ndarray, decrement: float, target: float
) -> bool:
    """Whether `point` is within `target` of the minimum without one of the samples, in nats.

    `decrement` is that of the Hessian of all samples at `start`. The Hessian at the point itself is
    computed only where logits have moved so far since that the first may overrate the curvature too
    much.
    """
    move = objective.largest_move(point.theta - start)
    if move < FAR and decrement * _overrated(move) <= target:
        return True
    model = preconditioners.full(objective, point.theta)
    view = View.of(model, point)
    near = model.certain and view.decrement <= target
    return near and objective.largest_move(view.newton_step) < STILL


def _overrated(move: float) -> float:
    """How many times less the curvature may be without a sample, where logits moved by `move`.

    Logits that move by q change the curvature of a sample by a factor between exp(-q) and exp(q).
    The sample left out took the part h of the curvature, its leverage, with it. The Newton step
    without it moves its own logit by h / (1 - h) at least, so 1 / (1 - h) is 1 + q exp(q) at most.
    """
    factor = float(np.exp(move))
    return factor * (1.0 + move * factor)
