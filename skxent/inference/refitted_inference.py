"""Tests and intervals that fit the model again under constraints."""

from __future__ import annotations

from skxent.inference import term_tests
from skxent.inference.constrained_fits import objective_of
from skxent.inference.estimated_coefficients import EstimatedCoefficients
from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.inference.pipelines import Steps
from skxent.inference.score_covariance import ScoreCovariance
from skxent.inference.term_tests import KINDS, Refits, TermTests
from skxent.inference.terms import Terms, read_terms


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

    def _check_kind(self, kind: object) -> None:
        if not isinstance(kind, str) or kind not in KINDS:
            raise ValueError(f"kind is {kind!r}: pass one of {tuple(KINDS)}.")
        self._check_likelihood("term_tests", "kind='wald' or 'score'", kind == "likelihood_ratio")

    def _check_likelihood(self, what: str, instead: str, ratio: bool) -> None:
        """Require a fit without a penalty; for a ratio of likelihoods, that it has a known law."""
        if self.penalised:
            raise ValueError(
                f"{what} needs a fit that maximises the likelihood, but C is {self.C:g}: fit with "
                "C=numpy.inf."
            )
        if ratio and (self.class_weighted or self.covariance_type != "observed"):
            why = "class weights" if self.class_weighted else f"{self.covariance_type!r} covariance"
            raise ValueError(
                f"{what} with {why}: twice a difference of log-likelihoods is chi-squared only if "
                f"the model is correctly specified and samples count as they are. Use {instead}"
                f"{', with covariance=' + repr('robust') if self.class_weighted else ''}."
            )
