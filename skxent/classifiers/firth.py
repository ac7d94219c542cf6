"""Classifier with Firth's bias reduction: softmax regression with Jeffreys' prior."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse

from skxent.classifiers.linear_classifier import LinearClassifier, restored_on_error
from skxent.classifiers.training import LocalSamples, read_samples
from skxent.inference.fitted import ClassWeight
from skxent.inputs.features import AnyArray
from skxent.inputs.parameters import check_parameters
from skxent.inputs.partitions import is_dask
from skxent.likelihood.jeffreys.constrained_newton import Minimum, minimise
from skxent.likelihood.jeffreys.jeffreys_objective import JeffreysObjective, JeffreysPoint
from skxent.likelihood.solution import Solution, target_gap
from skxent.likelihood.sources.local_rows import LocalRows

WIDEST = 2000  # largest number of parameters; each pass multiplies matrices of this size
DENSEST = 1 << 27  # largest number of entries of a sparse X, which is copied to a dense array: 1 GB


class FirthClassifier(LinearClassifier):
    r"""Softmax or logistic regression with Jeffreys' prior: Firth's bias reduction.

    The objective is the negative logarithm of the posterior density, in nats:

    .. math:: F(W, b) = \sum_i w_i\, H(y_i, \mathrm{softmax}(W x_i + b)) - \tfrac12 \log\det I(W, b)

    with targets :math:`y_i`, weights :math:`w_i`, which are sample weights times class weights, and
    the Fisher information I. Its minimum is finite also if classes can be separated, and the bias
    of the coefficients is of a smaller order in the number of samples than that of maximum
    likelihood. The fit does not depend on the units of the features, and there is nothing to tune.
    Probabilities are pulled towards 1 / K, see Notes.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether logits have a constant term.
    class_weight : dict, "balanced" or None, default=None
        Factors of the sample weights, by class, as for `SoftmaxClassifier`. The information treats
        them as copies of samples.
    tol : float, default=1e-6
        Tolerance of the gap, which is the distance of the objective from its minimum. The fit stops
        when the gap is at most `target_gap_`: `tol` nats if the sum of the losses is between one
        and a thousand nats, `tol` thousandths of a larger sum, and `tol` times a smaller one.
    max_iter : int, default=100
        Maximum number of Newton steps. With 0 the fit returns zeros.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        Labels of the classes, sorted. For soft targets, the names of the columns in their order.
    coef_ : ndarray of shape (1, d) or (K, d)
        Coefficients, one row for two classes. For K >= 3 they sum to zero for each feature.
    intercept_ : ndarray of shape (1,) or (K,)
        Intercepts, zero without `fit_intercept`.
    n_iter_ : int
        Number of Newton steps.
    n_passes_ : float
        Number of evaluations of the objective and of products with its Hessian.
    converged_ : bool
        Whether the gap is at most `target_gap_`.
    objective_ : float
        Objective of the returned parameters, in nats. It may be negative.
    log_likelihood_ : float
        Weighted log-likelihood of the training data, in nats, without the prior.
    log_prior_ : float
        Half the logarithm of the determinant of the information of `coef_` and `intercept_`, for
        one class fixed at zero. ``objective_ == -log_likelihood_ - log_prior_``.
    optimality_gap_ : float
        The gap: how far `objective_` is above its minimum, in nats. For a fit that converged it is
        an estimate, the Newton decrement :math:`\tfrac12 g^\top H^{-1} g` with the exact Hessian H
        of the objective. Otherwise it is an upper bound, computed from a bound of the prior.
    target_gap_ : float
        The gap, in nats, at which the fit stops.
    objective_curve_ : ndarray of shape (iterations, 2)
        Passes and objective after each iteration.
    has_offset_ : bool
        Whether the fit had an offset, so that predictions need one.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (d,)
        Names of the features, if X has names.

    See Also
    --------
    SoftmaxClassifier : Without a prior or with an L2 penalty, for data of any size.
    infer : Standard errors, and intervals by the profile of the penalised likelihood.

    Notes
    -----
    **When to use it.** Firth's estimate is for coefficients and odds ratios from small samples or
    rare classes, and where a category or a feature separates classes. If probabilities of new
    samples are the goal, a :class:`SoftmaxClassifier` whose `C` is chosen by cross-validation is
    usually better: Jeffreys' prior shrinks little if the samples are many, and for rare classes
    the mean of the predicted probabilities is above the fraction of the class in the data. With
    intercepts alone and equal weights, n_k of n samples of class k give the probability
    :math:`(n_k + 1/2) / (n + K / 2)`.

    **Existence.** A finite minimum always exists. The objective is not convex, and a fit ends at a
    local minimum; it begins at equal probabilities. If columns of X are linear combinations of
    others, the determinant is that of the directions that X determines, and coefficients have the
    smallest sum of squares. A class without weight has finite coefficients, like any other.

    **Size.** One pass costs about n q^2 operations for q = (K - 1)(d + 1) parameters, at most 2000.
    X is copied, and a sparse X made dense.

    References
    ----------
    .. [1] D. Firth, "Bias reduction of maximum likelihood estimates", Biometrika 80, 1993.
       :doi:`10.1093/biomet/80.1.27`
    .. [2] G. Heinze, M. Schemper, "A solution to the problem of separation in logistic regression",
       Statistics in Medicine 21, 2002. :doi:`10.1002/sim.1047`
    .. [3] I. Kosmidis, D. Firth, "Multinomial logit bias reduction via the Poisson log-linear
       model", Biometrika 98, 2011. :doi:`10.1093/biomet/asr026`

    Examples
    --------
    The feature separates the classes, so that maximum likelihood has no finite coefficients.

    >>> from skxent import FirthClassifier
    >>> X, y = [[1.0], [2.0], [3.0], [4.0]], ["no", "no", "yes", "yes"]
    >>> clf = FirthClassifier().fit(X, y)
    >>> clf.coef_.round(3), clf.intercept_.round(3)
    (array([[1.31]]), array([-3.275]))
    """

    n_jobs: int | None = None

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        class_weight: ClassWeight | None = None,
        tol: float = 1e-6,
        max_iter: int = 100,
    ) -> None:
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter

    @restored_on_error
    def fit(
        self,
        X: AnyArray,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples.
        y : array-like of shape (n,) or (n, K)
            Labels, or soft targets: rows that are distributions over K classes.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights. A weight of 2 is equivalent to two copies of the sample, and a weight of 0 to
            leaving it out.
        classes : array-like of shape (K,) or None, default=None
            Names of the columns of soft targets, as for `SoftmaxClassifier.fit`.
        offset : array-like of shape (n,) or (n, K), or None, default=None
            Known parts of the logits, as for `SoftmaxClassifier.fit`.

        Returns
        -------
        FirthClassifier
            The fitted classifier itself.

        Raises
        ------
        ValueError
            If an argument or a parameter has an invalid value, which the message names with its
            place, if X is too large (see Notes of the class), or if offsets are so large that all
            probabilities are 0 or 1.
        TypeError
            If X is a Dask collection or an array on a device.

        Warns
        -----
        ConvergenceWarning
            If the gap at the end is above `target_gap_`.
        """
        check_parameters(self)
        if is_dask(X):
            raise TypeError(
                "X is a Dask collection, and FirthClassifier fits samples in memory: pass "
                "X.compute(), or use SoftmaxClassifier."
            )
        samples = read_samples(self, X, y, sample_weight, classes, offset)
        assert isinstance(samples, LocalSamples)
        rows = samples.rows(self.class_weight, self.n_jobs)
        _check_size(rows)
        found, curve = self._minimum(rows)
        solution = _solution(found, curve, float(self.tol))
        fitted = self._attributes(solution, samples.classes, offset is not None)
        self.__dict__.update(fitted, log_prior_=found.point.log_prior)
        self._warn_of(solution)
        return self

    def _minimum(self, rows: LocalRows) -> tuple[Minimum, list[tuple[float, float]]]:
        """Return the minimum, and passes and objective after each iteration."""
        objective = JeffreysObjective.of(rows)
        if not objective.shape[1]:
            raise ValueError(
                "X is zero in all rows with a weight, and fit_intercept is False: there is nothing "
                "to fit."
            )
        start = objective(np.zeros(objective.shape))
        if start is None:
            raise ValueError(
                "the information is singular where all coefficients are zero, because offsets are "
                "so large that all probabilities are 0 or 1: pass smaller offsets."
            )
        curve: list[tuple[float, float]] = []

        def report(point: JeffreysPoint) -> None:
            curve.append((float(objective.n_passes), point.value))

        def target(point: JeffreysPoint) -> float:
            return target_gap(float(self.tol), point.losses, point.rounding)

        return minimise(start, target, self.max_iter, report=report), curve


def _check_size(rows: LocalRows) -> None:
    """Refuse more parameters or entries than fit in memory as dense matrices."""
    width = (rows.n_classes - 1) * (rows.n_features + rows.fit_intercept)
    if width > WIDEST:
        raise ValueError(
            f"FirthClassifier needs the whole information matrix, here of {width} parameters, and "
            f"{WIDEST} are the most: leave out features, or use SoftmaxClassifier."
        )
    if issparse(rows.X) and rows.n_rows * rows.n_features > DENSEST:
        raise ValueError(
            f"FirthClassifier copies X to a dense array, and X has {rows.n_rows} rows of "
            f"{rows.n_features} features, more than {DENSEST} entries: use SoftmaxClassifier."
        )


def _solution(found: Minimum, curve: list[tuple[float, float]], tol: float) -> Solution:
    """Return the solution at the end of a search."""
    point, gap = found.point, found.step.gap
    target = target_gap(tol, point.losses, point.rounding)
    converged = gap <= target
    if not converged:
        gap = point.value - point.objective.least_value()
    coef, intercept = point.objective.leave(point.theta)
    return Solution(
        coef=coef,
        intercept=intercept,
        value=point.value,
        log_likelihood=-point.losses,
        gap=gap,
        target=target,
        converged=converged,
        unbounded=False,
        stopped=False,
        n_iterations=found.n_iterations,
        n_passes=float(point.objective.n_passes),
        curve=tuple(curve),
    )
