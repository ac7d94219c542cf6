r"""Tests of one model against another that was fitted to the same data.

**Vuong's test** compares two models that are not nested, and need not be right. With the
log-likelihoods :math:`\ell_i` and :math:`\ell'_i` of sample i in nats, the hypothesis is that
:math:`\mathrm E\, (\ell_i - \ell'_i) = 0`: both models are equally near the truth. The statistic is
the sum of the differences over its standard error, and is about standard normal [1]_.

References
----------
.. [1] Q. H. Vuong, "Likelihood ratio tests for model selection and non-nested hypotheses",
   Econometrica 57, 1989. :doi:`10.2307/1912557`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from skxent.inference.interval_estimates import ChiSquareTest
from skxent.inference.jeffreys_profile import JeffreysProfile
from skxent.inference.linear_dependence import outside
from skxent.inference.refitted_inference import RefittedInference
from skxent.inference.tidy import TidyResult
from skxent.inputs.fit_targets import Floats
from skxent.metrics.means import estimate
from skxent.metrics.tables import Column

SAME = 1e-12  # largest relative difference of equal weights that is due to rounding
CORRECTIONS = (None, "aic", "bic")
WEIGHTED = "wald_test with covariance='robust'"  # the test to use with class weights


@dataclass(frozen=True, repr=False)
class VuongTest(TidyResult):
    """Vuong's test of two models that are not nested.

    The columns of `to_frame()` are `test`, `estimate`, `std_error`, `statistic` and `p_value`.

    Attributes
    ----------
    estimate : float
        Log-likelihood of this model less that of the other, in nats, after the correction. If it is
        above zero, this model is nearer to the data.
    std_error : float
        Standard error of `estimate`.
    statistic : float
        `estimate` / `std_error`, standard normal under the hypothesis.
    p_value : float
        Two-sided: the probability, under the hypothesis that both models are equally near the
        truth, of a statistic at least as far from zero.
    correction : {"aic", "bic"} or None
        What was subtracted for the number of coefficients.

    See Also
    --------
    LikelihoodInference.vuong_test : Returns this class.
    """

    estimate: float
    std_error: float
    statistic: float
    p_value: float
    correction: str | None

    def __repr__(self) -> str:
        return (
            f"VuongTest(estimate={self.estimate:.8g}, std_error={self.std_error:.8g}, "
            f"statistic={self.statistic:.8g}, p_value={self.p_value:.4g}, "
            f"correction={self.correction!r})"
        )

    def _title(self) -> str:
        return "Vuong test of models that are not nested"

    def _tidy(self) -> dict[str, Column]:
        corrected = "" if self.correction is None else f", {self.correction.upper()}"
        return {
            "test": [f"Vuong{corrected}"],
            "estimate": [self.estimate],
            "std_error": [self.std_error],
            "statistic": [self.statistic],
            "p_value": [self.p_value],
        }

    def _heads(self) -> Mapping[str, str]:
        return {"estimate": "nats", "statistic": "z", "p_value": "P(>|z|)"}


class ComparedInference(RefittedInference):
    """Tests of this model against others; see `LikelihoodInference`."""

    _weight: Floats

    def likelihood_ratio_test(self, other: ComparedInference | None = None) -> ChiSquareTest:
        """Return the likelihood-ratio test of a model that is nested in this model.

        Parameters
        ----------
        other : LikelihoodInference or None, default=None
            The smaller model, fitted to the same targets, weights and offset. Its features are some
            features of this model, or linear combinations of them. None means the model without
            features, that of `null_log_likelihood`.

        Returns
        -------
        ChiSquareTest
            The statistic is twice the difference of the log-likelihoods, and the degrees of freedom
            are the difference of the numbers of coefficients. For a `FirthClassifier` it is twice
            the difference of the penalised log-likelihoods, and the prior of the model without
            features is that of this model with coefficients of zero.

        Raises
        ------
        ValueError
            If the models have different data, are not nested, or have a penalty or class weights,
            or if `other` is given for a `FirthClassifier`.
        TypeError
            If `other` is not a result of `infer`.
        """
        if not (other is None or isinstance(other, ComparedInference)):
            raise TypeError(
                f"other is a {type(other).__name__}: pass what infer returns for the smaller model."
            )
        self._check_no_class_weight("likelihood_ratio_test", WEIGHTED)
        if other is None:
            n_free = (len(self.classes) - 1) * len(self._estimate.mean)
            if self.bias_reduced:
                slopes = np.arange(self._estimate.theta.shape[1]) < len(self._estimate.mean)
                return ChiSquareTest.of(self._profile().ratio_statistic(slopes), n_free)
            return self._ratio_test(self.null_log_likelihood, n_free)
        other._check_no_class_weight("likelihood_ratio_test", WEIGHTED)
        if self.bias_reduced or other.bias_reduced:
            raise ValueError(
                "likelihood_ratio_test compares two models only if both maximise the likelihood, "
                "and a FirthClassifier does not: use wald_test, or confint(method='profile')."
            )
        self._check_same_data(other)
        df = round(self.df - other.df)
        if df <= 0:
            raise ValueError(
                "other is not nested in this model, it has as many coefficients or more: call the "
                "method of the larger model and pass the smaller one."
            )
        beyond = outside(self._estimate, other._estimate)
        if len(beyond):
            raise ValueError(
                f"other is not nested in this model: {other.terms[beyond[0]]!r} is no linear "
                "combination of this model's columns."
            )
        return self._ratio_test(other.log_likelihood, df)

    def vuong_test(self, other: ComparedInference, *, correction: str | None = None) -> VuongTest:
        r"""Return Vuong's test of another model of the same data, not nested in this one.

        Parameters
        ----------
        other : LikelihoodInference
            A model fitted to the same targets, weights and offset, with other features. Neither
            model contains all features of the other.
        correction : {"aic", "bic"} or None, default=None
            What to subtract from the difference of the log-likelihoods for p - p' more
            coefficients: p - p' as in `aic`, or (p - p') / 2 times log(`n_observations`) as in
            `bic`, or nothing.

        Returns
        -------
        VuongTest
            The difference of the log-likelihoods, with its standard error and the test that it is
            zero. With a covariance of "cluster" samples may depend on each other within the groups
            of this model.

        Raises
        ------
        ValueError
            If the models have different data, one is nested in the other, or a model has a penalty
            or class weights or is a `FirthClassifier`. Also if no sample has two different
            log-likelihoods.
        TypeError
            If `other` is not a result of `infer`.

        See Also
        --------
        compare : The same test of the losses of any models, on samples that they were not fitted
            to.

        Notes
        -----
        The standard error is that of :func:`mean_loss_interval` times the total weight. For
        independent samples it has n - 1 in its denominator, as in the function `vuong` of the R
        package pscl. Vuong divides by n, as the R package nonnest2 does.

        If the features that only one model has explain nothing, the models predict the same, and
        the statistic is not normal. Test first that these features explain something.
        """
        if not isinstance(other, ComparedInference):
            raise TypeError(f"other is a {type(other).__name__}: pass what infer returns.")
        _check_correction(correction)
        for model in (self, other):
            model._check_no_prior("vuong_test", "compare")
            model._check_no_class_weight("vuong_test", "compare")
        self._check_same_data(other)
        for larger, smaller in ((self, other), (other, self)):
            if not len(outside(larger._estimate, smaller._estimate)):
                raise ValueError(
                    "vuong_test is for models that are not nested, and one of these is nested in "
                    "the other: use likelihood_ratio_test of the larger model."
                )
        one, two = (model._estimate.log_likelihoods() for model in (self, other))
        copies, codes = self._score_covariance.copies, self._score_covariance.codes
        shares = np.divide(self._weight, copies, out=np.zeros_like(copies), where=copies > 0)
        size = float(max(np.abs(one).max(), np.abs(two).max()))
        found = estimate(one - two, copies, shares, codes, size)
        per_coefficient = {
            None: 0.0,
            "aic": 1.0,
            "bic": 0.5 * float(np.log(self.n_observations)),
        }[correction]
        difference = found.total - per_coefficient * (self.df - other.df)
        error = found.standard_error * found.weight
        if not error > 0:
            raise ValueError(
                "vuong_test needs a difference of log-likelihoods that varies between samples, but "
                "the two models make the same predictions, or there is one sample or group: pass "
                "models that predict differently, for two or more samples."
            )
        z = difference / error
        return VuongTest(difference, error, z, float(2.0 * norm.sf(abs(z))), correction)

    def _profile(self) -> JeffreysProfile:
        return JeffreysProfile.of(self._estimate, self.classes.index(self.reference))

    def _check_no_class_weight(self, what: str, instead: str) -> None:
        self._check_unpenalised(what)
        if self.class_weighted:
            raise ValueError(
                f"{what} needs a likelihood that is not weighted by class: use {instead}."
            )

    def _check_same_data(self, other: ComparedInference) -> None:
        own, its = self._estimate, other._estimate
        same = (
            self.classes == other.classes
            and np.array_equal(own.data.targets, its.data.targets)
            and np.allclose(own.weight, its.weight, rtol=SAME, atol=0.0)
            and _same_offset(own.data.offset, its.data.offset)
        )
        if not same:
            raise ValueError(
                "other was made from other data: pass a result for the same y, weights and offset, "
                "in the same order."
            )

    def _null_test(self) -> ChiSquareTest | None:
        """Return the test of the model without features; None with penalty or class weights."""
        return None if self.penalised or self.class_weighted else self.likelihood_ratio_test()

    def _ratio_test(self, log_likelihood: float, df: int) -> ChiSquareTest:
        statistic = max(2.0 * (self.log_likelihood - log_likelihood), 0.0)
        return ChiSquareTest.of(statistic, df, "likelihood-ratio")


def _check_correction(correction: object) -> None:
    known = correction is None or isinstance(correction, str)
    if not known or correction not in CORRECTIONS:
        raise ValueError(f"correction is {correction!r}: pass one of {CORRECTIONS}.")


def _same_offset(own: Floats | None, its: Floats | None) -> bool:
    """Tell whether two models have the same offset, but for rounding; None means zeros."""
    zero = np.zeros((1, 1))
    one, other = (zero if offset is None else offset for offset in (own, its))
    largest = max(np.abs(one).max(), np.abs(other).max())
    return bool(np.allclose(one, other, rtol=0.0, atol=SAME * largest))
