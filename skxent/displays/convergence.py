"""Plot of the convergence of fits: the gap after each iteration."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from skxent.classifiers import SoftmaxClassifier, SoftmaxClassifierCV
from skxent.displays.cell import Axes
from skxent.displays.colours import shade
from skxent.displays.layout import (
    ROW,
    SMALL,
    Floats,
    curve_style,
    legend_below,
    new_axes,
    plain,
    wrapped,
)
from skxent.displays.prediction_display import (
    Display,
    check_fitted,
    final_estimator,
    require_matplotlib,
)
from skxent.inference.pipelines import Model
from skxent.inputs.features import AnyArray
from skxent.inputs.namespaces import to_numpy

EPSILON = np.finfo(np.float64).eps


class RecordedFit(Protocol):
    """A fitted classifier with the gaps of its iterations."""

    objective_: float
    optimality_gap_: float
    target_gap_: float
    objective_curve_: AnyArray


@dataclass(repr=False, eq=False)
class ConvergenceDisplay(Display):
    r"""Gap of one or several fits in nats, against passes over X.

    The gap is the difference of the objective and its minimum, on a logarithmic axis. A straight
    line means linear convergence, and a line that bends down means superlinear convergence.

    Parameters
    ----------
    passes : sequence of ndarray of shape (iterations,)
        Number of passes over X up to the end of each iteration, for each fit.
    gaps : sequence of ndarray of shape (iterations,)
        Gap after each iteration, in nats.
    final_gaps : sequence of float
        Gap at the end, in nats.
    targets : sequence of float
        Target gap of each fit, its `target_gap_`, in nats.
    rounding : float
        Rounding error of the objective, in nats. Smaller gaps cannot be resolved.
    names : sequence of str
        Names of the fits.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure of the axes.
    lines_ : list of matplotlib Line2D
        The curves.
    target_lines_ : list of matplotlib Line2D
        A horizontal line for each distinct target gap.

    See Also
    --------
    SoftmaxClassifier : Has the attributes `objective_curve_` and `optimality_gap_` to draw.

    Notes
    -----
    The exact minimum is not known. By default it is estimated as ``objective_ - optimality_gap_``
    of the same fit. This estimate is rough if the fit ended far from its minimum; pass the
    `minimum` that a longer fit found. Differences smaller than the rounding error of the objective
    are not drawn.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skxent import ConvergenceDisplay, SoftmaxClassifier
    >>> clf = SoftmaxClassifier().fit(*load_wine(return_X_y=True))
    >>> display = ConvergenceDisplay.from_estimator(clf)
    >>> gaps = display.lines_[0].get_ydata()
    >>> bool(gaps[0] > 10), bool(gaps[-1] < 1e-6)
    (True, True)
    """

    passes: Sequence[Floats]
    gaps: Sequence[Floats]
    final_gaps: Sequence[float]
    targets: Sequence[float]
    rounding: float
    names: Sequence[str]

    @classmethod
    def from_estimator(
        cls,
        estimator: RecordedFit | Model,
        *,
        name: str | None = None,
        minimum: float | None = None,
        ax: Axes | None = None,
        **kwargs: object,
    ) -> Self:
        """Draw the convergence of one fit.

        Parameters
        ----------
        estimator : SoftmaxClassifier, Pipeline or GridSearchCV
            Fitted classifier, or a fitted pipeline or search that ends in one.
        name : str, default=None
            Name of the fit in the legend. None means the name of the classifier's class.
        minimum : float, default=None
            The minimum of the objective, in nats, if a better estimate is known.
        ax : matplotlib Axes, default=None
            Axes to draw on. None draws on a new figure.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.plot`.

        Returns
        -------
        ConvergenceDisplay
            The display, drawn.
        """
        names = {name or type(final_estimator(estimator)).__name__: estimator}
        return cls.from_estimators(names, minimum=minimum, ax=ax, **kwargs)

    @classmethod
    def from_estimators(
        cls,
        estimators: Mapping[str, RecordedFit | Model] | Sequence[RecordedFit | Model],
        *,
        minimum: float | None = None,
        ax: Axes | None = None,
        **kwargs: object,
    ) -> Self:
        """Draw the convergence of several fits.

        Parameters
        ----------
        estimators : dict or sequence of SoftmaxClassifier, Pipeline or GridSearchCV
            Fitted classifiers by name, or fitted pipelines or searches that end in one. In a
            sequence, the name of a fit is the ``str`` of its classifier.
        minimum : float, default=None
            The minimum of the objective, in nats, if all fits have the same minimum and a better
            estimate of it is known.
        ax : matplotlib Axes, default=None
            Axes to draw on. None draws on a new figure.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.plot`.

        Returns
        -------
        ConvergenceDisplay
            The display, drawn.
        """
        require_matplotlib(cls.__name__)
        if not isinstance(estimators, Mapping | Sequence):
            raise TypeError(
                f"estimators is a {type(estimators).__name__}: pass a dict or list of fitted "
                "classifiers, or pass one classifier to from_estimator."
            )
        if not isinstance(estimators, Mapping):
            named = [(str(final_estimator(estimator)), estimator) for estimator in estimators]
        else:
            named = list(estimators.items())
        if not named:
            raise ValueError("estimators is empty: pass at least one fitted classifier.")
        _check_minimum(minimum)
        fits = [final_estimator(estimator) for _, estimator in named]
        for fit in fits:
            check_fitted(
                fit,
                "objective_curve_",
                SoftmaxClassifier,
                SoftmaxClassifierCV,
                takes_pipeline=True,
            )
        least = [
            fit.objective_ - fit.optimality_gap_ if minimum is None else minimum for fit in fits
        ]
        roundings = [float(EPSILON * abs(fit.objective_)) for fit in fits]
        curves = [to_numpy(fit.objective_curve_) for fit in fits]
        display = cls(
            passes=[curve[:, 0] for curve in curves],
            gaps=[curve[:, 1] - m for curve, m in zip(curves, least, strict=True)],
            final_gaps=[
                fit.optimality_gap_ if minimum is None else max(fit.objective_ - minimum, rounding)
                for fit, rounding in zip(fits, roundings, strict=True)
            ],
            targets=[fit.target_gap_ for fit in fits],
            rounding=min(roundings),
            names=[name for name, _ in named],
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: object) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None draws on a new figure.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.plot`.

        Returns
        -------
        ConvergenceDisplay
            The display itself, with its artists.
        """
        require_matplotlib(type(self).__name__)
        self.ax_ = ax = new_axes(ax, (6.4, 4.0 + ROW * len(self.names)))
        self.figure_ = ax.figure
        self.lines_ = []
        for i, (passes, gaps) in enumerate(zip(self.passes, self.gaps, strict=True)):
            label = f"{plain(self.names[i])}: {self.final_gaps[i]:.1g} nats at the end"
            style = curve_style(i, len(passes)) | {"label": wrapped(ax, label, SMALL)} | kwargs
            self.lines_ += ax.plot(passes, gaps, **style)
        targets = np.unique(self.targets)
        asked = " to ".join(f"{target:.1g}" for target in targets[[0, -1]][: len(targets)])
        self.target_lines_ = [
            ax.axhline(target, color=shade(ax, 0.6), linewidth=1, linestyle=(0, (1, 3)))
            for target in targets
        ]
        self.target_lines_[0].set_label(f"target: {asked} nats")
        # Gaps that are zero or negative by rounding are clipped to the bottom of the axes.
        ax.set_yscale("log", nonpositive="clip")
        ax.set_ylim(bottom=self._least() / 2)
        ax.set_xlim(left=0)
        ax.set(
            xlabel="passes over X", ylabel=wrapped(ax, "gap: nats above the minimum", upright=True)
        )
        legend_below(ax)
        return self

    def _least(self) -> float:
        """Return the smallest gap on the axis."""
        heights = np.concatenate([*self.gaps, self.targets])
        positive: Floats = heights[heights > 0]
        return float(max(positive.min(initial=np.inf), self.rounding))


def _check_minimum(minimum: object) -> None:
    if minimum is not None and not (isinstance(minimum, numbers.Real) and math.isfinite(minimum)):
        raise ValueError(f"minimum is {minimum!r}: pass a finite number of nats, or None.")
