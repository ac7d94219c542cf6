"""Models of the curvature in float32, where rounding hides no curvature.

A model factors a matrix with a unit diagonal. Each entry of the matrix has a rounding error of
about epsilon of float32. Together these errors change the curvature along any direction by at most
epsilon times the width of the matrix. The least curvature is the squared least pivot of the factor.
This model and all later ones are computed in float64 if the error may exceed a tenth of the least
curvature, or if the matrix needed a larger jitter than in float64 to be factored.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Protocol, TypeVar

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective
from skxent.likelihood.sources.single_sums import SINGLE_EPS


class Model(Protocol):
    """A model with a factor of a matrix of unit diagonal."""

    @property
    def least_pivot(self) -> float:
        """Smallest pivot of the factor."""
        ...

    @property
    def jitter(self) -> float:
        """What was added to the diagonal so that the matrix could be factored."""
        ...


AnyModel = TypeVar("AnyModel", bound=Model, covariant=True)


class Builder(Protocol[AnyModel]):
    """A function that makes a model."""

    def __call__(
        self, objective: Objective, theta: np.ndarray, residual_weight: float = 0.0
    ) -> AnyModel:
        """Return the model at `theta`."""
        ...


def full_in_single(build: Builder[AnyModel]) -> Builder[AnyModel]:
    """Compute the Hessian in float32 on samples only: that of all rows certifies the gap."""
    return _in_single(
        build,
        lambda objective: objective.sampled,
        lambda shape: max(shape[0] - 1, 1) * shape[1],
    )


def blocks_in_single(build: Builder[AnyModel]) -> Builder[AnyModel]:
    """Compute blocks of the Hessian in float32, on all rows only if there is a penalty."""
    return _in_single(
        build,
        lambda objective: objective.sampled or objective.penalty.is_definite,
        lambda shape: shape[1],
    )


def _in_single(
    build: Builder[AnyModel],
    suffices: Callable[[Objective], bool],
    width: Callable[[tuple[int, int]], int],
) -> Builder[AnyModel]:
    @wraps(build)
    def built(objective: Objective, theta: np.ndarray, residual_weight: float = 0.0) -> AnyModel:
        single = objective.models_in_single and not objective.has_flat and suffices(objective)
        if single and objective.single_rows is not None:
            with objective.with_products_in(single=True):
                model = build(objective, theta, residual_weight)
            rounding = SINGLE_EPS * width(objective.shape)
            seen = model.least_pivot**2 > tuning.SINGLE_MARGIN * rounding
            if seen and model.jitter <= 2 * tuning.JITTER:
                return model
            objective.models_in_single = False
        with objective.with_products_in(single=False):
            return build(objective, theta, residual_weight)

    return built
