"""Profile of the likelihood along a coefficient, beside the line of Wald."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from skxent.displays.cell import Axes
from skxent.displays.colours import shade
from skxent.displays.layout import legend_below, new_axes, plain, wrapped
from skxent.displays.prediction_display import Display, require_matplotlib
from skxent.inference import LikelihoodInference, ProfileCurve
from skxent.inference.interval_estimates import normal_quantile
from skxent.inputs.namespaces import Label
from skxent.metrics.short_names import without_prefixes


@dataclass(repr=False, eq=False)
class ProfileDisplay(Display):
    """Signed root of the likelihood ratio along one coefficient, beside the Wald statistic.

    If the likelihood is quadratic, the curve is the dashed line, and profile and Wald intervals
    agree. Intervals end where a curve crosses the horizontal lines. If classes are separated, the
    curve of an infinite coefficient approaches zero and crosses one of the lines, and there is no
    dashed line.

    Parameters
    ----------
    curve : ProfileCurve
        The profile.
    level : float, default=0.95
        Confidence level of the horizontal lines.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure of the axes.
    profile_line_, wald_line_ : matplotlib Line2D
        The signed root of the likelihood ratio, and the Wald statistic.
    level_lines_ : list of matplotlib Line2D
        Lines at the quantiles of the level.

    See Also
    --------
    LikelihoodInference.profile : Computes the curve.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skxent import ProfileDisplay, SoftmaxClassifier, infer
    >>> X, y = load_iris(return_X_y=True)
    >>> X, y = X[50:], y[50:]  # versicolor and virginica
    >>> inference = infer(SoftmaxClassifier(C=np.inf).fit(X, y), X, y)
    >>> display = ProfileDisplay.from_inference(inference, "x3")
    >>> display.ax_.get_xlabel()
    'coefficient of x3, 2 vs 1'
    """

    curve: ProfileCurve
    level: float = 0.95

    @classmethod
    def from_inference(
        cls,
        inference: LikelihoodInference,
        term: str,
        contrast: Label | None = None,
        *,
        level: float = 0.95,
        ax: Axes | None = None,
        **kwargs: object,
    ) -> Self:
        """Draw the profile of a coefficient.

        Parameters
        ----------
        inference : LikelihoodInference
            Of a fit that maximises the likelihood.
        term : str
            One of the terms of `inference`.
        contrast : label or None, default=None
            One of the contrasts of `inference`. It may be None if there are two classes.
        level : float, default=0.95
            Confidence level of the horizontal lines. The curve goes a little further.
        ax : matplotlib Axes, default=None
            Axes to draw on. None draws on a new figure.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.plot` for the profile.

        Returns
        -------
        ProfileDisplay
            The display, drawn.
        """
        require_matplotlib(cls.__name__)
        if not isinstance(inference, LikelihoodInference):
            raise TypeError(
                f"inference is a {type(inference).__name__}: pass what skxent.infer returns."
            )
        normal_quantile(level)
        curve = inference.profile(term, contrast, level=1.0 - 0.3 * (1.0 - level))
        return cls(curve, level).plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: object) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None draws on a new figure.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.plot` for the profile.

        Returns
        -------
        ProfileDisplay
            The display itself, with its artists.
        """
        require_matplotlib(type(self).__name__)
        curve, quantile = self.curve, normal_quantile(self.level)
        self.ax_ = ax = new_axes(ax, (6.4, 4.8))
        self.figure_ = ax.figure
        known = np.isfinite(curve.values)
        values, roots = curve.values[known], curve.signed_root[known]
        style = {"color": "C0", "label": "profile likelihood"}
        (self.profile_line_,) = ax.plot(values, roots, **(style | kwargs))
        # An infinite estimate has no Wald statistic: matplotlib draws no line of NaN.
        finite = np.isfinite([curve.estimate, curve.std_error]).all()
        wald = (values - curve.estimate) / curve.std_error if finite else values * np.nan
        (self.wald_line_,) = ax.plot(
            values, wald, color=shade(ax, 0.6), linestyle="--", label="Wald"
        )
        line = {"color": shade(ax, 0.4), "linestyle": ":", "linewidth": 1.2, "zorder": 0}
        self.level_lines_ = [ax.axhline(sign * quantile, **line) for sign in (-1, 1)]
        self.level_lines_[0].set_label(f"{100 * self.level:.4g} % interval")
        (term,), _ = without_prefixes([curve.term])
        what = f"{term}, {curve.contrast} vs {curve.reference}"
        ax.set(
            xlabel=wrapped(ax, f"coefficient of {plain(what)}"),
            ylabel=wrapped(ax, "signed root of the likelihood ratio", upright=True),
        )
        handles = [self.profile_line_, *[self.wald_line_] * bool(finite), self.level_lines_[0]]
        legend_below(ax, handles=handles, ncols=3)
        return self
