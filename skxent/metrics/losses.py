"""Cross-entropy of samples: one loss per sample, and the sum and the mean of the losses."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from numpy.typing import ArrayLike

from skxent.inputs.namespaces import Floats, namespace_of
from skxent.inputs.options import check_option, unit
from skxent.inputs.partitions import is_dask
from skxent.metrics.block_sums import BlockSums
from skxent.metrics.loss_registry import BINARY, CATEGORICAL, Loss, LossOptions, losses_of
from skxent.metrics.partitioned_losses import PartitionedLosses

Reduction = Literal["mean", "sum", "none"]


def categorical_cross_entropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    from_logits: bool = False,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    base: float | None = None,
    eps: float | None = None,
    ignore_label: object = None,
) -> float | Floats:
    r"""Categorical cross-entropy; the smaller the better, at least the target's own entropy.

    Also known as log loss, logistic loss, multinomial deviance, negative log-likelihood.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, K)
        Labels (strings, booleans, whole numbers), one-hot rows, or soft rows, which are
        distributions over classes.
    y_pred : array-like of shape (n, K) or (n,)
        Probabilities, or logits with ``from_logits=True``. The form (n,) is for two classes and
        holds the probability, or the single logit, of the second.
    from_logits : bool, default=False
        Whether `y_pred` holds logits. ``-inf`` is the logit of an impossible class.
    labels : array-like of shape (K,), default=None
        The class of each column of `y_pred`, in any order. When None, the columns are the sorted
        distinct labels of `y_true`. A data frame whose column names include these labels, or their
        texts, names its own columns.
    sample_weight : array-like of shape (n,), default=None
        Weight w_i counts sample i that many times.
    reduction : {"mean", "sum", "none"}, default="mean"
        "none" returns the n losses, unweighted; of Dask collections as a Dask array, lazily.
    base : float, default=None
        Base of the logarithm. None gives nats, 2 gives bits.
    eps : float, default=None
        Floor under the probability of a target. None takes the machine epsilon of float64 for every
        dtype, about 2.2e-16. 0 is exact: an impossible event costs infinity. Logits are never
        floored.
    ignore_label : label, default=None
        Label of samples that do not count, such as -100 for padding. They are left out of means and
        sums, and "none" gives 0 for them. No class may have this label.

    Returns
    -------
    float or ndarray of shape (n,)
        The mean, the sum, or the losses.

    Raises
    ------
    ValueError
        If a row of probabilities is not a distribution (a negative value, NaN, a sum that differs
        from 1 by more than the square root of its dtype's machine epsilon), a logit is NaN or +inf,
        labels, columns and lengths do not fit together, the weights are negative, not finite or
        all zero, no sample counts, or the sum is larger than the largest float.

    Warns
    -----
    ZeroProbabilityWarning
        If the floor acted; it tells how many samples it touched.

    See Also
    --------
    binary_cross_entropy : Two classes, or several independent yes/no outcomes.
    CrossEntropySum : The sum of losses and of weights, to be added over chunks.
    kl_divergence : The cross-entropy without the entropy of soft targets.

    Notes
    -----
    With targets :math:`y_{ik}` (1 for the label's class and 0 for the others, if it is a label) and
    probabilities :math:`p_{ik}`, or logits :math:`z_{ik}`,

    .. math:: \ell_i = -\sum_k y_{ik} \log p_{ik}
              = \sum_k y_{ik} \Bigl(\log \sum_j e^{z_{ij}} - z_{ik}\Bigr), \qquad
              \text{sum} = \sum_i w_i \ell_i, \qquad
              \text{mean} = \frac{\sum_i w_i \ell_i}{\sum_i w_i}.

    For a soft target this is the cross-entropy, not a deviance: the target's own entropy is part of
    it.

    A perfect prediction costs 0. If the floor acted and every entry of `y_pred` is 0 or 1, like the
    classes that ``predict`` returns, the warning says to pass probabilities. A probability may
    exceed 1 by rounding, within the tolerance of the row sums; it counts as 1. From logits each
    loss has full relative accuracy: a confident right answer at logit 40 costs 4e-18. All sums are
    float64.

    A mean or a sum needs work space for one block of rows, and none that grows with n. Two things
    are copied first: labels other than integers of eight bytes, and weights other than float64.

    The prediction of a sample whose label is `ignore_label` is checked like any other. Its loss of
    0 with ``reduction="none"`` is not a loss to average: leave it out, or pass the mean function
    ``sample_weight=y_true != ignore_label``.

    Arguments may be Dask arrays or data frames. Their partitions report sums, which are added and
    divided once.

    References
    ----------
    .. [1] I. J. Good, "Rational decisions", Journal of the Royal Statistical Society B 14 (1952).
       :doi:`10.1111/j.2517-6161.1952.tb00104.x`
    .. [2] T. Gneiting, A. E. Raftery, "Strictly proper scoring rules, prediction, and estimation",
       Journal of the American Statistical Association 102 (2007). :doi:`10.1198/016214506000001437`

    Examples
    --------
    >>> from skxent import categorical_cross_entropy
    >>> P = [[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]]
    >>> categorical_cross_entropy(["ant", "cow"], P, labels=["ant", "bee", "cow"], base=2)
    2.0
    >>> categorical_cross_entropy([0, 1], [[40.0, 0.0], [0.0, 40.0]], from_logits=True)
    4.24835425529...e-18
    """
    options = LossOptions(labels, from_logits, base, eps, ignore_label)
    return _reduced(CATEGORICAL, y_true, y_pred, sample_weight, options, reduction)


def binary_cross_entropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    from_logits: bool = False,
    pos_label: object = None,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    base: float | None = None,
    eps: float | None = None,
    ignore_label: object = None,
) -> float | Floats:
    r"""Binary cross-entropy; the smaller the better, at least the target's own entropy.

    Also known as log loss, logistic loss, Bernoulli deviance.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, m)
        Labels of two classes, or numbers in [0, 1], the probabilities of yes. Rows of shape (n, m)
        are m independent yes/no outcomes (multilabel), each 0, 1 or between.
    y_pred : array-like of shape (n,), (n, m) or (n, 2)
        Probability of yes, or its logit with ``from_logits=True``, in the shape of `y_true`. Labels
        of shape (n,) also go with (n, 2), the two columns of a classifier: no, then yes.
    from_logits : bool, default=False
        Whether `y_pred` holds logits. An infinite logit is a certain outcome.
    pos_label : label, default=None
        The label that means yes. None takes 1 (or True) if labels are in {0, 1} or {-1, 1}, else
        the greater of two labels, which is ``classes_[1]`` of a classifier.
    sample_weight : array-like of shape (n,), default=None
        Weight w_i counts sample i that many times.
    reduction : {"mean", "sum", "none"}, default="mean"
        "none" returns the n losses, unweighted; of Dask collections as a Dask array, lazily.
    base : float, default=None
        Base of the logarithm. None gives nats, 2 gives bits.
    eps : float, default=None
        Floor under the probability of an outcome that the target allows, as in
        :func:`categorical_cross_entropy`.
    ignore_label : label, default=None
        Label of samples that do not count, as in :func:`categorical_cross_entropy`. It is for
        `y_true` of shape (n,). A number outside [0, 1] may also mark probabilities of yes.

    Returns
    -------
    float or ndarray of shape (n,)
        The mean, the sum, or the losses. The loss of a sample is the **sum** over its m outcomes;
        divide by m to compare with libraries that average over outcomes.

    Raises
    ------
    ValueError
        If a probability is outside [0, 1] or NaN, a logit is NaN, there are more than two labels,
        shapes differ, or the weights are negative, not finite or all zero.

    Warns
    -----
    ZeroProbabilityWarning
        If the floor acted; it tells how many samples it touched.

    See Also
    --------
    categorical_cross_entropy : K classes of which exactly one is true.

    Notes
    -----
    With targets :math:`y_{ij}` in [0, 1], and probabilities :math:`p_{ij}` or logits
    :math:`z_{ij}`,

    .. math:: \ell_i = -\sum_j \bigl[ y_{ij} \log p_{ij} + (1 - y_{ij}) \log(1 - p_{ij}) \bigr]
              = \sum_j \max(z_{ij}, 0) - y_{ij} z_{ij} + \log\bigl(1 + e^{-|z_{ij}|}\bigr),

    both arranged so that nothing cancels.

    Examples
    --------
    >>> from skxent import binary_cross_entropy
    >>> binary_cross_entropy(["no", "yes"], [0.25, 0.5], reduction="sum")
    0.980829253011726...
    >>> binary_cross_entropy([[1, 0, 1]], [[0.5, 0.5, 0.25]], base=2)
    4.0
    """
    options = LossOptions(pos_label, from_logits, base, eps, ignore_label)
    return _reduced(BINARY, y_true, y_pred, sample_weight, options, reduction)


def _reduced(
    loss: Loss,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    sample_weight: ArrayLike | None,
    options: LossOptions,
    reduction: Reduction,
) -> float | Floats:
    """Return what a public function returns, and warn its caller if the floor acted."""
    scale = unit(options.base)
    check_option("reduction", reduction, ("mean", "sum", "none"))
    if is_dask(y_true, y_pred, sample_weight):
        partitioned = PartitionedLosses.of(loss, y_true, y_pred, sample_weight, options)
        return partitioned.reduced(reduction)
    if reduction != "none" and namespace_of(y_pred) is None:
        sums = BlockSums(sample_weight)
        losses = losses_of(y_true, y_pred, loss, options, sums)
        value = sums.reduced(reduction)
        if value is not None:
            losses.warn(options.eps, n=sums.n)
            return value / scale
    losses = losses_of(y_true, y_pred, loss, options)
    losses.warn(options.eps)
    if reduction == "none":
        replace(losses, kept=None).weights(sample_weight)  # only to check them
        return losses.values / scale
    weights = losses.weights(sample_weight)
    total = losses.mean(weights) if reduction == "mean" else losses.sum(weights)
    return total / scale
