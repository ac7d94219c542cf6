"""Logits of any size, unusual indices and targets of fits: the right picture, or a clear error."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_iris

from skxent import (
    CoefficientDisplay,
    ConvergenceDisplay,
    LossDistributionDisplay,
    LossShareDisplay,
    ReliabilityDisplay,
    SoftmaxClassifier,
    ZeroProbabilityWarning,
    binary_cross_entropy,
    infer,
)
from skxent.classifiers import softmax
from skxent.likelihood.optimise import solver

PREDICTIONS = [LossDistributionDisplay, LossShareDisplay, ReliabilityDisplay]
HUGE = [1e99, 1e101, 1e160, 1e300, 1.7e308]
every = pytest.mark.parametrize("display", PREDICTIONS)


def two_classes(seed, n=12):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    y[:2] = [0, 1]
    return y, rng.normal(size=n)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("extreme", [np.inf, -np.inf, 800.0, -800.0])
@pytest.mark.thinned(2)
def test_certain_logits_in_a_reliability_curve(extreme, seed):
    """They are the probabilities 0 and 1, whose curve and decomposition are known."""
    y, z = two_classes(seed)
    right = np.flatnonzero(y == (extreme > 0))[: 1 + seed % 2]
    z[right] = extreme
    one = ReliabilityDisplay.from_predictions(y, z, from_logits=True)
    p = 1 / (1 + np.exp(-np.clip(z, -700, 700)))
    other = ReliabilityDisplay.from_predictions(y, np.where(np.abs(z) > 700, z > 0, p))
    for a, b in zip(one.curves, other.curves, strict=True):
        np.testing.assert_allclose(a.probability, b.probability, rtol=1e-12)
        np.testing.assert_allclose(a.recalibrated, b.recalibrated, rtol=1e-12)
        np.testing.assert_array_equal(a.counts, b.counts)
        np.testing.assert_allclose(a.band, b.band, atol=1e-12)
    assert one.decomposition.miscalibration == pytest.approx(other.decomposition.miscalibration)
    one.figure_.canvas.draw()


@every
@pytest.mark.parametrize("size", HUGE)
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.thinned(3)
def test_huge_logits(display, sign, size, axes):
    y, z = two_classes(0)
    z[0] = sign * size
    drawn = display.from_predictions(y, z, from_logits=True, ax=axes())
    drawn.figure_.canvas.draw()
    ends = np.array([drawn.ax_.get_xlim(), drawn.ax_.get_ylim()])
    assert np.isfinite(ends).all()


@every
@pytest.mark.parametrize("size", HUGE)
def test_huge_losses_of_several_classes(display, size, axes):
    rng = np.random.default_rng(0)
    y, Z = np.arange(12) % 3, rng.normal(size=(12, 3))
    if display is not ReliabilityDisplay:  # whose decomposition is of the size of the logits
        Z[3, 1] = size
        drawn = display.from_predictions(y, Z, from_logits=True, ax=axes())
        drawn.figure_.canvas.draw()


def test_losses_beyond_the_axes_are_counted(axes):
    y, z = np.array([0, 1, 0, 1, 1]), np.array([1e300, 0.3, 1e200, np.inf, -np.inf])
    drawn = LossDistributionDisplay.from_predictions(y, z, from_logits=True, ax=axes())
    assert drawn.ax_.get_xlabel().endswith("3 above 1e+100 at the right edge")
    assert drawn.worst_[:3].tolist() == [4, 0, 2]
    assert np.array_equal(
        drawn.losses, binary_cross_entropy(y, z, from_logits=True, reduction="none")
    )
    drawn.figure_.canvas.draw()


INDICES = {
    "text": [f"patient {i}" for i in range(150)],
    "dates": pd.date_range("2020-01-01", periods=150),
    "shuffled": np.random.default_rng(0).permutation(150),
    "repeated": np.arange(150) // 2,
    "pairs": pd.MultiIndex.from_product([["a", "b", "c"], range(50)]),
    "long": [f"{'x' * 40}{i}" for i in range(150)],
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_worst_samples_have_the_index_of_y(index):
    def axes():
        return Figure(figsize=(24, 5), layout="constrained").subplots()

    X, codes = load_iris(return_X_y=True)
    y = pd.Series(codes, index=index)
    clf = SoftmaxClassifier().fit(X, codes)
    plain = LossDistributionDisplay.from_estimator(clf, X, codes, ax=axes())
    for values in (y, y.to_frame(), pd.DataFrame(np.eye(3)[codes], index=index)):
        drawn = LossDistributionDisplay.from_estimator(clf, X, values, ax=axes())
        assert np.array_equal(drawn.worst_, plain.worst_)
        shown = [text.get_text() for text in drawn.ax_.texts[1:]]
        labels = [str(y.index[i]) for i in drawn.worst_]
        if max(map(len, labels)) <= 24:
            for i, label in zip(drawn.worst_, labels, strict=True):
                assert label in shown[codes[i]]
        else:
            assert len({name for text in shown for name in text.split(", ")} - {""}) == 5
        drawn.figure_.canvas.draw()
    shown = [text.get_text() for text in plain.ax_.texts[1:]]
    for i in plain.worst_:
        assert str(i) in shown[codes[i]].split(", ")


@pytest.mark.parametrize("weight", [1e-6, 1e-3, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("tol", [1e-20, 1e-8, 1e-4])
def test_the_target_line_is_where_the_fit_stopped(weight, tol, axes, monkeypatch):
    """Where weights add up to less than one, and where rounding is above `tol`."""
    X, y = load_iris(return_X_y=True)
    solutions = []

    def minimise(*args, **kwargs):
        solutions.append(solver.minimise(*args, **kwargs))
        return solutions[-1]

    monkeypatch.setattr(softmax, "minimise", minimise)
    clf = SoftmaxClassifier(tol=tol).fit(X, y, np.full(150, weight))
    drawn = ConvergenceDisplay.from_estimator(clf, ax=axes())
    assert drawn.target_lines_[0].get_ydata()[0] == solutions[-1].target
    assert clf.converged_ == (clf.optimality_gap_ <= solutions[-1].target)
    drawn.figure_.canvas.draw()


@pytest.mark.parametrize("minimum", [np.nan, np.inf, "0", [1.0]])
def test_a_minimum_that_is_none(minimum):
    clf = SoftmaxClassifier().fit(*load_iris(return_X_y=True))
    with pytest.raises(ValueError, match=r"minimum is .*: pass a finite number of nats"):
        ConvergenceDisplay.from_estimator(clf, minimum=minimum)


@every
@pytest.mark.parametrize("ax", [np.array([1, 2]), "ax", plt, 3.0])
def test_axes_that_are_none(display, ax):
    y, z = two_classes(0)
    with pytest.raises((TypeError, ValueError), match=r"^ax "), warnings.catch_warnings():
        warnings.simplefilter("ignore", ZeroProbabilityWarning)
        display.from_predictions(y, z, from_logits=True, ax=ax)


def test_other_objects_in_the_place_of_results(axes):
    clf = SoftmaxClassifier(C=np.inf).fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])
    for call, name in (
        (lambda: CoefficientDisplay.from_inference(clf), "inference"),
        (lambda: CoefficientDisplay.from_inference(None), "inference"),
        (lambda: LossShareDisplay.from_report(clf), "report"),
        (lambda: ConvergenceDisplay.from_estimators(clf), "estimators"),
        (lambda: ConvergenceDisplay.from_estimators(None), "estimators"),
    ):
        with pytest.raises(TypeError, match=f"^{name} is a "):
            call()


@pytest.mark.parametrize(
    "options",
    [
        {"terms": "x0"},
        {"terms": 3},
        {"classes": 1},
        {"classes": "1"},
        {"units": "a"},
        {"units": [[1.0]]},
        {"units": [1j]},
        {"odds_ratios": "no"},
        {"odds_ratios": None},
    ],
    ids=str,
)
def test_options_of_coefficients_that_are_none(options):
    X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1]
    found = infer(SoftmaxClassifier(C=np.inf).fit(X, y), X, y)
    with pytest.raises((TypeError, ValueError), match=f"^{next(iter(options))} "):
        CoefficientDisplay.from_inference(found, **options)
