"""Softmax and logistic classifiers: the maximum of the likelihood, on raw data."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skxent.classifiers.callbacks import (
    AfterIteration,
    CallbackSupportMixin,
    fit_task,
    with_callbacks,
)
from skxent.classifiers.device_training import converted
from skxent.classifiers.linear_classifier import LinearClassifier, restored_on_error
from skxent.classifiers.messages import one_class_named
from skxent.classifiers.training import Training, read_training
from skxent.inputs.fit_targets import Floats
from skxent.inputs.namespaces import to_numpy
from skxent.inputs.parameters import check_parameters
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.base import RowSource


class SoftmaxClassifier(CallbackSupportMixin, LinearClassifier):
    r"""Linear classifier trained by minimising cross-entropy, also multinomial logistic regression.

    The objective is a sum over samples, a penalised negative log-likelihood in nats:

    .. math:: F(W, b) = \sum_i w_i\, H(y_i, \mathrm{softmax}(W x_i + b)) + \frac{\|W\|^2}{2C}

    with targets :math:`y_i` and weights :math:`w_i`, times the class weight. Its minimum does not
    change with the units of the features other than through the penalty, and neither does the
    way to it: raw columns need no scaling for the fit to converge. With two classes there is one
    logit, as in logistic regression.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the penalty, as in `sklearn.linear_model.LogisticRegression`. Intercepts
        are not penalised. `numpy.inf` means no penalty: the maximum of the likelihood. If columns
        depend on others, the coefficients with the least sum of squares are returned.
    fit_intercept : bool, default=True
        Whether logits have a constant term.
    class_weight : dict, "balanced" or None, default=None
        Factors of the sample weights, by class; 1 for a class without a key. Keys of classes that
        `y` lacks are ignored. "balanced" gives all classes the same total.
    tol : float, default=1e-6
        Distance from the minimum at which to stop, the gap. It is `tol` nats for an objective
        between one and a thousand nats, `tol` thousandths of a larger objective (one billionth of
        it, by default), and `tol` times an objective below one nat, as on nearly separable data. It
        does not depend on the units of the features. `target_gap_` is the gap in nats.
    max_iter : int, default=1000
        Iterations at most, of L-BFGS or Newton steps on all rows. 0 leaves the parameters where the
        fit begins, at those of the last fit with `warm_start` and at zero otherwise, and measures
        the gap there.
    n_jobs : int or None, default=None
        Threads. None means as many as BLAS would use; -1 all processors. Results have the same
        bits for any number.
    warm_start : bool, default=False
        Whether to begin at the parameters of the last fit, where their shape is right.
    verbose : int, default=0
        1 prints a line for each iteration.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        Labels of the classes, sorted; the columns of soft targets in their own order.
    coef_ : ndarray of shape (1, d) or (K, d)
        Weights; one row for two classes. Zeros for a class without weight.
    intercept_ : ndarray of shape (1,) or (K,)
        Intercepts; zeros without `fit_intercept`. For K >= 3 they sum to zero, as do the weights of
        a feature. The intercept of a class without weight is -inf, and the others sum to zero.
    n_iter_ : int
        Iterations on all rows, of L-BFGS or Newton steps.
    n_passes_ : float
        Times that X was read, for values, gradients, curvature and the first look; reads of a
        sample of rows count as fractions.
    converged_ : bool
        Whether the gap is at most `target_gap_`. Without penalty it is False if no finite maximum
        of the likelihood exists, or if this could not be decided, whatever the gap.
    objective_ : float
        The objective of the parameters returned, in nats, never negative. Where no finite minimum
        exists it is an upper bound of the infimum, which the parameters approach as they grow.
    log_likelihood_ : float
        The weighted log-likelihood of the training data, in nats, without the penalty, of the
        parameters returned. Where no finite maximum exists it is a lower bound of the supremum.
    optimality_gap_ : float
        How far `objective_` is above its minimum, in nats. For a fit that converged it is an
        estimate: the Newton decrement :math:`\tfrac12 g^\top H^{-1} g` with the exact Hessian H,
        solved directly or, if H is too large, by conjugate gradients. These end at a residual of
        0.03, or when the penalty bounds the part that they have not seen; the estimate is then up
        to five times the gap. For a fit that did not converge it is an upper bound: the decrement
        times a factor for the change of the curvature if its step moves no logit by one, and
        `objective_` itself otherwise, since no objective is negative.
    target_gap_ : float
        The gap that `tol` asks for, in nats, or the rounding of the objective in float64 if that is
        larger.
    objective_curve_ : ndarray of shape (iterations, 2)
        Passes and objective after each iteration; the last one ends at `objective_`.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (d,)
        Names of the features, where X had them.

    See Also
    --------
    LogisticClassifier : The same for two classes only.
    skxent.cce_scorer : Scores any classifier by its cross-entropy.

    Notes
    -----
    A **class without weight** is one whose samples all weigh zero, or whose column of soft targets
    is zero. With an intercept the objective falls as the intercept of that class goes to minus
    infinity. The fit returns this limit and warns: the class keeps its place in `classes_`, with
    probability 0, weights of zero and an intercept of -inf, and the other classes are fitted
    without it. Without an intercept there is no such limit, and the class is fitted as any other.

    Centred coordinates, a model of the curvature that turns them into nearly round ones, and
    SciPy's L-BFGS on the sum; see :ref:`the classifier page <classifier>`.

    With scikit-learn's `array_api_dispatch` X may be of PyTorch, CuPy or another library of the
    array API standard, on any device, and stays there. Fitted arrays and predictions are beside it.

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
        fit_intercept: bool = True,
        class_weight: dict[Any, float] | str | None = None,
        tol: float = 1e-6,
        max_iter: int = 1000,
        n_jobs: int | None = None,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None:
        self.C = C
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs
        self.warm_start = warm_start
        self.verbose = verbose

    @restored_on_error
    @with_callbacks
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like, sparse matrix, or Dask array or data frame of shape (n, d)
            Samples. float32, Fortran-ordered, read-only and memory-mapped arrays are not copied
            unless they are small, under half a million numbers, or have fewer rows than features;
            sparse ones only if indices within a row are not sorted.
        y : array-like of shape (n,) or (n, K)
            Labels, or soft targets: rows that are distributions over K classes.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights: 2 means the same as the sample twice, 0 the same as without it.
        classes : array-like of shape (K,) or None, default=None
            Names of the columns of soft targets. When None they are the column names of a
            data frame, 0 to K - 1 of an array. They are `classes_`, in this order.

        Returns
        -------
        SoftmaxClassifier
            The fitted classifier itself.

        Raises
        ------
        ValueError
            For bad values of `X`, `y`, `sample_weight` or of a parameter, with the place; if only
            one class has a weight.

        Warns
        -----
        ConvergenceWarning
            If the gap is above `tol` at the end, or without penalty if no finite maximum exists or
            that could not be decided.
        UserWarning
            If a class has no weight and is left out, see Notes.
        """
        check_parameters(self)
        training = read_training(self, X, y, sample_weight, classes)
        self._check_n_classes(training.classes)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        rows, start = training.rows, self._start(training.rows)
        zero = np.zeros((rows.n_outputs, rows.n_features)), np.zeros(rows.n_outputs)
        at_start = partial(training.parameters, *(start or zero))
        task = fit_task(self, X, y, metadata, at_start)
        with task as after_iteration, one_class_named(training.classes):
            solution = minimise(
                rows,
                penalty=Penalty.of_C(self.C),
                start=start,
                tol=float(self.tol),
                max_iter=self.max_iter,
                report=self._report(training, after_iteration),
            )
            fitted = self._attributes(solution, training.classes)
            self.__dict__.update(training.to_namespace(fitted))
        self._warn_of(solution)
        return self

    def _check_n_classes(self, classes: NDArray[Any]) -> None:
        if self._two_classes_only() and len(classes) > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is multiclass: "
                f"y has {len(classes)} classes, use SoftmaxClassifier."
            )

    def _start(self, rows: RowSource) -> tuple[Floats, Floats] | None:
        """Return the parameters of the last fit with `warm_start`, if their shape is right."""
        shape = (rows.n_outputs, rows.n_features)
        if not self.warm_start or getattr(self, "coef_", np.empty(0)).shape != shape:
            return None
        return to_numpy(self.coef_), to_numpy(self.intercept_)

    def _report(
        self, training: Training, after_iteration: AfterIteration | None
    ) -> Callable[[Floats, Floats, float], bool] | None:
        """Return the function to call after each iteration, None if there is nothing to do."""
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

    def __sklearn_array_api_convert__(self, converter: Callable[[Any], Any]) -> Self:
        return converted(self, converter)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.array_api_support = True
        tags.classifier_tags.multi_class = not self._two_classes_only()
        return tags


class LogisticClassifier(SoftmaxClassifier):
    """Logistic regression trained by minimising binary cross-entropy: two classes, one logit.

    `SoftmaxClassifier` for two classes only; more are an error. See there for parameters,
    attributes and methods.

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
