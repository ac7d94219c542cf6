"""Small results of inference: estimates with intervals, and tests."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from skxent.metrics.tables import data_frame

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class IntervalEstimates:
    """Estimates with standard errors and intervals.

    Attributes
    ----------
    estimate : ndarray of shape (rows, columns)
        The estimates.
    standard_errors : ndarray of shape (rows, columns)
        Of the estimates, by the delta method.
    low, high : ndarray of shape (rows, columns)
        Ends of the intervals.
    level : float
        Probability of the intervals.
    rows, columns : list
        What the rows and columns are: labels of classes, names of features, numbers of samples.

    See Also
    --------
    LikelihoodInference : Whose methods return it.
    """

    estimate: Floats
    standard_errors: Floats
    low: Floats
    high: Floats
    level: float
    rows: list[Any]
    columns: list[Any]

    def to_frame(self) -> Any:
        """Data frame with a row for each estimate.

        Returns
        -------
        pandas.DataFrame
            Columns `estimate`, `standard_error`, `low`, `high`; the index is row and column.

        Raises
        ------
        ImportError
            Without pandas.
        """
        columns = {
            "estimate": self.estimate.ravel(),
            "standard_error": self.standard_errors.ravel(),
            "low": self.low.ravel(),
            "high": self.high.ravel(),
        }
        index = [(row, column) for row in self.rows for column in self.columns]
        return data_frame(columns, index, ["row", "column"])


@dataclass(frozen=True)
class ChiSquareTest:
    """A statistic that has a chi-squared distribution where the hypothesis holds.

    Attributes
    ----------
    statistic : float
        The larger, the more speaks against the hypothesis.
    df : int
        Degrees of freedom.
    p_value : float
        Probability of a statistic as large or larger.

    See Also
    --------
    LikelihoodInference : Whose methods return it.
    """

    statistic: float
    df: int
    p_value: float

    @classmethod
    def of(cls, statistic: float, df: int) -> ChiSquareTest:
        """Look the p-value up."""
        return cls(statistic, df, float(chi2.sf(statistic, df)))


def normal_quantile(level: float) -> float:
    """How many standard errors an interval of probability `level` reaches to each side."""
    if not isinstance(level, numbers.Real) or not 0 < level < 1:
        raise ValueError(f"level is {level!r}: pass a probability between 0 and 1.")
    return float(norm.isf((1.0 - level) / 2.0))
