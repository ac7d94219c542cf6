"""The result of `infer`: tests, effects and intervals of predictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skxent.inference import summary
from skxent.inference.estimated_effects import EstimatedEffects
from skxent.inference.hypotheses import hypotheses, quadratic_form
from skxent.inference.interval_estimates import ChiSquareTest, IntervalEstimates, normal_quantile
from skxent.inference.model_comparison import ComparedInference
from skxent.inputs.features import AnyArray
from skxent.inputs.fit_targets import Floats


class LikelihoodInference(ComparedInference, EstimatedEffects):
    r"""Coefficients of a fitted classifier with standard errors, intervals and tests.

    It is the result of `infer`. Coefficients are **contrasts**, :math:`\beta_k -
    \beta_{\mathrm{ref}}`, the log-odds of a class against the reference class. `coef`,
    `standard_errors`, `z` and `p_values` have the shape (K - 1, d + 1): a row for every class
    except the reference, in the order of `classes`, with the intercept last. Without an intercept
    the shape is (K - 1, d). Newton steps from the parameters of the classifier lead to the optimum,
    so numbers have about ten digits whatever the `tol` of the fit.

    Attributes
    ----------
    classes : list of length K
        Labels.
    reference : label
        The reference class.
    terms : list of length d + 1
        Names of the features, and "intercept".
    coef : ndarray of shape (K - 1, d + 1)
        Contrasts. If classes are separated, some are infinite, or NaN if the likelihood does not
        determine them.
    covariance : ndarray of shape ((K - 1)(d + 1), (K - 1)(d + 1))
        Covariance of `coef`, row-major.
    covariance_type : {"observed", "robust", "cluster"}
        Estimator of the covariance.
    log_likelihood : float
        Weighted log-likelihood without the penalty, in nats. For soft targets it is the negative
        cross-entropy.
    null_log_likelihood : float
        Log-likelihood of the model with intercepts alone, or, without intercepts, of zero logits.
        The offset of the fit is added to these logits.
    deviance : float
        :math:`2 \sum_i w_i D(y_i \| p_i)`, which is -2 `log_likelihood` for labels.
    df : float
        Degrees of freedom: the number of coefficients, or :math:`\mathrm{tr}(H^{-1} J)` with the
        Hessians H with and J without the penalty.
    n_observations : float
        Sum of the sample weights, or number of samples if not all weights are whole numbers.
    C : float
        Inverse strength of the penalty of the fit.
    penalty_factor : ndarray of shape (d,) or None
        Factors of the penalty by feature. None if all are one.
    class_weighted : bool
        Whether the fit has class weights.
    bias_reduced : bool
        Whether the fit has Jeffreys' prior, as that of `FirthClassifier`.
    n_features : int
        Number of features, d.
    column_terms : dict of str -> list of int
        For each column of X the indices of the features that a pipeline computes from it.
    separated : bool
        Whether classes are separated, so that some coefficients are infinite or NaN.
    contrasts : list of length K - 1
        Labels of the rows of `coef`.
    penalised : bool
        Whether the fit has a penalty, so that intervals are posterior intervals.
    standard_errors, z, p_values : ndarray of shape (K - 1, d + 1)
        Standard errors, z statistics and two-sided p-values of `coef`. With a penalty, p-values are
        NaN.
    pseudo_r2 : float
        McFadden's pseudo R2, 1 - `log_likelihood` / `null_log_likelihood`.
    aic, bic : float
        Information criteria: -2 `log_likelihood` plus 2 `df`, or plus log(`n_observations`) `df`.

    See Also
    --------
    infer : Returns this class.
    """

    def confint(self, level: float = 0.95, method: str = "wald") -> Floats:
        """Return intervals of the coefficients; posterior intervals with a penalty.

        Parameters
        ----------
        level : float, default=0.95
            Confidence level.
        method : {"wald", "profile"}, default="wald"
            * "wald": estimates plus and minus a multiple of their standard errors.
            * "profile": the values that a likelihood-ratio test does not reject; for a
              `FirthClassifier` the test is that of the penalised likelihood [1]_. Profile intervals
              fit the model again several times for each end. They need not be symmetric, and
              exclude values that Wald intervals contain near separation. The penalised likelihood
              of three or more classes may have several maxima under one constraint; an end is at
              the highest of those that a few fits from different starts find.

        Returns
        -------
        ndarray of shape (K - 1, d + 1, 2)
            Low and high ends. Infinite coefficients have no Wald interval; their profile intervals
            have one end, and those of coefficients that the likelihood does not determine have
            none. An end of a profile that is farther than 1e8 standard errors from the estimate is
            infinite, too.

        Raises
        ------
        ValueError
            With "profile" if the fit has a penalty or class weights, or a covariance other than
            "observed".

        References
        ----------
        .. [1] G. Heinze, M. Schemper, "A solution to the problem of separation in logistic
           regression", Statistics in Medicine 21, 2002. :doi:`10.1002/sim.1047`
        """
        if method != "profile" or not self.bias_reduced:
            return super().confint(level, method)
        if self.covariance_type != "observed":
            raise ValueError(
                "method='profile' is for covariance='observed', because the likelihood knows no "
                f"other covariance: take method='wald' for {self.covariance_type!r}."
            )
        return self._profile().intervals(normal_quantile(level)).reshape(*self.coef.shape, 2)

    def wald_test(self, R: ArrayLike, r: ArrayLike = 0.0) -> ChiSquareTest:
        """Return the Wald test of linear hypotheses R beta = r on the coefficients.

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
            If rows of R are linearly dependent, if the fit has a penalty, or if hypotheses are
            about coefficients that are infinite.
        """
        self._check_unpenalised("wald_test")
        rows, right = hypotheses(R, r, self.coef.size)
        bounded = np.isfinite(self.coef).ravel()
        if rows[:, ~bounded].any():
            self._check_bounded("wald_test of infinite coefficients")
        # Centred coordinates avoid cancellation between slopes and the intercept.
        centred = rows @ self._estimate.map(self.classes.index(self.reference))
        V = centred @ self._estimate.covariance @ centred.T
        singular = (
            "R has rows that depend on each other, or as many rows as the covariance has groups: "
            "leave rows out."
        )
        statistic = quadratic_form(
            V, rows[:, bounded] @ self.coef.ravel()[bounded] - right, singular
        )
        return ChiSquareTest.of(statistic, len(rows), "Wald")

    def odds_ratios(self, level: float = 0.95, method: str = "wald") -> IntervalEstimates:
        """Return odds ratios, exp(coef): factors of the odds when a feature grows by one unit.

        Parameters
        ----------
        level : float, default=0.95
            Confidence level. The intervals are the exponentials of those of the coefficients.
        method : {"wald", "profile"}, default="wald"
            Kind of the intervals, see `confint`.

        Returns
        -------
        IntervalEstimates
            Odds ratios of shape (K - 1, d), with standard errors by the delta method. Statistics
            and p-values are those of the coefficients: the hypothesis is a ratio of 1.
        """
        d = self.n_features
        return IntervalEstimates.of_exponentials(
            self.coef[:, :d],
            self.standard_errors[:, :d],
            self.confint(level, method)[:, :d],
            level,
            tested=not self.penalised,
            rows=self.contrasts,
            columns=self.terms[:d],
            title=f"Odds ratios against {self.reference!r}, {self._intervals(level, method)}",
        )

    def predict_proba_interval(
        self, X: AnyArray, level: float = 0.95, *, offset: ArrayLike | None = None
    ) -> IntervalEstimates:
        r"""Return probabilities of samples with intervals for the uncertainty of the coefficients.

        The delta method is applied to the log-odds of each class against the rest, :math:`\log(p_k
        / (1 - p_k))`, and the interval is transformed, so its ends are between 0 and 1. For two
        classes it is the interval of the logit, and the intervals of the two classes mirror each
        other. The intervals of several classes are not simultaneous.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples, before the steps of the pipeline if the classifier is the last of them.
        level : float, default=0.95
            Confidence level of each interval.
        offset : array-like of shape (n,) or (n, K), 0, or None, default=None
            Offset of the samples, a part of their logits that has no error. After a fit with an
            offset it is required; 0 stands for logits without one.

        Returns
        -------
        IntervalEstimates
            Probabilities of shape (n, K), columns in the order of `classes`.

        Raises
        ------
        ValueError
            If the classifier was fitted with an offset, and there is none.
        """
        self._check_bounded("predict_proba_interval")
        X = self._features(X)
        known = self._offset(offset, X.shape[0], "predict_proba_interval")
        logit, error = self._estimate.log_odds(X, known)
        return IntervalEstimates.of_log_odds(
            logit,
            error,
            level,
            rows=list(range(len(logit))),
            columns=self.classes,
            names=("sample", "class"),
            title=f"Probabilities, {self._intervals(level)}",
        )

    def summary(self) -> str:
        """Return a summary as plain text, which `print` shows.

        Returns
        -------
        str
            Log-likelihood, criteria and a table of coefficients, at most as wide as the terminal or
            80 columns.
        """
        return summary.as_text(self, self._null_test())

    def _repr_html_(self) -> str:
        return summary.as_html(self, self._null_test())

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return (
            f"LikelihoodInference(classes={self.classes}, reference={self.reference!r}, "
            f"log_likelihood={self.log_likelihood:.8g}, df={self.df:.6g}, "
            f"covariance_type={self.covariance_type!r})"
        )
