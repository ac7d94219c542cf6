"""A mean cross-entropy split into miscalibration, discrimination and uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, softmax

from skxent.inputs.namespaces import Floats
from skxent.inputs.options import check_isotonic, check_option, unit
from skxent.metrics.information import entropy
from skxent.metrics.loss_values import Losses
from skxent.metrics.means import copies_and_shares
from skxent.metrics.recalibration import isotonic, scaling
from skxent.metrics.row_forms import form_of
from skxent.metrics.scored_samples import MAX_LOSS, ScoredSamples
from skxent.metrics.tables import Column, Table, Tabular, count, number, percent, unit_name

MAPS = {
    "isotonic": "isotonic regression on the second class",
    "scaling": "bias-corrected temperature scaling",
}


@dataclass(frozen=True, eq=False, repr=False)
class CrossEntropyDecomposition(Tabular):
    """A mean cross-entropy in three parts: loss = miscalibration - discrimination + uncertainty.

    Attributes
    ----------
    loss : float
        Mean cross-entropy of the prediction.
    miscalibration : float
        The loss that recalibration removes, at least 0; 0 for a calibrated prediction.
    discrimination : float
        Loss of the base rates less that of the recalibrated prediction, at least 0; more is better.
    uncertainty : float
        Entropy of the base rates: the mean loss of predicting them for every sample.
    recalibrated : ndarray of shape (n, K)
        The recalibrated probabilities.
    calibration : {"isotonic", "scaling"}
        The map that recalibrated them.
    n : int
        Number of samples, copies counted.
    unit : str
        "nats", "bits", or the name for another base.

    See Also
    --------
    decompose_cross_entropy : The function that returns it.
    """

    loss: float
    miscalibration: float
    discrimination: float
    uncertainty: float
    recalibrated: Floats
    calibration: str
    n: int
    unit: str

    def _columns(self) -> tuple[dict[str, Column], Column, str]:
        names = ("loss", "miscalibration", "discrimination", "uncertainty")
        return {name: [getattr(self, name)] for name in names}, [self.calibration], "calibration"

    def _table(self) -> Table:
        parts = (
            ("miscalibration", self.miscalibration),
            ("- discrimination", -self.discrimination),
            ("+ uncertainty", self.uncertainty),
        )

        def row(name: str, value: float) -> tuple[str, ...]:
            with np.errstate(divide="ignore", invalid="ignore"):
                return name, number(value), percent(float(np.divide(value, self.uncertainty)))

        title = f"Cross-entropy in {self.unit}, n = {count(self.n)}"
        heads = ("part", "mean", "of uncertainty")
        notes = (f"Recalibrated by {MAPS[self.calibration]}, on these samples.",)
        return Table(title, heads, [row(*part) for part in parts], row("= loss", self.loss), notes)


def decompose_cross_entropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    from_logits: bool = False,
    base: float | None = None,
    calibration: str | None = None,
) -> CrossEntropyDecomposition:
    r"""Split a mean cross-entropy into miscalibration, discrimination and uncertainty.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, K)
        Labels, one-hot or soft rows, as :func:`categorical_cross_entropy` takes them.
    y_pred : array-like of shape (n, K) or (n,)
        Probabilities, or logits with ``from_logits=True``.
    labels : array-like of shape (K,), default=None
        The class of each column of `y_pred`.
    sample_weight : array-like of shape (n,), default=None
        Weight w_i counts sample i that many times.
    from_logits : bool, default=False
        Whether `y_pred` holds logits.
    base : float, default=None
        Base of the logarithm. None gives nats, 2 gives bits.
    calibration : {"isotonic", "scaling"} or None, default=None
        The map that recalibrates; see Notes. None is "isotonic" for two classes and "scaling" for
        more.

    Returns
    -------
    CrossEntropyDecomposition
        The parts and the recalibrated probabilities.

    Raises
    ------
    ValueError
        As :func:`categorical_cross_entropy`; if `calibration` is none of these, or "isotonic" for
        more than two classes.

    Warns
    -----
    ZeroProbabilityWarning
        If the floor under probabilities acted.
    ConvergenceWarning
        If the fit of "scaling" ended before its optimum, so that miscalibration is too small.

    See Also
    --------
    cross_entropy_report : Split by class or by group.
    miscalibration_scorer, discrimination_scorer : The parts as scores.

    Notes
    -----
    With the mean losses S of the prediction q, of its recalibrated version c(q), and of the base
    rates :math:`\pi`,

    .. math:: \text{miscalibration} = S(q) - S(c(q)), \quad
              \text{discrimination} = S(\pi) - S(c(q)), \quad
              \text{uncertainty} = S(\pi).

    The meaning of the parts depends on the map c.

    * "isotonic", for two classes: the non-decreasing function of the second class's probability
      that fits best [1]_. It assumes only that the frequency of the second class does not fall as
      its probability rises.
    * "scaling", for any number of classes: :math:`\log c(q)_k = a \log q_k + b_k` up to a
      constant, with :math:`a \ge 0`, fitted by maximum likelihood, the bias-corrected temperature
      scaling of [3]_. Errors that no map of this family corrects count as a lack of discrimination.

    Both families of maps contain the identity and the constant prediction of the base rates, so
    miscalibration and discrimination are never negative. Before "scaling", a probability below the
    floor of the loss, 2.2e-16, is raised to the floor. A logit of -inf is replaced by the logarithm
    of the floor or by the smallest finite logit less its row's maximum, whichever is less.

    **Small samples.** The map is fitted to the samples that it is judged on, so miscalibration is
    overestimated: in a calibrated prediction "scaling" finds about K / (2n) nats, from its K
    parameters, and "isotonic" more, about 1.8 n^(-2/3) nats where probabilities are spread evenly
    over (0, 1). Uncertainty is underestimated by (K - 1) / (2n). Discrimination is overestimated by
    the difference of the two, 1 / (2n) with "scaling".

    With soft targets the entropy of the targets themselves is part of the uncertainty.

    Dask collections are copied to this process, once: all their rows must fit in memory.

    References
    ----------
    .. [1] T. Dimitriadis, T. Gneiting, A. I. Jordan, "Stable reliability diagrams for probabilistic
       classifiers", PNAS 118, 2021. :doi:`10.1073/pnas.2016191118`
    .. [2] J. Bröcker, "Reliability, sufficiency, and the decomposition of proper scores", Quarterly
       Journal of the Royal Meteorological Society 135, 2009. :doi:`10.1002/qj.456`
    .. [3] A. Alexandari, A. Kundaje, A. Shrikumar, "Maximum likelihood with bias-corrected
       calibration is hard-to-beat at label shift adaptation", ICML 2020.
       :doi:`10.48550/arXiv.1901.06852`

    Examples
    --------
    >>> from skxent import decompose_cross_entropy
    >>> p = [0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9]
    >>> print(decompose_cross_entropy([0, 0, 0, 1, 1, 1, 1, 0], p))
    Cross-entropy in nats, n = 8
    <BLANKLINE>
    part                 mean  of uncertainty
    -----------------------------------------
    miscalibration     0.0923          13.3 %
    - discrimination  -0.1308         -18.9 %
    + uncertainty      0.6931         100.0 %
    -----------------------------------------
    = loss             0.6547          94.4 %
    <BLANKLINE>
    Recalibrated by isotonic regression on the second class, on these samples.
    """
    unit(base)
    _known(calibration, 2)
    samples = ScoredSamples.of(y_true, y_pred, labels, sample_weight, from_logits)
    samples.losses.warn(None)
    return decompose(samples, calibration, base)


def decompose(
    samples: ScoredSamples, calibration: str | None, base: float | None
) -> CrossEntropyDecomposition:
    """Decompose the mean loss of checked samples."""
    scale = unit(base)
    calibration = _known(calibration, len(samples.names))
    recalibrate = _isotonic if calibration == "isotonic" else _scaling
    loss = _mean(samples.losses.values, samples) / scale
    uncertainty = float(entropy(samples.base_rates)) / scale
    recalibrated, losses = recalibrate(samples)
    least = _mean(losses, samples) / scale
    # The maps include the base rates and the prediction itself. These have a smaller loss than the
    # fitted map only by rounding, or if the fit ended before its optimum.
    if least > min(loss, uncertainty):
        least = min(loss, uncertainty)
        if uncertainty < loss:
            recalibrated = np.tile(samples.base_rates, (len(samples.target), 1))
        else:
            recalibrated = probabilities_of(samples)
    return CrossEntropyDecomposition(
        loss=loss,
        miscalibration=loss - least,
        discrimination=uncertainty - least,
        uncertainty=uncertainty,
        recalibrated=recalibrated,
        calibration=calibration,
        n=round(copies_and_shares(samples.weight, len(samples.target))[0].sum()),
        unit=unit_name(base),
    )


def _known(calibration: str | None, n_classes: int) -> str:
    """Return the requested map, or the default for this number of classes."""
    cure = 'pass "isotonic", "scaling" or None'
    check_option("calibration", calibration, (None, *MAPS), cure)
    if calibration == "isotonic":
        check_isotonic(n_classes)
    return calibration or ("isotonic" if n_classes == 2 else "scaling")


def _mean(losses: Floats, samples: ScoredSamples) -> float:
    return Losses(losses).mean(samples.weight)


def _isotonic(samples: ScoredSamples) -> tuple[Floats, Floats]:
    """Return recalibrated probabilities (n, 2), and their losses."""
    second = samples.prediction
    if second.ndim == 2:
        with np.errstate(over="ignore"):
            second = second[:, 1] - second[:, 0] if samples.from_logits else second[:, 1]
    target = samples.target
    sides = np.eye(2)[target] if target.ndim == 1 else target.astype(np.float64)
    P = isotonic(second, sides, samples.importance)
    with np.errstate(divide="ignore"):
        costs = np.where(P < 0.5, -np.log(P), -np.log1p(-P[:, ::-1]))
    costs = np.multiply(sides, costs, where=sides > 0, out=np.zeros_like(costs))
    return P, costs.sum(axis=1)


def _scaling(samples: ScoredSamples) -> tuple[Floats, Floats]:
    """Return recalibrated probabilities (n, K), and their losses."""
    logits = scaling(_logits(samples), samples.target, samples.base_rates, samples.importance)
    form = form_of(samples.target)
    losses = form.losses(logits, samples.target, from_logits=True, max_loss=MAX_LOSS)
    return softmax(logits, axis=1), losses.values


def _logits(samples: ScoredSamples) -> Floats:
    """Return finite logits (n, K); the largest of each row is 0 or nearly 0."""
    if not samples.from_logits:
        with np.errstate(divide="ignore"):
            return np.maximum(np.log(probabilities_of(samples)), -MAX_LOSS)
    Z = samples.prediction.astype(np.float64)
    if Z.ndim == 1:
        Z = np.column_stack([np.minimum(-Z, 0.0), np.minimum(Z, 0.0)])
    with np.errstate(over="ignore"):
        Z -= Z.max(axis=1, keepdims=True)
    return np.maximum(Z, min(-MAX_LOSS, Z[np.isfinite(Z)].min()))


def probabilities_of(samples: ScoredSamples) -> Floats:
    """Return the probabilities of the prediction, (n, K), not recalibrated."""
    values = samples.prediction.astype(np.float64)
    if samples.from_logits:
        if values.ndim == 1:
            return np.column_stack([expit(-values), expit(values)])  # right for infinite logits too
        return softmax(values, axis=1)
    return np.column_stack([1.0 - values, values]) if values.ndim == 1 else values
