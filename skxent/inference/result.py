"""What the likelihood says of the coefficients: the result of `infer`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from skxent.inference import summary
from skxent.inference.estimated_coefficients import EstimatedCoefficients
from skxent.inference.fitted import FittedLinearModel
from skxent.inference.hypotheses import hypotheses
from skxent.inference.interval_estimates import ChiSquareTest, IntervalEstimates, normal_quantile
from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.inference.linear_dependence import outside
from skxent.inputs.features import read_rows
from skxent.inputs.fit_targets import Floats

SAME = 1e-12  # relative difference of weights that are the same but for rounding
DEPENDENT = 1e-12  # reciprocal condition of a covariance that cannot be inverted


@dataclass(frozen=True, eq=False, repr=False)
class LikelihoodInference(EstimatedCoefficients):
    r"""What the likelihood of a fitted classifier says of its coefficients. Made by `infer`.

    Coefficients are **contrasts**, :math:`\beta_k - \beta_{\mathrm{ref}}`, the log-odds of a class
    against the reference class: `coef`, `standard_errors`, `z` and `p_values` have the shape
    (K - 1, d + 1), a row for every class but the reference in the order of `classes`, the intercept
    last; or (K - 1, d) without intercept. The optimum is where Newton steps from the parameters of
    the classifier end, so that numbers have ten digits or so whatever the `tol` of the fit.

    Attributes
    ----------
    classes : list of length K
        Labels.
    reference : label
        The class that the others are compared with.
    terms : list of length d + 1
        Names of the features, and "intercept".
    coef : ndarray of shape (K - 1, d + 1)
        Contrasts.
    covariance : ndarray of shape ((K - 1)(d + 1), (K - 1)(d + 1))
        Of `coef`, row-major.
    covariance_type : {"observed", "robust", "cluster"}
        What it comes from.
    log_likelihood : float
        Weighted, without the penalty, in nats. Of soft targets it is the negative cross-entropy.
    null_log_likelihood : float
        The same of the model with intercepts alone; without intercept, of all logits zero.
    deviance : float
        :math:`2 \sum_i w_i D(y_i \| p_i)`, which is -2 `log_likelihood` for labels.
    df : float
        Degrees of freedom: the number of coefficients, or :math:`\mathrm{tr}(H^{-1} J)` with the
        Hessians H with and J without the penalty.
    n_observations : float
        Sum of the sample weights, or number of samples where weights are not all whole numbers.
    C : float
        Of the fit.
    class_weighted : bool
        Whether the fit had class weights.
    contrasts : list of length K - 1
        Labels of the rows of `coef`.
    penalised : bool
        Whether the fit had a penalty, so that intervals are of a posterior.
    standard_errors, z, p_values : ndarray of shape (K - 1, d + 1)
        Of `coef`; p-values are two-sided, and NaN with a penalty.
    pseudo_r2 : float
        McFadden's, 1 - `log_likelihood` / `null_log_likelihood`.
    aic, bic : float
        Information criteria, -2 `log_likelihood` and 2 or log(`n_observations`) for each of `df`.

    See Also
    --------
    infer : Makes it.
    """

    _estimate: LikelihoodEstimate = field(repr=False)
    _weight: Floats = field(repr=False)
    _clf: FittedLinearModel = field(repr=False)

    def wald_test(self, R: ArrayLike, r: ArrayLike = 0.0) -> ChiSquareTest:
        """Test linear hypotheses R beta = r on the coefficients.

        Parameters
        ----------
        R : array-like of shape (m, (K - 1)(d + 1)) or ((K - 1)(d + 1),)
            A row for each hypothesis, for the coefficients in row-major order.
        r : array-like of shape (m,) or float, default=0
            Right-hand sides.

        Returns
        -------
        ChiSquareTest
            With m degrees of freedom.

        Raises
        ------
        ValueError
            If rows of R depend on each other, or there is a penalty.
        """
        self._check_unpenalised("wald_test")
        rows, right = hypotheses(R, r, self.coef.size)
        # In centred coordinates, where slopes keep the digits that intercepts far away would cost.
        centred = rows @ self._estimate.map(self.classes.index(self.reference))
        V = centred @ self._estimate.covariance @ centred.T
        scale = np.sqrt(np.diagonal(V))
        if not scale.all() or np.linalg.cond(V / np.outer(scale, scale)) * DEPENDENT > 1.0:
            raise ValueError(
                "R has rows that depend on each other, or as many as the covariance has groups: "
                "leave rows out."
            )
        excess = (rows @ self.coef.ravel() - right) / scale
        statistic = excess @ np.linalg.solve(V / np.outer(scale, scale), excess)
        return ChiSquareTest.of(float(statistic), len(rows))

    def likelihood_ratio_test(self, other: LikelihoodInference | None = None) -> ChiSquareTest:
        """Test a model that is nested in this one, by twice the difference of log-likelihoods.

        Parameters
        ----------
        other : LikelihoodInference or None, default=None
            The smaller model, of the same targets and weights: its features are some of this
            model's, or linear combinations of them. None is the model of `null_log_likelihood`.

        Returns
        -------
        ChiSquareTest
            With as many degrees of freedom as `other` has coefficients less.

        Raises
        ------
        ValueError
            If the data differ, or the models are not nested, have a penalty or class weights.
        TypeError
            If `other` is no inference.
        """
        if not (other is None or isinstance(other, LikelihoodInference)):
            raise TypeError(
                f"other is a {type(other).__name__}: pass what infer returns for the smaller model."
            )
        self._check_no_class_weight()
        if other is None:
            n_free = (len(self.classes) - 1) * len(self._estimate.mean)
            return self._ratio_test(self.null_log_likelihood, n_free)
        other._check_no_class_weight()
        self._check_same_data(other)
        df = round(self.df - other.df)
        if df <= 0:
            raise ValueError(
                "other is not nested in this model, it has as many coefficients or more: test the "
                "smaller model from the larger one."
            )
        beyond = outside(self._estimate, other._estimate)
        if len(beyond):
            raise ValueError(
                f"other is not nested in this model: {other.terms[beyond[0]]!r} is no linear "
                "combination of this model's columns."
            )
        return self._ratio_test(other.log_likelihood, df)

    def odds_ratios(self, level: float = 0.95) -> IntervalEstimates:
        """Factors of the odds against the reference for one unit more of a feature, exp(coef).

        Parameters
        ----------
        level : float, default=0.95
            Probability of the intervals, which are those of the coefficients, exponentiated.

        Returns
        -------
        IntervalEstimates
            Of shape (K - 1, d); the standard errors are by the delta method.
        """
        d = len(self._estimate.mean)
        with np.errstate(over="ignore"):
            ratio = np.exp(self.coef[:, :d])
            low, high = np.exp(np.moveaxis(self.confint(level)[:, :d], -1, 0))
            error = ratio * self.standard_errors[:, :d]
        return IntervalEstimates(ratio, error, low, high, level, self.contrasts, self.terms[:d])

    def marginal_effects(self, level: float = 0.95) -> IntervalEstimates:
        """Average marginal effects: the mean derivative of each probability by each feature.

        Parameters
        ----------
        level : float, default=0.95
            Probability of the intervals.

        Returns
        -------
        IntervalEstimates
            Of shape (K, d), a row for every class; they add up to zero over classes. Weighted by
            the sample weights. The standard errors are by the delta method. A feature of zeros and
            ones is treated as any other.
        """
        effects, error = self._estimate.marginal_effects(self._weight)
        half = normal_quantile(level) * error
        return IntervalEstimates(
            effects,
            error,
            effects - half,
            effects + half,
            level,
            self.classes,
            self.terms[: len(self._estimate.mean)],
        )

    def predict_proba_interval(self, X: Any, level: float = 0.95) -> IntervalEstimates:
        r"""Probabilities of samples with intervals of what is not known about the coefficients.

        The delta method is applied to the log-odds of each class against the rest, :math:`\log(p_k
        / (1 - p_k))`, and its interval is transformed: ends are within 0 and 1, for two classes the
        interval is that of the logit, and those of the two mirror each other. Each class has an
        interval of its own; they are not simultaneous.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples.
        level : float, default=0.95
            Probability of each interval.

        Returns
        -------
        IntervalEstimates
            Of shape (n, K), columns in the order of `classes`.
        """
        quantile = normal_quantile(level)
        logit, error = self._estimate.log_odds(read_rows(self._clf, X, reset=False))
        half = quantile * error
        return IntervalEstimates(
            expit(logit),
            expit(logit) * expit(-logit) * error,
            expit(logit - half),
            expit(logit + half),
            level,
            list(range(len(logit))),
            self.classes,
        )

    def summary(self) -> str:
        """Plain text within 80 columns.

        Returns
        -------
        str
            The model's numbers and a table of coefficients.
        """
        return summary.as_text(self, self._null_test())

    def _repr_html_(self) -> str:
        return summary.as_html(self, self._null_test())

    def __repr__(self) -> str:
        return (
            f"LikelihoodInference(classes={self.classes}, reference={self.reference!r}, "
            f"log_likelihood={self.log_likelihood:.8g}, df={self.df:.6g}, "
            f"covariance_type={self.covariance_type!r})"
        )

    def _check_unpenalised(self, what: str) -> None:
        if self.penalised:
            raise ValueError(
                f"{what} is for a maximum of the likelihood, but C is {self.C:g}: fit with "
                "C=numpy.inf."
            )

    def _check_no_class_weight(self) -> None:
        self._check_unpenalised("likelihood_ratio_test")
        if self.class_weighted:
            raise ValueError(
                "likelihood_ratio_test is for the likelihood of data, and this one is weighted by "
                "class: use wald_test, with covariance='robust'."
            )

    def _check_same_data(self, other: LikelihoodInference) -> None:
        own, its = self._estimate, other._estimate
        same = (
            self.classes == other.classes
            and np.array_equal(own.data.targets, its.data.targets)
            and np.allclose(own.weight, its.weight, rtol=SAME, atol=0.0)
        )
        if not same:
            raise ValueError(
                "other was made from other data: pass one with the same y and weights, in the same "
                "order."
            )

    def _null_test(self) -> ChiSquareTest | None:
        """Return the test of the model without features, if the likelihood is that of the data."""
        return None if self.penalised or self.class_weighted else self.likelihood_ratio_test()

    def _ratio_test(self, log_likelihood: float, df: int) -> ChiSquareTest:
        return ChiSquareTest.of(max(2.0 * (self.log_likelihood - log_likelihood), 0.0), df)
