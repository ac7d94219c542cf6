"""Any predictions: a picture of finite extent that holds the losses, or an error that names why."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy.special import log_softmax, softmax

from skxent import (
    CoefficientDisplay,
    ConvergenceDisplay,
    LossDistributionDisplay,
    LossShareDisplay,
    RegularizationDisplay,
    ReliabilityDisplay,
    SoftmaxClassifier,
    ZeroProbabilityWarning,
)

SETTINGS = settings(
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
NAMES = {
    "numbers": np.arange(6),
    "text": np.array(["f", "e", "d", "c", "b", "a"]),
    "signs": np.array(["$x$", "_y", "a\nb", "∞", "{}", " "]),
}
EPS = np.finfo(float).eps


@st.composite
def predictions(draw):
    """Targets, predictions and weights of one to some hundred samples."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    K, n = draw(st.integers(2, 6)), draw(st.sampled_from([1, 2, 3, 9, 60, 400]))
    Z = rng.normal(size=(n, K)) * 10.0 ** draw(st.integers(-2, 2))
    names = NAMES[draw(st.sampled_from(sorted(NAMES)))][:K]
    codes, kind = rng.integers(0, K, n), draw(st.sampled_from(["labels", "series", "soft"]))
    soft = rng.dirichlet(np.ones(K), n) if kind == "soft" else np.eye(K)[codes]
    y = {"labels": names[codes], "soft": soft}.get(kind)
    if kind == "series":
        y = pd.Series(names[codes], index=[f"sample {i}" for i in rng.permutation(n)])
    weight = draw(st.sampled_from(["none", "counts", "light", "spread"]))
    logits = draw(st.booleans())
    return {
        "y": y,
        "Y": soft,
        "Z": Z,
        "names": names,
        "from_logits": logits,
        "y_pred": Z if logits else softmax(Z, axis=1),
        "weight": {
            "none": None,
            "counts": np.append(1.0, rng.integers(0, 3, n - 1)),
            "light": rng.random(n) * 1e-12 + 1e-13,
            "spread": 10.0 ** rng.uniform(-8, 8, n),
        }[weight],
    }


def draw_on_some_axes(display, case, **options):
    """A display on plain axes, drawn; wide enough for its names."""
    ax = Figure(figsize=(14, 8)).subplots()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZeroProbabilityWarning)
        shown = display.from_predictions(
            case["y"],
            case["y_pred"],
            labels=case["names"],
            sample_weight=case["weight"],
            from_logits=case["from_logits"],
            ax=ax,
            **options,
        )
    shown.figure_.canvas.draw()
    return shown


def losses_of(case):
    """Losses by the formula, in nats, probabilities floored."""
    log_p = log_softmax(case["Z"], axis=1)
    if not case["from_logits"]:
        log_p = np.log(np.maximum(case["y_pred"], EPS))
    return -np.where(case["Y"] > 0, case["Y"] * log_p, 0.0).sum(axis=1)


def assert_finite(shown):
    for ax in shown.figure_.axes:
        assert np.isfinite([*ax.get_xlim(), *ax.get_ylim()]).all()


@SETTINGS
@given(predictions(), st.integers(0, 7), st.sampled_from([None, 2.0, 10.0]))
def test_loss_distribution(case, n_worst, base):
    shown = draw_on_some_axes(LossDistributionDisplay, case, n_worst=n_worst, base=base)
    losses = losses_of(case) / np.log(base or np.e)
    np.testing.assert_allclose(shown.losses, losses, rtol=1e-9, atol=1e-12)
    kept = np.ones(len(losses)) if case["weight"] is None else case["weight"]
    worst = np.sort(shown.losses[kept > 0])[::-1][:n_worst]
    assert np.array_equal(shown.losses[shown.worst_], worst)
    assert (kept[shown.worst_] > 0).all()
    index = getattr(case["y"], "index", np.arange(len(losses)))
    written = " ".join(text.get_text() for text in shown.ax_.texts[1:])
    assert all(str(index[i]) in written for i in shown.worst_)
    assert_finite(shown)


@SETTINGS
@given(predictions(), st.booleans())
def test_loss_share(case, sort):
    shown = draw_on_some_axes(LossShareDisplay, case, sort=sort)
    weight = np.ones(len(case["Z"])) if case["weight"] is None else case["weight"]
    widths = np.array([bar.get_width() for bar in shown.bars_])
    assert widths.sum() == pytest.approx(float(weight @ losses_of(case)), rel=1e-9, abs=1e-12)
    assert not sort or (np.diff(widths) <= 0).all()
    assert_finite(shown)


@SETTINGS
@given(predictions(), st.sampled_from([None, 0.5, 0.9]))
def test_reliability(case, level):
    shown = draw_on_some_axes(ReliabilityDisplay, case, level=level, pos_label=case["names"][1])
    (curve,) = shown.curves
    P = softmax(case["Z"], axis=1) if case["from_logits"] else case["y_pred"]
    weight = np.ones(len(P)) if case["weight"] is None else case["weight"]
    kept = weight > 0
    assert set(curve.probability) <= set(np.minimum(P[kept, 1], 1.0)) or case["from_logits"]
    assert (np.diff(curve.probability) >= 0).all()
    assert (np.diff(curve.recalibrated) >= -1e-12).all()
    assert curve.counts.sum() == pytest.approx(weight.sum(), rel=1e-9)
    assert curve.band is None or np.isfinite(curve.band).all()
    parts = curve.parts
    assert parts.loss == pytest.approx(
        parts.miscalibration - parts.discrimination + parts.uncertainty, rel=1e-9, abs=1e-9
    )
    assert_finite(shown)


@SETTINGS
@given(st.data())
def test_coefficients(data):
    """Each mark is at its number, and each interval from one end to the other."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    R, T = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 20))
    coef = rng.normal(size=(R, T)) * 10.0 ** data.draw(st.integers(-12, 12))
    half = np.abs(rng.normal(size=(R, T))) * np.abs(coef).max()
    terms = [f"term {'x' * int(k)} {j}" for j, k in enumerate(rng.integers(0, 60, T))]
    shown = CoefficientDisplay(
        coef, coef - half, coef + half, [f"{k} vs 0" for k in range(R)], terms
    ).plot(ax=Figure(figsize=(5 * R, 8)).subplots(1, R, squeeze=False))
    for row, bars in enumerate(shown.errorbars_):
        np.testing.assert_array_equal(bars.lines[0].get_xdata(), coef[row])
    labels = [label.get_text() for label in shown.ax_.get_yticklabels()]
    assert len(set(labels)) == len(set(terms))
    shown.figure_.canvas.draw()
    assert_finite(shown)


@SETTINGS
@given(st.data())
def test_regularization(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n = data.draw(st.integers(1, 25))
    Cs = np.sort(10.0 ** rng.uniform(-8, 8, n))
    if data.draw(st.booleans()):
        Cs[-1] = np.inf
    mean = rng.random(n) * 10.0 ** data.draw(st.integers(-6, 6))
    chosen = float(Cs[mean.argmin()])
    folds = np.abs(mean[:, None] * rng.normal(1, 0.1, (n, 5))) if data.draw(st.booleans()) else None
    shown = RegularizationDisplay(Cs, mean, 0.1 * mean, chosen, folds)
    shown.plot(ax=Figure(figsize=(9, 6)).subplots())
    shown.figure_.canvas.draw()
    assert shown.one_standard_error_C <= chosen
    assert_finite(shown)


@SETTINGS
@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-6, 1.0, 1e6]), st.sampled_from([1e-9, 1e-3]))
def test_convergence(seed, weight, tol):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(30, 2)) * 10.0 ** rng.integers(-3, 4, 2), rng.integers(0, 3, 30)
    clf = SoftmaxClassifier(C=1.0 / weight, tol=tol).fit(X, y, np.full(30, weight))
    shown = ConvergenceDisplay.from_estimator(clf, ax=Figure(figsize=(9, 6)).subplots())
    shown.figure_.canvas.draw()
    assert shown.target_lines_[0].get_ydata()[0] == clf.target_gap_
    assert_finite(shown)
    plt.close("all")
