"""A summed cross-entropy, split over classes or over groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skxent.inputs.dask_arguments import computed
from skxent.inputs.grouped_losses import GivenLosses
from skxent.inputs.labels import as_labels
from skxent.inputs.namespaces import Floats
from skxent.inputs.options import check_count, check_option, unit
from skxent.inputs.shapes import check_length
from skxent.inputs.weights import check_weight_range
from skxent.metrics.information import entropy
from skxent.metrics.means import exact_sum
from skxent.metrics.report_rows import Indices, RowPart, figures, parts_by_code
from skxent.metrics.scored_samples import ScoredSamples
from skxent.metrics.tables import Column, Table, Tabular, count, number, percent, unit_name

MOST_ROWS = 25  # shown in a summary; of more rows, those with the largest sums
COLUMNS = ("n", "weight", "sum", "share", "mean", "standard_error", "normalised")


@dataclass(frozen=True, eq=False, repr=False)
class CrossEntropyReport(Tabular):
    """A cross-entropy split over classes or groups; the sums of the rows add up to the total.

    The columns of `to_frame()` are `n`, `weight`, `sum`, `share`, `mean`, `std_error`, `normalised`
    and `d2`, with the classes or groups as index.

    Attributes
    ----------
    by : {"class", "group"}
        What the rows are.
    unit : str
        "nats", "bits", or the name for another base.
    names : ndarray of shape (R,)
        Classes, in the order of the columns of the prediction, or groups, sorted.
    n : ndarray of shape (R,)
        Number of samples in each row, copies counted.
    weight : ndarray of shape (R,)
        Sum of their weights, times the share of the class in soft targets.
    sum : ndarray of shape (R,)
        Sum of weighted losses.
    mean : ndarray of shape (R,)
        sum / weight; NaN in a row without samples.
    share : ndarray of shape (R,)
        sum / total_sum.
    standard_error : ndarray of shape (R,)
        Standard error of `mean`; NaN in a row of fewer than two samples.
    normalised : ndarray of shape (R,)
        mean / base_rate_loss, the normalised entropy: 1 is no better than base rates.
    worst : tuple of R ndarrays
        Positions of the samples with the largest losses of a row, largest first.
    worst_index : tuple of R ndarrays
        Their labels in the index of `y_true`, where that is a pandas object; else `worst`.
    worst_losses : tuple of R ndarrays
        Their losses, without weights.
    total_n, total_sum, total_weight, total_mean, total_standard_error, total_normalised : float
        The same for all samples.
    base_rate_loss : float
        Mean loss of predicting the base rates for every sample: the entropy of the base rates. NaN
        in a report on losses alone, whose columns `normalised` and `d2` are then NaN.
    d2 : ndarray of shape (R,)
        1 - normalised, the fraction of `base_rate_loss` that the prediction saves.
    total_d2 : float
        The same for all samples: McFadden's pseudo-R² against the base rates.

    See Also
    --------
    cross_entropy_report : The function that returns it.
    """

    by: str
    unit: str
    names: np.ndarray
    n: NDArray[np.intp]
    weight: Floats
    sum: Floats
    mean: Floats
    share: Floats
    standard_error: Floats
    normalised: Floats
    worst: tuple[Indices, ...]
    worst_index: tuple[np.ndarray, ...]
    worst_losses: tuple[Floats, ...]
    total_n: int
    total_sum: float
    total_weight: float
    total_mean: float
    total_standard_error: float
    total_normalised: float
    base_rate_loss: float

    @classmethod
    def of_losses(
        cls,
        losses: Any,
        *,
        by: Any = None,
        groups: Any = None,
        sample_weight: Any = None,
        base: float | None = None,
        n_worst: int = 5,
    ) -> Self:
        """Split losses that others have computed by labels, such as domains or languages.

        Parameters
        ----------
        losses : array-like of shape (n,), or list of D array-like
            Losses in nats, each at least 0. A list has one array for each document.
        by : array-like of shape (n,) or (D,), default=None
            Label of the row that each loss, or each document, is in. None gives each document of a
            list a row of its own, named by its position.
        groups : array-like of shape (n,) or (D,), default=None
            Labels of groups whose losses may depend on each other, for standard errors. The groups
            of a list are its documents if None.
        sample_weight : array-like of shape (n,), or list of D array-like, default=None
            Weights, or a mask. Losses of weight 0 are left out, whatever their value.
        base : float, default=None
            Base of the logarithm in the result. None gives nats, 2 gives bits.
        n_worst : int, default=5
            How many samples to name in each row: those with the largest losses.

        Returns
        -------
        CrossEntropyReport
            A row for each label, and the total. In a list of documents, `worst_index` has texts
            such as "[2][7]" for ``losses[2][7]``, and `worst` counts the losses of all documents.

        Examples
        --------
        >>> from skxent import CrossEntropyReport
        >>> losses = [[0.5, 1.5], [2.0, 3.0, 1.0], [0.25, 0.75]]
        >>> report = CrossEntropyReport.of_losses(losses, by=["news", "code", "news"], n_worst=1)
        >>> print(report)
        Cross-entropy by group, in nats
        <BLANKLINE>
        group  n  weight     sum    share    mean    s.e.
        -------------------------------------------------
        code   3       3  6.0000   66.7 %  2.0000     n/a
        news   4       4  3.0000   33.3 %  0.7500  0.2500
        -------------------------------------------------
        total  7       7  9.0000  100.0 %  1.2857  0.4938
        <BLANKLINE>
        Costliest samples: [1][1] (code, 3.0000)
        """
        scale = unit(base)
        check_count(n_worst, "n_worst", "how many samples to name")
        (by,) = computed(by)
        given = GivenLosses.read(losses, sample_weight)
        if by is None:
            if given.lengths is None:
                raise ValueError("by is None: pass a label for each loss, or a list of documents.")
            by = np.arange(given.n_rows)
        labels = given.labels(by, "by")
        codes, names = given.by_loss(labels.codes), labels.distinct
        parts = parts_by_code(codes, len(names), given.values)
        if given.weight is not None:
            check_weight_range(given.weight.max())
        own = given.codes(groups)
        fields = figures(parts, given.values, given.weight, np.nan, scale, n_worst, own)
        index = tuple(
            _index_of(losses, rows) if given.lengths is None else given.positions[rows]
            for rows in fields["worst"]
        )
        return cls(by="group", unit=unit_name(base), names=names, worst_index=index, **fields)

    @property
    def d2(self) -> Floats:
        """Return 1 - normalised of each row."""
        return 1.0 - self.normalised

    @property
    def total_d2(self) -> float:
        """Return 1 - normalised of all samples."""
        return 1.0 - self.total_normalised

    def _columns(self) -> tuple[dict[str, Column], Column, str]:
        tidy = {"standard_error": "std_error"}
        columns = {tidy.get(name, name): getattr(self, name) for name in (*COLUMNS, "d2")}
        return columns, self.names, self.by

    def _table(self) -> Table:
        heads: tuple[str, ...] = (self.by, "n", "weight", "sum", "share", "mean", "s.e.")
        shown, notes = np.arange(len(self.names)), []
        if len(shown) > MOST_ROWS:
            shown = np.argsort(-self.sum, kind="stable")[:MOST_ROWS]
            others = len(self.names) - MOST_ROWS
            rest = 1.0 - exact_sum(self.share[shown])
            notes.append(f"{others} rows of smaller sums, {percent(rest)} in all, are left out.")
        columns = [getattr(self, name) for name in COLUMNS]
        rows = [_cells(self.names[i], *(column[i] for column in columns)) for i in shown]
        totals = [getattr(self, f"total_{name}", 1.0) for name in COLUMNS]
        cells = [*rows, _cells("total", *totals)]
        if np.isnan(self.base_rate_loss):
            cells = [row[:-1] for row in cells]
        else:
            heads, base = (*heads, "normalised"), number(self.base_rate_loss)
            notes.append(f"normalised: mean / {base}, the entropy of the base rates.")
        notes.append(self._costliest())
        title = f"Cross-entropy by {self.by}, in {self.unit}"
        return Table(title, heads, cells[:-1], cells[-1], tuple(filter(None, notes)))

    def _costliest(self) -> str:
        """Name the samples with the largest losses of all rows."""
        rows = [
            (
                loss,
                f"{' '.join(str(index).split())} ({' '.join(str(name).split())}, {number(loss)})",
            )
            for name, worst, losses in zip(
                self.names, self.worst_index, self.worst_losses, strict=True
            )
            for index, loss in zip(worst, losses, strict=True)
        ]
        rows.sort(key=lambda row: -row[0])
        most = max(map(len, self.worst), default=0)
        return "Costliest samples: " + ", ".join(text for _, text in rows[:most]) if most else ""


def cross_entropy_report(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    by: str | ArrayLike = "class",
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    from_logits: bool = False,
    base: float | None = None,
    n_worst: int = 5,
    ignore_label: object = None,
) -> CrossEntropyReport:
    r"""Split a cross-entropy over classes or groups: the part of each, and its mean loss.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, K)
        Labels, one-hot or soft rows, as :func:`categorical_cross_entropy` takes them.
    y_pred : array-like of shape (n, K) or (n,)
        Probabilities, or logits with ``from_logits=True``.
    by : "class" or array-like of shape (n,), default="class"
        Split by the true class, or by labels of groups.
    labels : array-like of shape (K,), default=None
        The class of each column of `y_pred`.
    sample_weight : array-like of shape (n,), default=None
        Weight w_i counts sample i that many times.
    from_logits : bool, default=False
        Whether `y_pred` holds logits.
    base : float, default=None
        Base of the logarithm. None gives nats, 2 gives bits.
    n_worst : int, default=5
        How many samples to name in each row: those with the largest losses.
    ignore_label : label, default=None
        Label of samples that do not count, as in :func:`categorical_cross_entropy`.

    Returns
    -------
    CrossEntropyReport
        A row for each class or group, and the total. It prints as a table; `to_frame()` gives a
        data frame.

    Raises
    ------
    ValueError
        As :func:`categorical_cross_entropy`; if `by` is no array of n labels; if `n_worst` is
        negative.

    Warns
    -----
    ZeroProbabilityWarning
        If the floor under probabilities acted.

    See Also
    --------
    mean_loss_interval : An interval for a mean, robust to dependence within groups.
    decompose_cross_entropy : Split into miscalibration, discrimination and uncertainty.

    Notes
    -----
    A cross-entropy is a sum over samples, so it is split by putting samples into rows. With soft
    targets and ``by="class"`` a sample is split too: class k gets the part

    .. math:: -w_i \, y_{ik} \log q_{ik}

    of its loss and the part :math:`w_i y_{ik}` of its weight. A label, and the one-hot or soft row
    equal to it, are therefore split alike, and `mean` is the mean loss of class k where k is true.

    **The rows add up.** The sum of a row is the exact sum of its weighted losses, rounded once
    (`math.fsum`), and `total_sum` is the exact sum of the rows' sums, rounded once:
    ``math.fsum(report.sum) == report.total_sum`` to the last bit. Two splits of the same samples
    round different rows, so their totals may differ in the last digit.

    **Normalised entropy** [1]_ is the mean divided by the entropy of the base rates of all
    samples, :math:`-\sum_k \pi_k \log \pi_k`. It is the fraction of the uncertainty that is left,
    and can be compared between problems with different base rates. ``total_d2`` is the value that
    `sklearn.metrics.d2_log_loss_score` returns. Every row is divided by the entropy of all samples,
    so `normalised` of a rare class is above 1 even in a perfectly calibrated prediction.

    Standard errors treat samples of a row as independent, see :func:`mean_loss_interval`.

    Dask collections are copied to this process, once: all their rows must fit in memory.

    References
    ----------
    .. [1] X. He et al., "Practical lessons from predicting clicks on ads at Facebook", ADKDD 2014.
       :doi:`10.1145/2648584.2648589`

    Examples
    --------
    >>> from skxent import cross_entropy_report
    >>> P = [[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.25, 0.5, 0.25], [0.5, 0.25, 0.25]]
    >>> report = cross_entropy_report(["ant", "bee", "cow", "ant"], P, base=2)
    >>> print(report)
    Cross-entropy by class, in bits
    <BLANKLINE>
    class  n  weight     sum    share    mean    s.e.  normalised
    -------------------------------------------------------------
    ant    2       2  2.0000   45.3 %  1.0000  0.0000      0.6667
    bee    1       1  0.4150    9.4 %  0.4150     n/a      0.2767
    cow    1       1  2.0000   45.3 %  2.0000     n/a      1.3333
    -------------------------------------------------------------
    total  4       4  4.4150  100.0 %  1.1038  0.3290      0.7358
    <BLANKLINE>
    normalised: mean / 1.5000, the entropy of the base rates.
    Costliest samples: 2 (cow, 2.0000), 0 (ant, 1.0000)
    """
    scale = unit(base)
    if isinstance(by, str):
        cure = 'pass "class", or an array of one group label per sample'
        check_option("by", by, ("class",), cure)
    check_count(n_worst, "n_worst", "how many samples to name")
    y_true, y_pred, sample_weight = computed(y_true, y_pred, sample_weight)
    samples = ScoredSamples.of(y_true, y_pred, labels, sample_weight, from_logits, ignore_label)
    samples.losses.warn(None)
    names, parts = _by_class(samples) if isinstance(by, str) else _by_group(samples, by)
    fields = figures(
        parts,
        samples.losses.values,
        samples.weight,
        float(entropy(samples.base_rates)),
        scale,
        n_worst,
    )
    return CrossEntropyReport(
        by="class" if isinstance(by, str) else "group",
        unit=unit_name(base),
        names=names,
        worst_index=tuple(_index_of(y_true, rows) for rows in fields["worst"]),
        **fields,
    )


def _index_of(y_true: object, rows: Indices) -> np.ndarray:
    """Return the labels of rows in the index of a pandas object, or the rows themselves."""
    index = getattr(y_true, "index", None)
    if not hasattr(y_true, "iloc") or index is None:
        return rows
    return np.asarray(index.take(rows))


def _by_class(samples: ScoredSamples) -> tuple[np.ndarray, Iterator[RowPart]]:
    target = samples.target
    if target.ndim == 1:
        return samples.names, parts_by_code(target, len(samples.names), samples.losses.values)
    return samples.names, (
        RowPart(rows, samples.cost_of(k)[rows], target[rows, k].astype(np.float64))
        for k, rows in enumerate(map(np.flatnonzero, target.T))
    )


def _by_group(samples: ScoredSamples, groups: ArrayLike) -> tuple[np.ndarray, Iterator[RowPart]]:
    labels = as_labels(groups, "by")
    check_length("by", len(labels), len(samples.target))
    values = samples.losses.values
    return labels.distinct, parts_by_code(labels.codes, len(labels.distinct), values)


def _cells(
    name: object, n: float, weight: float, total: float, share: float, *rest: float
) -> tuple[str, ...]:
    """Return the text of each cell in a row of the table.

    Sums of rows add up to the total as printed, so they have decimals even if they are large.
    """
    whole = number(total, most=1e11)
    return (str(name), count(n), count(weight), whole, percent(share), *map(number, rest))
