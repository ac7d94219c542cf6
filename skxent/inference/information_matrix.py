r"""Observed information, and what follows from it: covariances, marginal effects, intervals.

Conventions
-----------
Samples :math:`\tilde x_i = (x_i - \mu, 1)` are those of `objective`, centred where there is an
intercept, and one class stands still: the last as in `preconditioners.full`, the first of two. The
**free** parameters are the q = (K - 1) p others, row-major, and everything here is in them. Centred
columns keep the digits that Var(w'x + b) would lose where x is a timestamp: only
`LikelihoodEstimate.map` leads to parameters of the samples as they are.

Covariances
-----------
At the minimum the gradient of F is zero, and a slope of one sample is its **score** :math:`s_i =
(p_i - y_i) \otimes \tilde x_i`. With the Hessian H of F, the observed information, the covariance
is :math:`H^{-1}` where the model is right, and otherwise the sandwich :math:`H^{-1} B H^{-1}` [1]_
with the **meat**

.. math:: B = \sum_i f_i\, c_i^2\, s_i s_i^\top \quad\text{or}\quad
          B = \sum_g \Bigl(\sum_{i \in g} w_i s_i\Bigr)\Bigl(\sum_{i \in g} w_i s_i\Bigr)^\top

for samples or groups of them. A weight :math:`w_i = f_i c_i` is so many copies times the factor of
a class: copies are samples of their own, a factor is a multiple of one score.

The sandwich is added up from the **influences** :math:`H^{-1} s_i`, and B is never formed. Where
classes are nearly separated, :math:`H^{-1}` is as large as C along directions in which all scores
are next to zero: the product of three matrices would lose the square of the condition of H, the
sum of squared influences loses the condition once.

References
----------
.. [1] H. White, "Maximum likelihood estimation of misspecified models", Econometrica 50, 1982.
   :doi:`10.2307/1912526`
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import lapack, solve_triangular
from scipy.sparse import issparse
from scipy.special import logsumexp, softmax

from skxent.likelihood.objective import EPS, Objective, Point
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.preconditioners import Cholesky, PreconditionedPoint
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.local_rows import LocalRows

SPACE = 1 << 20  # numbers that a batch of samples may take
SINGULAR = 1e-12  # reciprocal condition, of unit diagonal, that leaves three digits of a variance
DEPENDENT = 1e-6  # part of a column that depends on others which is more than its rounding
NESTED = 1e-9  # of the square of a column, that may be left of it by rounding
STEPS = 8  # of Newton at most; from a thousandth of a nat three do
DONE = 1e-22  # of the objective; Newton squares a gap, and no digit is left to gain
MOVES = 1e-3  # of a logit in the last step, which at a finite minimum is next to nothing

Batch = tuple[Any, np.ndarray]


def information(objective: Objective, theta: np.ndarray) -> Cholesky | None:
    """The factored Hessian at `theta`, or None if some parameter has no curvature of its own.

    `preconditioners.full` has a jitter, which is right for steps and wrong for variances.
    """
    A = preconditioners.hessian(objective, theta)
    diagonal = np.diagonal(A)
    if not (diagonal > 2 * objective.full_least_curvature).all():
        return None
    scale = 1.0 / np.sqrt(diagonal)
    A *= scale
    A *= scale[:, None]
    A.flat[:: len(A) + 1] = 1.0
    L, info = lapack.dpotrf(A, lower=1, clean=1)
    if info:
        return None
    rcond, _ = lapack.dpocon(L, np.abs(A).sum(axis=0).max(), uplo="L")
    return Cholesky(theta.shape, [scale], [L]) if rcond > SINGULAR else None


def newton(objective: Objective, point: Point, model: Cholesky) -> tuple[Point, Cholesky]:
    """Newton steps to where a quadratic has no gap left, each with a Hessian of its own."""
    here = PreconditionedPoint.of(model, point)
    for _ in range(STEPS):
        if here.decrement <= DONE * here.point.value:
            break
        theta = here.point.theta + here.newton_step
        new = information(objective, theta)
        if new is None:
            break
        there = PreconditionedPoint.of(new, objective(theta))
        if not there.decrement < here.decrement:
            break
        here, model = there, new
    return here.point, model


def still(objective: Objective, point: Point, model: Cholesky) -> bool:
    """Whether a last step would move no logit: on the way to infinity each moves one by about 1."""
    return objective.largest_move(PreconditionedPoint.of(model, point).newton_step) < MOVES


def effective_df(model: Cholesky, covariance: np.ndarray, penalty: Penalty, d: int) -> float:
    r"""tr(H^-1 J), H with the penalty and J without: q - tr(H^-1 (H - J))."""
    R, p = model.shape
    n = max(R - 1, 1)
    return n * p - penalty.hessian_trace(covariance.reshape(n, p, n, p)[:, :d, :, :d])


@dataclass(frozen=True, eq=False)
class LikelihoodEstimate:
    """Parameters at the minimum, one class standing still, with their covariance.

    Parameters
    ----------
    data : Data
    mean : (d,) array
        What samples are measured from.
    theta : (K, p) array
        Zeros for the class that stands still.
    covariance : (q, q) array
        Of the free rows of `theta`.
    """

    data: LocalRows
    mean: np.ndarray
    theta: np.ndarray
    covariance: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """Of the samples, (n,)."""
        return np.ones(self.data.X.shape[0]) if self.data.weight is None else self.data.weight

    @property
    def free(self) -> slice:
        """Rows of `theta` that do not stand still."""
        return free_rows(len(self.theta))

    def map(self, reference: int) -> np.ndarray:
        """Free parameters -> contrasts with a class, of samples that are not centred; (q, q)."""
        K, p = self.theta.shape
        classes = np.eye(K)[:, self.free]
        contrasts = np.delete(classes, reference, axis=0) - classes[reference]
        uncentre = np.eye(p)
        if self.data.fit_intercept:
            uncentre[-1, :-1] = -self.mean
        return np.kron(contrasts, uncentre)

    def batches(self, X: Any, width: int) -> Iterator[Batch]:
        """Rows of any X and their samples, as many at a time as leave space for `width` each."""
        return batches(X, self.mean, self.data.fit_intercept, width)

    def log_odds(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        r"""Log-odds of each class against the rest, and their standard errors, both (n, K).

        With logits z, :math:`\eta_k = z_k - \log\sum_{l \ne k} e^{z_l}`, and its gradient by z is
        one for z_k and :math:`-p_l / (1 - p_k)` for the others: minus the softmax of those alone.
        """
        K, p = self.theta.shape
        eta, error = np.empty((2, X.shape[0], K))
        C = self.covariance.reshape(K - 1, p, K - 1, p)
        off_own = np.diag(np.full(K, -np.inf))
        for rows, x in self.batches(X, K * K * p):
            Z = x @ self.theta.T
            others = Z[:, None, :] + off_own
            eta[rows] = Z - logsumexp(others, axis=2)
            slope = (np.eye(K) - softmax(others, axis=2))[:, :, self.free]
            V = (np.tensordot(x, C, (1, 1)) @ x[:, None, :, None])[..., 0]  # of the free logits
            error[rows] = np.sqrt(np.maximum(((slope @ V) * slope).sum(axis=2), 0.0))
        return eta, error

    def marginal_effects(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r"""Mean change of each probability with each feature, and standard errors; (K, d).

        With the mean coefficients :math:`\bar\beta = \sum_l p_l\beta_l` of a sample and :math:`D_k
        = \beta_k - \bar\beta` the effects are :math:`m_k = p_k D_k`, and since :math:`\partial p_k
        / \partial\beta_{lt} = p_k (\delta_{kl} - p_l)\tilde x_t`,

        .. math:: \frac{\partial m_{kj}}{\partial \beta_{lt}} = \tilde x_t
                  p_k \left[(\delta_{kl} - p_l) D_{kj} - p_l D_{lj}\right]
                  + \delta_{jt}\, p_k (\delta_{kl} - p_l).
        """
        (K, p), d = self.theta.shape, len(self.mean)
        W, free, j = self.theta[:, :d], np.arange(K)[self.free], np.arange(d)
        effects, slope = np.zeros((K, d)), np.zeros((K, d, K - 1, p))
        for rows, x in self.batches(self.data.X, 3 * K * p):
            P = softmax(x @ self.theta.T, axis=1)
            D = W - (P @ W)[:, None, :]
            others = (P[:, free, None] * D[:, free]).reshape(len(x), -1)
            for k in range(K):
                own = weight[rows] * P[:, k]
                moved = (free == k) - P[:, free]
                effect = own[:, None] * D[:, k]
                effects[k] += effect.sum(axis=0)
                change = (moved[:, :, None] * effect[:, None, :]).reshape(len(x), -1).T @ x
                change -= others.T @ (own[:, None] * x)
                slope[k] += change.reshape(K - 1, d, p).swapaxes(0, 1)
                slope[k, j, :, j] += own @ moved
        slope = slope.reshape(K, d, -1)
        variance = ((slope @ self.covariance) * slope).sum(axis=2)
        total = weight.sum()
        return effects / total, np.sqrt(np.maximum(variance, 0.0)) / total


def estimate(
    data: LocalRows, mean: np.ndarray, theta: np.ndarray, covariance: np.ndarray
) -> LikelihoodEstimate:
    """Let one class stand still: `theta` is (1, p) for two classes or (K, p)."""
    whole = np.vstack([np.zeros_like(theta), theta]) if len(theta) == 1 else theta - theta[-1]
    return LikelihoodEstimate(data, mean, whole, covariance)


def free_rows(K: int) -> slice:
    """Classes that do not stand still."""
    return slice(1, 2) if K == 2 else slice(0, K - 1)


def inverse(model: Cholesky) -> np.ndarray:
    """H^-1 = T T' of a whole Hessian, (q, q)."""
    half, _ = lapack.dtrtri(model.factors[0], lower=1)
    half *= model.scales[0]
    return half.T @ half


def sandwich(at: LikelihoodEstimate, weight: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """H^-1 B H^-1, for an estimate whose covariance is H^-1, as the Gram matrix of influences.

    Parameters
    ----------
    at : Estimate
    weight : (n,) array
        f c^2 of each sample, or with groups w.
    groups : (n,) array of int or None
    """
    total = np.zeros_like(at.covariance)
    scores = _weighted(at, weight) if groups is None else _summed(at, weight, groups)
    for S in scores:
        influence = S @ at.covariance
        total += influence.T @ influence
    return total


def _weighted(at: LikelihoodEstimate, weight: np.ndarray) -> Iterator[np.ndarray]:
    for rows, S in _scores(at, None):
        S *= np.sqrt(weight[rows])[:, None]
        yield S


def _summed(at: LikelihoodEstimate, weight: np.ndarray, groups: np.ndarray) -> Iterator[np.ndarray]:
    """One group after the other; what a batch has of its last group goes on into the next."""
    rest, last = np.zeros((1, len(at.covariance))), -1
    for rows, S in _scores(at, np.argsort(groups, kind="stable")):
        S *= weight[rows][:, None]
        codes = np.append(last, groups[rows])
        starts = np.flatnonzero(np.diff(codes, prepend=-2))
        sums = np.add.reduceat(np.vstack([rest, S]), starts, axis=0)
        yield sums[:-1]
        rest, last = sums[-1:], codes[-1]
    yield rest


def _scores(at: LikelihoodEstimate, order: np.ndarray | None) -> Iterator[Batch]:
    """Rows, and their scores for the free parameters, (m, q)."""
    K, p = at.theta.shape
    X, intercept = at.data.X, at.data.fit_intercept
    for rows, x in batches(X, at.mean, intercept, 2 * K * p, order):
        residual = _residual(softmax(x @ at.theta.T, axis=1), at.data, rows)
        yield rows, (residual[:, at.free, None] * x[:, None, :]).reshape(len(x), -1)


def _residual(P: np.ndarray, data: LocalRows, rows: Any) -> np.ndarray:
    """P - Y in the place of P, with all digits for a label that is all but certain."""
    if data.targets.ndim == 2:
        return np.subtract(P, data.target_block(rows).T, out=P)
    own = np.arange(len(P)), data.targets[rows]
    P[own] = 0.0
    P[own] = -P.sum(axis=1)
    return P


def batches(
    X: Any, mean: np.ndarray, fit_intercept: bool, width: int, order: np.ndarray | None = None
) -> Iterator[Batch]:
    """Rows and their samples, dense and centred, (m, p); in the order of X or in another."""
    n, d = X.shape
    step = max(1, SPACE // width)
    for start in range(0, n, step):
        rows: Any = slice(start, min(start + step, n))
        rows = rows if order is None else order[rows]
        x = X[rows].toarray() if issparse(X) else X[rows]
        samples = np.ones((len(x), d + fit_intercept))
        np.subtract(x, mean, out=samples[:, :d])
        yield rows, samples


def dependent_columns(data: LocalRows, moments: Moments) -> list[tuple[int, list[int]]]:
    """Columns that samples of some weight cannot tell from others.

    Returns
    -------
    list of (column, others)
        `column` is a linear combination of `others`, in which d stands for the intercept. A
        constant column has no others with an intercept but that, and without one it is zero.
    """
    d = data.X.shape[1]
    middle = moments.mean if data.fit_intercept else np.zeros(d)
    deviation = np.sqrt(moments.variance + (moments.mean - middle) ** 2)
    constant = deviation <= 4 * EPS * np.abs(middle)
    others = np.flatnonzero(~constant)
    found = [(int(j), [d] if data.fit_intercept else []) for j in np.flatnonzero(constant)]
    if not len(others):
        return found
    # A column holds its numbers to an epsilon of their size, which may be much of how they differ.
    noise = (np.finfo(data.X.dtype).eps * np.abs(middle[others]) / deviation[others]) ** 2
    least = float(np.clip(4 * noise.max(), SINGULAR, DEPENDENT))
    unit = np.where(constant, 0.0, 1.0 / np.where(constant, 1.0, deviation))
    A = np.zeros((d, d))
    for rows, x in batches(data.X, middle, False, 2 * d):
        x *= unit
        A += x.T @ (x if data.weight is None else x * data.weight[rows][:, None])
    A = A[np.ix_(others, others)] / moments.class_weight.sum()
    L, order, rank, _ = lapack.dpstrf(A, tol=least, lower=1)
    order = others[order - 1]
    head = np.tril(L[:rank, :rank])
    for row, column in enumerate(order[rank:], start=rank):
        parts = solve_triangular(head, L[row, :rank], lower=True, trans="T")
        involved = order[:rank][np.abs(parts) > DEPENDENT]
        found.append((int(column), [*sorted(int(j) for j in involved)]))
    return sorted(found)


def outside(larger: LikelihoodEstimate, smaller: LikelihoodEstimate) -> np.ndarray:
    """Columns of the smaller model that are no linear combination of the larger one's.

    The intercept of the smaller one counts as its last column.
    """
    widths = larger.theta.shape[1], smaller.theta.shape[1]
    gram = np.zeros((sum(widths), sum(widths)))
    one = larger.batches(larger.data.X, 2 * sum(widths))
    X, intercept = smaller.data.X, smaller.data.fit_intercept
    other = batches(X, smaller.mean, intercept, 2 * sum(widths))
    for (rows, x), (_, x0) in zip(one, other, strict=True):
        both = np.hstack([x, x0])
        if larger.data.weight is not None:
            both *= (larger.data.weight[rows] > 0)[:, None]
        gram += both.T @ both
    unit = 1.0 / np.sqrt(np.diagonal(gram))
    gram *= unit * unit[:, None]
    L = np.linalg.cholesky(gram[: widths[0], : widths[0]])
    explained = solve_triangular(L, gram[: widths[0], widths[0] :], lower=True)
    return np.flatnonzero(1.0 - (explained**2).sum(axis=0) > NESTED)
