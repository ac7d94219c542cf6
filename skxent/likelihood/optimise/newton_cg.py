"""Newton steps by conjugate gradients, the gaps that they measure, and bounds of gaps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.optimise.single_products import Products
from skxent.likelihood.solution import target_gap

# Smallest contraction of a `ModelError`. The products do not show the errors of all directions, nor
# that the Hessian changes along a step; with few parameters the last residual is only rounding.
LEAST_CONTRACTION = 0.05
# Gap, in units of the target, above which a step needs no residual in float64, see
# `single_products`. No certificate follows from such a step.
UNVERIFIED_GAP = 10.0


def self_concordance_factor(change: float) -> float:
    r"""Return an upper bound of the ratio of the gap to the Newton decrement.

    The third derivative of a log-partition along a direction is at most the second times the range
    q of the changes of the logits (F. Bach, "Self-concordant analysis for logistic regression",
    Electronic Journal of Statistics 4, 2010). With Newton decrement l the function along the step
    is then at least :math:`2 l\,[-t + (e^{-qt} + qt - 1) / q^2]`, which falls to :math:`-l` times

    .. math:: 2\,[q + (1 - q) \log(1 - q)] / q^2,

    This factor is one for small q and two for q = 1. For larger q there is no such bound, and 2q is
    returned as an estimate.

    Parameters
    ----------
    change : float
        The largest change of a logit by the Newton step, relative to other logits of the same
        sample.
    """
    if change >= 1:
        return 2 * change
    if change < 1e-4:
        return 1.0
    return 2 * (change + (1 - change) * np.log1p(-change)) / change**2


@dataclass(frozen=True)
class ModelError:
    """The difference of a preconditioner from the Hessian, as conjugate gradients have seen it.

    Parameters
    ----------
    stretch : float
        Largest length of a step of conjugate gradients in whitened coordinates. The preconditioner
        overrates the curvature along some direction by this factor.
    contraction : float
        Factor by which a Newton step of the preconditioner reduces the distance to the minimum.
    shortest : float
        Smallest length of a step. If it is below one, the preconditioner underrates the curvature.
    """

    stretch: float = 1.0
    contraction: float = 1.0
    shortest: float = 1.0

    def after(self, length: float, fall: float) -> ModelError:
        """Return the error after another product, which changed the residual by a factor `fall`."""
        stretch, shortest = max(self.stretch, length), min(self.shortest, length)
        off = max(1.0 - 1.0 / stretch, 1.0 / shortest - 1.0, LEAST_CONTRACTION)
        return ModelError(stretch, max(fall, off), shortest)


@dataclass(frozen=True)
class NewtonStep:
    r"""A Newton step and its estimate of the gap.

    Parameters
    ----------
    step : (R, p) array
    gap : float
        :math:`-\tfrac12 g^\top s` for the gradient g and the step s, in nats. Conjugate gradients
        add an estimate of the part that their residual leaves.
    direct : bool
        Whether the step comes from the factored Hessian, not from conjugate gradients.
    converged : bool
        Whether the step is accurate enough for `gap` to be the gap of the quadratic model.
    residual : float or None
        Upper bound of half the squared whitened residual of conjugate gradients, in nats; None for
        a direct step. See `existence.proof.proves_finite`.
    model_error : ModelError
        How far the preconditioner is from the Hessian, as the products have shown.
    """

    step: np.ndarray
    gap: float
    direct: bool = True
    converged: bool = True
    residual: float | None = None
    model_error: ModelError = ModelError()

    def falls_enough(self, point: Point, trial: Point) -> bool:
        """Whether the objective falls from `point` to `trial` by enough of a quadratic's fall."""
        fall = -0.5 * float(np.vdot(point.gradient, self.step))
        return trial.at_most < point.at_most - tuning.SUFFICIENT_FALL * fall


@dataclass(frozen=True)
class Accuracy:
    """When conjugate gradients stop.

    Parameters
    ----------
    target : float
        The gap to certify, in nats.
    floor : float
        Conjugate gradients stop when the gap is certain to be below this, in nats.
    residual : float
        Norm of the residual, as a fraction of the norm of the gradient, both whitened.
    max_products : int
        Largest number of Hessian products.
    steadying : int
        Number of further products, if the step is likely to be the last, that may make the
        parameters accurate to which it leads, see `last_steps`.
    free : bool
        Whether the preconditioner is the Hessian of all rows or of a sample. One more step with it
        may then follow without a pass, see `is_free`.
    distance : float
        Estimated distance to the minimum, as a fraction of the parameters, at which a step that is
        likely to be the last is accurate enough.
    """

    target: float
    floor: float
    residual: float
    max_products: int
    steadying: int = 0
    free: bool = False
    distance: float = tuning.STEADY

    @classmethod
    def of(
        cls,
        objective: Objective,
        value: float,
        target: float,
        *,
        free: bool,
        steadying: int,
        end: bool,
        distance: float,
    ) -> Accuracy:
        """Return the accuracy that measures a gap of `target` nats at a point of some `value`.

        `end` tells that the search may take no further step. `free`, `steadying` and `distance` are
        as above.
        """
        definite = objective.penalty.is_definite
        return cls(
            target,
            min(target, target_gap(tuning.KNOWN_GAP, value)) if definite and free else 0.0,
            tuning.CG_RESIDUAL if definite else tuning.UNPENALISED_CG_RESIDUAL,
            tuning.LAST_CG_PRODUCTS if end else tuning.CG_PRODUCTS,
            steadying=0 if end else steadying,
            free=free,
            distance=distance,
        )

    def left(self, objective: Objective, here: PreconditionedPoint, error: ModelError) -> float:
        """Return an estimate of the distance to the minimum, as a fraction of the parameters.

        The gradient of `here` may be the residual of a step from the point. If a free step follows,
        the distance after this step is returned.
        """
        left = error.stretch * objective.relative_size(here.newton_step, here.point.theta)
        return left * error.contraction if self.is_free(here, error) else left

    def is_free(self, here: PreconditionedPoint, error: ModelError) -> bool:
        """Whether one more step with the preconditioner needs no pass, see `step_is_known`."""
        return self.free and step_is_known(here, error.contraction)


def step_is_known(here: PreconditionedPoint, contraction: float) -> bool:
    """Whether the objective after a Newton step of the preconditioner is known without a pass.

    The objective falls by the decrement, except for an error of about the decrement times the
    contraction. It is known if this error is at most its rounding error. `contraction` is the
    factor by which the step reduces the distance to the minimum.
    """
    return contraction < 1 and contraction * here.decrement <= here.point.rounding


def after_known_step(here: PreconditionedPoint, contraction: float) -> Point | None:
    """Return the point after a Newton step, or None unless its objective is known without a pass.

    `contraction` is as in `step_is_known`.
    """
    if not step_is_known(here, contraction):
        return None
    theta, value = here.point.theta + here.newton_step, here.point.value - here.decrement
    return replace(here.point, theta=theta, value=value)


def conjugate_gradients(
    objective: Objective, here: PreconditionedPoint, accuracy: Accuracy
) -> NewtonStep:
    r"""Return the Newton step by preconditioned conjugate gradients on exact Hessian products.

    With b = -g, the step s so far and the residual r = b - H s, the gap is the sum of two parts.
    The first, :math:`\tfrac12 b^\top s`, grows with each product. The second, :math:`\tfrac12
    r^\top H^{-1} r`, is unknown, and negligible if the residual is small. If `max_products` is
    reached, or a product shows no curvature, the step has not converged; the second part is then
    bounded by the penalty, or estimated by the preconditioner.

    A step that is taken may need more products after it has converged, see `Accuracy.steadying`. If
    the errors of its products are only estimated, it has not converged, see `single_products`.
    """
    model, b, product = here.preconditioner, -here.gradient, Products(objective, here)
    s, r, d = np.zeros_like(b), b, b
    rr = goal = float(b @ b)
    gap, rest, converged, error, most = 0.0, 0.5 * rr, not rr, ModelError(), accuracy.max_products
    for n_products in range(1, accuracy.max_products + 1):
        Hd = product(d)
        curved = float(d @ Hd)
        if not curved > 0:
            break
        length = rr / curved
        s = s + length * d
        r = r - length * Hd
        product.subtracted(length, d, Hd)
        rr, before = float(r @ r), rr
        true_rr = product.bound(rr)
        gap = product.gap(b, s, r)
        error = error.after(length, float(np.sqrt(rr / before)))
        small = true_rr <= accuracy.residual**2 * goal
        known = small or gap + 0.5 * tuning.OVERRATED * true_rr <= accuracy.floor
        rest = 0.0
        if not known:
            bound = model.gap_bound(r, objective.penalty, objective.n_features)
            rest = 0.5 * true_rr if bound is None else bound * true_rr / rr
            known = bound is not None and _suffices(here, accuracy.target, gap, rest, true_rr)
        if known and not converged:
            converged, most = True, min(n_products + accuracy.steadying, most)
        ends = False
        if converged:
            last = accuracy.steadying > 0 and gap <= tuning.HINT * accuracy.target
            last = last and product.verified
            there = replace(here, gradient=product.longest(r))
            known = not last or accuracy.left(objective, there, error) <= accuracy.distance
            ends = known or n_products >= most
            if ends and (product.verified or gap > UNVERIFIED_GAP * accuracy.target):
                break
            if ends:
                converged, most = False, accuracy.max_products
        if ends or product.lost(rr):
            d = r = product.true_residual(b, s)
            rr = float(r @ r)
        else:
            d = r + rr / before * d
    converged = converged and product.verified and gap >= 0.0
    if converged:
        rest = min(rest, tuning.GAP_FACTOR * gap)
    elif gap < 0.0:  # by rounding of a step of 1e16; that of the preconditioner is an estimate
        gap, rest = 0.0, here.decrement
    most_left = accuracy.residual**2 * here.decrement if converged else np.inf
    return NewtonStep(model.from_whitened(s), gap + rest, False, converged, most_left, error)


def _suffices(
    here: PreconditionedPoint, target: float, gap: float, bound: float, rr: float
) -> bool:
    """Whether conjugate gradients may stop at a residual of squared norm `rr`.

    The gap has two parts, see `conjugate_gradients`: `gap` is the first part, which is computed,
    and `bound` is an upper bound of the second part, which the residual causes.

    If the first part is above the target, no accuracy of the second part can bring the gap below
    the target. The step then need not be more accurate than an exact Newton step, whose relative
    error is about the gap divided by the objective. Otherwise the first part and the bound
    together must be at most the target, and the bound must not be far above the first part.
    """
    goal = 2 * here.decrement
    if gap > target:
        loose = rr <= tuning.LOOSE_RESIDUAL**2 * goal
        return loose and rr * here.point.value <= goal * here.decrement
    return gap + bound <= target and bound <= tuning.GAP_FACTOR * gap


def is_minimum(
    objective: Objective, point: Point, start: np.ndarray, decrement: float, target: float
) -> bool:
    """Whether the gap at `point` is at most `target` nats for data with one sample left out.

    `decrement` is the Newton decrement at `point` by the Hessian at `start`, or more. The Hessian
    at `point` itself is computed only if logits have changed so much from `start` to `point` that
    the first Hessian gives no useful bound. If they change by q, the curvature of a sample changes
    by a factor between exp(-q) and exp(q).
    """
    change = objective.max_logit_range(point.theta - start)
    if change < tuning.FAR_CHANGE and decrement * np.exp(change) <= target:
        return True
    model = preconditioners.full(objective, point.theta)
    here = PreconditionedPoint.of(model, point)
    near = model.certain and here.decrement <= target
    return near and objective.max_logit_range(here.newton_step) < tuning.SMALL_CHANGE
