"""Bar plot of the sums of losses by class or group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skxent.displays.cell import Axes, Style, cell_size
from skxent.displays.colours import background, shade
from skxent.displays.layout import (
    LARGEST,
    legend_below,
    name_rows,
    new_axes,
    plain,
    row_size,
    text_column,
    wrapped,
)
from skxent.displays.prediction_display import PredictionDisplay, require_matplotlib
from skxent.metrics import CrossEntropyReport, cross_entropy_report
from skxent.metrics.tables import number, percent


@dataclass(repr=False, eq=False)
class LossShareDisplay(PredictionDisplay):
    """Sums of losses by class or group, as bars that add up to the loss of all samples.

    The mark in a bar is where the bar would end if its samples had the mean loss of all samples. A
    bar that passes its mark belongs to a class with a mean loss above average. On the right of each
    bar are its share of the total, and the mean loss with its standard error.

    Parameters
    ----------
    report : CrossEntropyReport
        The report to draw.

    Attributes
    ----------
    order_ : ndarray of int
        Rows of the report from top to bottom.
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure of the axes.
    bars_ : matplotlib BarContainer
        The bars, from top to bottom.
    expected_ : matplotlib LineCollection
        The marks, from top to bottom.

    See Also
    --------
    cross_entropy_report : Computes the numbers.
    LossDistributionDisplay : Draws the losses themselves.

    Notes
    -----
    A bar ends at the right edge and is hatched if its sum is above 1e100, or infinite because of
    logits of -inf.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skxent import LossShareDisplay, SoftmaxClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> clf = SoftmaxClassifier().fit(X, y)
    >>> display = LossShareDisplay.from_estimator(clf, X, y)
    >>> print(*(f"{bar.get_width():.2f}" for bar in display.bars_))
    2.91 1.80 1.68
    """

    report: CrossEntropyReport

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        by: str | ArrayLike = "class",
        labels: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        from_logits: bool = False,
        base: float | None = None,
        sort: bool = True,
        ax: Axes | None = None,
        **kwargs: object,
    ) -> Self:
        """Draw the losses of predictions.

        Parameters
        ----------
        y_true : array-like of shape (n,) or (n, K)
            Labels or soft rows.
        y_pred : array-like of shape (n, K) or (n,)
            Probabilities, or logits with ``from_logits=True``.
        by : "class" or array-like of shape (n,), default="class"
            "class" splits the samples by their true class, an array by its labels of groups.
        labels : array-like of shape (K,), default=None
            The class of each column of `y_pred`.
        sample_weight : array-like of shape (n,), default=None
            Weights.
        from_logits : bool, default=False
            Whether `y_pred` holds logits.
        base : float, default=None
            Base of the logarithm. None gives nats, 2 gives bits.
        sort : bool, default=True
            Whether to sort the bars, the largest sum on top. False keeps the order of the report.
        ax : matplotlib Axes, default=None
            Axes to draw on. None draws on a new figure.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.barh`.

        Returns
        -------
        LossShareDisplay
            The display, drawn.
        """
        require_matplotlib(cls.__name__)
        report = cross_entropy_report(
            y_true,
            y_pred,
            by=by,
            labels=labels,
            sample_weight=sample_weight,
            from_logits=from_logits,
            base=base,
        )
        return cls.from_report(report, sort=sort, ax=ax, **kwargs)

    @classmethod
    def from_losses(
        cls,
        losses: Any,
        *,
        by: Any = None,
        groups: Any = None,
        sample_weight: Any = None,
        base: float | None = None,
        sort: bool = True,
        ax: Axes | None = None,
        **kwargs: object,
    ) -> Self:
        """Draw losses that others have computed, such as one for each token.

        Parameters
        ----------
        losses : array-like of shape (n,), or list of D array-like
            Losses in nats. A list has one array for each document.
        by : array-like of shape (n,) or (D,), default=None
            Label of the bar of each loss or document. None gives each document of a list a bar.
        groups : array-like of shape (n,) or (D,), default=None
            Labels of groups whose losses may depend on each other, for standard errors.
        sample_weight : array-like of shape (n,), or list of D array-like, default=None
            Weights, or a mask.
        base : float, default=None
            Base of the logarithm. None gives nats, 2 gives bits.
        sort : bool, default=True
            Whether to sort the bars, the largest sum on top. False keeps the order of the report.
        ax : matplotlib Axes, default=None
            Axes to draw on. None draws on a new figure.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.barh`.

        Returns
        -------
        LossShareDisplay
            The display, drawn.
        """
        require_matplotlib(cls.__name__)
        report = CrossEntropyReport.of_losses(
            losses, by=by, groups=groups, sample_weight=sample_weight, base=base
        )
        return cls.from_report(report, sort=sort, ax=ax, **kwargs)

    @classmethod
    def from_report(
        cls,
        report: CrossEntropyReport,
        *,
        sort: bool = True,
        ax: Axes | None = None,
        **kwargs: object,
    ) -> Self:
        """Draw a report.

        Parameters
        ----------
        report : CrossEntropyReport
            Result of :func:`cross_entropy_report`.
        sort : bool, default=True
            Whether to sort the bars, the largest sum on top. False keeps the order of the report.
        ax : matplotlib Axes, default=None
            Axes to draw on. None draws on a new figure.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.barh`.

        Returns
        -------
        LossShareDisplay
            The display, drawn.
        """
        if not isinstance(report, CrossEntropyReport):
            raise TypeError(
                f"report is a {type(report).__name__}: pass what cross_entropy_report returns."
            )
        return cls(report).plot(ax=ax, sort=sort, **kwargs)

    def plot(self, ax: Axes | None = None, *, sort: bool = True, **kwargs: object) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None draws on a new figure.
        sort : bool, default=True
            Whether to sort the bars, the largest sum on top. False keeps the order of the report.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.barh`.

        Returns
        -------
        LossShareDisplay
            The display itself, with its artists.
        """
        require_matplotlib(type(self).__name__)
        report = self.report
        rows = np.arange(len(report.names))
        self.order_ = order = np.argsort(-report.sum, kind="stable") if sort else rows
        names = [f"{plain(report.names[i])}  (n = {report.n[i]:.0f})" for i in order]
        shares = [percent(report.share[i]) for i in order]
        means = [f"{number(report.mean[i])} ± {number(report.standard_error[i])}" for i in order]
        self.ax_ = ax = new_axes(ax, row_size(names, shares, means))
        self.figure_ = ax.figure
        size = name_rows(ax, names)
        self._draw(rows, kwargs)
        end = text_column(ax, "share", shares, left=6, size=size)
        text_column(ax, "mean", means, left=end, size=size)
        ax.set_xlabel(f"sum of losses, {report.unit}")
        total = f"{report.total_sum:.6g} {report.unit} in all"
        mean = f"mean {number(report.total_mean)} ± {number(report.total_standard_error)}"
        above = None if cell_size(ax) is None else 20  # points below the title, for column headers
        title = wrapped(ax, f"{total}, {mean}", 14)
        ax.set_title(title, loc="left", fontsize="medium", pad=above)
        legend_below(ax, ncols=2)
        return self

    def _draw(self, rows: NDArray[np.intp], kwargs: Style) -> None:
        """Draw the sums, and marks at the sums for the mean loss of all samples."""
        report, order = self.report, self.order_
        sums = report.sum[order]
        with np.errstate(invalid="ignore", over="ignore"):  # a weight of 0 times an infinite mean
            expected = report.weight[order] * report.total_mean
        finite = sums <= LARGEST
        numbers = np.concatenate([sums, expected])
        longest = float(numbers[numbers <= LARGEST].max(initial=0.0)) or 1.0
        edge = 1.05 * longest if finite.all() else 1.3 * longest
        style = {"color": "C0", "alpha": 0.6, "height": 0.7, "label": "sum"} | kwargs
        self.bars_ = self.ax_.barh(rows, np.where(finite, sums, edge), **style)
        for i in np.flatnonzero(~finite):
            self.bars_[i].set(hatch="///", edgecolor=background(self.ax_))
        ends = np.where(expected <= LARGEST, expected, np.nan)
        style = {
            "color": shade(self.ax_, 1),
            "linewidth": 2,
            "label": "if all samples had the mean loss",
        }
        self.expected_ = self.ax_.vlines(ends, rows - 0.45, rows + 0.45, **style)
        self.ax_.set_xlim(0.0, edge)
