"""Models against a baseline: paired differences of losses, with intervals and tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from skxent.inputs.array_arguments import on_host
from skxent.inputs.compared_models import check_baseline, check_finite_losses, check_is_prediction
from skxent.inputs.namespaces import Codes, Floats
from skxent.inputs.options import check_level, check_option, unit
from skxent.inputs.weights import (
    as_weights,
    check_two_pieces,
    group_codes,
    weights_where_counted,
)
from skxent.metrics.intervals import around
from skxent.metrics.loss_registry import CATEGORICAL, LossOptions, losses_of
from skxent.metrics.loss_values import Losses
from skxent.metrics.means import (
    MeanEstimate,
    copies_and_shares,
    estimate,
    scaled_weights,
)
from skxent.metrics.tables import Column, Table, Tabular, count, number, unit_name

# The columns of the data frame, and the attributes that they hold.
COLUMNS = {
    "mean": "mean",
    "difference": "difference",
    "std_error": "standard_error",
    "statistic": "t_statistic",
    "p_value": "p_value",
    "p_adjusted": "p_adjusted",
    "conf_low": "low",
    "conf_high": "high",
}


@dataclass(frozen=True)
class Options:
    """The options of a comparison, checked."""

    level: float
    correction: str | None
    base: float | None

    def __post_init__(self) -> None:
        check_level(self.level)
        unit(self.base)
        cure = 'pass "holm", or None for none'
        check_option("correction", self.correction, ("holm", None), cure)


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Tabular):
    """Mean losses of models against that of a baseline, a row for each model but the baseline.

    The columns of `to_frame()` are `mean`, `difference`, `std_error`, `statistic`, `p_value`,
    `p_adjusted`, `conf_low` and `conf_high`, with the names of the models as index.

    Attributes
    ----------
    baseline : str
        Name of the baseline.
    baseline_mean : float
        Its mean loss.
    names : ndarray of shape (M,)
        Names of the models.
    mean : ndarray of shape (M,)
        Mean loss of each.
    difference : ndarray of shape (M,)
        Mean loss of the model less that of the baseline; negative is better than the baseline.
    standard_error : ndarray of shape (M,)
        Standard error of `difference`.
    low, high : ndarray of shape (M,)
        Ends of a confidence interval of `difference`, not adjusted for the number of models.
    t_statistic : ndarray of shape (M,)
        difference / standard_error.
    p_value : ndarray of shape (M,)
        Two-sided: how probable a difference at least as far from 0 would be by chance alone, if
        model and baseline were equally good. It is not the probability that they are.
    p_adjusted : ndarray of shape (M,)
        The same, adjusted for the number of models by `correction`.
    n : int
        Number of held-out predictions of a model, copies counted.
    df : float
        Degrees of freedom of Student's t.
    level : float
        Level of the intervals.
    correction : str or None
        How `p_adjusted` was adjusted.
    unit : str
        "nats", "bits", or the name for another base.
    method : str
        Name of the test.
    difference_nats, difference_bits : ndarray of shape (M,)
        `difference` in these units.

    See Also
    --------
    compare : From predictions of one test set.
    compare_cv : From estimators, by cross-validation.
    compare_losses : From losses that others have computed.
    """

    baseline: str
    baseline_mean: float
    names: np.ndarray
    mean: Floats
    difference: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    t_statistic: Floats
    p_value: Floats
    p_adjusted: Floats
    n: int
    df: float
    method: str
    level: float
    correction: str | None
    base: float | None
    unit: str

    @property
    def difference_nats(self) -> Floats:
        """`difference` in nats."""
        return self.difference * unit(self.base)

    @property
    def difference_bits(self) -> Floats:
        """`difference` in bits."""
        return self.difference_nats / unit(2)

    def _columns(self) -> tuple[dict[str, Column], Column, str]:
        columns = {name: getattr(self, attribute) for name, attribute in COLUMNS.items()}
        return columns, self.names, "model"

    def _table(self) -> Table:
        heads = ["model", "mean", "difference", "s.e.", "low", "high", "p"]
        if self.correction:
            heads.append(f"p ({self.correction})")
        rows = []
        losses = self.mean, self.difference, self.standard_error, self.low, self.high
        columns = zip(self.names, *losses, self.p_value, self.p_adjusted, strict=True)
        for name, *values, p, adjusted in columns:
            tests = [_probability(p), _probability(adjusted)]
            rows.append(tuple([str(name), *map(number, values), *tests][: len(heads)]))
        against = f"{self.baseline!r} ({number(self.baseline_mean)} {self.unit})"
        df = count(round(self.df, 1))
        title = f"Difference in mean loss from {against}, n = {self.n}"
        notes = (
            "A negative difference is better than the baseline.",
            f"{self.method}, {df} degrees of freedom; {100 * self.level:g} % intervals.",
            "p: how probable a difference at least as large would be by chance alone, if model and "
            "baseline were equally good.",
        )
        return Table(title, tuple(heads), rows, notes=notes)


def compare(
    y_true: ArrayLike,
    y_preds: Mapping[str, ArrayLike],
    *,
    baseline: str,
    groups: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    from_logits: bool = False,
    level: float = 0.95,
    correction: str | None = "holm",
    base: float | None = None,
    ignore_label: object = None,
) -> Comparison:
    r"""Compare the mean losses of models on one test set with that of a baseline, sample by sample.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, K)
        Labels, one-hot or soft rows, as :func:`categorical_cross_entropy` takes them.
    y_preds : dict of str to array-like of shape (n, K) or (n,)
        Predictions of each model for the same samples, none of which it was trained on.
    baseline : str
        Name of the model that the others are compared with.
    groups : array-like of shape (n,), default=None
        Labels of groups whose samples may depend on each other; see :func:`mean_loss_interval`.
    labels : array-like of shape (K,), default=None
        The class of each column of the predictions.
    sample_weight : array-like of shape (n,), default=None
        Weight w_i counts sample i that many times; weights that are not all whole are importances.
    from_logits : bool, default=False
        Whether the predictions are logits.
    level : float, default=0.95
        Level of the intervals.
    correction : "holm" or None, default="holm"
        Adjustment of p-values for the number of models. Holm's method bounds the probability of any
        false finding among the models by the significance level of one test [1]_.
    base : float, default=None
        Base of the logarithm. None gives nats, 2 gives bits.
    ignore_label : label, default=None
        Label of samples that do not count, as in :func:`categorical_cross_entropy`.

    Returns
    -------
    Comparison
        A row for each model but the baseline. It prints as a table; `to_frame()` gives a data
        frame.

    Raises
    ------
    ValueError
        As :func:`categorical_cross_entropy`, with the name of the model; if `baseline` is none of
        the models, or is the only one; if a loss is infinite; if there is one sample or group.

    Warns
    -----
    ZeroProbabilityWarning
        If the floor under probabilities acted.

    See Also
    --------
    compare_cv : Fits and compares estimators by cross-validation.
    compare_losses : From losses that others have computed.
    mean_loss_interval : The interval, its weights and its groups.

    Notes
    -----
    Both models predict the same samples, some of them hard for both. The test is therefore of the
    differences
    :math:`d_i = \ell_i^\text{model} - \ell_i^\text{baseline}`, whose spread is mostly far smaller
    than that of the losses: :math:`t = \bar d / \mathrm{SE}(\bar d)` with the standard error of
    :func:`mean_loss_interval`, compared with Student's t of n - 1 degrees of freedom, or those of
    unequal groups.

    The test is about these fitted models on samples like these, not about models that were trained
    again; for those see :func:`compare_cv`.

    **Assumes** independent samples, or groups, and a nearly normal mean difference. If all
    differences are equal, the standard error cannot be estimated, and t and p are NaN unless the
    difference is 0.

    Dask collections are copied to this process, once: all their rows must fit in memory.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal
       of Statistics 6, 1979.

    Examples
    --------
    >>> import numpy as np
    >>> from skxent import compare
    >>> y = np.array([0, 1, 1, 0, 1, 1, 0, 1])
    >>> p = np.array([0.2, 0.9, 0.7, 0.4, 0.6, 0.8, 0.3, 0.9])
    >>> found = compare(y, {"coin": np.full(8, 0.5), "model": p}, baseline="coin")
    >>> print(f"{found.difference[0]:.3f} nats, p = {found.p_value[0]:.4f}")
    -0.394 nats, p = 0.0002
    """
    options = Options(level, correction, base)
    check_baseline(y_preds, baseline, "y_preds")
    given = on_host(y_true, groups, sample_weight, *y_preds.values())
    y_true, groups, sample_weight, *lazy = given
    y_preds = dict(zip(y_preds, lazy, strict=True))
    read = LossOptions(labels, from_logits, ignore_label=ignore_label)
    found = {name: _losses(name, y_true, y_pred, read) for name, y_pred in y_preds.items()}
    losses = {name: each.values for name, each in found.items()}
    n = len(losses[baseline])
    weight = as_weights(sample_weight, n, of="y_true")
    weight = scaled_weights(weights_where_counted(weight, found[baseline].kept))
    copies, shares = copies_and_shares(weight, n)
    codes = None if groups is None else group_codes(groups, n, "y_true")
    for name, values in losses.items():
        check_finite_losses(values, copies, name)
    return paired(losses, baseline, copies, shares, codes, options)


def paired(
    losses: Mapping[str, Floats],
    baseline: str,
    copies: Floats,
    shares: Floats,
    codes: Codes | None,
    options: Options,
) -> Comparison:
    """Compare models by their losses of the same samples, in nats; groups are given by codes."""
    differences = {
        name: _difference(values, losses[baseline], copies, shares, codes)
        for name, values in losses.items()
        if name != baseline
    }
    whole = differences[next(iter(differences))]
    check_two_pieces(whole.n_pieces, codes)
    means = {name: estimate(values, copies, shares).mean for name, values in losses.items()}
    return tested(means, baseline, differences, whole.n, method_of(whole, codes), options)


def method_of(found: MeanEstimate, codes: Codes | None) -> str:
    """Name the test of differences of samples, or of groups."""
    if codes is None:
        return "Paired t-test"
    return f"Paired t-test of {found.n_pieces} groups, cluster-robust"


def tested(
    means: dict[str, float],
    baseline: str,
    differences: dict[str, MeanEstimate],
    n: int,
    method: str,
    options: Options,
    per: str = "",
) -> Comparison:
    """Test differences given in nats, and convert them to the unit of the options.

    `per` is added to the name of the unit.
    """
    scale = unit(options.base)
    df = next(iter(differences.values())).df
    difference = np.array([each.mean for each in differences.values()]) / scale
    error = np.array([each.standard_error for each in differences.values()]) / scale
    # A difference of exactly 0 has t = 0. Another difference with a standard error of 0 has no t,
    # because its error cannot be estimated.
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(error > 0, difference / error, np.where(difference == 0, 0.0, np.nan))
    p = 2.0 * stats.t.sf(np.abs(t), df)
    low, high = around(difference, error, df, options.level)
    return Comparison(
        baseline=baseline,
        baseline_mean=means[baseline] / scale,
        names=np.array(list(differences)),
        mean=np.array([means[name] for name in differences]) / scale,
        difference=difference,
        standard_error=error,
        low=low,
        high=high,
        t_statistic=t,
        p_value=p,
        p_adjusted=holm(p) if options.correction == "holm" else p,
        n=n,
        df=df,
        method=method,
        unit=unit_name(options.base) + per,
        **vars(options),
    )


def holm(p: Floats) -> Floats:
    """Adjust p-values (Holm): the i-th smallest of m times m - i + 1, never decreasing."""
    order = np.argsort(p)
    factors = np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return adjusted


def _losses(name: str, y_true: ArrayLike, y_pred: ArrayLike, options: LossOptions) -> Losses:
    """Return the losses of one model; an error names the model."""
    check_is_prediction(y_pred, name)
    try:
        losses = losses_of(y_true, y_pred, CATEGORICAL, options)
    except (TypeError, ValueError) as error:
        raise type(error)(f"y_preds[{name!r}]: {error}") from error
    losses.warn(None, f"y_preds[{name!r}]")
    return losses


def _difference(
    values: Floats, reference: Floats, copies: Floats, shares: Floats, groups: Codes | None
) -> MeanEstimate:
    """Estimate the mean difference of two models; rows without copies may be infinite."""
    both = np.where(copies > 0, [values, reference], 0.0)
    return estimate(both[0] - both[1], copies, shares, groups, size=float(both.max()))


def _probability(p: float) -> str:
    return "n/a" if p != p else f"{p:.2g}"
