"""Inference from a fitted classifier: standard errors, intervals, tests, information criteria."""

from __future__ import annotations

import copy
import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr

from skxent.inference.fitted import FittedLinearModel, has_jeffreys_prior, penalty_of_fit
from skxent.inference.jeffreys_optimum import jeffreys_optimum
from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.inference.null_model import null_log_likelihood
from skxent.inference.optimum import data_of_fit, optimum
from skxent.inference.pipelines import Model, classifier_and_steps
from skxent.inference.result import LikelihoodInference
from skxent.inference.score_covariance import ScoreCovariance
from skxent.inference.unbounded import with_unbounded
from skxent.inputs.features import AnyArray
from skxent.inputs.fit_targets import Floats
from skxent.inputs.namespaces import Label
from skxent.inputs.parameters import penalty_of
from skxent.inputs.penalty_factors import penalty_factors
from skxent.inputs.weights import group_codes
from skxent.metrics.means import copies_and_shares

COVARIANCES = ("observed", "robust", "cluster")
SEPARATIONS = ("raise", "limit")


class InferenceWarning(UserWarning):
    """Warning that results of `infer` differ from those of a maximum-likelihood fit.

    `infer` warns if the fit has a penalty, or if it has class weights and the covariance treats
    them as copies of samples. The message says what the results mean.

    See Also
    --------
    infer : Raises it.
    """


def infer(
    clf: Model,
    X: AnyArray,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    offset: ArrayLike | None = None,
    covariance: str = "observed",
    groups: ArrayLike | None = None,
    reference: Label | None = None,
    separation: str = "raise",
) -> LikelihoodInference:
    r"""Standard errors, intervals and tests for the coefficients of a fitted classifier.

    Parameters
    ----------
    clf : SoftmaxClassifier, LogisticClassifier, FirthClassifier, Pipeline or GridSearchCV
        Fitted classifier, with ``C=numpy.inf`` for maximum-likelihood inference, see Notes; or a
        fitted pipeline that ends in one, or a search over the parameters of either, whose
        `best_estimator_` is used.
    X : array-like or sparse matrix of shape (n, d)
        The training samples. With a pipeline these are the samples that the pipeline was fitted
        with; its steps transform them, and their outputs are the features of the result.
    y : array-like of shape (n,) or (n, K)
        The training labels or soft targets.
    sample_weight : array-like of shape (n,) or None, default=None
        The training weights. A weight is a number of copies of the sample: weights of two make
        standard errors smaller by the square root of two. If some weights are not whole numbers,
        by more than a few rounding errors, "robust", "cluster" and `bic` treat each sample as one
        observation whose importance is the weight.
    offset : array-like of shape (n,) or (n, K), or None, default=None
        The training offset, if the classifier was fitted with one. Then the model without features
        has intercepts and this offset, and effects are those of samples with their offsets.
    covariance : {"observed", "robust", "cluster"}, default="observed"
        Estimator of the covariance.

        * "observed": :math:`H^{-1}`, the inverse of the observed information, valid if the model is
          correctly specified.
        * "robust": the sandwich estimator of Huber and White, HC0, without a correction for small
          samples. It is valid also if only the probabilities of the model are correct and the
          variance is not, as with soft targets or class weights. It equals the result of
          statsmodels for `cov_type` "HC0", and for "HC1", which has no correction in the discrete
          models of statsmodels.
        * "cluster": the sandwich estimator for samples that are dependent within `groups`, times
          :math:`\frac{G}{G - 1} \frac{N - 1}{N - q}` for G groups, N observations and q
          coefficients, the default correction of statsmodels.
    groups : array-like of shape (n,) or None, default=None
        Labels of the groups, for "cluster" only. With ``groups=numpy.arange(n)`` whole weights are
        treated as importances, such as inverse sampling probabilities.
    reference : label or None, default=None
        The reference class. None means the first of `classes_`.
    separation : {"raise", "limit"}, default="raise"
        What to do if classes are separated, so that the likelihood has no finite maximum.

        * "raise": raise an error that names the features that separate.
        * "limit": return the limit of the likelihood. Coefficients that grow without bound are
          infinite, and those that the likelihood does not determine are NaN. `log_likelihood` is
          the supremum. ``confint(method="profile")``, `profile`, `likelihood_ratio_test` and
          `term_tests` are valid, also for coefficients that are infinite; one end of their
          intervals is infinite. The other coefficients are finite, with Wald standard errors and
          tests. For ``covariance="observed"`` and fits without class weights.

    Returns
    -------
    LikelihoodInference
        Coefficients at the optimum, found by Newton steps from `coef_` and `intercept_`.

    Raises
    ------
    ValueError
        If `clf` has not converged, if the parameters of `clf` are more than a thousandth of a nat
        (and twice its `optimality_gap_`) above the minimum for the data passed, if no finite
        optimum exists, or if columns of X are linearly dependent. Also if there is no `offset`
        though `clf` was fitted with one, or the reverse.
    TypeError
        If `clf` is not a classifier of this package, and does not end in one.

    Warns
    -----
    InferenceWarning
        If the fit has a penalty, or class weights and ``covariance="observed"``.

    See Also
    --------
    SoftmaxClassifier.fit : Fits the classifier.

    Notes
    -----
    Let :math:`s_i` be the scores, the gradients of the losses, and H the Hessian of the objective
    at its minimum. The covariance is :math:`H^{-1}`, or :math:`H^{-1} B H^{-1}` with :math:`B =
    \sum_i s_i s_i^\top`, where the sum is over samples, or over groups and the sums of their scores
    [1]_.

    **With a penalty** the coefficients are biased towards zero, and standard errors do not measure
    this bias. H includes the penalty, and its inverse is the covariance of the Gaussian (Laplace)
    approximation to the posterior under the prior N(0, C) for each coefficient of each class [2]_.
    With `penalty_factor` the prior of feature j is :math:`N(0, C / f_j)`, and flat for the factor
    0. Such a coefficient is not shrunk itself, but it is biased if features that it depends on are
    shrunk. Intervals are posterior intervals, there are no p-values and no tests, and `df` is the
    effective number of parameters :math:`\mathrm{tr}(H^{-1} J)`, with the Hessian J without the
    penalty. "robust" and "cluster" then estimate the variance of the penalised optimum around its
    own expectation.

    **With Jeffreys' prior**, that of `FirthClassifier`, H is the Fisher information at the maximum
    of the penalised likelihood. Coefficients are nearly unbiased, and p-values and intervals are
    those of Wald tests. ``confint(method="profile")`` gives intervals by the profile of the
    penalised likelihood, which are better for few samples.

    **Class weights** multiply the scores of samples and make no copies of them. The sandwich
    estimator accounts for this. The inverse information treats class weights as copies, and
    likelihoods are those of the weighted data.

    **Soft targets** are fractions of outcomes; "robust" is the usual choice for them [3]_.

    References
    ----------
    .. [1] H. White, "Maximum likelihood estimation of misspecified models", Econometrica 50, 1982.
       :doi:`10.2307/1912526`
    .. [2] D. J. C. MacKay, "The evidence framework applied to classification networks", Neural
       Computation 4, 1992. :doi:`10.1162/neco.1992.4.5.720`
    .. [3] L. E. Papke, J. M. Wooldridge, "Econometric methods for fractional response variables",
       Journal of Applied Econometrics 11, 1996.
       :doi:`10.1002/(SICI)1099-1255(199611)11:6<619::AID-JAE418>3.0.CO;2-1`

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skxent import LogisticClassifier, infer
    >>> X, y = load_iris(return_X_y=True)
    >>> X, y = X[50:], y[50:]  # versicolor and virginica
    >>> clf = LogisticClassifier(C=np.inf).fit(X, y)
    >>> inference = infer(clf, X, y)
    >>> print(inference.coef.round(3))
    [[ -2.465  -6.681   9.429  18.286 -42.638]]
    >>> print(inference.standard_errors.round(3))
    [[ 2.394  4.48   4.737  9.743 25.708]]
    """
    _check_options(covariance, groups, separation)
    clf, steps = classifier_and_steps(clf)
    data, weight = data_of_fit(clf, steps.transform(X), y, sample_weight, offset)
    copies, shares = copies_and_shares(weight, data.X.shape[0])
    classes = clf.classes_.tolist()
    base = 0 if reference is None else _position(reference, classes)
    codes = None if groups is None else group_codes(groups, data.X.shape[0], "X")
    names = steps.feature_names(clf)
    bias_reduced = has_jeffreys_prior(clf)
    if bias_reduced:
        found = jeffreys_optimum(clf, data, names)
    else:
        found = optimum(clf, data, names, separation == "limit")
    at = found.estimate
    score_covariance = ScoreCovariance(copies, codes)
    if covariance != "observed":
        at = replace(at, covariance=score_covariance.of(at, at.covariance))
    contrasts = at.map(base)
    coef = (contrasts @ at.theta[at.free].ravel()).reshape(len(classes) - 1, -1)
    V = _symmetric(contrasts @ at.covariance @ contrasts.T)
    if found.separated:
        coef, V = with_unbounded(data, coef, V, base)
    _warn(clf, covariance)
    return LikelihoodInference(
        classes=classes,
        reference=classes[base],
        terms=[*names, "intercept"] if data.fit_intercept else names,
        coef=_frozen(coef),
        covariance=_frozen(V),
        covariance_type=covariance,
        log_likelihood=found.log_likelihood,
        null_log_likelihood=null_log_likelihood(data, found.class_weight),
        deviance=0.0 - 2.0 * (found.log_likelihood + _entropy(at)),
        df=found.df,
        n_observations=float(copies.sum()),
        C=np.inf if penalty_of_fit(clf).is_zero else penalty_of(clf),
        penalty_factor=penalty_factors(clf, penalty_of(clf)),
        class_weighted=clf.class_weight is not None,
        bias_reduced=bias_reduced,
        _estimate=at,
        _weight=copies * shares,
        _clf=copy.copy(clf),
        _steps=steps.copy(),
        _X=X,
        _score_covariance=score_covariance,
    )


def _check_options(covariance: object, groups: ArrayLike | None, separation: object) -> None:
    if not isinstance(covariance, str) or covariance not in COVARIANCES:
        raise ValueError(f"covariance is {covariance!r}: pass one of {COVARIANCES}.")
    if (covariance == "cluster") != (groups is not None):
        raise ValueError(
            f"groups is {'missing' if groups is None else 'given'} with covariance={covariance!r}: "
            "pass groups with 'cluster', and only with it."
        )

    if not isinstance(separation, str) or separation not in SEPARATIONS:
        raise ValueError(f"separation is {separation!r}: pass one of {SEPARATIONS}.")
    if separation == "limit" and covariance != "observed":
        raise ValueError(
            f"separation is 'limit' with covariance={covariance!r}: its tests and intervals are "
            "those of likelihood ratios, for covariance='observed'."
        )


def _position(reference: object, classes: list[object]) -> int:
    if isinstance(reference, np.ndarray) or reference not in classes:
        raise ValueError(f"reference is {reference!r}: pass one of the classes {classes}.")
    return classes.index(reference)


def _entropy(at: LikelihoodEstimate) -> float:
    """Return the weighted sum of the entropies of targets, in nats; no loss is smaller."""
    targets = at.data.targets
    if targets.ndim == 1:
        return 0.0
    return float(at.weight @ entr(targets / targets.sum(axis=1, keepdims=True)).sum(axis=1))


def _frozen(values: Floats) -> Floats:
    values.flags.writeable = False
    return values


def _symmetric(A: Floats) -> Floats:
    return 0.5 * (A + A.T)


def _warn(clf: FittedLinearModel, covariance: str) -> None:
    C = penalty_of(clf)
    if not penalty_of_fit(clf).is_zero:
        variance = "C" if penalty_factors(clf, C) is None else "C / penalty_factor"
        message = (
            f"clf has a penalty, C={C:g}: its coefficients are shrunk, and intervals are those of "
            f"a Gaussian (Laplace) approximation to the posterior under the prior N(0, {variance}"
            "). There are no p-values; for tests fit with C=numpy.inf."
        )
    elif clf.class_weight is not None and covariance == "observed":
        message = (
            "clf has class weights, which the inverse of the observed information treats as copies "
            "of samples: pass covariance='robust'."
        )
    else:
        return
    warnings.warn(message, InferenceWarning, stacklevel=3)
