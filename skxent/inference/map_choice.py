r"""Calibration maps with a penalty that leave-one-out losses choose.

A map is shrunk to its reference: "temperature" to the identity, and the other maps to the best
temperature. The values of C are compared by the sum of the leave-one-out losses, in ascending
order. The chosen C is the smallest one, from 0 (the reference itself) on, whose sum is at most one
nat above the smallest sum. A nat is what one sample tells: where the predictions of n samples are
all right, every larger slope has a smaller sum, although nothing is known of error rates below 1 /
n. The rule then ends at a map that expects about one error among n samples.

Weights that are all multiplied by a number must not change the choice. The unit of the sums is
therefore :math:`\sum_i w_i^2 / \sum_i w_i` nats, which is the weight if all weights are equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from scipy.special import softmax

from skxent.inference.map_deletion import (
    ClassLeverages,
    MapLeverages,
    MatrixLeverages,
    left_out_losses,
)
from skxent.inputs.fit_targets import Floats
from skxent.likelihood.solution import Solution
from skxent.metrics.calibration_maps import FittedMap, MapProblem, fit_map
from skxent.metrics.map_likelihood import MapPoint
from skxent.metrics.matrix_map import MatrixProblem
from skxent.metrics.newton import Minimum

LEAST, LARGEST = 1e-4, 1e4  # range of C, in units in which weights are 1 and logits change by 1
MOST = 25  # largest number of finite values of C
SLACK = 1.0  # tolerated excess over the smallest sum of losses, in units of one sample
RISE = 10.0  # excess over the smallest sum at which larger values of C are not tried any more
MOST_ROWS = 10_000  # samples that are left out
FEW_CLASSES = 12  # largest number of classes for which the whole Hessian of a matrix is formed


class Samples(NamedTuple):
    """Log-probabilities (n, K), targets and positive weights, and the tolerance of the fits."""

    log_q: Floats
    target: np.ndarray
    weight: Floats
    tol: float

    @property
    def unit(self) -> float:
        """The weight of a typical sample."""
        return float((self.weight / self.weight.sum()) @ self.weight)

    def left_out(self) -> np.ndarray:
        """Return the samples that are left out, all of them if there are not too many."""
        n = len(self.weight)
        if n <= MOST_ROWS:
            return np.arange(n)
        return np.sort(np.random.RandomState(0).choice(n, MOST_ROWS, replace=False))


@dataclass(frozen=True)
class ChosenMap:
    """A map and the penalties that it was chosen from.

    Parameters
    ----------
    fitted : FittedMap
    C : float
        The inverse strength of the penalty; 0 for the reference.
    Cs : (m,) array
        The values that were compared, ascending, or the one that was given.
    losses : (m,) array
        The mean leave-one-out loss of each, in nats; infinite if the fit has no finite minimum.
    """

    fitted: FittedMap
    C: float
    Cs: Floats
    losses: Floats


class Path(Protocol):
    """The fits of a map with one penalty after the other."""

    def fit(self, C: float) -> FittedMap:
        """Fit with the penalty, from the last fit on."""

    def optimism(self, C: float, rows: np.ndarray) -> Floats:
        """Return how much the losses of `rows` grow without them, (m,), after the last fit."""


@dataclass
class MapPath:
    """A path of a map with at most one slope for each class."""

    problem: MapProblem
    samples: Samples
    slope: float
    last: Minimum[MapPoint] | None = None

    def fit(self, C: float) -> FittedMap:
        """Fit with the penalty, from the last fit on."""
        start = None if self.last is None else self.last.point.theta
        if np.isinf(C):
            self.last = self.problem.fit(self._best_slope() if start is None else start)
        else:
            self.last = self.problem.shrunk(C, self.slope).fit_shrunk(start)
        return self.problem.fitted(self.last)

    def _best_slope(self) -> Floats | None:
        """Return where a fit of several slopes starts without a penalty."""
        if self.problem.samples.slopes is None:
            return None
        slope, intercept = fit_map("bias", *self.samples).map.parameters
        return self.problem.theta(slope[0], intercept)

    def optimism(self, C: float, rows: np.ndarray) -> Floats:
        """Return how much the losses of `rows` grow without them, (m,), after the last fit."""
        assert self.last is not None
        point = self.last.point
        fitted, left_out = left_out_losses(
            point.samples.logits(point.theta).T,
            self.samples.target,
            point.samples.weight,
            MapLeverages.of(point),
            rows,
        )
        return left_out - fitted


@dataclass
class MatrixPath:
    """A path of a matrix."""

    problem: MatrixProblem
    last: Solution | None = None

    def fit(self, C: float) -> FittedMap:
        """Fit with the penalty, from the last fit on."""
        self.last = self.problem.fit(C, self.last)
        return self.problem.fitted(self.last)

    def optimism(self, C: float, rows: np.ndarray) -> Floats:
        """Return how much the losses of `rows` grow without them, (m,), after the last fit."""
        assert self.last is not None
        problem, logits = self.problem, self.problem.logits(self.last)
        kind = MatrixLeverages if logits.shape[1] <= FEW_CLASSES else ClassLeverages
        leverages = kind.of(problem, softmax(logits, axis=1), C)
        fitted, left_out = left_out_losses(
            logits, problem.rows.targets, problem.weight, leverages, rows
        )
        return left_out - fitted


def fit_shrunk_map(method: str, samples: Samples, C: float | None) -> ChosenMap:
    """Fit a map with a penalty, whose C leave-one-out losses choose if it is None."""
    if method == "temperature":
        problem = MapProblem.of(method, *samples)
        identity, grid = problem.identity(), _grid(samples, problem.frame.scale)
        return _fitted(samples, MapPath(problem, samples, 1.0), C, identity, identity.value, grid)
    one = fit_shrunk_map("temperature", samples, None)
    slope, loss = float(one.fitted.map.parameters[0][0]), float(one.losses[one.Cs == one.C][0])
    path = _path(method, samples, slope)
    return _fitted(samples, path, C, one.fitted, loss, _grid(samples, endless=method != "matrix"))


def _path(method: str, samples: Samples, slope: float) -> Path:
    """Return the fits of a map that is shrunk to the map with one slope."""
    if method == "matrix":
        return MatrixPath(MatrixProblem.of(*samples, slope))
    return MapPath(MapProblem.of(method, *samples), samples, slope)


def _fitted(
    samples: Samples,
    path: Path,
    C: float | None,
    reference: FittedMap,
    loss: float,
    grid: Floats,
) -> ChosenMap:
    """Fit the map with the given C, or with the one of the grid that leave-one-out chooses.

    `reference` and its leave-one-out loss stand for C = 0.
    """
    rows = samples.left_out()
    if C is not None:
        fitted = path.fit(C)
        loss = _loss(samples, rows, path, fitted, C)
        return ChosenMap(fitted, C, np.array([C]), np.array([loss]))
    slack, rise = (size * samples.unit / samples.weight.sum() for size in (SLACK, RISE))
    maps, losses = [reference], [loss]
    for C in grid[1:]:
        maps.append(path.fit(C))
        losses.append(_loss(samples, rows, path, maps[-1], C))
        if losses[-1] > min(losses) + rise:
            break
    best = int(np.argmax(np.array(losses) <= min(losses) + slack))
    return ChosenMap(maps[best], float(grid[best]), grid[: len(losses)], np.array(losses))


def _loss(samples: Samples, rows: np.ndarray, path: Path, fitted: FittedMap, C: float) -> float:
    """Return the mean leave-one-out loss after a fit, if the samples `rows` are left out.

    If these are not all samples, this is the mean loss of all in the fit, and the mean growth
    of the loss of those that are.
    """
    if not fitted.finite:
        return np.inf
    return fitted.value + float(np.average(path.optimism(C, rows), weights=samples.weight[rows]))


def _grid(samples: Samples, scale: float = 1.0, endless: bool = True) -> Floats:
    """Return 0 and the values of C to compare, ascending.

    To bring logits of a large `scale` to the size of one, C must be as large as its square.
    """
    largest = LARGEST * max(1.0, scale**2)
    n = min(int(np.ceil(np.log10(largest / LEAST))) + 1, MOST)
    finite = np.geomspace(LEAST, largest, n) / samples.unit
    return np.concatenate([[0.0], finite, [np.inf] if endless else []])
