"""Softmax and logistic classifiers, fitted by minimising cross-entropy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Tags

from skxent.classifiers.callbacks import (
    AfterIteration,
    CallbackSupportMixin,
    fit_task,
    with_callbacks,
)
from skxent.classifiers.linear_classifier import LinearClassifier, restored_on_error
from skxent.classifiers.messages import one_class_named
from skxent.classifiers.training import Training, read_training
from skxent.inference.fitted import ClassWeight
from skxent.inputs.features import AnyArray
from skxent.inputs.fit_targets import Floats
from skxent.inputs.namespaces import to_numpy
from skxent.inputs.parameters import check_parameters
from skxent.inputs.penalty_factors import PenaltyFactor, penalty_factors
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.base import RowSource


class SoftmaxClassifier(CallbackSupportMixin, LinearClassifier):
    r"""Softmax classifier trained by minimising cross-entropy: multinomial logistic regression.

    The objective is a sum over samples, a penalised negative log-likelihood in nats:

    .. math:: F(W, b) = \sum_i w_i\, H(y_i, \mathrm{softmax}(W x_i + b)) + \frac{\|W\|^2}{2C}

    with targets :math:`y_i` and weights :math:`w_i`, which are sample weights times class weights.
    Only the penalty depends on the units of the features. The fit converges on raw columns, so
    features need no scaling. Two classes have one logit, as in logistic regression.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the penalty, as in `sklearn.linear_model.LogisticRegression`. Intercepts
        are not penalised. With `numpy.inf` there is no penalty, and the fit is the maximum of the
        likelihood. If columns are then linear combinations of others, the fit has the coefficients
        with the smallest sum of squares.
    penalty_factor : array-like of shape (d,), dict or None, default=None
        Factors of the penalty by feature, finite and 0 or more, as `penalty.factor` of R's glmnet:
        the penalty is :math:`\frac{1}{2C} \sum_j f_j \|W_j\|^2`. A feature with the factor 0 is
        not penalised, and one with a larger factor is shrunk more. A dict has names of features as
        keys, and features without a key have the factor 1. None means 1 for each feature. Without a
        penalty, ``C=numpy.inf``, factors have no effect.
    fit_intercept : bool, default=True
        Whether logits have a constant term.
    class_weight : dict, "balanced" or None, default=None
        Factors of the sample weights, by class. A class without a key has the factor 1. Keys of
        classes that `y` lacks are ignored. "balanced" gives all classes the same total weight.
    tol : float, default=1e-6
        Tolerance of the gap, which is the distance of the objective from its minimum. The fit stops
        when the gap is at most `target_gap_`: `tol` nats for an objective between one and a
        thousand nats, `tol` thousandths of a larger objective (one billionth of it, by default),
        and `tol` times an objective below one nat, as on nearly separable data. The target does not
        depend on the units of the features.
    max_iter : int, default=1000
        Maximum number of iterations on all rows, L-BFGS iterations or Newton steps. With 0 the fit
        returns the parameters at which it begins (those of the last fit with `warm_start`, else
        zero) and measures their gap.
    solver : {"auto", "lbfgs", "newton"}, default="auto"
        Which steps the fit takes. All three reach the same minimum and stop at the same gap.
        "lbfgs" takes steps of SciPy's L-BFGS only, in coordinates that a model of the curvature
        makes nearly isotropic. "newton" takes Newton steps only, with the factored Hessian of all
        rows, and raises an error if that has more than 5,000 parameters. "auto" takes what costs
        least for the size of the data; see :ref:`the options of a fit <solvers>`.
    n_jobs : int or None, default=None
        Number of threads. None means as many as BLAS would use, and -1 all processors. The results
        are the same to the last bit for any number.
    warm_start : bool, default=False
        Whether to begin at the parameters of the last fit, if they have the shape of this fit.
    verbose : int, default=0
        1 prints a line for each iteration.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        Labels of the classes, sorted. For soft targets, the names of the columns in their order.
    coef_ : ndarray of shape (1, d) or (K, d)
        Coefficients, one row for two classes. They are zero for a class without weight.
    intercept_ : ndarray of shape (1,) or (K,)
        Intercepts, zero without `fit_intercept`. For K >= 3 the intercepts sum to zero, and so do
        the coefficients of each feature. The intercept of a class without weight is -inf, and the
        other intercepts sum to zero.
    n_iter_ : int
        Number of iterations on all rows, L-BFGS iterations or Newton steps.
    n_passes_ : float
        Number of passes over X: for values, gradients, the curvature, and the moments of the
        columns. A pass over a sample of the rows counts as a fraction.
    converged_ : bool
        Whether the gap is at most `target_gap_`. Without a penalty it is also False if no finite
        maximum of the likelihood exists, or if this could not be decided.
    objective_ : float
        Objective of the returned parameters, in nats, never negative. If no finite minimum exists,
        it is an upper bound of the infimum.
    log_likelihood_ : float
        Weighted log-likelihood of the training data at the returned parameters, in nats, without
        the penalty. If no finite maximum exists, it is a lower bound of the supremum.
    optimality_gap_ : float
        The gap: how far `objective_` is above its minimum, in nats. For a fit that converged it is
        an estimate, the Newton decrement :math:`\tfrac12 g^\top H^{-1} g` with the exact Hessian H.
        The linear system is solved directly or, if H is too large, by conjugate gradients. They end
        at a relative residual of 0.03, or when the penalty bounds the remaining error; the estimate
        is then up to five times the gap. For a fit that did not converge, the gap is an upper
        bound: the decrement times a factor for the change of the curvature if the Newton step
        changes each logit by less than one, and otherwise `objective_` itself, because no objective
        is negative.
    target_gap_ : float
        The gap, in nats, at which the fit stops: the gap that `tol` defines, or the rounding error
        of the objective in float64 if it is larger.
    objective_curve_ : ndarray of shape (iterations, 2)
        Passes and objective after each iteration. The last objective is `objective_`.
    has_offset_ : bool
        Whether the fit had an offset, so that predictions need one.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (d,)
        Names of the features, if X has names.

    See Also
    --------
    LogisticClassifier : The same classifier for two classes only.
    skxent.cce_scorer : Scores any classifier by its cross-entropy.

    Notes
    -----
    A **class without weight** is a class whose samples all have weight zero, or whose column of
    soft targets is zero. With an intercept the objective falls as the intercept of this class goes
    to minus infinity. The fit returns the limit and warns: the class keeps its place in `classes_`,
    with probability 0, coefficients of zero and an intercept of -inf, and the other classes are
    fitted without it. Without an intercept the limit does not exist, and the class is fitted as any
    other.

    By default the fit runs SciPy's L-BFGS on the sum, in centred coordinates that a model of the
    curvature makes nearly isotropic, and takes Newton steps where they cost little; see
    :ref:`how the minimum is found <algorithm>`.

    With scikit-learn's `array_api_dispatch` X may be an array of PyTorch, CuPy or another library
    of the array API standard, on any device. X stays on this device, and the fitted arrays and
    predictions are there too.

    References
    ----------
    .. [1] D. C. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization",
       Mathematical Programming 45, 1989. :doi:`10.1007/BF01589116`
    .. [2] D. Böhning, "Multinomial logistic regression algorithm", Annals of the Institute of
       Statistical Mathematics 44, 1992. :doi:`10.1007/BF00048682`

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skxent import SoftmaxClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> clf = SoftmaxClassifier().fit(X, y)
    >>> print(f"{clf.log_likelihood_:.3f} nats, {clf.optimality_gap_ < 1e-6}")
    -6.390 nats, True
    >>> clf.predict_proba(X[:1]).round(3)
    array([[1., 0., 0.]])
    """

    def __init__(
        self,
        C: float = 1.0,
        *,
        penalty_factor: PenaltyFactor | None = None,
        fit_intercept: bool = True,
        class_weight: ClassWeight | None = None,
        tol: float = 1e-6,
        max_iter: int = 1000,
        solver: str = "auto",
        n_jobs: int | None = None,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None:
        self.C = C
        self.penalty_factor = penalty_factor
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.n_jobs = n_jobs
        self.warm_start = warm_start
        self.verbose = verbose

    @restored_on_error
    @with_callbacks
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
        X : array-like, sparse matrix, or Dask array or data frame of shape (n, d)
            Samples. float32, Fortran-ordered, read-only and memory-mapped arrays are not copied
            unless they are small, under half a million numbers, or have fewer rows than features.
            Sparse matrices are copied only if indices within a row are not sorted.
        y : array-like of shape (n,) or (n, K)
            Labels, or soft targets: rows that are distributions over K classes.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights. A weight of 2 is equivalent to two copies of the sample, and a weight of 0 to
            leaving it out.
        classes : array-like of shape (K,) or None, default=None
            Names of the columns of soft targets, which become `classes_` in this order. None means
            the column names of a data frame, and 0 to K - 1 for an array.
        offset : array-like of shape (n,) or (n, K), or None, default=None
            Known parts of the logits, which are added to those of the parameters. For two classes
            (n,), logits of the second class; (n, 2) stands for the difference of its columns. For
            more classes (n, K), columns in the order of `classes_`; a number added to a whole row
            changes nothing. Predictions then need an offset as well.

        Returns
        -------
        SoftmaxClassifier
            The fitted classifier itself.

        Raises
        ------
        ValueError
            If `X`, `y`, `sample_weight`, `offset` or a parameter has an invalid value, which the
            message names with its place, if only one class has a weight, or if the Hessian is too
            large for ``solver="newton"``.

        Warns
        -----
        ConvergenceWarning
            If the gap at the end is above `target_gap_`, or if there is no penalty and no finite
            maximum exists or its existence could not be decided.
        UserWarning
            If a class has no weight and is left out, see Notes.
        """
        check_parameters(self)
        training = read_training(self, X, y, sample_weight, classes, offset)
        self._check_n_classes(training.classes)
        factors = penalty_factors(self, float(self.C))
        given = {"sample_weight": sample_weight, "offset": offset}
        metadata = {name: value for name, value in given.items() if value is not None} or None
        rows, start = training.rows, self._start(training.rows)
        zero = np.zeros((rows.n_outputs, rows.n_features)), np.zeros(rows.n_outputs)
        at_start = partial(training.parameters, *(start or zero))
        task = fit_task(self, X, y, metadata, at_start)
        with task as after_iteration, one_class_named(training.classes):
            solution = minimise(
                rows,
                penalty=Penalty.of_C(self.C, factors),
                start=start,
                tol=float(self.tol),
                max_iter=self.max_iter,
                solver=self.solver,
                report=self._report(training, after_iteration),
            )
            fitted = self._attributes(solution, training.classes, training.has_offset)
            self.__dict__.update(training.to_namespace(fitted))
        self._warn_of(solution)
        return self

    def _check_n_classes(self, classes: np.ndarray) -> None:
        if self._two_classes_only() and len(classes) > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is multiclass: "
                f"y has {len(classes)} classes, use SoftmaxClassifier."
            )

    def _start(self, rows: RowSource) -> tuple[Floats, Floats] | None:
        """Return the last parameters, or None without `warm_start` or if the shape has changed."""
        shape = (rows.n_outputs, rows.n_features)
        if not self.warm_start or getattr(self, "coef_", np.empty(0)).shape != shape:
            return None
        return to_numpy(self.coef_), to_numpy(self.intercept_)

    def _report(
        self, training: Training, after_iteration: AfterIteration | None
    ) -> Callable[[Floats, Floats, float], bool] | None:
        """Return the function that prints and calls callbacks after each iteration, or None."""
        if after_iteration is None and not self.verbose:
            return None
        n_iterations = 0

        def report(coef: Floats, intercept: Floats, value: float) -> bool:
            nonlocal n_iterations
            n_iterations += 1
            if self.verbose:
                print(f"[{type(self).__name__}] iteration {n_iterations}: {value:.9g} nats")
            if after_iteration is None:
                return False
            return after_iteration(partial(training.parameters, coef, intercept))

        return report

    def _two_classes_only(self) -> bool:
        return False

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.array_api_support = True
        tags.classifier_tags.multi_class = not self._two_classes_only()
        return tags


class LogisticClassifier(SoftmaxClassifier):
    """Logistic regression trained by minimising binary cross-entropy: two classes, one logit.

    Parameters, attributes and methods are those of `SoftmaxClassifier`. More than two classes are
    an error.

    See Also
    --------
    SoftmaxClassifier : For any number of classes.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skxent import LogisticClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> clf = LogisticClassifier().fit(X, y)
    >>> print(f"{clf.log_likelihood_:.3f} nats")
    -50.268 nats
    """

    def _two_classes_only(self) -> bool:
        return True
