"""Estimates with intervals, and chi-squared tests."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import chi2, norm

from skxent.inference.tidy import TidyResult, crossed
from skxent.metrics.tables import Column

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class IntervalEstimates(TidyResult):
    """Estimates with standard errors and intervals.

    It prints as a table. The columns of `to_frame()` are the `names` of rows and columns,
    `comparison` if there are comparisons, `estimate`, `std_error`, `statistic` and `p_value` if
    there are tests, `conf_low` and `conf_high`.

    Attributes
    ----------
    estimate : ndarray of shape (rows, columns)
        The estimates.
    standard_errors : ndarray of shape (rows, columns)
        Standard errors of the estimates, by the delta method.
    low, high : ndarray of shape (rows, columns)
        Ends of the intervals.
    level : float
        Confidence level of the intervals.
    rows, columns : list
        Names of rows and columns: labels of classes, names of features, numbers of samples, or
        values of features.
    comparisons : list of str or None
        What the estimates of each column are, for marginal effects: "slope", or the two values
        whose difference is taken, such as "0 to 1".
    z, p_values : ndarray of shape (rows, columns) or None
        Statistics and two-sided p-values of the hypotheses that a feature has no effect. p-values
        are NaN if the fit has a penalty. None for probabilities, which have no such hypothesis.
    names : tuple of two str
        What the rows and the columns are, such as "class" and "term".
    title : str
        Title of the table.

    See Also
    --------
    LikelihoodInference : Its methods return this class.
    """

    estimate: Floats
    standard_errors: Floats
    low: Floats
    high: Floats
    level: float
    rows: Sequence[object]
    columns: Sequence[object]
    comparisons: Sequence[str] | None = None
    z: Floats | None = None
    p_values: Floats | None = None
    names: tuple[str, str] = ("class", "term")
    title: str = "Estimates"

    @classmethod
    def of_effects(
        cls, estimate: Floats, error: Floats, level: float, *, tested: bool, **names: Any
    ) -> Self:
        """Make symmetric intervals and tests of zero effects; p-values are NaN if not `tested`."""
        half = normal_quantile(level) * error
        z = z_statistics(estimate, error)
        p_values = two_sided(z, tested)
        ends = estimate - half, estimate + half
        return cls(estimate, error, *ends, level, z=z, p_values=p_values, **names)

    @classmethod
    def of_exponentials(
        cls, coef: Floats, error: Floats, ends: Floats, level: float, *, tested: bool, **names: Any
    ) -> Self:
        """Make odds ratios from coefficients and the ends of their intervals."""
        z = z_statistics(coef, error)
        with np.errstate(over="ignore", invalid="ignore"):
            ratio = np.exp(coef)
            low, high = np.exp(np.moveaxis(ends, -1, 0))
            error = ratio * error
        p_values = two_sided(z, tested)
        return cls(ratio, error, low, high, level, z=z, p_values=p_values, **names)

    @classmethod
    def of_log_odds(cls, logit: Floats, error: Floats, level: float, **names: Any) -> Self:
        """Make intervals of probabilities, within 0 and 1, from those of their log-odds."""
        half = normal_quantile(level) * error
        spread = expit(logit) * expit(-logit) * error
        ends = expit(logit - half), expit(logit + half)
        return cls(expit(logit), spread, *ends, level, **names)

    def _title(self) -> str:
        return self.title

    def _tidy(self) -> dict[str, Column]:
        columns = crossed(self.rows, self.columns, self.names)
        if self.comparisons is not None:
            columns["comparison"] = [*self.comparisons] * len(self.rows)
        columns |= {"estimate": self.estimate.ravel(), "std_error": self.standard_errors.ravel()}
        if self.z is not None and self.p_values is not None:
            columns |= {"statistic": self.z.ravel(), "p_value": self.p_values.ravel()}
        return columns | {"conf_low": self.low.ravel(), "conf_high": self.high.ravel()}

    def _heads(self) -> Mapping[str, str]:
        low, high = end_names(self.level)
        return {"statistic": "z", "p_value": "P(>|z|)", "conf_low": low, "conf_high": high}


@dataclass(frozen=True, repr=False)
class ChiSquareTest(TidyResult):
    """A test whose statistic has a chi-squared distribution under the hypothesis.

    The columns of `to_frame()` are `test`, `statistic`, `df` and `p_value`.

    Attributes
    ----------
    statistic : float
        Large values are evidence against the hypothesis.
    df : int
        Degrees of freedom.
    p_value : float
        Probability, under the hypothesis, of a statistic at least as large.
    name : str
        Name of the test.

    See Also
    --------
    LikelihoodInference : Its methods return this class.
    """

    statistic: float
    df: int
    p_value: float
    name: str = "chi-squared"

    @classmethod
    def of(cls, statistic: float, df: int, name: str = "chi-squared") -> ChiSquareTest:
        """Make the test from its statistic and degrees of freedom."""
        return cls(statistic, df, float(chi2.sf(statistic, df)), name)

    def __repr__(self) -> str:
        return (
            f"ChiSquareTest(statistic={self.statistic:.8g}, df={self.df}, "
            f"p_value={self.p_value:.4g}, name={self.name!r})"
        )

    def _title(self) -> str:
        return f"{self.name[:1].upper()}{self.name[1:]} test"

    def _tidy(self) -> dict[str, Column]:
        return {
            "test": [self.name],
            "statistic": [self.statistic],
            "df": [self.df],
            "p_value": [self.p_value],
        }

    def _heads(self) -> Mapping[str, str]:
        return {"statistic": "chi2", "p_value": "P(>chi2)"}


def end_names(level: float) -> tuple[str, str]:
    """Return heads for the ends of intervals, "2.5 %" and "97.5 %" for a level of 0.95."""
    tail = 50.0 * (1.0 - level)
    return f"{tail:.4g} %", f"{100.0 - tail:.6g} %"


def z_statistics(estimate: Floats, error: Floats) -> Floats:
    """Return estimates in standard errors; NaN if both are zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return estimate / error


def two_sided(z: Floats, tested: bool) -> Floats:
    """Return two-sided p-values of z statistics, or NaN if there is no hypothesis to test."""
    return 2.0 * norm.sf(np.abs(z)) if tested else np.full_like(z, np.nan)


def normal_quantile(level: float) -> float:
    """Return the half-width of a normal interval of probability `level`, in standard errors."""
    if not isinstance(level, numbers.Real) or not 0 < level < 1:
        raise ValueError(f"level is {level!r}: pass a probability between 0 and 1.")
    return float(norm.isf((1.0 - level) / 2.0))
