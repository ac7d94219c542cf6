"""Tests and intervals that fit the model again under constraints."""

from __future__ import annotations

from typing import Any

import numpy as np

from skxent.inference import term_tests
from skxent.inference.constrained_fits import objective_of
from skxent.inference.estimated_coefficients import EstimatedCoefficients
from skxent.inference.interval_estimates import normal_quantile
from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.inference.pipelines import Steps
from skxent.inference.profiles import Middle, Profile, ProfileCurve, curve, intervals
from skxent.inference.score_covariance import ScoreCovariance
from skxent.inference.term_tests import KINDS, Refits, TermTests
from skxent.inference.terms import Terms, read_terms
from skxent.inputs.fit_targets import Floats

METHODS = ("wald", "profile")


class RefittedInference(EstimatedCoefficients):
    """Tests and intervals that fit the model again; see `LikelihoodInference`."""

    _estimate: LikelihoodEstimate
    _steps: Steps
    _score_covariance: ScoreCovariance

    def term_tests(self, kind: str = "likelihood_ratio", terms: Terms | None = None) -> TermTests:
        """Return type II tests of whole terms, that all coefficients of a term are zero.

        A term has several coefficients if a category or a spline makes several features of one
        column, and always if there are more than two classes. Each term is tested in the model with
        all terms, except the terms that contain it, as the interaction of a and b contains a.

        Parameters
        ----------
        kind : {"likelihood_ratio", "wald", "score"}, default="likelihood_ratio"
            Statistic of the tests. Likelihood ratios fit the model again without the term. Wald
            tests need no further fit, and lose their power if coefficients are large. Score tests
            need the fit without the term, and hold their size better in small samples.
        terms : dict, formulaic.ModelMatrix or None, default=None
            The terms. None means a term for each column of X, with the features that a pipeline
            computes from the column. A dict has the names of terms as keys, and lists of names or
            indices of features as values; the name "a:b" is that of an interaction of "a" and "b".
            A model matrix tells the terms of its formula.

        Returns
        -------
        TermTests
            A test for each term, except the intercept.

        Raises
        ------
        ValueError
            If the fit has a penalty, or with "likelihood_ratio" class weights or a covariance other
            than "observed".
        """
        self._check_kind(kind)
        features = self.terms[: len(self._estimate.mean)]
        read = read_terms(terms, features, self._steps.origins(features))
        with objective_of(self._estimate) as objective:
            refits = Refits.of(self._estimate, objective)
            if kind == "wald":
                tests = term_tests.walds(refits, read)
            elif kind == "score":
                robust = self.covariance_type != "observed"
                tests = term_tests.scores(refits, read, self._score_covariance if robust else None)
            else:
                tests = term_tests.likelihood_ratios(refits, read)
        return TermTests(kind, self.covariance_type, [term.name for term in read], tests)

    def confint(self, level: float = 0.95, method: str = "wald") -> Floats:
        """Return Wald or profile intervals of the coefficients; see `LikelihoodInference`."""
        root = normal_quantile(level)
        _check_method(method)
        if method == "wald":
            return super().confint(level)
        self._check_likelihood("confint(method='profile')", "method='wald'", True)
        with objective_of(self._estimate) as objective:
            middle = Middle.of(self._estimate, objective, self.separated)
            ends = intervals(middle, self._contrast_map(), self.coef.ravel(), root)
        return ends.reshape(*self.coef.shape, 2)

    def to_frame(self, level: float = 0.95, method: str = "wald") -> Any:
        """Return a data frame with a row for each coefficient.

        Parameters
        ----------
        level : float, default=0.95
            Confidence level of the intervals.
        method : {"wald", "profile"}, default="wald"
            Kind of the intervals, see `confint`.

        Returns
        -------
        pandas.DataFrame
            Columns `class`, `term`, `estimate`, `std_error`, `statistic` (z), `p_value`, `conf_low`
            and `conf_high`. `class` is the class whose log-odds against the reference class the
            coefficient belongs to.

        Raises
        ------
        ImportError
            Without pandas.
        """
        return self._frame(self.confint(level, method))

    def profile(
        self, term: str, contrast: object = None, *, level: float = 0.99, n_points: int = 20
    ) -> ProfileCurve:
        """Return the profile of the likelihood along one coefficient.

        Parameters
        ----------
        term : str
            One of `terms`.
        contrast : label or None, default=None
            One of `contrasts`, the class whose log-odds against the reference class the coefficient
            is part of. It may be None if there are two classes.
        level : float, default=0.99
            The curve ends at the ends of the interval of this level.
        n_points : int, default=20
            Number of points on each side of the estimate.

        Returns
        -------
        ProfileCurve
            Values of the coefficient with the maximum of the log-likelihood for each.

        Raises
        ------
        ValueError
            For the same reasons as in `confint`, or if the coefficient is not in the model.
        """
        self._check_likelihood("profile", "confint(method='wald')", True)
        self._check_no_prior("profile", "confint(method='profile')")
        root = normal_quantile(level)
        if n_points < 1 or n_points != int(n_points):
            raise ValueError(f"n_points is {n_points!r}: pass a whole number, at least 1.")
        row, column = self._position(term, contrast)
        a = self._contrast_map()[row * len(self.terms) + column]
        estimate = float(self.coef[row, column])
        if np.isnan(estimate):
            raise ValueError(
                f"{term!r} has no profile: classes are separated, and the likelihood does not tell "
                "one value of this coefficient from another."
            )
        with objective_of(self._estimate) as objective:
            profile = Profile(Middle.of(self._estimate, objective, self.separated), a)
            values, log_likelihood, roots = curve(profile, estimate, root, int(n_points))
        return ProfileCurve(
            term=term,
            contrast=self.contrasts[row],
            reference=self.reference,
            estimate=estimate,
            std_error=float(self.standard_errors[row, column]),
            values=values,
            log_likelihood=log_likelihood,
            signed_root=roots,
        )

    def _contrast_map(self) -> Floats:
        """Return the coefficients as linear functions of the free parameters, (q, q)."""
        return self._estimate.map(self.classes.index(self.reference))

    def _position(self, term: object, contrast: object) -> tuple[int, int]:
        """Return the row and the column of a coefficient in `coef`."""
        if contrast is None and len(self.contrasts) == 1:
            contrast = self.contrasts[0]
        for name, value, known in (
            ("term", term, self.terms),
            ("contrast", contrast, self.contrasts),
        ):
            if value not in known:
                raise ValueError(f"{name} is {value!r}: pass one of {known}.")
        return self.contrasts.index(contrast), self.terms.index(str(term))

    def _check_kind(self, kind: object) -> None:
        if not isinstance(kind, str) or kind not in KINDS:
            raise ValueError(f"kind is {kind!r}: pass one of {tuple(KINDS)}.")
        self._check_likelihood("term_tests", "kind='wald' or 'score'", kind == "likelihood_ratio")
        if kind == "wald":
            self._check_bounded("term_tests(kind='wald')")
        else:
            self._check_no_prior(f"term_tests(kind={kind!r})", "kind='wald'")

    def _check_unpenalised(self, what: str) -> None:
        if self.penalised:
            raise ValueError(
                f"{what} needs a fit that maximises the likelihood, but C is {self.C:g}: fit with "
                "C=numpy.inf."
            )

    def _check_no_prior(self, what: str, instead: str) -> None:
        if self.bias_reduced:
            raise ValueError(
                f"{what} is for fits that maximise the likelihood: take {instead} for a "
                "FirthClassifier."
            )

    def _check_likelihood(self, what: str, instead: str, ratio: bool) -> None:
        """Require a fit without a penalty; for a ratio of likelihoods, that it has a known law."""
        self._check_unpenalised(what)
        if ratio and (self.class_weighted or self.covariance_type != "observed"):
            why = "class weights" if self.class_weighted else f"{self.covariance_type!r} covariance"
            raise ValueError(
                f"{what} with {why}: twice a difference of log-likelihoods is chi-squared only if "
                f"the model is correctly specified, without class weights, and samples are "
                f"independent. Use {instead}"
                f"{', with covariance=' + repr('robust') if self.class_weighted else ''}."
            )


def _check_method(method: object) -> None:
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"method is {method!r}: pass one of {METHODS}.")
