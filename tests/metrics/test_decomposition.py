"""Decompositions: parts that add up, against model-diagnostics, at the minimum of their map."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from skxent import (
    ZeroProbabilityWarning,
    categorical_cross_entropy,
    decompose_cross_entropy,
    entropy,
)

PARTS = ("loss", "miscalibration", "discrimination", "uncertainty")


def drawn(n, K, seed=0, slope=1.0, shift=0.0):
    """Labels, and logits that are `slope` times the true ones, moved by `shift` times noise."""
    rng = np.random.default_rng(seed)
    Z = 2 * rng.normal(size=(n, K))
    y = (softmax(Z, axis=1).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    y[:K] = np.arange(K)
    return y, slope * Z + shift * rng.normal(size=K)


CASES = [(2, "isotonic"), (2, "scaling"), (3, "scaling"), (8, "scaling")]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[1]}-{case[0]}")
def problem(request):
    K, calibration = request.param
    y, Z = drawn(300, K, slope=2.5, shift=1.0)
    return y, Z, {"labels": np.arange(K), "calibration": calibration}


def assert_same(left, right, rtol=1e-10, atol=1e-10):
    for name in PARTS:
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), rtol, atol)


# ------------------------------------------------------------------ identities


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("soft", [False, True])
def test_parts_add_up(problem, weighted, soft):
    y, Z, options = problem
    rng = np.random.default_rng(1)
    truth = rng.dirichlet(np.ones(Z.shape[1]), size=len(y)) if soft else y
    weight = rng.random(len(y)) if weighted else None
    found = decompose_cross_entropy(truth, softmax(Z, 1), sample_weight=weight, **options)
    total = found.miscalibration - found.discrimination + found.uncertainty
    np.testing.assert_allclose(total, found.loss, rtol=1e-14)
    assert found.miscalibration >= 0
    assert found.discrimination >= 0
    labels = {"labels": options["labels"], "sample_weight": weight}
    loss = categorical_cross_entropy(truth, softmax(Z, 1), **labels)
    np.testing.assert_allclose(found.loss, loss, rtol=1e-14)
    np.testing.assert_allclose(found.recalibrated.sum(axis=1), 1.0, rtol=1e-12)
    least = categorical_cross_entropy(truth, found.recalibrated, **labels)
    np.testing.assert_allclose(found.loss - found.miscalibration, least, rtol=1e-10)
    rates = np.average(truth if soft else np.eye(Z.shape[1])[y], axis=0, weights=weight)
    np.testing.assert_allclose(found.uncertainty, entropy(rates), rtol=1e-13)
    np.testing.assert_allclose(
        np.average(found.recalibrated, axis=0, weights=weight), rates, rtol=1e-6
    )


def test_bits_are_nats_divided_by_log_2(problem):
    y, Z, options = problem
    nats = decompose_cross_entropy(y, Z, from_logits=True, **options)
    bits = decompose_cross_entropy(y, Z, from_logits=True, base=2, **options)
    assert (nats.unit, bits.unit) == ("nats", "bits")
    for name in PARTS:
        np.testing.assert_allclose(getattr(bits, name) * np.log(2), getattr(nats, name))


# ------------------------------------------------------------------ oracles


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_isotonic_is_that_of_model_diagnostics(weighted, ties):
    scoring = pytest.importorskip("model_diagnostics.scoring")
    y, Z = drawn(400, 2, slope=2.0, shift=1.0)
    p = softmax(Z, axis=1)[:, 1]
    p = np.round(p, 1).clip(0.05, 0.95) if ties else p
    weight = np.random.default_rng(2).random(400) if weighted else None
    theirs = scoring.decompose(y, p, weight, scoring_function=scoring.LogLoss())
    found = decompose_cross_entropy(y, p, sample_weight=weight)
    for name in PARTS:
        expected = theirs["score" if name == "loss" else name][0]
        np.testing.assert_allclose(getattr(found, name), expected, rtol=1e-10, atol=1e-12)


def test_isotonic_map_is_that_of_scikit_learn():
    y, Z = drawn(400, 2, slope=2.0)
    p = softmax(Z, axis=1)[:, 1]
    expected = IsotonicRegression().fit(p, y).predict(p)
    found = decompose_cross_entropy(y, p)
    np.testing.assert_allclose(found.recalibrated[:, 1], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("K", [2, 3, 6])
def test_scaling_is_at_its_minimum(K):
    """Against another minimiser, in other parameters, on the formula written out."""
    y, Z = drawn(250, K, slope=2.5, shift=1.0)
    log_q = log_softmax(Z, axis=1)

    def loss(theta):
        return -log_softmax(theta[0] * log_q + np.append(0.0, theta[1:]), 1)[range(250), y].mean()

    least = minimize(loss, np.zeros(K), method="BFGS", options={"gtol": 1e-7}).fun
    found = decompose_cross_entropy(y, Z, from_logits=True, calibration="scaling")
    np.testing.assert_allclose(found.loss - found.miscalibration, least, rtol=1e-9)


def test_scaling_of_two_classes_is_a_logistic_regression_of_the_logit():
    y, Z = drawn(250, 2, slope=2.5, shift=1.0)
    z = Z[:, 1] - Z[:, 0]
    platt = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(z[:, None], y)
    found = decompose_cross_entropy(y, z, from_logits=True, calibration="scaling")
    np.testing.assert_allclose(found.recalibrated, platt.predict_proba(z[:, None]), rtol=1e-5)


# ------------------------------------------------------------------ exact values


def test_two_levels_of_a_forecast():
    """0.1 comes true in 1 of 4, 0.9 in 3 of 4."""
    p = [0.1] * 4 + [0.9] * 4
    found = decompose_cross_entropy([0, 0, 0, 1, 1, 1, 1, 0], p)
    recalibrated = entropy([0.25, 0.75])
    np.testing.assert_allclose(found.uncertainty, np.log(2))
    np.testing.assert_allclose(found.discrimination, np.log(2) - recalibrated)
    loss = -(3 * np.log(0.9) + np.log(0.1)) / 4
    np.testing.assert_allclose(found.miscalibration, loss - recalibrated)
    np.testing.assert_allclose(found.recalibrated[:, 1], [0.25] * 4 + [0.75] * 4)


def test_a_map_of_the_family_is_undone(problem):
    """Scaled predictions differ from the first ones by their miscalibration alone."""
    y, Z, options = problem
    moved = 3.0 * Z + np.linspace(-1, 1, Z.shape[1])
    one, other = (
        decompose_cross_entropy(y, logits, from_logits=True, **options) for logits in (Z, moved)
    )
    np.testing.assert_allclose(one.discrimination, other.discrimination, rtol=1e-9)
    np.testing.assert_allclose(one.recalibrated, other.recalibrated, rtol=1e-4, atol=1e-9)
    assert other.miscalibration > one.miscalibration


def test_base_rates_discriminate_nothing(problem):
    y, Z, options = problem
    rates = np.bincount(y, minlength=Z.shape[1]) / len(y)
    found = decompose_cross_entropy(y, np.tile(rates, (len(y), 1)), **options)
    np.testing.assert_allclose((found.miscalibration, found.discrimination), 0.0, atol=1e-12)
    np.testing.assert_allclose(found.recalibrated, np.tile(rates, (len(y), 1)), rtol=1e-12)


def test_the_wrong_order_discriminates_nothing(problem):
    y, Z, options = problem
    found = decompose_cross_entropy(y, -Z, from_logits=True, **options)
    np.testing.assert_allclose(found.discrimination, 0.0, atol=1e-12 if len(Z[0]) > 2 else 0.02)


def test_perfect_order_discriminates_all(problem):
    y, Z, options = problem
    P = np.where(np.eye(Z.shape[1])[y] > 0, 0.5, 0.5 / (Z.shape[1] - 1))
    P = P * 0.99 + 0.01 * np.eye(Z.shape[1])[y]
    found = decompose_cross_entropy(y, P, **options)
    np.testing.assert_allclose(found.discrimination, found.uncertainty, atol=1e-8)


# ------------------------------------------------------------------ equivalences, invariances


def test_every_form_of_truth_and_prediction(problem):
    y, Z, options = problem
    K, P = Z.shape[1], softmax(Z, axis=1)
    found = decompose_cross_entropy(y, P, **options)
    for dtype in (float, bool, np.float32):
        assert_same(found, decompose_cross_entropy(np.eye(K, dtype=dtype)[y], P, **options))
    logits = Z + 7.0 * np.arange(len(y))[:, None] / len(y)
    assert_same(found, decompose_cross_entropy(y, logits, from_logits=True, **options))
    names = np.array([f"class {k}" for k in range(K)])
    frame = pd.DataFrame(P, columns=names)
    named = options | {"labels": None}
    assert_same(found, decompose_cross_entropy(names[y], frame, **named))
    P.setflags(write=False)
    single = decompose_cross_entropy(y, P.astype(np.float32), **options)
    assert_same(found, single, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("calibration", ["isotonic", "scaling"])
def test_two_classes_in_one_column(calibration):
    y, Z = drawn(200, 2)
    z = Z[:, 1] - Z[:, 0]
    options = {"calibration": calibration}
    found = decompose_cross_entropy(y, Z, from_logits=True, **options)
    assert_same(found, decompose_cross_entropy(y, z, from_logits=True, **options))
    assert_same(found, decompose_cross_entropy(y, expit(z), **options))
    other = decompose_cross_entropy(y, Z[:, ::-1], labels=[1, 0], from_logits=True, **options)
    assert_same(found, other)
    np.testing.assert_allclose(found.recalibrated, other.recalibrated[:, ::-1], atol=1e-8)


def test_weights_are_copies(problem):
    y, Z, options = problem
    weight = np.random.default_rng(3).integers(0, 4, size=len(y))
    index = np.repeat(np.arange(len(y)), weight)
    weighted = decompose_cross_entropy(y, Z, from_logits=True, sample_weight=weight, **options)
    copied = decompose_cross_entropy(y[index], Z[index], from_logits=True, **options)
    assert_same(weighted, copied, rtol=1e-9)
    assert weighted.n == copied.n
    np.testing.assert_allclose(weighted.recalibrated[index], copied.recalibrated, atol=1e-7)
    assert weighted.recalibrated.shape == Z.shape
    assert np.isfinite(weighted.recalibrated).all()


@pytest.mark.parametrize("factor", [1e-300, 1e-8, 1e8, 1e300])
def test_units_of_logits_are_undone(problem, factor):
    y, Z, options = problem
    one, other = (
        decompose_cross_entropy(y, logits, from_logits=True, **options)
        for logits in (Z, factor * Z)
    )
    np.testing.assert_allclose(other.discrimination, one.discrimination, rtol=1e-7)


def test_tiny_probabilities_keep_their_order():
    """Closer than any tolerance of a tie, and still one below the other."""
    p = np.array([1e-30, 1e-29, 1e-28, 1e-27])
    z = np.log(p)
    found = decompose_cross_entropy([0, 0, 1, 1], z, from_logits=True)
    np.testing.assert_array_equal(found.recalibrated[:, 1], [0, 0, 1, 1])
    assert found.discrimination == found.uncertainty == np.log(2)


# ------------------------------------------------------------------ limits


@pytest.mark.parametrize("K", [2, 3])
def test_classes_that_the_truth_lacks(K):
    P = np.random.default_rng(4).dirichlet(np.ones(K + 1), size=50)
    y = np.arange(50) % K
    found = decompose_cross_entropy(y, P, labels=np.arange(K + 1))
    np.testing.assert_array_equal(found.recalibrated[:, K], 0.0)
    lone = decompose_cross_entropy(np.zeros(50, int), P, labels=np.arange(K + 1))
    assert (lone.uncertainty, lone.discrimination) == (0.0, 0.0)
    assert lone.miscalibration == lone.loss > 0


def test_weight_zero_for_a_class():
    """Its rows are absent from all parts, and recalibrated all the same."""
    y, Z = drawn(90, 3)
    weight = (y < 2).astype(float)
    found = decompose_cross_entropy(y, Z, from_logits=True, sample_weight=weight)
    kept = decompose_cross_entropy(y[y < 2], Z[y < 2], from_logits=True, labels=[0, 1, 2])
    assert_same(found, kept)
    np.testing.assert_allclose(found.recalibrated.sum(axis=1), 1.0)


def test_perfect_and_uniform_predictions():
    for K in (2, 3):
        y = np.arange(4 * K) % K
        perfect = decompose_cross_entropy(y, np.eye(K)[y])
        assert perfect.loss == perfect.miscalibration == 0.0
        assert perfect.discrimination == perfect.uncertainty
        y = np.r_[y, 0, 0]
        uniform = decompose_cross_entropy(y, np.full((len(y), K), 1 / K))
        np.testing.assert_allclose(uniform.discrimination, 0.0, atol=1e-15)
        np.testing.assert_allclose(uniform.miscalibration, np.log(K) - uniform.uncertainty)


@pytest.mark.parametrize("K", [2, 3])
def test_zeros_that_come_true_are_miscalibration(K):
    P = np.eye(K)[np.arange(30) % K]
    y = np.arange(30) % K
    y[:K] = np.roll(y[:K], 1)
    with pytest.warns(ZeroProbabilityWarning, match=f"{K} of 30 samples") as caught:
        found = decompose_cross_entropy(y, P)
    assert caught[0].filename == __file__
    assert 0 < found.discrimination < found.uncertainty
    assert found.miscalibration > 1
    with np.errstate(divide="ignore"):
        exact = decompose_cross_entropy(y, np.log(P), from_logits=True)
    assert exact.loss == exact.miscalibration == np.inf
    np.testing.assert_allclose(exact.discrimination, found.discrimination, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"calibration": "platt"}, r"calibration='platt': pass \"isotonic\", \"scaling\" or None"),
        ({"calibration": "isotonic"}, r"\"isotonic\" is for two classes, but here are 3"),
        ({"base": 1}, r"base=1"),
        ({"sample_weight": [0, 0, 0]}, r"sample_weight is zero"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        decompose_cross_entropy([0, 1, 2], np.full((3, 3), 1 / 3), **options)


# ------------------------------------------------------------------ small samples


@pytest.mark.parametrize("K", [2, 5])
def test_scaling_overestimates_by_its_parameters(K):
    """K parameters fitted to n calibrated samples save about K / (2n) nats."""
    excess, n = [], 400
    for seed in range(60):
        y, Z = drawn(n, K, seed=seed)
        found = decompose_cross_entropy(y, Z, from_logits=True, calibration="scaling")
        excess.append(2 * n * found.miscalibration)
    assert 0.75 * K < np.mean(excess) < 1.25 * K


# ------------------------------------------------------------------ as text, HTML and frame


def test_text_html_and_frame(problem):
    y, Z, options = problem
    found = decompose_cross_entropy(y, Z, from_logits=True, **options)
    assert str(found) == found.summary()
    assert max(map(len, found.summary().splitlines())) <= 80
    assert "miscalibration" in found._repr_html_()
    frame = found.to_frame()
    assert list(frame.columns) == list(PARTS)
    assert list(frame.index) == [options["calibration"]]
    for name in PARTS:
        assert frame[name].iloc[0] == getattr(found, name)
