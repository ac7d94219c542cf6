"""Effects of features on probabilities, and mean probabilities, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skxent.inference.average_effects import average_effects
from skxent.inference.contrasts import Contrast, contrasts_of, level_contrasts
from skxent.inference.estimated_coefficients import EstimatedCoefficients
from skxent.inference.evaluation import Values, combinations
from skxent.inference.fitted import FittedLinearModel
from skxent.inference.input_columns import entries, with_values
from skxent.inference.interval_estimates import IntervalEstimates
from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.inference.mean_probabilities import mean_log_odds
from skxent.inference.pipelines import Steps, columns_by_term
from skxent.inference.population import Population
from skxent.inference.score_covariance import ScoreCovariance
from skxent.inference.tidy import SLOPE
from skxent.inputs.features import AnyArray, read_rows
from skxent.inputs.fit_targets import Floats
from skxent.inputs.offsets import predicted_offset
from skxent.likelihood.sources.arrays import balanced_offset

At = str | Mapping[str | int, Any]  # where effects are evaluated


@dataclass(frozen=True, eq=False, repr=False)
class EstimatedEffects(EstimatedCoefficients):
    """Effects on the scale of probabilities, by the delta method; see `LikelihoodInference`."""

    _estimate: LikelihoodEstimate = field(repr=False)
    _weight: Floats = field(repr=False)
    _clf: FittedLinearModel = field(repr=False)
    _steps: Steps = field(repr=False)
    _X: AnyArray = field(repr=False)
    _score_covariance: ScoreCovariance = field(repr=False)

    @property
    def n_features(self) -> int:
        """Number of features, whose names are the first entries of `terms`."""
        return len(self._estimate.mean)

    @property
    def column_terms(self) -> dict[str, list[int]]:
        """Indices of the features that are computed from the same columns of X.

        The name of a term is the name of its column, or "a:b" for features that are computed from
        the columns a and b. Only the steps of a pipeline compute several features from a column.
        """
        return columns_by_term(self._steps.origins(self._names))

    def marginal_effects(
        self,
        level: float = 0.95,
        *,
        at: At = "overall",
        discrete: str | Iterable[str | int] | None = "auto",
        X: AnyArray | None = None,
        offset: ArrayLike | None = None,
    ) -> IntervalEstimates:
        r"""Return the mean effect of each feature on the probability of each class.

        The effect of a feature is the slope :math:`\partial p_k / \partial x_j`. For a column of
        zeros and ones it is the difference :math:`p_k(x_j = 1) - p_k(x_j = 0)` between
        probabilities of a sample whose other features stay as they are. For the indicators that a
        pipeline makes from a category it is the difference between a level and the base level: the
        level without an indicator, or the first one.

        Parameters
        ----------
        level : float, default=0.95
            Confidence level of the intervals.
        at : {"overall", "mean"} or dict, default="overall"
            Values of the features at which effects are evaluated.

            * "overall": the values of each sample. The result is the average of the effects.
            * "mean": the mean of each feature, as one sample.
            * dict: a value for some columns of X, by name or index. These columns have this value
              in all samples, the others keep the values of each sample, and the result is the
              average of the effects.
        discrete : "auto", None, or list of str or int, default="auto"
            Features whose effect is a difference. "auto" means those that have only the values 0
            and 1 in the training samples, and all indicators of categories. None means no feature.
            A list has names or indices of features with two values of any size, such as 1 and 2;
            the difference is from the lower to the higher value.
        X : array-like or sparse matrix of shape (m, d) or None, default=None
            Samples over which effects are averaged, each with the same weight, as they are before
            the steps of a pipeline. None means the training samples with their weights.
        offset : array-like of shape (m,) or (m, K), 0, or None, default=None
            Offset of the samples X, a part of their logits that has no error. After a fit with an
            offset it is required for X; 0 stands for logits without one. The training samples have
            the offset of the fit.

        Returns
        -------
        IntervalEstimates
            Effects of shape (K, d), a row for every class, with standard errors by the delta
            method. `comparisons` says for each feature whether its effect is a slope, or which
            difference. The effects of a feature sum to zero over the classes.

        Raises
        ------
        ValueError
            If `at` or `discrete` names no column, or a value of `at` is not one finite number, or
            a feature in `discrete` does not have two values. Also if X lacks an offset that it
            needs, or an offset lacks X.

        Notes
        -----
        An effect changes one feature, or the indicators of one category. If several features are
        computed from one column, such as a square or an interaction, it is not the effect of the
        column; `adjusted_predictions` with values of the column changes all of them.
        """
        self._check_bounded("marginal_effects")
        at_mean = isinstance(at, str) and at == "mean"
        what = "Marginal effects at the mean" if at_mean else "Average marginal effects"
        title = f"{what}, {self._intervals(level)}"
        people = self._population(X, offset, "marginal_effects")
        where, *more = (population for _, population in self._populations(at, X, people))
        if more:
            raise ValueError(
                f"at has {1 + len(more)} combinations of values: pass one value for each column."
            )
        contrasts = self._contrasts(discrete)
        effects, error = average_effects(self._estimate, where, contrasts)
        return IntervalEstimates.of_effects(
            effects,
            error,
            level,
            tested=not self.penalised,
            rows=self.classes,
            columns=self._names,
            comparisons=[
                contrasts[j].label if j in contrasts else SLOPE for j in range(self.n_features)
            ],
            title=title,
        )

    def adjusted_predictions(
        self,
        at: At = "overall",
        *,
        level: float = 0.95,
        X: AnyArray | None = None,
        offset: ArrayLike | None = None,
    ) -> IntervalEstimates:
        r"""Return mean probabilities of the classes, with some columns set to given values.

        For each combination of the given values all samples get these values, their other columns
        stay as they are, and their probabilities are averaged. A pipeline transforms the changed
        samples. The delta method is applied to the log-odds of each mean probability,
        :math:`\log(\bar p_k / (1 - \bar p_k))`, and the interval is transformed, so its ends are
        between 0 and 1. For one sample it is the interval of `predict_proba_interval`. The
        intervals of several classes are not simultaneous.

        Parameters
        ----------
        at : {"overall", "mean"} or dict, default="overall"
            Values of the columns.

            * "overall": the values of each sample.
            * "mean": the mean of each feature, as one sample.
            * dict: a value or a list of values for some columns of X, by name or index. The result
              has a row for each combination of these values.
        level : float, default=0.95
            Confidence level of each interval.
        X : array-like or sparse matrix of shape (m, d) or None, default=None
            Samples over which probabilities are averaged, each with the same weight, as they are
            before the steps of a pipeline. None means the training samples with their weights.
        offset : array-like of shape (m,) or (m, K), 0, or None, default=None
            Offset of the samples X, a part of their logits that has no error. After a fit with an
            offset it is required for X; 0 stands for logits without one. The training samples have
            the offset of the fit.

        Returns
        -------
        IntervalEstimates
            Probabilities with a row for each combination of values, and columns in the order of
            `classes`. `rows` has the values, such as "age=40, smoker=1".

        Raises
        ------
        ValueError
            If `at` names no column, or a value is not a finite number. Also if X lacks an offset
            that it needs, or an offset lacks X.
        TypeError
            If `at` is a dict, and the X of a pipeline is neither a data frame nor a NumPy array.
        """
        self._check_bounded("adjusted_predictions")
        title = f"Adjusted predictions, {self._intervals(level)}"
        people = self._population(X, offset, "adjusted_predictions")
        labels, populations = zip(*self._populations(at, X, people), strict=True)
        found = [mean_log_odds(self._estimate, population) for population in populations]
        logit, error = (np.stack(values) for values in zip(*found, strict=True))
        return IntervalEstimates.of_log_odds(
            logit,
            error,
            level,
            rows=list(labels),
            columns=self.classes,
            names=("at", "class"),
            title=title,
        )

    @property
    def _names(self) -> list[str]:
        return self.terms[: self.n_features]

    def _features(self, X: AnyArray) -> AnyArray:
        """Return the features of samples that are given as they were to `infer`."""
        return read_rows(self._clf, self._steps.transform(X), reset=False)

    def _offset(self, offset: ArrayLike | None, n: int, method: str) -> Floats | None:
        """Return the offset of `n` samples as in `RowArrays`; errors name `method`."""
        known = predicted_offset(self._clf, offset, n, method, routed=False)
        return None if known is None else balanced_offset(known.T)

    def _populations(
        self, at: At, X: AnyArray | None, people: Population
    ) -> Iterator[tuple[str, Population]]:
        """Yield what `at` makes of samples, one population for each combination of values."""
        if isinstance(at, str) and at in ("overall", "mean"):
            yield at, people if at == "overall" else people.at_mean(self._estimate)
            return
        steps = self._steps
        names = steps.names_in() if steps.transformers else self._names
        for label, values in combinations(at, names, only_numbers=not steps.transformers):
            yield label, self._with_values(X, people, names, values)

    def _with_values(
        self, X: AnyArray | None, people: Population, names: list[str], values: Values
    ) -> Population:
        """Return the training samples, or X, with the same values in some columns."""
        if not self._steps.transformers:
            return replace(people, fixed={j: float(value) for j, value in values.items()})
        changed = with_values(self._X if X is None else X, names, values)
        return replace(people, X=self._features(changed))

    def _population(self, X: AnyArray | None, offset: ArrayLike | None, method: str) -> Population:
        """Return the training samples with their weights, or the samples X with equal weights."""
        if X is None:
            if offset is not None:
                raise ValueError(
                    "offset is for the samples X, but X was not passed: pass X too, or leave "
                    "offset out to use the training samples with their own offset."
                )
            data = self._estimate.data
            return Population(data.X, self._weight, offset=data.offset)
        X = self._features(X)
        known = self._offset(offset, X.shape[0], method)
        return Population(X, np.ones(X.shape[0]), offset=known)

    def _contrasts(self, discrete: str | Iterable[str | int] | None) -> dict[int, Contrast]:
        """Return the columns whose effect is a difference; levels of a category have a base."""
        X, counted = self._estimate.data.X, self._weight > 0
        found = contrasts_of(discrete, self._names, X, counted)
        if discrete is None:
            return found
        inputs = self._steps.names_in()
        for name, columns in self.column_terms.items():
            values = entries(self._X, name, inputs.index(name)) if name in inputs else None
            if values is not None:
                levels = level_contrasts(X, counted, columns, self._names, values)
                found |= {j: one for j, one in levels.items() if j in found or discrete == "auto"}
        return found
