r"""The calibration map "matrix", with a slope for each pair of classes.

It is a softmax regression of the targets on the log-probabilities :math:`\zeta` in the coordinates
of `calibration_maps` and a column of ones. The logits of the reference, the map with one slope, are
its offset, so that a strong penalty leaves the reference as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from skxent.inputs.namespaces import Floats
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.metrics.calibration_maps import CalibrationMap, FittedMap, Frame

MOST_ITERATIONS = 10_000


@dataclass(frozen=True)
class MatrixProblem:
    """The fits of a matrix to the same samples, with one penalty after the other.

    Parameters
    ----------
    frame : Frame
    rows : LocalRows
        Rows (zeta, 1), targets, weights and the logits of the reference as offset.
    weight : (n,) array
    slope : float
        The slope of the reference.
    tol : float
        Tolerance of the gap of the summed objective, see `target_gap`.
    """

    frame: Frame
    rows: LocalRows
    weight: Floats
    slope: float
    tol: float

    @classmethod
    def of(
        cls, log_q: Floats, target: np.ndarray, weight: Floats, tol: float, slope: float
    ) -> Self:
        """Return the problem, for arguments as in `MapProblem.of` and the reference's slope."""
        frame, Z = Frame.of("matrix", log_q, weight)
        X = np.append(Z, np.ones((len(Z), 1)), axis=1)
        K = log_q.shape[1]
        offset = (slope * (log_q - log_q.mean(axis=1, keepdims=True))).T
        offset = offset[1:] - offset[:1] if K == 2 else offset
        offset = np.ascontiguousarray(offset)
        rows = LocalRows(X, target, weight, K, fit_intercept=False, offset=offset)
        return cls(frame, rows, weight, slope, tol)

    def fit(self, C: float, start: Solution | None = None) -> Solution:
        """Fit with a penalty, from the solution with another penalty on."""
        # Two classes have one logit w, or w / 2 and -w / 2, whose squares add up to half as much.
        penalty = Penalty.of_C(2.0 * C if self.rows.n_classes == 2 else C)
        return minimise(
            self.rows,
            penalty=penalty,
            start=None if start is None else (start.coef, start.intercept),
            tol=self.tol,
            max_iter=MOST_ITERATIONS,
        )

    def coefficients(self, solution: Solution) -> Floats:
        """Return the coefficients of all classes, (K, K + 1)."""
        coef = solution.coef
        return np.append(-0.5 * coef, 0.5 * coef, axis=0) if len(coef) == 1 else coef

    def logits(self, solution: Solution) -> Floats:
        """Return the logits of all samples, (n, K)."""
        offset = self.rows.offset
        assert offset is not None
        if len(offset) == 1:
            offset = np.append(-0.5 * offset, 0.5 * offset, axis=0)
        logits: Floats = self.rows.dense() @ self.coefficients(solution).T + offset.T
        return logits

    def fitted(self, solution: Solution) -> FittedMap:
        """Return the map of a solution, and how its fit ended."""
        W, total = self.coefficients(solution), float(self.weight.sum())
        slope = W[:, :-1] + self.slope * self.frame.scale * np.eye(len(W))
        return FittedMap(
            map=CalibrationMap(slope, W[:, -1] + self.slope * self.frame.centre, self.frame),
            value=-solution.log_likelihood / total,
            gap=min(solution.gap, solution.value) / total,
            target=solution.target / total,
            finite=not solution.unbounded,
            n_steps=solution.n_iterations,
        )
