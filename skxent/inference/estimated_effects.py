"""Effects of features on probabilities, and mean probabilities, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from skxent.inference.average_effects import average_effects
from skxent.inference.estimated_coefficients import EstimatedCoefficients
from skxent.inference.evaluation import contrasts_of, one_population, populations_at
from skxent.inference.fitted import FittedLinearModel
from skxent.inference.interval_estimates import IntervalEstimates, normal_quantile
from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.inference.mean_probabilities import mean_log_odds
from skxent.inference.population import Population
from skxent.inputs.features import AnyArray, read_rows
from skxent.inputs.fit_targets import Floats

At = str | Mapping[str | int, ArrayLike]  # where effects are evaluated


@dataclass(frozen=True, eq=False, repr=False)
class EstimatedEffects(EstimatedCoefficients):
    """Effects on the scale of probabilities, by the delta method; see `LikelihoodInference`."""

    _estimate: LikelihoodEstimate = field(repr=False)
    _weight: Floats = field(repr=False)
    _clf: FittedLinearModel = field(repr=False)

    def marginal_effects(
        self,
        level: float = 0.95,
        *,
        at: At = "overall",
        discrete: str | Iterable[str | int] | None = "auto",
        X: AnyArray | None = None,
    ) -> IntervalEstimates:
        r"""Return the mean effect of each feature on the probability of each class.

        The effect of a feature is the slope :math:`\partial p_k / \partial x_j`. For a column of
        zeros and ones it is the difference :math:`p_k(x_j = 1) - p_k(x_j = 0)` between
        probabilities of a sample whose other features stay as they are.

        Parameters
        ----------
        level : float, default=0.95
            Confidence level of the intervals.
        at : {"overall", "mean"} or dict, default="overall"
            Values of the features at which effects are evaluated.

            * "overall": the values of each sample. The result is the average of the effects.
            * "mean": the mean of each feature, as one sample.
            * dict: a value for some features, by name or index of the column. These features have
              this value in all samples, the others keep the values of each sample, and the result
              is the average of the effects.
        discrete : "auto", None, or list of str or int, default="auto"
            Features whose effect is a difference. "auto" means the columns that have only the
            values 0 and 1 in the training samples, and None means no column. A list has names or
            indices of columns with two values of any size, such as 1 and 2; the difference is from
            the lower to the higher value.
        X : array-like or sparse matrix of shape (m, d) or None, default=None
            Samples over which effects are averaged, each with the same weight. None means the
            training samples with their weights.

        Returns
        -------
        IntervalEstimates
            Effects of shape (K, d), a row for every class, with standard errors by the delta
            method. `comparisons` says for each feature whether its effect is a slope, or which
            difference. The effects of a feature sum to zero over the classes.

        Raises
        ------
        ValueError
            If `at` or `discrete` names no feature, or a value of `at` is not one finite number, or
            a column in `discrete` does not have two values.
        """
        quantile, names = normal_quantile(level), self._names
        where = one_population(at, names, self._population(X), self._estimate)
        contrasts = contrasts_of(discrete, names, self._population(None))
        effects, error = average_effects(self._estimate, where, contrasts)
        half = quantile * error
        return IntervalEstimates(
            effects,
            error,
            effects - half,
            effects + half,
            level,
            self.classes,
            names,
            [contrasts[j].label if j in contrasts else "slope" for j in range(len(names))],
        )

    def adjusted_predictions(
        self, at: At = "overall", *, level: float = 0.95, X: AnyArray | None = None
    ) -> IntervalEstimates:
        r"""Return mean probabilities of the classes, with some features set to given values.

        For each combination of the given values all samples get these values, their other features
        stay as they are, and their probabilities are averaged. The delta method is applied to the
        log-odds of each mean probability, :math:`\log(\bar p_k / (1 - \bar p_k))`, and the interval
        is transformed, so its ends are between 0 and 1. For one sample it is the interval of
        `predict_proba_interval`. The intervals of several classes are not simultaneous.

        Parameters
        ----------
        at : {"overall", "mean"} or dict, default="overall"
            Values of the features.

            * "overall": the values of each sample.
            * "mean": the mean of each feature, as one sample.
            * dict: a number or a list of numbers for some features, by name or index of the column.
              The result has a row for each combination of these values.
        level : float, default=0.95
            Confidence level of each interval.
        X : array-like or sparse matrix of shape (m, d) or None, default=None
            Samples over which probabilities are averaged, each with the same weight. None means the
            training samples with their weights.

        Returns
        -------
        IntervalEstimates
            Probabilities with a row for each combination of values, and columns in the order of
            `classes`. `rows` has the values, such as "age=40, smoker=1".

        Raises
        ------
        ValueError
            If `at` names no feature, or a value is not a finite number.
        """
        quantile = normal_quantile(level)
        where = populations_at(at, self._names, self._population(X), self._estimate)
        found = [mean_log_odds(self._estimate, population) for population in where.values()]
        logit, error = (np.stack(values) for values in zip(*found, strict=True))
        half = quantile * error
        return IntervalEstimates(
            expit(logit),
            expit(logit) * expit(-logit) * error,
            expit(logit - half),
            expit(logit + half),
            level,
            list(where),
            self.classes,
        )

    @property
    def n_features(self) -> int:
        """Number of features, whose names are the first entries of `terms`."""
        return len(self._estimate.mean)

    @property
    def _names(self) -> list[str]:
        return self.terms[: self.n_features]

    def _population(self, X: AnyArray | None) -> Population:
        """Return the training samples with their weights, or the samples X with equal weights."""
        if X is None:
            data = self._estimate.data
            return Population(data.X, self._weight, offset=data.offset)
        X = read_rows(self._clf, X, reset=False)
        return Population(X, np.ones(X.shape[0]))
