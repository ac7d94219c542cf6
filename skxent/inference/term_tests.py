r"""Tests of whole terms, each against the model that has all terms but those that contain it.

Type II tests compare, for a term, two models. The **larger** model lacks the terms that contain the
term, and the **smaller** model lacks the term as well. Under the hypothesis that the larger model
is right and the coefficients of the term are zero, each statistic is chi-squared, with a degree of
freedom for every coefficient of the term:

* likelihood ratio: twice the difference of the maxima of the log-likelihoods;
* Wald: the statistic of the coefficients of the term. If other terms contain it, these are left out
  by the quadratic approximation of the log-likelihood, as in the function Anova of the R package
  car [1]_: the statistic is that of the term and the terms that contain it, less that of the latter
  alone;
* score, Rao: :math:`g^\top H^{-1} g` with the gradient and the Hessian of the larger model at the
  optimum of the smaller model.

With :math:`g_t` of the term and the Hessian's blocks, the robust score statistic is
:math:`g_t^\top (M^\top B M)^{-1} g_t`, where B is the meat of the sandwich at the optimum of the
smaller model and :math:`M^\top = (-H_{ts} H_{ss}^{-1}, I)` for the parameters s of the smaller
model [2]_.

References
----------
.. [1] J. Fox, S. Weisberg, "An R Companion to Applied Regression", 3rd edition, Sage, 2019.
.. [2] D. D. Boos, "On generalized score tests", The American Statistician 46, 1992.
   :doi:`10.2307/2685328`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from skxent.inference.constrained_fits import (
    Coordinates,
    constrained_minimum,
    free,
    point_at,
    solved,
)
from skxent.inference.hypotheses import quadratic_form
from skxent.inference.interval_estimates import ChiSquareTest
from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.inference.score_covariance import ScoreCovariance
from skxent.inference.terms import Term
from skxent.inference.tidy import TidyResult
from skxent.inputs.fit_targets import Floats
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise import preconditioners
from skxent.metrics.tables import Column

KINDS = {"likelihood_ratio": "Likelihood-ratio tests", "wald": "Wald tests", "score": "Score tests"}


@dataclass(frozen=True, eq=False, repr=False)
class TermTests(TidyResult):
    """Tests that all coefficients of a term are zero, a test for each term.

    The columns of `to_frame()` are `term`, `statistic`, `df` and `p_value`.

    Attributes
    ----------
    kind : {"likelihood_ratio", "wald", "score"}
        Statistic of the tests.
    covariance_type : {"observed", "robust", "cluster"}
        Estimator of the covariance behind the statistics.
    terms : list of str
        Names of the terms.
    tests : list of ChiSquareTest
        The test of each term.

    See Also
    --------
    LikelihoodInference.term_tests : Returns this class.
    """

    kind: str
    covariance_type: str
    terms: list[str]
    tests: list[ChiSquareTest]

    @property
    def statistic(self) -> Floats:
        """Statistics; large values are evidence against the hypothesis."""
        return np.array([test.statistic for test in self.tests])

    @property
    def df(self) -> np.ndarray:
        """Degrees of freedom."""
        return np.array([test.df for test in self.tests])

    @property
    def p_value(self) -> Floats:
        """Probabilities, under the hypothesis, of statistics at least as large."""
        return np.array([test.p_value for test in self.tests])

    def __getitem__(self, term: str) -> ChiSquareTest:
        """Return the test of a term."""
        if term not in self.terms:
            raise KeyError(f"{term!r} is no term: the terms are {self.terms}.")
        return self.tests[self.terms.index(term)]

    def _title(self) -> str:
        covariance = "" if self.covariance_type == "observed" else f", {self.covariance_type}"
        return f"{KINDS[self.kind]} of terms, type II{covariance}"

    def _tidy(self) -> dict[str, Column]:
        return {
            "term": self.terms,
            "statistic": self.statistic,
            "df": self.df,
            "p_value": self.p_value,
        }

    def _heads(self) -> dict[str, str]:
        return {"statistic": "chi2", "p_value": "P(>chi2)"}


@dataclass(frozen=True, eq=False)
class Refits:
    """The optimum of a model, and the fits of models without some of its features.

    Parameters
    ----------
    at : LikelihoodEstimate
        The optimum.
    objective : Objective
        Of the data of `at`.
    inverse : (q, q) array
        The inverse Hessian at the optimum.
    """

    at: LikelihoodEstimate
    objective: Objective
    inverse: Floats

    @classmethod
    def of(cls, at: LikelihoodEstimate, objective: Objective) -> Refits:
        """Compute the inverse Hessian at an optimum; `at` may have another covariance."""
        optimum = point_at(objective, at.theta[at.free].ravel())
        H = preconditioners.hessian(objective, optimum.theta)
        return cls(at, objective, solved(H, np.eye(len(H))))

    @property
    def optimum(self) -> Floats:
        """The free parameters at the optimum, (q,)."""
        return self.at.theta[self.at.free].ravel()

    def mask(self, columns: Sequence[int]) -> np.ndarray:
        """Return the mask of the free parameters of some features, (q,)."""
        _, p = self.objective.shape
        each = np.zeros(p, dtype=bool)
        each[list(columns)] = True
        return np.tile(each, len(self.optimum) // p)

    def without(self, columns: Sequence[int]) -> Point:
        """Fit the model without some features, from the better one of two starting points."""
        if not columns:
            return point_at(self.objective, self.optimum)
        left_out = self.mask(columns)
        starts = [point_at(self.objective, start) for start in self._starts(left_out)]
        start = min(starts, key=lambda point: point.at_most)
        return constrained_minimum(self.objective, start, Coordinates(np.flatnonzero(~left_out)))

    def _starts(self, left_out: np.ndarray) -> list[Floats]:
        """Return the optimum of the quadratic approximation, and that without features."""
        V, theta = self.inverse, self.optimum
        push = solved(V[np.ix_(left_out, left_out)], theta[left_out])
        near = theta - V[:, left_out] @ push
        near[left_out] = 0.0
        none = np.zeros(self.objective.shape)
        if self.at.data.fit_intercept:
            logs = np.log(self.objective.class_weight)
            none[:, -1] = logs - logs[-1] if len(none) > 1 else logs[1] - logs[0]
        return [near, free(none)]


def likelihood_ratios(refits: Refits, terms: Sequence[Term]) -> list[ChiSquareTest]:
    """Return the likelihood-ratio test of each term."""
    larger: dict[tuple[int, ...], Point] = {}
    tests = []
    for term in terms:
        if term.above not in larger:
            larger[term.above] = refits.without(term.above)
        smaller = refits.without([*term.columns, *term.above])
        statistic = max(2.0 * (smaller.value - larger[term.above].value), 0.0)
        tests.append(ChiSquareTest.of(statistic, int(refits.mask(term.columns).sum())))
    return tests


def scores(
    refits: Refits, terms: Sequence[Term], covariance: ScoreCovariance | None
) -> list[ChiSquareTest]:
    """Return the score test of each term; None stands for the inverse information."""
    tests = []
    for term in terms:
        tested, larger = refits.mask(term.columns), ~refits.mask(term.above)
        point = refits.without([*term.columns, *term.above])
        H, g = preconditioners.hessian(refits.objective, point.theta), free(point.gradient)
        if covariance is None:
            statistic = float(g[larger] @ solved(H[np.ix_(larger, larger)], g[larger]))
        else:
            directions = _effective(H, tested, larger & ~tested)
            theta = np.zeros_like(refits.at.theta)
            theta[refits.at.free] = free(point.theta).reshape(-1, theta.shape[1])
            V = covariance.of(replace(refits.at, theta=theta), directions)
            statistic = quadratic_form(V, directions.T @ g, _singular(term.name))
        tests.append(ChiSquareTest.of(statistic, int(tested.sum())))
    return tests


def _effective(H: Floats, tested: np.ndarray, others: np.ndarray) -> Floats:
    """Return M of the module, (q, m): the tested scores less their regression on the others."""
    M = np.zeros((len(H), int(tested.sum())))
    M[tested] = np.eye(M.shape[1])
    M[others] = -solved(H[np.ix_(others, others)], H[np.ix_(others, tested)])
    return M


def walds(refits: Refits, terms: Sequence[Term]) -> list[ChiSquareTest]:
    """Return the Wald test of each term, with the covariance of the estimate."""
    V, theta = refits.at.covariance, refits.optimum

    def statistic(name: str, columns: Sequence[int]) -> float:
        mask = refits.mask(columns)
        if not columns:
            return 0.0
        return quadratic_form(V[np.ix_(mask, mask)], theta[mask], _singular(name))

    return [
        ChiSquareTest.of(
            max(
                statistic(term.name, [*term.columns, *term.above])
                - statistic(term.name, term.above),
                0.0,
            ),
            int(refits.mask(term.columns).sum()),
        )
        for term in terms
    ]


def _singular(term: str) -> str:
    return (
        f"The term {term!r} has at least as many coefficients as the covariance has groups: test "
        "fewer features together."
    )
