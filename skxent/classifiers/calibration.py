"""A calibrator: the map of predicted log-probabilities with the smallest cross-entropy."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from skxent.classifiers.calibration_fit import Calibration
from skxent.classifiers.linear_classifier import DocumentationLink, restored_on_error
from skxent.classifiers.linear_predictions import (
    labels_at,
    log_probabilities_at,
    probabilities_at,
)
from skxent.inputs.calibration_data import read_log_predictions, read_truth
from skxent.inputs.features import AnyArray
from skxent.inputs.fit_targets import Floats, sample_weights
from skxent.inputs.options import check_flag, check_option
from skxent.inputs.parameters import calibration_penalty, calibration_smoothing, check_tolerance
from skxent.inputs.stacklevel import users_stacklevel
from skxent.metrics.calibration_maps import FAMILIES
from skxent.metrics.scored_samples import MAX_LOSS

LEAST = -1e300  # log-probability below which sums of log-probabilities could overflow


class CalibratedPredictions(DocumentationLink, ClassifierMixin, BaseEstimator):
    """Labels and probabilities from the calibrated logits of `decision_function`."""

    classes_: np.ndarray

    @abstractmethod
    def decision_function(self, X: AnyArray) -> Floats:
        """Logits of calibrated predictions."""

    def predict(self, X: AnyArray) -> np.ndarray:
        """Most probable class of each sample after calibration.

        Parameters
        ----------
        X : array-like
            What `decision_function` takes.

        Returns
        -------
        ndarray of shape (n,)
            Labels.
        """
        return labels_at(self.decision_function(X), self.classes_)

    def predict_proba(self, X: AnyArray) -> Floats:
        """Calibrated probability of each class.

        Parameters
        ----------
        X : array-like
            What `decision_function` takes.

        Returns
        -------
        ndarray of shape (n, K)
            Probabilities, columns in the order of `classes_`.
        """
        return probabilities_at(self.decision_function(X))

    def predict_log_proba(self, X: AnyArray) -> Floats:
        """Calibrated log-probability of each class, computed from the logits.

        Parameters
        ----------
        X : array-like
            What `decision_function` takes.

        Returns
        -------
        ndarray of shape (n, K)
            Natural logarithms of the probabilities, columns in the order of `classes_`.
        """
        return log_probabilities_at(self.decision_function(X))


class LogitCalibrator(CalibratedPredictions):
    r"""Calibrator of predictions: the map of log-probabilities with the smallest cross-entropy.

    It is fitted to predictions of a classifier for samples that the classifier was not trained on,
    and the truth about these samples. Then it maps further predictions of this classifier:

    .. math:: \log q_{ik} = \sum_j a_{kj} z_{ij} + b_k - \text{normaliser}, \qquad
              z_{ik} = \log p_{ik} - \frac1K \sum_j \log p_{ij}

    Parameters
    ----------
    method : {"temperature", "bias", "vector", "matrix"}, default="temperature"
        The parameters of the map. All but "matrix" have :math:`a_{kj} = 0` for :math:`k \ne j`.

        * "temperature": one number :math:`a \ge 0` for all classes, the inverse of a temperature,
          and no b. The most probable class of a sample stays the same, unless a is 0 [1]_.
        * "bias": one number :math:`a \ge 0` and a number b for each class, for predictions that
          also have a class too often [2]_.
        * "vector": a number a and a number b for each class [1]_. With two classes this is beta
          calibration [3]_, without its bounds: a number a may be negative, and the order of samples
          by their probability may change.
        * "matrix": a number a for each pair of classes, and a number b for each class [1]_.
    C : "loo" or float, default="loo"
        Inverse strength of the penalty, which shrinks "temperature" to the predictions as they are,
        and the other maps to the best temperature; see Notes. "loo": leave-one-out losses choose
        C. `numpy.inf` means no penalty.
    smoothing : "auto", "loo" or float, default="auto"
        Share of the uniform distribution that is mixed into predictions before they are mapped, see
        Notes. "loo": leave-one-out losses choose it. "auto": "loo" for probabilities, and 0 with
        `from_logits`.
    from_logits : bool, default=False
        Whether X holds logits (log-probabilities, decision values) instead of probabilities.
    tol : float, default=1e-6
        Tolerance of the gap, which is the distance of the summed cross-entropy from its minimum, as
        in :class:`SoftmaxClassifier`.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The class of each column.
    slope_ : ndarray of shape (K,) or (K, K)
        The numbers a. With "matrix" they have shape (K, K), rows for the classes of q. They are
        equal with "temperature" and "bias".
    intercept_ : ndarray of shape (K,)
        The numbers b. A constant added to all of them changes no probability.
    C_ : float
        The inverse strength of the penalty. 0 means that the map is the one which the penalty
        shrinks to.
    Cs_ : ndarray of shape (n_Cs,)
        The values of C that were compared, ascending; the given one if `C` is a number.
    smoothing_ : float
        The share of the uniform distribution. 0 means that nothing is smoothed.
    loo_loss_ : ndarray of shape (n_Cs,)
        Mean leave-one-out loss of each value, in nats, weighted by `sample_weight`. Infinite if a
        fit has no finite minimum, which happens only without a penalty.
    log_likelihood_ : float
        Weighted sum of the log-probabilities of the truth after calibration, in nats.
    optimality_gap_ : float
        Estimate of the distance of the objective, the log-likelihood less the penalty, from its
        maximum, in nats; a bound, the whole loss, if no finite maximum was found.
    target_gap_ : float
        The gap at which the fit stops, in nats.
    converged_ : bool
        Whether the gap is at most `target_gap_` and the maximum is known to be at finite
        parameters.
    n_iter_ : int
        Number of Newton steps of the fit with `C_`, or iterations of L-BFGS with "matrix".
    floor_ : float
        Log-probability that replaces a log-probability of minus infinity. With probabilities it
        also replaces any smaller one.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray
        Names of the columns, if X has names that are strings.

    See Also
    --------
    CalibratedClassifier : Fits a classifier and its calibrator on held-out predictions.
    decompose_cross_entropy : Measures miscalibration, with the map "bias" for K >= 3.

    Notes
    -----
    Newton's method minimises the sum over samples to the gap that `tol` sets. The fit of "matrix"
    is that of :class:`SoftmaxClassifier` with an offset.

    **Penalty.** Let :math:`a^*` be 1 for "temperature", and else the number a of "temperature" with
    its own C by leave-one-out. The sum of losses is minimised together with

    .. math:: \frac{1}{2C} \Bigl( s^2 \sum_{kj} (a_{kj} - a^* \delta_{kj})^2 + \sum_k d_k^2 \Bigr)

    The sums are over the numbers that the map has. The scale s is the root mean square of z, so
    that C does not depend on the unit of the logits. With "vector" and "matrix" z has a centre m
    subtracted, which is the mean of z weighted by :math:`p (1 - p)`, and :math:`d_k` is the change
    of the logit at this centre. A prior standard deviation of :math:`\sqrt C` nats of every part of
    a logit means the same.

    **Smoothing** takes the logarithm of :math:`(1 - \epsilon) p + \epsilon / K` in place of p.
    It corrects what no map of logarithms can: probabilities that are exactly 0, such as those of
    forests, and errors that a classifier thinks nearly impossible. The order of the classes stays.
    "loo" finds the best of 0, 0.0001, 0.001, 0.01, 0.1 and 0.3 for "temperature": the smallest one
    whose sum of leave-one-out losses is at most one nat above the smallest sum. The other methods
    choose between this value and 0 by their own losses in the same way.

    **Leave-one-out** compares values of C by the loss of each sample in a fit without it, from one
    Newton step. Let S be the smallest sum of losses. The smallest C is chosen whose sum is at most
    :math:`S + 1 / (1 + S / 5)` nats, beginning with C = 0. If the predictions of all n samples are
    right, S is near 0, and larger numbers a have smaller sums without end. But n samples say
    nothing of error rates below 1 / n: the choice then expects about one error among them, or fewer
    if the predictions themselves do, because C = 0 comes first. "vector" could become certain of
    one class only. Its sums also have the mean loss of one more sample of a random class, which
    `loo_loss_` does not have. C is
    chosen from a random sample of at most 10,000 samples, or of fewer, but at least 1,000, if there
    are many classes. The map is fitted to all samples. Copies of a sample, and samples of one
    group, count as independent: C and the smoothing are then chosen with too little caution.

    **Two classes.** X may have one column, or be one-dimensional: the probability of the second
    class, or its logit.

    **Probabilities of 0 and 1.** A probability below 2.2e-16, the floor of the losses of skxent, is
    raised to this floor. Logits have no floor, but a logit of minus infinity is replaced by
    `floor_`: the smallest finite log-probability in the fit or the logarithm of 2.2e-16, whichever
    is less. Log-probabilities of classifiers that are far too confident, such as naive Bayes, may
    be minus thousands, and few samples then determine the map. Pass such predictions as
    probabilities, so that the floor bounds the influence of a sample.

    **No finite optimum.** If the predictions of all samples are right, the cross-entropy without a
    penalty falls forever as a grows, and a warning says so. With more parameters this also happens
    if other numbers a and b make the predictions right. The map is then far too confident. With a
    penalty a finite optimum always exists.

    **A class without weight** in y cannot be calibrated. With all methods but "temperature" it
    keeps its probability, and the map is fitted to the others.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
       ICML 2017. :doi:`10.48550/arXiv.1706.04599`
    .. [2] A. Alexandari, A. Kundaje, A. Shrikumar, "Maximum likelihood with bias-corrected
       calibration is hard-to-beat at label shift adaptation", ICML 2020.
       :doi:`10.48550/arXiv.1901.06852`
    .. [3] M. Kull, T. Silva Filho, P. Flach, "Beta calibration: a well-founded and easily
       implemented improvement on logistic calibration for binary classifiers", AISTATS 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.svm import SVC
    >>> from skxent import LogitCalibrator, categorical_cross_entropy
    >>> X, y = load_digits(return_X_y=True)
    >>> X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
    >>> X, X_held, y, y_held = train_test_split(X, y, stratify=y, random_state=0)
    >>> svm = SVC().fit(X, y)  # has decision values, and no probabilities
    >>> calibrator = LogitCalibrator(from_logits=True)
    >>> _ = calibrator.fit(svm.decision_function(X_held), y_held)
    >>> Z = svm.decision_function(X_test)
    >>> before = categorical_cross_entropy(y_test, Z, from_logits=True)
    >>> after = categorical_cross_entropy(y_test, calibrator.predict_proba(Z))
    >>> print(f"{before:.2f} nats before, {after:.2f} after")
    0.45 nats before, 0.12 after
    """

    def __init__(
        self,
        method: str = "temperature",
        *,
        C: str | float = "loo",
        smoothing: str | float = "auto",
        from_logits: bool = False,
        tol: float = 1e-6,
    ) -> None:
        self.method = method
        self.C = C
        self.smoothing = smoothing
        self.from_logits = from_logits
        self.tol = tol

    @restored_on_error
    def fit(
        self,
        X: AnyArray,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
    ) -> Self:
        """Fit the map.

        Parameters
        ----------
        X : array-like of shape (n, K), or (n, 1) or (n,) for two classes
            Predictions for samples that the classifier was not trained on.
        y : array-like of shape (n,) or (n, K)
            Labels, or soft targets: rows that are distributions over K classes.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights. If `C` is `numpy.inf` and `smoothing` a number, a weight of 2 is equivalent to
            two copies of the sample. The choices of C and of the smoothing leave out a sample with
            all its weight.
        classes : array-like of shape (K,) or None, default=None
            The class of each column of X. None means the column names of a data frame, else the
            distinct labels in ascending order, or 0 to K - 1 for soft targets.

        Returns
        -------
        LogitCalibrator
            The fitted calibrator itself.

        Raises
        ------
        ValueError
            If `X`, `y`, `sample_weight`, `classes` or a parameter has an invalid value, which the
            message names with its place.

        Warns
        -----
        ConvergenceWarning
            If no finite optimum exists or the fit did not reach it.
        UserWarning
            If a class has no weight and keeps its probability.
        """
        check_option("method", self.method, tuple(FAMILIES))
        check_flag(self.from_logits, "from_logits")
        check_tolerance(self.tol)
        C = calibration_penalty(self.C)
        smoothing = calibration_smoothing(self.smoothing, auto=0.0 if self.from_logits else None)
        log_p = read_log_predictions(self, X, from_logits=self.from_logits, reset=True)
        truth = read_truth(y, classes, X, *log_p.shape)
        weight = sample_weights(sample_weight, len(log_p))
        self.floor_ = min(-MAX_LOSS, _smallest(log_p)) if self.from_logits else -MAX_LOSS
        log_p, target = self._floored(log_p), truth.values
        target = target if target.ndim == 1 else truth.distributions()
        weight = np.ones(len(log_p)) if weight is None else weight
        self._calibration = Calibration.of(
            self.method, log_p, target, weight, float(self.tol), C, smoothing
        )
        self.classes_ = truth.classes
        self._set_attributes(float(weight.sum()))
        self._warn()
        return self

    def _set_attributes(self, total: float) -> None:
        chosen, fitted = self._calibration.chosen, self._calibration.fitted
        self.C_, self.Cs_, self.loo_loss_ = chosen.C, chosen.Cs, self._calibration.left_out_losses
        self.smoothing_ = self._calibration.smoothing
        self.slope_, self.intercept_ = self._calibration.parameters
        self.log_likelihood_ = -total * self._calibration.loss
        # Without a finite optimum the objective may still fall to 0, the least that it can be.
        gap = fitted.gap if fitted.finite else max(0.0, fitted.value)
        self.optimality_gap_, self.target_gap_ = total * gap, total * fitted.target
        self.converged_ = fitted.finite and fitted.gap <= fitted.target
        self.n_iter_ = fitted.n_steps

    def _floored(self, log_p: Floats) -> Floats:
        """Return finite log-probabilities."""
        if self.from_logits:
            return np.maximum(np.where(log_p == -np.inf, self.floor_, log_p), LEAST)
        return np.maximum(log_p, self.floor_)

    def _warn(self) -> None:
        """Warn about classes without weight, and if the fit did not converge."""
        name, stacklevel = type(self).__name__, users_stacklevel()
        absent = self.classes_[~self._calibration.present].tolist()
        if absent:
            warnings.warn(
                f"{name}: y has no samples with a weight of {', '.join(map(repr, absent))}. The "
                "map leaves these classes out, and they keep their probability.",
                stacklevel=stacklevel,
            )
        if self.converged_:
            return
        warnings.warn(
            f"{name}: {NOT_CONVERGED if self._calibration.fitted.finite else NOT_FINITE}".format(
                gap=self.optimality_gap_, target=self.target_gap_
            ),
            ConvergenceWarning,
            stacklevel=stacklevel,
        )

    def decision_function(self, X: AnyArray) -> Floats:
        """Logits of calibrated predictions.

        Parameters
        ----------
        X : array-like of shape (n, K), or (n, 1) or (n,) for two classes
            Predictions.

        Returns
        -------
        ndarray of shape (n,) or (n, K)
            Logits. Two classes have one logit, of the second class.
        """
        check_is_fitted(self)
        log_p = read_log_predictions(self, X, from_logits=self.from_logits, reset=False)
        logits = self._calibration.logits(self._floored(log_p))
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits


NOT_FINITE = (
    "no finite optimum was found. The predictions, or the map of them, are right for all samples "
    "or for all samples of some classes, so the cross-entropy keeps falling while probabilities go "
    'to 0 and 1, and the calibrated predictions are too confident. Pass C="loo" for a penalty, '
    "more samples, or a method with fewer parameters."
)
NOT_CONVERGED = (
    "the fit ended with a gap to the minimum of about {gap:.2g} nats, above the target of "
    "{target:.2g} nats, and no better point was found: look for extreme values in X or "
    "sample_weight, or raise tol if that is accurate enough."
)


def _smallest(log_p: Floats) -> float:
    return float(np.min(log_p, where=np.isfinite(log_p), initial=0.0))
