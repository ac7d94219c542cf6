"""Reliability diagrams: reliability curves and the decomposition of the cross-entropy."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from skxent.classifiers import CalibratedClassifier
from skxent.classifiers.held_out_predictions import log_response
from skxent.displays.cell import Artist, Axes, Style, cell_size
from skxent.displays.colours import background, shade
from skxent.displays.layout import SMALL, label_panels, legend_below, new_panels, wrapped
from skxent.displays.prediction_display import (
    PredictionDisplay,
    check_fitted,
    require_matplotlib,
)
from skxent.displays.reliability_curve import BINS, Band, ReliabilityCurve, equation
from skxent.inputs.dask_arguments import computed
from skxent.inputs.features import AnyArray
from skxent.inputs.labels import shorten
from skxent.inputs.namespaces import Label
from skxent.metrics import Comparison, CrossEntropyDecomposition, compare
from skxent.metrics.decomposition import decompose, probabilities_of
from skxent.metrics.scored_samples import ScoredSamples
from skxent.metrics.tables import number

TALLEST = 0.15  # height of the highest bar of a histogram, as a fraction of the axes
NO_BAND = Band(None, np.random.RandomState(0))


@dataclass(repr=False, eq=False)
class ReliabilityDisplay(PredictionDisplay):
    r"""Reliability curves by isotonic regression, with the decomposition of the cross-entropy.

    The curve is the frequency of the class as a function of its predicted probability, estimated by
    isotonic regression: the CORP reliability diagram [1]_, which needs no choice of bins. The
    diagonal is a calibrated prediction. The band contains, at each probability, 90 % of the curves
    of a calibrated prediction. Histograms of the predicted probabilities are at the top for samples
    of the class, and at the bottom for other samples. Their heights are square roots of weights, so
    that small weights are visible.

    The dashed curve, if there is one, is that of predictions before calibration. The legend then
    has the losses before and after, and the confidence interval of their difference.

    Parameters
    ----------
    curves : sequence of ReliabilityCurve
        A curve for each panel, with the fields `name`, `probability` and `recalibrated` of shape
        (m,), `counts` of shape (2, bins), `band` of shape (3, g) or None, and `parts`, the
        decomposition.
    decomposition : CrossEntropyDecomposition
        Decomposition of the loss over all classes.
    before : sequence of ReliabilityCurve or None, default=None
        The curve of each panel before calibration. None draws only `curves`.
    comparison : Comparison or None, default=None
        The loss over all classes, compared with that before calibration.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        The panels.
    ax_ : matplotlib Axes
        The first panel.
    figure_ : matplotlib Figure
        The figure of the axes.
    lines_ : list of matplotlib Line2D
        The curves.
    before_lines_ : list of matplotlib Line2D
        The curves before calibration.
    bands_ : list of matplotlib PolyCollection
        Consistency bands.
    histograms_ : list of pairs of matplotlib StepPatch
        Histograms of the other classes and of the class.

    See Also
    --------
    decompose_cross_entropy : Computes the numbers in the titles.
    compare : Computes the interval in the legend.
    sklearn.calibration.CalibrationDisplay : Draws the means of bins.

    Notes
    -----
    For two classes the decomposition is that of the curve. For more classes, the title of each
    panel has the decomposition for its class against the others. The title of the figure has the
    decomposition for all classes, which uses another recalibration map.

    For the band, outcomes are drawn from the predicted probabilities 100 times, and a curve is
    fitted to each draw. A sample is one outcome whatever its weight. Soft targets are no outcomes,
    so they have no band.

    Of predictions before calibration only the curve is drawn. The titles, the band and the
    histograms are those of the calibrated predictions.

    References
    ----------
    .. [1] T. Dimitriadis, T. Gneiting, A. I. Jordan, "Stable reliability diagrams for probabilistic
       classifiers", PNAS 118, 2021. :doi:`10.1073/pnas.2016191118`

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skxent import ReliabilityDisplay
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> clf = GaussianNB().fit(X, y)
    >>> display = ReliabilityDisplay.from_estimator(clf, X, y)
    >>> print(display.ax_.get_title())
    1
    loss 0.5204 nats = miscalibration 0.4055
    − discrimination 0.5455 + uncertainty 0.6603
    """

    curves: Sequence[ReliabilityCurve]
    decomposition: CrossEntropyDecomposition
    before: Sequence[ReliabilityCurve] | None = None
    comparison: Comparison | None = None

    @classmethod
    def from_calibrated(
        cls,
        estimator: CalibratedClassifier,
        X: AnyArray,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        **options: Any,
    ) -> Self:
        r"""Draw the reliability of a calibrated classifier, before and after its calibration.

        Parameters
        ----------
        estimator : CalibratedClassifier
            Fitted.
        X : array-like of shape (n, d)
            Samples that the classifier was neither trained nor calibrated on.
        y : array-like of shape (n,) or (n, K)
            Labels, or soft rows with columns in the order of `classes_`. Labels that are
            not in `classes_` are an error.
        sample_weight : array-like of shape (n,), default=None
            Weights.
        **options : dict
            Options of :meth:`from_predictions`, except `before`, `labels` and `from_logits`.

        Returns
        -------
        ReliabilityDisplay
            The display, drawn.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> from sklearn.model_selection import train_test_split
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from skxent import CalibratedClassifier, ReliabilityDisplay
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
        >>> clf = CalibratedClassifier(GaussianNB()).fit(X, y)
        >>> display = ReliabilityDisplay.from_calibrated(clf, X_test, y_test)
        >>> names = [line.get_label() for line in (*display.before_lines_, *display.lines_)]
        >>> print("\n".join(names))
        before: loss 1.2210 nats
        after: loss 0.2369 nats
        """
        require_matplotlib(cls.__name__)
        check_fitted(estimator, "calibrator_", CalibratedClassifier)
        y, sample_weight = computed(y, sample_weight)
        log_p, _ = log_response(estimator.estimator_, X, estimator.response_method)
        return cls.from_predictions(
            y,
            estimator.calibrator_.predict_log_proba(log_p),
            before=log_p,
            labels=estimator.classes_,
            sample_weight=sample_weight,
            from_logits=True,
            **options,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        before: ArrayLike | None = None,
        pos_label: Label | None = None,
        labels: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        from_logits: bool = False,
        base: float | None = None,
        level: float | None = 0.9,
        random_state: int | np.random.RandomState | None = 0,
        ax: Axes | None = None,
        **kwargs: object,
    ) -> Self:
        """Draw the reliability of predictions.

        Parameters
        ----------
        y_true : array-like of shape (n,) or (n, K)
            Labels or soft rows.
        y_pred : array-like of shape (n, K) or (n,)
            Probabilities, or logits with ``from_logits=True``.
        before : array-like of shape (n, K) or (n,), default=None
            Predictions before calibration, or those of another model, of the same kind as `y_pred`.
            Their curve is dashed, and their loss is in the legend.
        pos_label : label, default=None
            The class to draw. None means the second of two classes, and all of three or more.
        labels : array-like of shape (K,), default=None
            The class of each column of `y_pred`.
        sample_weight : array-like of shape (n,), default=None
            Weights.
        from_logits : bool, default=False
            Whether `y_pred` holds logits.
        base : float, default=None
            Base of the logarithm. None gives nats, 2 gives bits.
        level : float, default=0.9
            Fraction of the curves of a calibrated prediction that the band contains at each
            probability. None draws no band.
        random_state : int, RandomState instance or None, default=0
            Draws the outcomes for the band.
        ax : matplotlib Axes or array of them, default=None
            Axes to draw on, one for each class. None draws on a new figure.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.plot`.

        Returns
        -------
        ReliabilityDisplay
            The display, drawn.
        """
        require_matplotlib(cls.__name__)
        _check_level(level)
        earlier = comparison = None
        if before is not None:
            # It also checks both predictions and warns of probabilities that are floored.
            comparison = compare(
                y_true,
                {"before": before, "after": y_pred},
                baseline="before",
                labels=labels,
                sample_weight=sample_weight,
                from_logits=from_logits,
                base=base,
            )
            samples = ScoredSamples.of(y_true, before, labels, sample_weight, from_logits)
            earlier, _ = _curves(samples, pos_label, base, NO_BAND)
        samples = ScoredSamples.of(y_true, y_pred, labels, sample_weight, from_logits)
        if before is None:
            samples.losses.warn(None)
        band = Band(level, check_random_state(random_state))
        curves, whole = _curves(samples, pos_label, base, band)
        return cls(curves, whole, earlier, comparison).plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: object) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            Axes to draw on, one for each class. None draws on a new figure.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.plot`.

        Returns
        -------
        ReliabilityDisplay
            The display itself, with its artists.
        """
        require_matplotlib(type(self).__name__)
        n = len(self.curves)
        side = 5.0 if n == 1 else 2.3
        in_a_row = math.ceil(math.sqrt(n))
        panels = new_panels(ax, n, (side, side + 0.4), 1.4, in_a_row, sharex=True, sharey=True)
        self.axes_, self.ax_ = np.array(panels, dtype=object), panels[0]
        self.figure_ = self.ax_.figure
        self.lines_: list[Artist] = []
        self.before_lines_: list[Artist] = []
        self.bands_: list[Artist] = []
        self.histograms_: list[tuple[Artist, Artist]] = []
        earlier = [None] * n if self.before is None else self.before
        for panel, curve, former in zip(panels, self.curves, earlier, strict=True):
            self._draw_background(panel, curve)
            self._draw_curves(panel, curve, former, kwargs)
            if n > 1:
                panel.set(xticks=[0.0, 0.5, 1.0], yticks=[0.0, 0.5, 1.0])
            title, narrow = self._title(curve), n > 1 or cell_size(panel) is not None
            panel.set_title(wrapped(panel, title, SMALL), fontsize="small" if narrow else "medium")
        label_panels(panels, ax is None, "predicted probability", "recalibrated probability")
        if n == 1:
            handles, names = self.ax_.get_legend_handles_labels()
            legend_below(
                self.ax_, handles=handles[::-1], labels=names[::-1], ncols=2, **self._legend_title()
            )
        elif ax is None:
            self._add_title_and_legend()
        return self

    def _draw_background(self, ax: Axes, curve: ReliabilityCurve) -> None:
        """Draw the histograms, the diagonal and the band."""
        others, own = TALLEST * np.sqrt(curve.counts / (curve.counts.max() or 1.0))
        bars: Style = {"fill": True, "linewidth": 0.0}
        below = ax.stairs(others, BINS, color=shade(ax, 0.3), label="other classes", **bars)
        bars |= {"baseline": 1.0, "hatch": "////"}
        bars |= {"facecolor": shade(ax, 0.5), "edgecolor": background(ax)}
        above = ax.stairs(1.0 - own, BINS, label="this class", **bars)
        self.histograms_.append((below, above))
        ax.plot([0, 1], [0, 1], color=shade(ax, 0.8), linestyle=":", label="calibrated")
        if curve.band is not None:
            p, low, high = curve.band
            style = {"color": "C0", "alpha": 0.2, "linewidth": 0, "label": "range if calibrated"}
            self.bands_.append(ax.fill_between(p, low, high, **style))

    def _draw_curves(
        self, ax: Axes, curve: ReliabilityCurve, before: ReliabilityCurve | None, kwargs: Style
    ) -> None:
        """Draw the curve, and the one before calibration if there is one."""
        style: Style = {"color": "C0", "linewidth": 1.8, "label": self._label("after")}
        self.lines_ += ax.plot(curve.probability, curve.recalibrated, **(style | kwargs))
        if before is not None:
            style |= {"color": "C1", "linestyle": "--", "label": self._label("before")}
            self.before_lines_ += ax.plot(before.probability, before.recalibrated, **style)
        ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        ax.set_box_aspect(1)

    def _label(self, when: str) -> str:
        """Return the text of a curve in the legend, with its loss if there are two."""
        found = self.comparison
        if found is None:
            return "recalibrated"
        mean = found.baseline_mean if when == "before" else float(found.mean[0])
        return wrapped(self.ax_, f"{when}: {self._loss_name} {number(mean)} {found.unit}")

    @property
    def _loss_name(self) -> str:
        """What the losses in the legend are of, in case the panel is of one class of several."""
        several = self.decomposition.recalibrated.shape[1] > 2
        return "loss of all classes" if several and len(self.curves) == 1 else "loss"

    def _title(self, curve: ReliabilityCurve) -> str:
        """Return the title of a panel."""
        single = len(self.curves) == 1
        return curve.title(words=single, when="after: " if self.before and single else "")

    def _legend_title(self) -> Style:
        """Return the title of the legend: the difference of the losses and its interval."""
        found = self.comparison
        if found is None:
            return {}
        difference, low, high = (
            number(float(values[0])) for values in (found.difference, found.low, found.high)
        )
        text = (
            f"difference of the losses {difference} {found.unit}\n"
            f"({100 * found.level:g} % interval {low} to {high})"
        ).replace("-", "−")
        return {"title": wrapped(self.ax_, text, SMALL), "title_fontsize": "small"}

    def _add_title_and_legend(self) -> None:
        """Add a title and a legend to a figure of several panels."""
        note = "Panels: one class against the others, with the numbers in this order."
        when = "after: " if self.before else ""
        title = f"{when}{equation(self.decomposition, words=True)}\n{note}"
        self.figure_.suptitle(title, fontsize="medium")
        handles, names = self.ax_.get_legend_handles_labels()
        style = {"loc": "outside lower center", "ncols": 3, "frameon": False, "fontsize": "small"}
        self.figure_.legend(handles[::-1], names[::-1], **(style | self._legend_title()))


def _check_level(level: float | None) -> None:
    if level is not None and not (isinstance(level, numbers.Real) and 0 < level < 1):
        raise ValueError(f"level is {level!r}: pass a number between 0 and 1, or None for no band.")


def _classes_to_draw(samples: ScoredSamples, pos_label: Label | None) -> list[int]:
    """Return the columns of the classes to draw."""
    names = samples.names.tolist()
    if pos_label is None:
        return [1] if len(names) == 2 else list(range(len(names)))
    if pos_label not in names:
        raise ValueError(f"pos_label is {pos_label!r}: pass one of the classes {shorten(names)}.")
    return [names.index(pos_label)]


def _curves(
    samples: ScoredSamples, pos_label: Label | None, base: float | None, band: Band
) -> tuple[list[ReliabilityCurve], CrossEntropyDecomposition]:
    """Return the curve of each class to draw, and the decomposition of the loss."""
    whole = decompose(samples, None, base)
    P = np.minimum(probabilities_of(samples), 1.0)
    classes = _classes_to_draw(samples, pos_label)
    return [ReliabilityCurve.of(samples, P, k, whole, base, band) for k in classes], whole
