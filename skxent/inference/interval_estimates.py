"""Estimates with intervals, and chi-squared tests."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from skxent.metrics.tables import Column, data_frame

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class IntervalEstimates:
    """Estimates with standard errors and intervals.

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

    def to_frame(self) -> Any:
        """Data frame with a row for each estimate.

        Returns
        -------
        pandas.DataFrame
            Columns `estimate`, `standard_error`, `low`, `high`, and `comparison` if there are
            comparisons; the index is row and column.

        Raises
        ------
        ImportError
            Without pandas.
        """
        columns: dict[str, Column] = {
            "estimate": self.estimate.ravel(),
            "standard_error": self.standard_errors.ravel(),
            "low": self.low.ravel(),
            "high": self.high.ravel(),
        }
        if self.comparisons is not None:
            columns["comparison"] = [*self.comparisons] * len(self.rows)
        index = [(row, column) for row in self.rows for column in self.columns]
        return data_frame(columns, index, ["row", "column"])


@dataclass(frozen=True)
class ChiSquareTest:
    """A test whose statistic has a chi-squared distribution under the hypothesis.

    Attributes
    ----------
    statistic : float
        Large values are evidence against the hypothesis.
    df : int
        Degrees of freedom.
    p_value : float
        Probability, under the hypothesis, of a statistic at least as large.

    See Also
    --------
    LikelihoodInference : Its methods return this class.
    """

    statistic: float
    df: int
    p_value: float

    @classmethod
    def of(cls, statistic: float, df: int) -> ChiSquareTest:
        """Make the test from its statistic and degrees of freedom."""
        return cls(statistic, df, float(chi2.sf(statistic, df)))


def normal_quantile(level: float) -> float:
    """Return the half-width of a normal interval of probability `level`, in standard errors."""
    if not isinstance(level, numbers.Real) or not 0 < level < 1:
        raise ValueError(f"level is {level!r}: pass a probability between 0 and 1.")
    return float(norm.isf((1.0 - level) / 2.0))
