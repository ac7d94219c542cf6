"""Forest plot of coefficients with their intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skxent.displays.cell import Artist, Axes, Style
from skxent.displays.colours import shade
from skxent.displays.layout import (
    LETTER,
    ROW,
    Floats,
    label_panels,
    name_rows,
    new_panels,
    plain,
    wrapped,
)
from skxent.displays.prediction_display import Display, require_matplotlib
from skxent.inference import LikelihoodInference, infer
from skxent.inference.pipelines import Model
from skxent.inputs.features import AnyArray
from skxent.inputs.labels import shorten
from skxent.inputs.namespaces import Label
from skxent.metrics.short_names import without_prefixes

IN_A_ROW = 5  # largest number of panels in a row


@dataclass(repr=False, eq=False)
class CoefficientDisplay(Display):
    """Coefficients of each class against the reference class, with their intervals.

    A coefficient is the change of the log-odds of a class against the reference class when a
    feature grows by one unit. Pass `units`, such as standard deviations, to make the coefficients
    of features in different units comparable.

    Parameters
    ----------
    coef : ndarray of shape (R, T)
        Coefficients of R contrasts and T terms.
    low, high : ndarray of shape (R, T)
        Ends of the intervals.
    contrasts : sequence of str, length R
        Name of each contrast.
    terms : sequence of str, length T
        Names of the terms. They are drawn without the prefixes of transformers.
    interval : str
        Description of the intervals.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        A panel for each contrast.
    ax_ : matplotlib Axes
        The first panel.
    figure_ : matplotlib Figure
        The figure of the axes.
    errorbars_ : list of matplotlib ErrorbarContainer
        Coefficients and intervals, terms from top to bottom.
    reference_lines_ : list of matplotlib Line2D
        Lines at a coefficient of 0, or at an odds ratio of 1.

    See Also
    --------
    infer : Estimates the coefficients.

    Notes
    -----
    If the fit has a penalty, the coefficients are posterior modes and the intervals are posterior
    intervals, see :func:`infer`. The label of the axis says which kind is drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skxent import CoefficientDisplay, SoftmaxClassifier, infer
    >>> X, y = load_iris(return_X_y=True)
    >>> X, y = X[50:], y[50:]  # versicolor and virginica
    >>> clf = SoftmaxClassifier(C=np.inf).fit(X, y)
    >>> display = CoefficientDisplay.from_inference(infer(clf, X, y))
    >>> [ax.get_title() for ax in display.axes_]
    ['2 vs 1']
    """

    coef: Floats
    low: Floats
    high: Floats
    contrasts: Sequence[str]
    terms: Sequence[str]
    interval: str = "interval"

    @classmethod
    def from_estimator(
        cls,
        estimator: Model,
        X: AnyArray,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
        covariance: str = "observed",
        reference: Label | None = None,
        **options: Any,
    ) -> Self:
        """Draw the coefficients of a fitted classifier.

        Parameters
        ----------
        estimator : SoftmaxClassifier, Pipeline or GridSearchCV
            Fitted. With ``C=numpy.inf`` the inference is that of maximum likelihood.
        X : array-like or sparse matrix of shape (n, d)
            The training samples, with a pipeline those that the pipeline was fitted with.
        y : array-like of shape (n,) or (n, K)
            The labels or soft targets.
        sample_weight : array-like of shape (n,), default=None
            The weights.
        offset : array-like of shape (n,) or (n, K), default=None
            The training offset, see :func:`infer`.
        covariance : {"observed", "robust"}, default="observed"
            Estimator of the covariance, see :func:`infer`.
        reference : label, default=None
            The reference class. None means the first of `classes_`.
        **options : dict
            Options of :meth:`from_inference`.

        Returns
        -------
        CoefficientDisplay
            The display, drawn.
        """
        require_matplotlib(cls.__name__)
        inference = infer(
            estimator,
            X,
            y,
            sample_weight,
            offset=offset,
            covariance=covariance,
            reference=reference,
        )
        return cls.from_inference(inference, **options)

    @classmethod
    def from_inference(
        cls,
        inference: LikelihoodInference,
        *,
        level: float = 0.95,
        terms: Sequence[str] | None = None,
        classes: Sequence[Label] | None = None,
        units: ArrayLike | None = None,
        odds_ratios: bool = False,
        ax: Axes | None = None,
        **kwargs: object,
    ) -> Self:
        """Draw the result of :func:`infer`.

        Parameters
        ----------
        inference : LikelihoodInference
            Coefficients and standard errors.
        level : float, default=0.95
            Probability of the intervals.
        terms : sequence of str, default=None
            Terms to draw, in this order. None means all features, without the intercept.
        classes : sequence of label, default=None
            Classes to draw against the reference class, in this order. None means all.
        units : array-like of shape (d,), default=None
            Increase of each feature, such as ``X.std(axis=0)``, by which its coefficients and
            intervals are multiplied. None means an increase by one.
        odds_ratios : bool, default=False
            Whether to draw odds ratios, exp(coef), on a logarithmic axis.
        ax : matplotlib Axes or array of them, default=None
            Axes to draw on, one for each contrast. None draws on a new figure.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        CoefficientDisplay
            The display, drawn.
        """
        require_matplotlib(cls.__name__)
        if not isinstance(inference, LikelihoodInference):
            raise TypeError(
                f"inference is a {type(inference).__name__}: pass what skxent.infer returns, or a "
                "classifier to from_estimator."
            )
        rows = _positions("classes", classes, inference.contrasts)
        d = inference.n_features
        columns = _positions(
            "terms", inference.terms[:d] if terms is None else terms, inference.terms
        )
        values = np.stack([inference.coef, *np.moveaxis(inference.confint(level), -1, 0)])
        values[:, ~np.isfinite(inference.coef)] = np.nan
        values *= _factors(units, d, len(inference.terms))
        coef, low, high = values[:, rows][:, :, columns]
        more = "" if units is None else "\nfor an increase of each feature by its entry in `units`"
        kind = "posterior interval" if inference.penalised else "interval"
        display = cls(
            coef=coef,
            low=low,
            high=high,
            contrasts=[f"{inference.contrasts[i]} vs {inference.reference}" for i in rows],
            terms=[inference.terms[j] for j in columns],
            interval=f"{100 * level:.4g} % {kind}" + more,
        )
        return display.plot(ax=ax, odds_ratios=odds_ratios, **kwargs)

    def plot(self, ax: Axes | None = None, *, odds_ratios: bool = False, **kwargs: object) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            Axes to draw on, one for each contrast. None draws on a new figure.
        odds_ratios : bool, default=False
            Whether to draw odds ratios, exp(coef), on a logarithmic axis.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        CoefficientDisplay
            The display itself, with its artists.
        """
        require_matplotlib(type(self).__name__)
        if not isinstance(odds_ratios, bool | np.bool_):
            raise TypeError(f"odds_ratios is {odds_ratios!r}: pass True or False.")
        numbers = np.stack([self.coef, self.low, self.high])
        if odds_ratios:
            numbers = _exponentials(numbers)
        n = len(self.coef)
        terms, _ = without_prefixes(self.terms)
        names = LETTER * max(map(len, terms), default=0)
        size = ((2.6 if n > 1 else 4.0) + names / min(n, IN_A_ROW), 0.6 + ROW * len(self.terms))
        panels = new_panels(ax, n, size, 0.8, IN_A_ROW, sharey=True)
        self.axes_, self.ax_ = np.array(panels, dtype=object), panels[0]
        self.figure_ = self.ax_.figure
        self.errorbars_: list[Artist] = []
        self.reference_lines_: list[Artist] = []
        for i, panel in enumerate(panels):
            self._draw(panel, terms, numbers[:, i], odds_ratios, kwargs)
            panel.set_title(wrapped(panel, plain(self.contrasts[i])), fontsize="medium")
        what = "odds ratio" if odds_ratios else "coefficient"
        label_panels(panels, ax is None, f"{what}, {self.interval}")
        return self

    def _draw(
        self, ax: Axes, terms: list[str], numbers: Floats, odds_ratios: bool, kwargs: Style
    ) -> None:
        middle, low, high = numbers
        rows = np.arange(len(middle))
        name_rows(ax, [plain(term) for term in terms])
        style = {"fmt": "o", "color": "C0", "markersize": 4, "capsize": 2, "linewidth": 1.2}
        # matplotlib 3.10 mistakes an array of one number for a number, so these are lists.
        ends = [(middle - low).tolist(), (high - middle).tolist()]
        self.errorbars_.append(ax.errorbar(middle, rows, xerr=ends, **(style | kwargs)))
        line = ax.axvline(
            float(odds_ratios), color=shade(ax, 0.8), linestyle="--", linewidth=1, zorder=0
        )
        self.reference_lines_.append(line)
        if odds_ratios:
            ax.set_xscale("log")
        ax.grid(axis="y", color=shade(ax, 0.08))
        ax.set_axisbelow(True)


def _positions(name: str, wanted: Sequence[object] | None, known: list[Any]) -> list[int]:
    """Return the positions of the wanted values among the known values."""
    if isinstance(wanted, str) or not (wanted is None or isinstance(wanted, Iterable)):
        raise TypeError(f"{name} is {wanted!r}: pass a list of some of {shorten(known)}.")
    wanted = known if wanted is None else list(wanted)
    for value in wanted:
        if value not in known:
            raise ValueError(f"{name} has {value!r}: pass some of {shorten(known)}.")
    if not wanted:
        raise ValueError(f"{name} is empty: pass at least one of {shorten(known)}.")
    return [known.index(value) for value in wanted]


def _factors(units: ArrayLike | None, d: int, n_terms: int) -> Floats:
    """Return a factor for each term; the intercept, after the d features, has the factor 1."""
    factors = np.ones(n_terms)
    if units is not None:
        try:
            given = np.asarray(units, dtype=np.float64)
        except (TypeError, ValueError):
            given = np.empty(0)
        if given.shape != (d,) or not (np.isfinite(given).all() and (given > 0).all()):
            raise ValueError(
                f"units is {units!r}: pass a positive number for each of {d} features."
            )
        factors[:d] = given
    return factors


def _exponentials(numbers: Floats) -> Floats:
    with np.errstate(over="ignore", under="ignore"):
        ratios = np.exp(numbers)
    if not (np.isfinite(ratios).all() and ratios.all()):
        raise ValueError(
            "odds ratios are too large or small for float64, coefficients and intervals go up to "
            f"{np.abs(numbers).max():.3g}: draw coefficients, or pass smaller units."
        )
    return ratios
