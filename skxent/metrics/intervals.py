"""Confidence intervals of a mean loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from skxent.inputs.dask_arguments import computed
from skxent.inputs.grouped_losses import GivenLosses
from skxent.inputs.namespaces import Floats
from skxent.inputs.options import check_level
from skxent.inputs.weights import check_two_pieces
from skxent.metrics.means import (
    copies_and_shares,
    estimate,
    scaled_weights,
)
from skxent.metrics.ratio_means import summed_by_piece

F = TypeVar("F", float, Floats)


@dataclass(frozen=True)
class MeanLossInterval:
    """A mean loss with its standard error and an interval around it.

    Attributes
    ----------
    mean : float
        The weighted mean, in the unit of the losses.
    standard_error : float
        Standard error of the mean.
    low, high : float
        Ends of the interval.
    n : int
        Number of samples, copies counted.
    df : float
        Degrees of freedom: the number of independent observations less one, and fewer if groups
        are unequal.
    level : float
        Confidence level: the probability that such an interval contains the true mean.

    See Also
    --------
    mean_loss_interval : The function that returns it.
    """

    mean: float
    standard_error: float
    low: float
    high: float
    n: int
    df: float
    level: float


def mean_loss_interval(
    losses: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    units: ArrayLike | None = None,
    level: float = 0.95,
) -> MeanLossInterval:
    r"""Confidence interval of a mean loss by Student's t, of samples or of groups of samples.

    Parameters
    ----------
    losses : array-like of shape (n,), or list of D array-like
        Loss of each sample, as ``categorical_cross_entropy(..., reduction="none")`` gives them, or
        differences of the losses of two models. The interval is in their unit. In a list of arrays,
        one for each document, the documents are groups.
    sample_weight : array-like of shape (n,), or list of D array-like, default=None
        Weight w_i counts sample i that many times. Weights that are not all whole numbers cannot be
        counts; each sample is then one observation with the importance w_i. A mask of False or 0
        leaves samples out.
    groups : array-like of shape (n,) or (D,), default=None
        Labels of groups (patients, sites, days) whose samples may depend on each other, one for
        each sample, or for each array of a list. Groups are taken to be independent; a group is one
        observation, whatever its size.
    units : array-like of shape (n,) or (D,), or list of D array-like, default=None
        Number of bytes (or characters, words) of each sample, or of each array of a list. The mean
        is then the loss for each unit, the sum of losses over the sum of units.
    level : float, default=0.95
        Confidence level: the probability that such an interval contains the true mean.

    Returns
    -------
    MeanLossInterval
        With fields `mean`, `standard_error`, `low`, `high`, `n`, `df` and `level`.

    Raises
    ------
    ValueError
        If a loss that has weight is not finite, there are fewer than two observations, weights are
        negative or all zero, or `level` is not between 0 and 1.

    See Also
    --------
    compare : Differences between models, with tests.
    compare_losses : The same of losses that others have computed.
    cross_entropy_report : Mean losses by class or by group.

    Notes
    -----
    With G independent observations,

    .. math:: \mathrm{SE}^2 = \frac{G}{G - 1}
              \frac{\sum_i \bigl(w_i (\ell_i - \bar\ell)\bigr)^2}{\bigl(\sum_i w_i\bigr)^2},
              \qquad \bar\ell \pm t_{G-1} \, \mathrm{SE}.

    If weights are whole numbers or absent, each copy of a sample is an observation. G is then the
    sum of the weights, and this is the usual standard error of the mean of G numbers: a weight of
    k gives the same result as k copies of the row. Weights within 8 rounding errors of whole
    numbers count as whole, so that ``counts * 0.1 / 0.1`` gives the same result as `counts`. If
    weights are not all whole, each sample is one observation: a group of its own, as below. For
    equal weights that is the formula above.

    With `groups`, group g has the weight W_g and the share h_g = W_g / W of the weight of all:

    .. math:: \mathrm{SE}^2 = \frac{1}{W^2} \sum_g
              \frac{\bigl(\sum_{i \in g} w_i (\ell_i - \bar\ell)\bigr)^2}{1 - h_g}, \qquad
              \frac{1}{\mathrm{df}} = \sum_g h_g^2
              + \sum_{g \ne k} \frac{h_g^2 \, h_k^2}{(1 - h_g)(1 - h_k)}.

    This is the cluster-robust standard error [1]_ with the correction CR2 for few or unequal groups
    and the degrees of freedom of Satterthwaite [2]_, both of the sums of groups. For groups of
    equal weight they are the correction G / (G - 1) and G - 1 degrees of freedom.

    With `units` the mean is :math:`\sum w_i \ell_i / \sum w_i u_i`, and its standard error is
    that of a ratio: in the formulas :math:`\bar\ell` becomes :math:`\bar\ell u_i`, and weights
    become units. Units of documents count whole, also if a mask leaves out some of their losses.
    A document none of whose losses has weight is left out, with its units.

    Whole weights that are importances and not counts, such as survey weights, would be taken for
    far more samples than there are. For such weights pass ``groups=np.arange(n)``, so that each
    sample is one observation.

    **Assumes** independent observations, and enough of them for a nearly normal mean. Losses are
    skewed to the right, so the true mean lies above an interval more often than below it. A large
    loss that is too rare to occur in the sample does not widen the interval, and neither does a
    rare group of large losses. The correction for unequal groups takes the variance of a group's
    mean to be inverse to the group's weight. If one group has nearly all weight and its samples
    depend on each other, the interval is far too short.

    Dask collections are copied to this process, once: all their rows must fit in memory.

    References
    ----------
    .. [1] A. C. Cameron, D. L. Miller, "A practitioner's guide to cluster-robust inference",
       Journal of Human Resources 50, 2015. :doi:`10.3368/jhr.50.2.317`
    .. [2] J. E. Pustejovsky, E. Tipton, "Small-sample methods for cluster-robust variance
       estimation and hypothesis testing in fixed effects models", Journal of Business & Economic
       Statistics 36, 2018. :doi:`10.1080/07350015.2016.1247004`

    Examples
    --------
    >>> from skxent import categorical_cross_entropy, mean_loss_interval
    >>> P = [[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.6, 0.4]]
    >>> losses = categorical_cross_entropy(["a", "b", "b", "a"], P, reduction="none")
    >>> found = mean_loss_interval(losses)
    >>> print(f"{found.mean:.3f} nats, {found.low:.3f} to {found.high:.3f}")
    0.383 nats, -0.043 to 0.809
    """
    check_level(level)
    losses, sample_weight, groups, units = computed(losses, sample_weight, groups, units)
    given = GivenLosses.read(losses, sample_weight, signed=True)
    codes = given.codes(groups)
    if units is None:
        weight = scaled_weights(given.weight)
        found = estimate(given.values, *copies_and_shares(weight, len(given)), codes)
    else:
        summed = summed_by_piece(given, codes, *given.units(units))
        found = summed.pieces.estimate(summed.sums, float(np.abs(summed.sums).max()))
    check_two_pieces(found.n_pieces, codes)
    low, high = around(found.mean, found.standard_error, found.df, level)
    error = found.standard_error
    return MeanLossInterval(found.mean, error, low, high, found.n, found.df, float(level))


def around(mean: F, error: F, df: float, level: float) -> tuple[F, F]:
    """Return the ends of the t-interval."""
    half = float(stats.t.isf((1.0 - level) / 2.0, df)) * error
    return mean - half, mean + half
