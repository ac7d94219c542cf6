"""Coefficients with standard errors, intervals, p-values and information criteria."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skxent.inference.interval_estimates import normal_quantile, two_sided, z_statistics
from skxent.inference.tidy import crossed
from skxent.inputs.fit_targets import Floats
from skxent.metrics.tables import data_frame


@dataclass(frozen=True, eq=False, repr=False)
class EstimatedCoefficients:
    """Coefficients, their covariance and the log-likelihood; see `LikelihoodInference`."""

    classes: list[object]
    reference: object
    terms: list[str]
    coef: Floats
    covariance: Floats
    covariance_type: str
    log_likelihood: float
    null_log_likelihood: float
    deviance: float
    df: float
    n_observations: float
    C: float
    penalty_factor: Floats | None
    class_weighted: bool
    bias_reduced: bool

    @property
    def penalised(self) -> bool:
        """Whether the fit has a penalty, so that intervals are posterior intervals."""
        return bool(np.isfinite(self.C))

    @property
    def separated(self) -> bool:
        """Whether classes are separated, so that some coefficients are infinite."""
        return not np.isfinite(self.coef).all()

    @property
    def contrasts(self) -> list[object]:
        """Labels of the rows of `coef`."""
        return [label for label in self.classes if label != self.reference]

    @property
    def standard_errors(self) -> Floats:
        """Standard errors of `coef`; posterior standard deviations with a penalty."""
        return np.sqrt(np.diagonal(self.covariance)).reshape(self.coef.shape)

    @property
    def z(self) -> Floats:
        """`coef` / `standard_errors`; NaN if both are zero."""
        return z_statistics(self.coef, self.standard_errors)

    @property
    def p_values(self) -> Floats:
        """Two-sided p-values of the hypotheses that a coefficient is zero; NaN with a penalty."""
        return two_sided(self.z, not self.penalised)

    @property
    def pseudo_r2(self) -> float:
        """McFadden's pseudo R2, 1 - `log_likelihood` / `null_log_likelihood`."""
        return 1.0 - self.log_likelihood / self.null_log_likelihood

    @property
    def aic(self) -> float:
        """Akaike's information criterion, 2 `df` - 2 `log_likelihood`; the smaller the better."""
        return 2.0 * self.df - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Bayesian information criterion, log(`n_observations`) `df` - 2 `log_likelihood`."""
        return float(np.log(self.n_observations)) * self.df - 2.0 * self.log_likelihood

    def confint(self, level: float = 0.95) -> Floats:
        """Return Wald intervals of the coefficients; posterior intervals with a penalty.

        Parameters
        ----------
        level : float, default=0.95
            Confidence level.

        Returns
        -------
        ndarray of shape (K - 1, d + 1, 2)
            Low and high ends; NaN for infinite coefficients.
        """
        half = normal_quantile(level) * self.standard_errors
        coef = np.where(np.isfinite(self.coef), self.coef, np.nan)
        return np.stack([coef - half, coef + half], axis=-1)

    def _frame(self, interval: Floats) -> Any:
        """Return the data frame of the coefficients with these intervals."""
        columns = {
            "estimate": self.coef.ravel(),
            "std_error": self.standard_errors.ravel(),
            "statistic": self.z.ravel(),
            "p_value": self.p_values.ravel(),
            "conf_low": interval[..., 0].ravel(),
            "conf_high": interval[..., 1].ravel(),
        }
        return data_frame(crossed(self.contrasts, self.terms, ("class", "term")) | columns)

    def _check_bounded(self, what: str) -> None:
        """Require finite coefficients."""
        if self.separated:
            raise ValueError(
                f"{what} needs finite coefficients, and some are infinite because classes are "
                "separated: use confint(method='profile'), likelihood-ratio tests, or "
                "FirthClassifier."
            )

    def _intervals(self, level: float, method: str = "wald") -> str:
        """Return the name of the intervals, for titles."""
        normal_quantile(level)  # raises an error for a level that is not a probability
        posterior = self.penalised and self.covariance_type == "observed"
        kind = "profile " if method == "profile" else "posterior " if posterior else ""
        return f"{100 * level:.6g} % {kind}intervals"
