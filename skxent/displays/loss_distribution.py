"""Plot of the distribution of the losses in each class."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skxent.displays.cell import Axes, cell_size
from skxent.displays.colours import background, shade
from skxent.displays.layout import (
    LARGEST,
    Floats,
    legend_below,
    name_rows,
    new_axes,
    plain,
    row_size,
    text_column,
    wrapped,
)
from skxent.displays.prediction_display import PredictionDisplay, index_of, require_matplotlib
from skxent.inputs.dask_arguments import computed
from skxent.inputs.fit_targets import class_codes
from skxent.inputs.grouped_losses import GivenLosses
from skxent.inputs.namespaces import Label
from skxent.inputs.options import unit
from skxent.metrics.scored_samples import ScoredSamples
from skxent.metrics.short_names import distinct
from skxent.metrics.tables import unit_name

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
LONGEST = 24  # largest number of characters of the name of a sample
# Names of the quantiles and of the mean in `matplotlib.axes.Axes.bxp`.
BOX = ("whislo", "q1", "med", "q3", "whishi", "mean")
SMALLEST = 1e-6  # smallest loss that is drawn, in the unit of the losses
POINTS = 300  # largest number of points of a class
GOLDEN = (math.sqrt(5) - 1) / 2
# Probabilities of ticks, the most important first in case there is no room for all.
PROBABILITIES = (0.5, 0.9, 0.99, 0.1, 0.999, 0.9999, 0.99999, 0.01, 1e-3, 1e-6, 1e-15)


@dataclass(repr=False, eq=False)
class LossDistributionDisplay(PredictionDisplay):
    r"""Losses of samples by class, on a logarithmic axis, with the worst samples named.

    A box reaches from the first to the third quartile of a class. The bar in it is the median, the
    whiskers reach from the 5 % to the 95 % quantile, and the diamond is the mean. Points are
    samples. Of a large class only some samples are drawn, evenly spaced in the order of their
    losses. The samples with the largest losses have rings and are named on the right, by the index
    of `y` if it has one and by position otherwise, the worst first.

    Parameters
    ----------
    losses : ndarray of shape (n,)
        Loss of each sample, in `unit`.
    codes : ndarray of shape (n,)
        Class of each sample, as an index into `names`.
    names : sequence
        Labels of the classes.
    sample_weight : ndarray of shape (n,), default=None
        Weights in quantiles and means; samples of weight 0 are left out.
    base : float, default=None
        Base of the logarithm: None for nats, 2 for bits.
    hard : bool, default=True
        Whether targets are labels, so that each loss is that of one probability.
    index : sequence of length n, default=None
        Names of the samples. None means their positions.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure of the axes.
    boxes_ : dict of lists of matplotlib artists
        Artists of `matplotlib.axes.Axes.bxp`, a box for each class with samples.
    points_ : list of matplotlib PathCollection
        Points of each class with samples.
    worst_ : ndarray of int
        Positions of the samples with the largest losses, the worst first.
    worst_points_ : matplotlib PathCollection
        Rings of the worst samples.
    probability_axis_ : matplotlib SecondaryAxis
        Axis of the probability of the true class, if targets are labels.

    See Also
    --------
    categorical_cross_entropy : Computes the losses.
    LossShareDisplay : Draws the sums of the losses by class.

    Notes
    -----
    Losses below a millionth are not drawn, and the label of the axis has their number. Losses above
    1e100 are drawn at the right edge, and so are infinite losses, which logits of -inf cause; the
    label has their number as well.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skxent import LossDistributionDisplay, SoftmaxClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> clf = SoftmaxClassifier().fit(X, y)
    >>> display = LossDistributionDisplay.from_estimator(clf, X, y)
    >>> display.worst_
    array([ 25,  83, 130,  61,  73])
    """

    losses: Floats
    codes: NDArray[np.intp]
    names: Sequence[Label]
    sample_weight: Floats | None = None
    base: float | None = None
    hard: bool = True
    index: Sequence[Label] | None = None

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        labels: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        from_logits: bool = False,
        base: float | None = None,
        n_worst: int = 5,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the losses of predictions.

        Parameters
        ----------
        y_true : array-like of shape (n,) or (n, K)
            Labels or soft rows. A soft row belongs to its most probable class.
        y_pred : array-like of shape (n, K) or (n,)
            Probabilities, or logits with ``from_logits=True``.
        labels : array-like of shape (K,), default=None
            The class of each column of `y_pred`.
        sample_weight : array-like of shape (n,), default=None
            Weights.
        from_logits : bool, default=False
            Whether `y_pred` holds logits.
        base : float, default=None
            Base of the logarithm. None gives nats, 2 gives bits.
        n_worst : int, default=5
            Number of samples to name.
        ax : matplotlib Axes, default=None
            Axes to draw on. None draws on a new figure.

        Returns
        -------
        LossDistributionDisplay
            The display, drawn.
        """
        require_matplotlib(cls.__name__)
        (y_true,) = computed(y_true)
        samples = ScoredSamples.of(y_true, y_pred, labels, sample_weight, from_logits)
        samples.losses.warn(None)
        hard = samples.target.ndim == 1
        display = cls(
            losses=_in_unit(samples.losses.values, base),
            codes=class_codes(samples.target),
            names=samples.names.tolist(),
            sample_weight=samples.weight,
            base=base,
            hard=hard,
            index=index_of(y_true),
        )
        return display.plot(ax=ax, n_worst=n_worst)

    @classmethod
    def from_losses(
        cls,
        losses: Any,
        *,
        by: Any = None,
        sample_weight: Any = None,
        base: float | None = None,
        hard: bool = False,
        n_worst: int = 5,
        ax: Axes | None = None,
    ) -> Self:
        """Draw losses that others have computed, such as one for each token.

        Parameters
        ----------
        losses : array-like of shape (n,), or list of D array-like
            Losses in nats. A list has one array for each document, and its samples are named by
            their places, such as "[2][7]".
        by : array-like of shape (n,) or (D,), default=None
            Label of the row of each loss or document. None draws one row of all losses.
        sample_weight : array-like of shape (n,), or list of D array-like, default=None
            Weights, or a mask.
        base : float, default=None
            Base of the logarithm. None gives nats, 2 gives bits.
        hard : bool, default=False
            Whether each loss is that of one label, such as a token, so that it has a probability.
        n_worst : int, default=5
            Number of samples to name.
        ax : matplotlib Axes, default=None
            Axes to draw on. None draws on a new figure.

        Returns
        -------
        LossDistributionDisplay
            The display, drawn.
        """
        require_matplotlib(cls.__name__)
        losses, by, sample_weight = computed(losses, by, sample_weight)
        given = GivenLosses.read(losses, sample_weight)
        labels = given.labels(np.full(given.n_rows, "all losses") if by is None else by, "by")
        display = cls(
            losses=_in_unit(given.values, base),
            codes=given.by_loss(labels.codes),
            names=labels.distinct.tolist(),
            sample_weight=given.weight,
            base=base,
            hard=hard,
            index=index_of(losses) if given.lengths is None else given.positions,
        )
        return display.plot(ax=ax, n_worst=n_worst)

    def plot(self, ax: Axes | None = None, *, n_worst: int = 5) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None draws on a new figure.
        n_worst : int, default=5
            Number of samples to name.

        Returns
        -------
        LossDistributionDisplay
            The display itself, with its artists.
        """
        require_matplotlib(type(self).__name__)
        if not isinstance(n_worst, numbers.Integral) or n_worst < 0:
            raise ValueError(f"n_worst is {n_worst!r}: pass how many samples to name, 0 or more.")
        weight = np.ones(len(self.losses)) if self.sample_weight is None else self.sample_weight
        order = np.argsort(self.losses, kind="stable")
        order = order[weight[order] > 0]
        self.worst_: NDArray[np.intp] = order[::-1][:n_worst]
        rows = [order[self.codes[order] == k] for k in range(len(self.names))]
        called = dict(zip(self.worst_.tolist(), self._names_of(self.worst_), strict=True))
        worst = [
            ", ".join(name for i, name in called.items() if self.codes[i] == k)
            for k in range(len(rows))
        ]
        pairs = zip(self.names, rows, strict=True)
        names = [f"{plain(name)}  (n = {len(row)})" for name, row in pairs]
        self.ax_ = ax = new_axes(ax, row_size(names, worst))
        self.figure_ = ax.figure
        note = self._set_axis(self.losses[order])
        size = name_rows(ax, names)
        self._draw_points(rows)
        self._draw_boxes(rows, weight)
        text_column(ax, "worst samples", worst, left=6, size=size)
        ax.set_xlabel(wrapped(ax, f"loss of a sample, {unit_name(self.base)}{note}"))
        self._add_legend()
        return self

    def _names_of(self, places: NDArray[np.intp]) -> list[str]:
        """Return the names of samples, each of at most `LONGEST` characters."""
        names = [i if self.index is None else self.index[i] for i in places.tolist()]
        return distinct([plain(name) for name in names], LONGEST)

    def _set_axis(self, losses: Floats) -> str:
        """Set the logarithmic axis of the losses; return a note about losses that are not on it."""
        finite = losses[losses <= LARGEST]
        seen = finite[finite >= SMALLEST]
        low, high = (seen[0], seen[-1]) if len(seen) else (SMALLEST, 10 * SMALLEST)
        n_below, n_beyond = len(finite) - len(seen), len(losses) - len(finite)
        n_infinite = np.count_nonzero(np.isinf(losses))
        self._edge = 3.0 * high
        self.ax_.set_xscale("log", nonpositive="clip")
        self.ax_.set_xlim(SMALLEST if n_below else low / 1.5, high * (4.0 if n_beyond else 1.5))
        self.ax_.grid(axis="x", color=shade(self.ax_, 0.1))
        self.ax_.set_axisbelow(True)
        if self.hard:
            self._add_probabilities()
        notes = [f"{n_below} below {SMALLEST:g} not shown"] if n_below else []
        beyond = "infinite" if n_infinite == n_beyond else f"above {LARGEST:g}"
        notes += [f"{n_beyond} {beyond} at the right edge"] if n_beyond else []
        return f"\n{' and '.join(notes)}" if notes else ""

    def _add_probabilities(self) -> None:
        """Add an axis of the probability of the true class, with ticks that do not overlap."""
        from matplotlib.ticker import NullLocator

        low, high = self.ax_.get_xlim()
        cell = cell_size(self.ax_)
        apart_by = 0.09 if cell is None else max(0.09, 1.2 / cell[0])
        gap = apart_by * math.log(high / low)
        ticks: dict[float, str] = {}
        for p in PROBABILITIES:
            place = -math.log(p) / unit(self.base)
            apart = all(abs(math.log(place / other)) > gap for other in ticks)
            # The right end is kept free for the header of the column of names.
            if apart and low < place < high * math.exp(-0.6 * gap):
                ticks[place] = f"{p:.6g}"
        self.probability_axis_ = axis = self.ax_.secondary_xaxis("top")
        axis.set_xticks(list(ticks), labels=list(ticks.values()))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_xlabel("probability of the true class", fontsize="small")

    def _draw_points(self, rows: Sequence[NDArray[np.intp]]) -> None:
        """Draw samples, spread over the height of their row by a low-discrepancy sequence."""
        heights = np.empty(len(self.losses))
        self.points_ = []
        for k, row in enumerate(rows):
            heights[row] = k + 0.7 * (np.arange(len(row)) * GOLDEN % 1.0 - 0.5)
            if len(row):
                drawn = row[np.unique(np.linspace(0, len(row) - 1, POINTS).round().astype(int))]
                style = {"s": 7, "color": "C0", "alpha": 0.4, "linewidths": 0}
                self.points_.append(
                    self.ax_.scatter(self._drawn(self.losses[drawn]), heights[drawn], **style)
                )
        self.worst_points_ = self.ax_.scatter(
            self._drawn(self.losses[self.worst_]),
            heights[self.worst_],
            s=45,
            facecolors="none",
            edgecolors=[shade(self.ax_, 1)],
            zorder=4,
        )

    def _draw_boxes(self, rows: Sequence[NDArray[np.intp]], weight: Floats) -> None:
        """Draw boxes of the quantiles, and the means."""
        boxes, places, ink = [], [], shade(self.ax_, 1)
        for k, row in enumerate(rows):
            if len(row):
                losses = self.losses[row]
                figures = np.quantile(losses, QUANTILES, weights=weight[row], method="inverted_cdf")
                figures = self._drawn([*figures, _mean(losses, weight[row])])
                boxes.append(dict(zip(BOX, figures, strict=True)))
                places.append(k)
        self.boxes_ = self.ax_.bxp(
            boxes,
            places,
            widths=0.5,
            orientation="horizontal",
            manage_ticks=False,
            showfliers=False,
            showmeans=True,
            boxprops={"color": ink, "linewidth": 1},
            whiskerprops={"color": ink},
            capprops={"color": ink},
            medianprops={"color": ink, "linewidth": 2.5},
            meanprops={"marker": "D", "markersize": 5, "mfc": background(self.ax_), "mec": ink},
            zorder=3,
        )

    def _add_legend(self) -> None:
        from matplotlib.patches import Patch

        handles = {
            "quartiles": Patch(facecolor="none", edgecolor=shade(self.ax_, 1)),
            "5 % to 95 %": self.boxes_["whiskers"][0],
            "median": self.boxes_["medians"][0],
            "mean": self.boxes_["means"][0],
            "worst samples": self.worst_points_,
        }
        legend_below(self.ax_, handles=list(handles.values()), labels=list(handles), ncols=5)

    def _drawn(self, losses: ArrayLike) -> Floats:
        """Return losses, with those beyond the axis moved to its right edge."""
        return np.minimum(losses, self._edge)


def _in_unit(losses: Floats, base: float | None) -> Floats:
    with np.errstate(over="ignore"):
        return losses / unit(base)


def _mean(losses: Floats, weight: Floats) -> float:
    """Return the weighted mean, without overflow unless the mean itself overflows."""
    with np.errstate(over="ignore"):
        return float((weight / weight.sum()) @ losses)
