r"""The cone of directions along which the loss of no sample rises, and optimisation over it.

Conventions
-----------
* A direction is an array (K - 1, p) of parameters for all classes but the last. The logit of the
  last class is constant along a direction. The last column is for the intercept, if there is one.
  The size of a direction is its largest absolute entry.
* A value near the middle of a column is subtracted from the column, with almost no rounding error.
  The column is then divided by a power of two near its standard deviation, and each sample by
  the sum of its absolute entries. A margin is therefore at most twice the size of its direction,
  for any units of X.
* The **margin** of a sample i and a class k along a direction is the logit of the target's class
  less the logit of k. The pair has the index i K + k. Margins must be at least zero, and exactly
  zero if k is another class of a soft target. Any other margin is **clear** if it is above zero by
  far more than rounding error, and **open** if it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from skxent.likelihood import tuning
from skxent.likelihood.existence.programmes import Programmes, Undecided
from skxent.likelihood.sources.blocks import Matrix
from skxent.likelihood.sources.first_sums import Moments, middle
from skxent.likelihood.sources.local_rows import LocalRows

EPS = float(np.finfo(float).eps)

Programme = Callable[[np.ndarray], np.ndarray | None]


@dataclass(frozen=True)
class Survey:
    """Counts of the margins along a direction.

    Parameters
    ----------
    n_open, n_tied : int
        Number of open margins, and of margins that must be zero.
    n_samples, n_total : int
        Number of samples with a clear margin, and of all samples.
    pairs : (K, K) array of bool
        Whether a sample of one class (row) has a clear margin over another class (column).
    slope : (K - 1, p) array
        Gradient of the sum of the open margins, a linear function of the direction.
    """

    n_open: int
    n_tied: int
    n_samples: int
    n_total: int
    pairs: np.ndarray
    slope: np.ndarray


@dataclass(frozen=True)
class Chunk:
    """Some samples, scaled as described in the conventions.

    Parameters
    ----------
    rows : (m,) array
        Indices of these samples in X.
    samples : (m, p) array or CSR matrix
        The scaled samples.
    unit : (m,) array
        Factor by which each sample was multiplied: 1 / (sum of its absolute entries).
    label : (m,) array
        The class of each target; for a soft target, the first class with positive probability.
    allowed : (K, m) array of bool
        Classes to which each target gives positive probability.
    """

    rows: np.ndarray
    samples: Matrix
    unit: np.ndarray
    label: np.ndarray
    allowed: np.ndarray

    def margins(self, direction: np.ndarray) -> np.ndarray:
        """The logit of the label less the logits of all classes, (K, m)."""
        logits = np.zeros((len(direction) + 1, len(self.label)))
        logits[:-1] = (self.samples @ direction.T).T
        return logits[self.label, np.arange(len(self.label))] - logits


class Cone:
    """The cone of directions along which no margin is below zero.

    Parameters
    ----------
    data : LocalRows
        Rows of weight zero are ignored; the size of a positive weight does not matter.
    moments : Moments
        Moments of `data`.
    """

    def __init__(self, data: LocalRows, moments: Moments) -> None:
        d = data.X.shape[1]
        self.programmes = Programmes()
        self.data = data
        self.n_features = d
        self.shape = data.n_classes - 1, d + data.fit_intercept
        varies = moments.variance > 0
        self.shift = np.zeros(d)
        if data.fit_intercept:
            origin = middle(data)
            far = np.abs(moments.mean - origin) > tuning.FAR_COLUMN * np.sqrt(moments.variance)
            self.shift = np.where(far & varies, moments.mean, origin)
        size = np.sqrt(moments.variance + (moments.mean - self.shift) ** 2)
        size[varies] = np.maximum(size, tuning.COARSE_COLUMN * EPS * np.abs(self.shift))[varies]
        self.scale = np.ldexp(1.0, -np.frexp(np.where(size > 0, size, 1.0))[1])
        self.distance = np.abs(self.shift) * self.scale * varies
        self.sparse = scipy.sparse.issparse(data.X) and not self.shift.any()
        # The constraints so far: pairs (sample, class), coefficients, units, and the equalities.
        self.pairs = np.empty(0, dtype=np.int64)
        self.matrix = scipy.sparse.csr_array((0, self.shape[0] * self.shape[1]))
        self.units = np.empty(0)
        self.equal = np.empty(0, dtype=bool)
        n = data.X.shape[0]
        some = self._samples(data.X[np.arange(0, n, -(-n // tuning.COUNTED_SAMPLES))])
        self.n_entries = scipy.sparse.csr_array(some).nnz / some.shape[0]

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
        """Parameters of a fit -> a direction."""
        theta = coef / self.scale
        if self.data.fit_intercept:
            theta = np.column_stack([theta, intercept + coef @ self.shift])
        return -theta if len(theta) == 1 else theta[:-1] - theta[-1]

    def leave(self, direction: np.ndarray) -> np.ndarray:
        """A direction -> parameters (R, d + 1) for the original samples, intercept last."""
        direction = _unit(direction)
        coef = direction[:, : self.n_features] * self.scale
        intercept = direction[:, self.n_features :].sum(axis=1) - coef @ self.shift
        theta = np.column_stack([coef, intercept])
        if len(theta) == 1:
            return 0.0 - theta
        theta = np.vstack([theta, np.zeros_like(theta[:1])])
        return theta - theta.mean(axis=0)

    def survey(self, direction: np.ndarray) -> Survey:
        """Count the margins along `direction`."""
        K = self.data.n_classes
        counts, pairs, slope = np.zeros(4, dtype=int), np.zeros((K, K)), np.zeros(self.shape)
        for chunk in self.chunks():
            clear = self.clear(direction, chunk)
            is_open = ~(chunk.allowed | clear)
            own = np.eye(K)[:, chunk.label]
            pull = own * is_open.sum(axis=0) - is_open
            slope += pull[:-1] @ chunk.samples
            pairs += own @ clear.T
            n = len(chunk.label)
            counts += is_open.sum(), chunk.allowed.sum() - n, clear.any(axis=0).sum(), n
        n_open, n_tied, n_samples, n_total = counts.tolist()
        return Survey(n_open, n_tied, n_samples, n_total, pairs > 0, slope)

    def broken(
        self, trial: np.ndarray, direction: np.ndarray, least: float
    ) -> tuple[bool, np.ndarray]:
        """Whether margins along `trial` break bounds, and the worst pairs not constrained yet.

        The bound is `least` for margins that are clear along `direction`, and zero for others.
        """
        most = max(200, 2 * trial.size)
        any_broken, worst, lacks = False, self.pairs[:0], np.empty(0)
        for chunk in self.chunks():
            margins = chunk.margins(trial)
            lack = np.where(chunk.allowed, np.abs(margins), -margins)
            lack -= self._rounding(trial, chunk.unit)
            clear = self.clear(direction, chunk)
            lack[clear] = least - margins[clear]
            k, i = np.nonzero(lack > 0)
            any_broken = any_broken or len(k) > 0
            pairs = chunk.rows[i] * self.data.n_classes + k
            new = ~np.isin(pairs, self.pairs, assume_unique=True)
            worst = np.append(worst, pairs[new])
            lacks = np.append(lacks, lack[k, i][new])
            if len(worst) > most:
                keep = np.argpartition(-lacks, most)[:most]
                worst, lacks = worst[keep], lacks[keep]
        return any_broken, worst

    def steepest(self, direction: np.ndarray, slope: np.ndarray) -> np.ndarray | None:
        """The direction in a box that maximises the sum of open margins, whose gradient is `slope`.

        Returns None if the maximum is zero. Margins that are clear along `direction` are not
        constrained, because a small step leaves them clear.
        """
        if not slope.any():
            return None
        cost = -slope.ravel() / np.abs(slope).max()

        def programme(clear: np.ndarray) -> np.ndarray | None:
            lower = np.where(clear, -np.inf, 0.0)
            x = self._solve(cost, self.matrix, lower, (-1.0, 1.0))
            return None if x is None or cost @ x > -tuning.NO_GAIN else x

        return self._search(programme, direction, -np.inf)

    def step(self, direction: np.ndarray, gain: np.ndarray) -> np.ndarray:
        """`direction` plus a multiple of `gain` that keeps at least half of each clear margin."""
        length = 1.0
        for chunk in self.chunks():
            clear = self.clear(direction, chunk)
            have, lose = (chunk.margins(D)[clear] for D in (direction, -gain))
            length = min(length, np.min(0.5 * have / np.maximum(lose, 0.5 * have), initial=1.0))
        return _unit(direction + length * gain)

    def used(self, direction: np.ndarray) -> np.ndarray:
        """Mask of the features with a coefficient in a direction, (d,)."""
        return np.asarray(np.any(direction[:, : self.n_features], axis=0))

    def fewest_features(self, direction: np.ndarray) -> np.ndarray:
        """A direction with the same clear margins as `direction` and few features.

        A linear programme gives the direction with the smallest sum of feature sizes. If this
        direction has at most `tuning.TRIED_FEATURES` features, each feature is left out on trial,
        so that no feature of the result can be left out. If a linear programme is too large,
        fails or takes too long, `direction` is returned.
        """
        try:
            best = self._sparse(direction, np.ones(self.n_features, dtype=bool))
            if best is None:
                return direction
            sizes = np.abs(best[:, : self.n_features]).max(axis=0)
            smallest_first = np.argsort(sizes)[np.count_nonzero(sizes == 0) :]
            for j in smallest_first if len(smallest_first) <= tuning.TRIED_FEATURES else ():
                others = self.used(best)
                if others[j]:
                    others[j] = False
                    trial = self._sparse(direction, others)
                    best = best if trial is None else trial
        except Undecided:
            return direction
        return best

    def _sparse(self, direction: np.ndarray, used: np.ndarray) -> np.ndarray | None:
        """The direction that keeps the clear margins and minimises the sum of feature sizes.

        Only features in the mask `used` may have coefficients. Margins that are clear along
        `direction` must be at least one. The size u of a feature is its largest absolute
        coefficient: -u <= theta <= u for every class.
        """
        n, d = direction.size, self.n_features
        theta = np.arange(n).reshape(self.shape)[:, :d].ravel()
        select = scipy.sparse.eye_array(n, format="csr")[theta]
        size = scipy.sparse.eye_array(d, format="csr")[np.tile(np.arange(d), len(direction))]
        sizes = scipy.sparse.block_array([[select, size], [-select, size]], format="csr")
        cost = np.append(np.zeros(n), np.ones(d))
        bounds = [(None, None)] * n + [(0, None if use else 0) for use in used]
        too_many = max(tuning.TRIED_FEATURES, d // 2)

        def programme(clear: np.ndarray) -> np.ndarray | None:
            matrix = self.matrix.copy()
            matrix.resize(len(clear), n + d)
            matrix = scipy.sparse.vstack([matrix, sizes], format="csr")
            lower = np.append(clear, np.zeros(sizes.shape[0]))
            x = self._solve(cost, matrix, lower, bounds)
            return None if x is None or np.count_nonzero(x[n:]) > too_many else x[:n]

        return self._search(programme, direction, 0.5)

    def _search(
        self, programme: Programme, direction: np.ndarray, least: float
    ) -> np.ndarray | None:
        """Solve `programme`, and add constraints until the solution breaks no constraint.

        `programme` takes the mask of the constraints whose margins are clear along `direction`.
        """
        while True:
            margins = self.matrix @ direction.ravel()
            clear = ~self.equal & (
                margins > tuning.CLEAR_MARGIN * self._rounding(direction, self.units)
            )
            x = programme(clear)
            if x is None:
                return None
            x[np.abs(x) < tuning.NEGLIGIBLE_COEFFICIENT * np.abs(x).max()] = 0.0
            any_broken, pairs = self.broken(x.reshape(self.shape), direction, least)
            if any_broken and not len(pairs):
                x = self._refined(x, np.where(clear, -np.inf, 0.0))
                if x is None:
                    return None
                any_broken, pairs = self.broken(x.reshape(self.shape), direction, least)
            if not any_broken:
                return x.reshape(self.shape)
            if not len(pairs):
                return None
            self._add(pairs)

    def _refined(self, x: np.ndarray, lower: np.ndarray) -> np.ndarray | None:
        """A solution near `x` that satisfies the constraints to the accuracy of float64.

        HiGHS satisfies constraints only to 1e-9. The correction of `x` is the solution of a second
        programme in small units (A. Gleixner, D. Steffy, K. Wolter, "Iterative refinement for
        linear programming", INFORMS Journal on Computing 28, 2016,
        :doi:`10.1287/ijoc.2016.0692`). Returns None if there is no such solution.
        """
        unit = tuning.ROUNDING_OFF * np.abs(x).max()
        lower = (lower - self.matrix @ x) / unit
        lower[lower < -2.0] = -np.inf
        y = self._solve(np.zeros_like(x), self.matrix, lower, (-1.0, 1.0))
        return None if y is None else x + unit * y

    def _add(self, pairs: np.ndarray) -> None:
        """Add the constraints of the given pairs (sample, class)."""
        rows, k = np.divmod(pairs, self.data.n_classes)
        chunk = self._chunk(rows)
        entries = scipy.sparse.coo_array(chunk.samples)
        values, at = [], []
        for sign, code in ((1.0, chunk.label), (-1.0, k)):
            block = code[entries.row]
            free = block < self.shape[0]
            values.append(sign * entries.data[free])
            column = block * self.shape[1] + entries.col
            at.append((entries.row[free], column[free]))
        shape = len(pairs), self.matrix.shape[1]
        new = scipy.sparse.csr_array((np.concatenate(values), np.hstack(at)), shape=shape)
        self.matrix = scipy.sparse.vstack([self.matrix, new], format="csr")
        self.pairs = np.append(self.pairs, pairs)
        self.units = np.append(self.units, chunk.unit)
        self.equal = np.append(self.equal, chunk.allowed[k, np.arange(len(k))])

    def _solve(
        self, cost: np.ndarray, matrix: Matrix, lower: np.ndarray, bounds: object
    ) -> np.ndarray | None:
        """Minimise cost x subject to matrix x >= `lower` (= for equalities); None if infeasible."""
        width = min(self.matrix.shape[1], self.shape[0] * self.data.X.shape[0])
        if width**2 * min(2, self.shape[0]) * self.n_entries > tuning.PROGRAMME_WORK:
            raise Undecided("The data are too large to tell whether they can be separated.")
        equal = np.zeros(len(lower), dtype=bool)
        equal[: len(self.equal)] = self.equal
        return self.programmes.solve(cost, matrix, lower, equal, bounds)

    def chunks(self) -> Iterator[Chunk]:
        """All samples with positive weight, in chunks."""
        n, K = self.data.X.shape[0], self.data.n_classes
        width = self.n_entries if self.sparse else self.shape[1]
        step = max(1, int(tuning.RUN_ELEMENTS / (width + 4 * K)))
        for start in range(0, n, step):
            rows = np.arange(start, min(start + step, n))
            if self.data.weight is not None:
                rows = rows[self.data.weight[rows] > 0]
            if len(rows):
                yield self._chunk(rows)

    def _chunk(self, rows: np.ndarray) -> Chunk:
        samples = self._samples(self.data.X[rows])
        size = abs(samples).sum(axis=1)
        unit = np.divide(1.0, size, out=np.ones_like(size), where=size > 0)
        samples = scipy.sparse.diags_array(unit, format="csr") @ samples
        targets = self.data.targets[rows]
        if targets.ndim == 1:
            allowed = np.arange(self.data.n_classes)[:, None] == targets
            return Chunk(rows, samples, unit, targets, allowed)
        allowed = targets.T > 0
        return Chunk(rows, samples, unit, allowed.argmax(axis=0), allowed)

    def _samples(self, x: Matrix) -> Matrix:
        """Scaled samples of the given rows of X, before each is multiplied by `Chunk.unit`."""
        if self.sparse:
            samples = scipy.sparse.csr_array(x, dtype=np.float64, copy=True)
            samples.data *= self.scale[samples.indices]
            if not self.data.fit_intercept:
                return samples
            return scipy.sparse.hstack([samples, np.ones((x.shape[0], 1))], format="csr")
        samples = np.ones((x.shape[0], self.shape[1]))
        x = x.toarray() if scipy.sparse.issparse(x) else x
        own = np.subtract(x, self.shift, out=samples[:, : self.n_features])
        own *= self.scale
        return samples

    def _rounding(self, direction: np.ndarray, unit: np.ndarray) -> np.ndarray:
        """Bound of the rounding error of a margin whose exact value is zero, for each sample, (m,).

        The error comes from summation, and from the rounding of entries that are far from zero.
        """
        size = np.abs(direction).max(axis=0)
        far = size[: self.n_features] @ self.distance
        return tuning.MARGIN_ROUNDING * len(size) * size.max() + EPS * far * unit

    def clear(self, direction: np.ndarray, chunk: Chunk) -> np.ndarray:
        """Mask of the clear margins along a direction, (K, m).

        A margin is clear if it is positive by far more than its rounding error, and the target
        gives the class of the margin no probability.
        """
        least = tuning.CLEAR_MARGIN * self._rounding(direction, chunk.unit)
        return ~chunk.allowed & (chunk.margins(direction) > least)


def _unit(direction: np.ndarray) -> np.ndarray:
    largest = np.abs(direction).max()
    return direction / largest if largest > 0 else direction
