r"""Calibration maps with a penalty that leave-one-out losses choose.

A map is shrunk to its reference: "temperature" to the identity, and the other maps to the best
temperature. The values of C are compared by the sum S(C) of the leave-one-out losses, in ascending
order. The chosen C is the smallest one, from 0 (the reference itself) on, with

.. math:: S(C) \le S_{min} + \frac{1}{1 + S_{min} / 5}

in nats. If the predictions of n samples are all right, every larger slope has a smaller sum,
although nothing is known of error rates below 1 / n. The sum is then near 0, and the rule ends at a
map that expects about one error among n samples. A larger sum has a minimum of its own, which the
rule approaches.

Slopes of single classes may separate one class on one side only. The other classes then have losses
of their own, the sum has a minimum, and the rule says nothing of the side without errors. The
values of C of "vector" are therefore compared by :math:`S(C) + D(C)`, where D is the mean loss of
one more sample whose class is drawn at random: a map that thinks errors impossible pays for it.

Weights that are all multiplied by a number must not change the choice. The unit of the sums is
therefore :math:`\sum_i w_i^2 / \sum_i w_i` nats, which is the weight if all weights are equal.

Many samples are not needed to choose C, which is a variance of parameters: C is chosen from some of
the samples, and the map is fitted to all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.special import log_softmax, softmax

from skxent.inference.map_deletion import (
    MapLeverages,
    MatrixLeverages,
    class_leverages,
    left_out_losses,
    left_out_losses_of_classes,
    left_out_losses_of_slope,
)
from skxent.inference.map_samples import Samples, drawn
from skxent.inputs.fit_targets import Floats
from skxent.likelihood.solution import Solution
from skxent.metrics.calibration_maps import FittedMap, MapProblem, fit_map
from skxent.metrics.map_likelihood import MapPoint
from skxent.metrics.matrix_map import MatrixProblem
from skxent.metrics.newton import Minimum

LEAST, LARGEST = 1e-4, 1e4  # range of C, in units in which weights are 1 and logits change by 1
MOST = 25  # largest number of finite values of C
RISE = 10.0  # excess over the smallest sum at which larger values of C are not tried any more
SLACK = 1.0  # tolerated excess over the smallest sum of losses, in units of one sample
ENOUGH = 5.0  # smallest sum, in these units, at which half of it is tolerated
# Predicted probabilities from which the C of "temperature" is chosen, and that of other maps.
ONE_SLOPE, MANY = 10**5, 2 * 10**5
MOST_ROWS, FEWEST_ROWS = 10_000, 1000  # samples from which it is chosen, for few and many classes
MOST_LEFT_OUT = 2500  # samples that are left out
FEW_CLASSES = 12  # largest number of classes for which the whole Hessian of a matrix is formed


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

    @property
    def loss(self) -> float:
        """The mean leave-one-out loss of the map."""
        return float(self.losses[self.Cs == self.C][0])


class Path(Protocol):
    """The fits of a map with one penalty after the other."""

    samples: Samples

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
        if point.samples.has_one_parameter:
            fitted, left_out = left_out_losses_of_slope(point, rows)
            return left_out - fitted
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
    samples: Samples
    last: Solution | None = None

    def fit(self, C: float) -> FittedMap:
        """Fit with the penalty, from the last fit on."""
        self.last = self.problem.fit(C, self.last)
        return self.problem.fitted(self.last)

    def optimism(self, C: float, rows: np.ndarray) -> Floats:
        """Return how much the losses of `rows` grow without them, (m,), after the last fit."""
        assert self.last is not None
        problem, logits = self.problem, self.problem.logits(self.last)
        P, known = softmax(logits, axis=1), (logits, problem.rows.targets, problem.weight)
        if logits.shape[1] <= FEW_CLASSES:
            fitted, left_out = left_out_losses(*known, MatrixLeverages.of(problem, P, C), rows)
        else:
            A = class_leverages(problem, P, C, rows)
            fitted, left_out = left_out_losses_of_classes(*known, A, rows)
        return left_out - fitted


def fit_shrunk_map(method: str, samples: Samples, C: float | None) -> ChosenMap:
    """Fit a map with a penalty, whose C leave-one-out losses choose if it is None."""
    if method == "temperature":
        return _fit_temperature(samples, C)
    one = _fit_temperature(samples, None)
    slope = float(one.fitted.map.parameters[0][0])
    if C is not None:
        return _with_given(_path(method, samples, slope), C)
    some = some_of(samples, MANY)
    loss = one.loss
    if len(some_of(samples, ONE_SLOPE).weight) < len(some.weight):
        reference = _temperature_path(some)
        fitted = reference.fit(one.C) if one.C else reference.problem.identity()
        loss = _loss(reference, fitted, one.C) if one.C else fitted.value
    path = _path(method, some, slope)
    grid = _grid(some, endless=method != "matrix")
    chosen = _chosen(path, one.fitted, loss, grid, doubtful=method == "vector")
    if some is not samples and chosen.C:
        chosen = replace(chosen, fitted=_path(method, samples, slope).fit(chosen.C))
    return chosen


def _fit_temperature(samples: Samples, C: float | None) -> ChosenMap:
    """Fit the map with one slope."""
    if C is not None:
        return _with_given(_temperature_path(samples), C)
    some = some_of(samples, ONE_SLOPE)
    path = _temperature_path(some)
    identity = path.problem.identity()
    chosen = _chosen(path, identity, identity.value, _grid(some, path.problem.frame.scale))
    if some is not samples:
        path = _temperature_path(samples)
        fitted = path.fit(chosen.C) if chosen.C else path.problem.identity()
        chosen = replace(chosen, fitted=fitted)
    return chosen


def some_of(samples: Samples, numbers: int) -> Samples:
    """Return so many samples that they have about `numbers` predicted probabilities, or all."""
    rows = numbers // samples.log_q.shape[1]
    return samples.at_most(int(np.clip(rows, FEWEST_ROWS, MOST_ROWS)))


def _temperature_path(samples: Samples) -> MapPath:
    """Return the fits of the map with one slope, which is shrunk to 1."""
    return MapPath(MapProblem.of("temperature", *samples), samples, 1.0)


def _path(method: str, samples: Samples, slope: float) -> Path:
    """Return the fits of a map that is shrunk to the map with one slope."""
    if method == "matrix":
        return MatrixPath(MatrixProblem.of(*samples, slope), samples)
    return MapPath(MapProblem.of(method, *samples), samples, slope)


def _with_given(path: Path, C: float) -> ChosenMap:
    """Fit the map with a given C."""
    fitted = path.fit(C)
    return ChosenMap(fitted, C, np.array([C]), np.array([_loss(path, fitted, C)]))


def _chosen(
    path: Path, reference: FittedMap, loss: float, grid: Floats, doubtful: bool = False
) -> ChosenMap:
    """Fit the map with the C of the grid that leave-one-out chooses.

    `reference` and its leave-one-out loss stand for C = 0. `doubtful` maps are compared with one
    more sample of a random class.
    """
    samples = path.samples
    rise = RISE * samples.unit / samples.weight.sum()
    maps, losses, compared = [reference], [loss], []
    for C in grid:
        if C:
            maps.append(path.fit(C))
            losses.append(_loss(path, maps[-1], C))
        compared.append(losses[-1] + (_doubt(maps[-1], samples) if doubtful else 0.0))
        if compared[-1] > min(compared) + rise:
            break
    best = smallest(compared, samples)
    return ChosenMap(maps[best], float(grid[best]), grid[: len(losses)], np.array(losses))


def smallest(losses: Sequence[float], samples: Samples, enough: float = ENOUGH) -> int:
    """Return the first of the mean losses that counts as the smallest, see above."""
    sums = np.array(losses) * float(samples.weight.sum() / samples.unit)
    least = sums.min()
    if np.isinf(least):
        return 0  # no fit has a finite minimum, and none is better than another
    return int(np.argmax(sums <= least + SLACK / (1.0 + max(least, 0.0) / enough)))


def _loss(path: Path, fitted: FittedMap, C: float) -> float:
    """Return the mean leave-one-out loss after a fit.

    If only some samples are left out, this is the mean loss of all in the fit, and the mean growth
    of the loss of those that are.
    """
    if not fitted.finite:
        return np.inf
    weight = path.samples.weight
    rows = drawn(len(weight), MOST_LEFT_OUT)
    return fitted.value + float(np.average(path.optimism(C, rows), weights=weight[rows]))


def _doubt(fitted: FittedMap, samples: Samples) -> float:
    """Return what one more sample of a random class adds to the mean loss.

    Its prediction is like those of the others.
    """
    rows = drawn(len(samples.weight), MOST_LEFT_OUT)
    losses = -log_softmax(fitted.map.logits(samples.log_q[rows]), axis=1).mean(axis=1)
    weight = samples.weight
    return float(np.average(losses, weights=weight[rows]) * samples.unit / weight.sum())


def _grid(samples: Samples, scale: float = 1.0, endless: bool = True) -> Floats:
    """Return 0 and the values of C to compare, ascending.

    To bring logits of a large `scale` to the size of one, C must be as large as its square.
    """
    largest = LARGEST * max(1.0, scale**2)
    n = min(int(np.ceil(np.log10(largest / LEAST))) + 1, MOST)
    finite = np.geomspace(LEAST, largest, n) / samples.unit
    return np.concatenate([[0.0], finite, [np.inf] if endless else []])
