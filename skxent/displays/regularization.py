"""Plot of the held-out loss for each strength of the penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from skxent.classifiers import SoftmaxClassifierCV
from skxent.displays.cell import Axes
from skxent.displays.colours import shade
from skxent.displays.layout import Floats, legend_below, new_axes, wrapped
from skxent.displays.prediction_display import (
    Display,
    check_fitted,
    final_estimator,
    require_matplotlib,
)
from skxent.inference.pipelines import Model


@dataclass(repr=False, eq=False)
class RegularizationDisplay(Display):
    r"""Mean loss of held-out samples against C, with standard errors and the value chosen.

    Many means usually differ from the smallest mean by less than its standard error. The rule of
    one standard error chooses the strongest penalty, the smallest C, whose mean is within one
    standard error of the smallest mean. The band shows this range.

    Parameters
    ----------
    Cs : ndarray of shape (n_Cs,)
        Values of C, ascending.
    mean_loss : ndarray of shape (n_Cs,)
        Mean loss of held-out samples, in nats.
    standard_error : ndarray of shape (n_Cs,)
        Standard errors of the mean losses, in nats.
    C : float
        The chosen value.
    fold_losses : ndarray of shape (n_Cs, n_folds), default=None
        Mean loss of each fold, in nats.

    Attributes
    ----------
    one_standard_error_C : float
        The smallest value of C within one standard error of the smallest mean.
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure of the axes.
    errorbar_ : matplotlib ErrorbarContainer
        Means and standard errors.
    fold_lines_ : list of matplotlib Line2D
        Mean losses of the folds.
    chosen_line_, one_standard_error_line_ : matplotlib Line2D
        Vertical lines at the chosen value, and at the value of the rule of one standard error.
    band_ : matplotlib Rectangle
        The range of means within one standard error of the smallest mean.
    infinite_ : list of matplotlib Line2D
        Marks of infinite means, if there are any.

    See Also
    --------
    SoftmaxClassifierCV : Chooses C by the losses that are drawn.

    Notes
    -----
    C = inf (no penalty) is drawn to the right of the finite values. If a fit has no finite minimum,
    the mean loss is infinite and is marked at the upper edge.

    References
    ----------
    .. [1] T. Hastie, R. Tibshirani, J. Friedman, "The elements of statistical learning", 2009,
       section 7.10. :doi:`10.1007/978-0-387-84858-7`

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skxent import RegularizationDisplay, SoftmaxClassifierCV
    >>> clf = SoftmaxClassifierCV(Cs=[0.01, 0.1, 1.0, 10.0]).fit(*load_wine(return_X_y=True))
    >>> display = RegularizationDisplay.from_estimator(clf)
    >>> display.C, display.one_standard_error_C
    (1.0, 1.0)
    """

    Cs: Floats
    mean_loss: Floats
    standard_error: Floats
    C: float
    fold_losses: Floats | None = None

    @classmethod
    def from_estimator(
        cls, estimator: SoftmaxClassifierCV | Model, *, ax: Axes | None = None, **kwargs: object
    ) -> Self:
        """Draw the held-out losses of a fitted `SoftmaxClassifierCV`.

        Parameters
        ----------
        estimator : SoftmaxClassifierCV, Pipeline or GridSearchCV
            Fitted classifier, or a fitted pipeline or search that ends in one.
        ax : matplotlib Axes, default=None
            Axes to draw on. None draws on a new figure.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        RegularizationDisplay
            The display, drawn.
        """
        require_matplotlib(cls.__name__)
        clf = final_estimator(estimator)
        check_fitted(clf, "loss_standard_error_", SoftmaxClassifierCV, takes_pipeline=True)
        display = cls(
            Cs=clf.Cs_,
            mean_loss=clf.mean_loss_,
            standard_error=clf.loss_standard_error_,
            C=clf.C_,
            fold_losses=getattr(clf, "loss_path_", None),
        )
        return display.plot(ax=ax, **kwargs)

    @property
    def one_standard_error_C(self) -> float:
        """The smallest value of C within one standard error of the smallest mean."""
        return float(self.Cs[np.argmax(self.mean_loss <= self._limit)])

    @property
    def _limit(self) -> float:
        """The largest mean loss within one standard error of the smallest."""
        best = int(np.argmin(self.mean_loss))
        return float(self.mean_loss[best] + np.nan_to_num(self.standard_error[best]))

    def plot(self, ax: Axes | None = None, **kwargs: object) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None draws on a new figure.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        RegularizationDisplay
            The display itself, with its artists.
        """
        require_matplotlib(type(self).__name__)
        self.ax_ = ax = new_axes(ax, (6.4, 4.8))
        self.figure_ = ax.figure
        ax.set_xscale("log")
        positions = self._positions()
        finite = np.isfinite(self.mean_loss)
        self.fold_lines_ = []
        if self.fold_losses is not None:
            folds = np.where(finite[:, None], self.fold_losses, np.nan)
            self.fold_lines_ = ax.plot(
                positions, folds, color=shade(ax, 0.25), linewidth=0.8, zorder=1
            )
            self.fold_lines_[0].set_label("folds")
        style = {
            "color": "C0",
            "marker": "o",
            "markersize": 4,
            "capsize": 3,
            "label": "mean ± standard error",
        }
        self.errorbar_ = ax.errorbar(
            positions[finite],
            self.mean_loss[finite],
            self.standard_error[finite],
            **(style | kwargs),
        )
        self._mark(positions)
        ax.set(
            xlabel=wrapped(ax, "C (strong penalty on the left, weak on the right)"),
            ylabel=wrapped(ax, "mean loss of held-out samples, nats", upright=True),
        )
        handles = [self.errorbar_, *self.fold_lines_[:1], self.band_]
        handles += [self.chosen_line_, self.one_standard_error_line_, *self.infinite_]
        legend_below(ax, handles=handles, ncols=2)
        return self

    def _positions(self) -> Floats:
        """Return the positions of the values of C, with infinity one step right of the others."""
        positions = self.Cs.copy()
        finite = positions[np.isfinite(positions)]
        if len(finite) < len(positions):
            step = finite[-1] / finite[-2] if len(finite) > 1 else 10.0
            positions[-1] = finite[-1] * step if len(finite) else 1.0
        return positions

    def _mark(self, positions: Floats) -> None:
        """Mark the range of one standard error, the chosen C, and the C that the rule chooses."""
        ax, simpler = self.ax_, self.one_standard_error_C
        position_of = dict(zip(self.Cs.tolist(), positions.tolist(), strict=True))
        self.chosen_line_ = ax.axvline(
            position_of[self.C],
            color=shade(ax, 0.8),
            linewidth=1.2,
            label=f"chosen: C = {self.C:.3g}",
        )
        self.one_standard_error_line_ = ax.axvline(
            position_of[simpler],
            color=shade(ax, 0.8),
            linestyle="--",
            linewidth=1.2,
            label=f"one standard error: C = {simpler:.3g}",
        )
        least = float(self.mean_loss.min())
        self.band_ = ax.axhspan(
            least,
            self._limit,
            color="C0",
            alpha=0.15,
            linewidth=0,
            label="within one s.e. of the least",
        )
        infinite = ~np.isfinite(self.mean_loss)
        self.infinite_ = []
        if infinite.any():
            style = {"color": "C0", "marker": "^", "linestyle": "none", "clip_on": False}
            top, above = np.ones(np.count_nonzero(infinite)), ax.get_xaxis_transform()
            self.infinite_ = ax.plot(
                positions[infinite], top, transform=above, label="infinite", **style
            )
        if np.isinf(self.Cs[-1]):
            self._name_infinity(positions)

    def _name_infinity(self, positions: Floats) -> None:
        """Set ticks at the values of C, at most eight, and name the last one infinity."""
        from matplotlib.ticker import NullLocator

        step = max(1, -(-(len(positions) - 1) // 7))
        shown = [*range(0, len(positions) - 1, step), len(positions) - 1]
        labels = ["∞" if np.isinf(self.Cs[i]) else f"{self.Cs[i]:.3g}" for i in shown]
        self.ax_.xaxis.set_minor_locator(NullLocator())
        self.ax_.set_xticks(positions[shown], labels=labels)
