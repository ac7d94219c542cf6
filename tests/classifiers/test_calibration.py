"""The calibrator: parameters, predictions, floors, missing classes and warnings."""

import warnings

import numpy as np
import pytest
from drawn_map_reference import map_model, minimum, parameters_of
from scipy.special import log_softmax, softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from skxent import LogitCalibrator, categorical_cross_entropy, decompose_cross_entropy
from skxent.inference.map_choice import smallest
from skxent.inference.map_samples import Samples

METHODS = ["temperature", "bias", "vector", "matrix"]
FLOOR = np.log(np.finfo(float).eps)


def draw(K, n=400, seed=0):
    """Predictions that are too sharp, and labels."""
    rng = np.random.default_rng([seed, K])
    Z = rng.normal(size=(n, K))
    y = (Z + rng.gumbel(size=(n, K))).argmax(axis=1)
    return softmax(2 * Z + np.linspace(0, 1, K), axis=1), y


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("K", [2, 3, 5])
def test_predictions_agree(method, K):
    P, y = draw(K)
    calibrator = LogitCalibrator(method).fit(P, y)
    log_q, Q = calibrator.predict_log_proba(P), calibrator.predict_proba(P)
    np.testing.assert_allclose(np.exp(log_q), Q, rtol=1e-12)
    np.testing.assert_allclose(Q.sum(axis=1), 1.0, rtol=1e-14)
    Z = np.log((1 - calibrator.smoothing_) * P + calibrator.smoothing_ / K)
    if (method, K) != ("vector", 2):
        Z -= Z.mean(axis=1, keepdims=True)
    slope = calibrator.slope_
    Z = Z @ slope.T if method == "matrix" else Z * slope
    expected = log_softmax(Z + calibrator.intercept_, axis=1)
    np.testing.assert_allclose(log_q, expected, atol=1e-10)
    logits = calibrator.decision_function(P)
    assert logits.shape == ((400,) if K == 2 else (400, K))
    assert np.array_equal(calibrator.predict(P), Q.argmax(axis=1))
    loss = categorical_cross_entropy(y, logits, from_logits=True, reduction="sum")
    assert calibrator.log_likelihood_ == pytest.approx(-loss, rel=1e-12)
    assert loss < categorical_cross_entropy(y, P, reduction="sum")
    assert 0 <= calibrator.optimality_gap_ <= calibrator.target_gap_
    assert calibrator.converged_ is True
    assert calibrator.classes_.tolist() == list(range(K))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("K", [2, 3])
def test_probabilities_and_logits_are_equivalent(method, K):
    P, y = draw(K)
    Z = np.log(P) + np.arange(len(P))[:, None]
    for smoothing in (0.0, 0.05, "loo"):
        one = LogitCalibrator(method, smoothing=smoothing)
        other = LogitCalibrator(method, smoothing=smoothing, from_logits=True)
        Q = one.fit(P, y).predict_proba(P)
        np.testing.assert_allclose(other.fit(Z, y).predict_proba(Z), Q, rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("from_logits", [False, True])
def test_one_column_is_two(method, from_logits):
    P, y = draw(2)
    p = np.log(P[:, 1] / P[:, 0]) if from_logits else P[:, 1]
    both = LogitCalibrator(method).fit(P, y).predict_proba(P)
    for shape in ((-1,), (-1, 1)):
        X = p.reshape(shape)
        calibrator = LogitCalibrator(method, from_logits=from_logits).fit(X, y)
        np.testing.assert_allclose(calibrator.predict_proba(X), both, rtol=1e-6)
        np.testing.assert_allclose(calibrator.predict_proba(p[:, None]), both, rtol=1e-6)
        assert calibrator.n_features_in_ == 1


@pytest.mark.parametrize("K", [2, 4])
def test_labels_are_one_hot_rows(K):
    P, y = draw(K)
    for method in METHODS:
        one = LogitCalibrator(method).fit(P, y)
        other = LogitCalibrator(method).fit(P, np.eye(K)[y])
        np.testing.assert_allclose(one.slope_, other.slope_, rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_soft_targets_are_weighted_labels(method):
    P, _ = draw(3)
    Y = np.random.default_rng(0).dirichlet(np.ones(3), len(P))
    soft = LogitCalibrator(method, C=np.inf, smoothing=0).fit(P, Y)
    rows = LogitCalibrator(method, C=np.inf, smoothing=0).fit(
        np.repeat(P, 3, axis=0), np.tile(range(3), len(P)), sample_weight=Y.ravel()
    )
    np.testing.assert_allclose(soft.predict_proba(P), rows.predict_proba(P), rtol=1e-5)


def test_temperature_keeps_the_order_of_classes():
    P, y = draw(5)
    calibrator = LogitCalibrator().fit(P, y)
    assert np.array_equal(np.argsort(calibrator.predict_proba(P)), np.argsort(P))
    assert (calibrator.intercept_ == 0).all()
    assert np.ptp(calibrator.slope_) == 0
    assert 0.3 < calibrator.slope_[0] < 0.7  # the predictions are twice too sharp


def test_bias_is_the_map_of_the_decomposition():
    P, y = draw(4)
    parts = decompose_cross_entropy(y, P)
    Q = LogitCalibrator("bias", C=np.inf, smoothing=0).fit(P, y).predict_proba(P)
    np.testing.assert_allclose(Q, parts.recalibrated, rtol=1e-4)


@pytest.mark.parametrize("K", [2, 3])
def test_temperature_is_that_of_scikit_learn(K):
    pytest.importorskip("sklearn", minversion="1.8")  # the first release with temperature scaling
    rng = np.random.default_rng(K)
    X = rng.normal(size=(600, 4))
    y = (X[:, :K] + rng.gumbel(size=(600, K))).argmax(axis=1)
    clf = LogisticRegression(C=100).fit(3 * X[:60], y[:60])
    theirs = CalibratedClassifierCV(FrozenEstimator(clf), method="temperature").fit(X, y)
    Z = clf.decision_function(X)
    ours = LogitCalibrator(C=np.inf, from_logits=True).fit(Z, y)
    # for two classes scikit-learn's logits are -z and z, and ours 0 and z
    np.testing.assert_allclose(ours.predict_proba(Z), theirs.predict_proba(X), atol=1e-4)


@pytest.mark.parametrize("method", ["temperature", "bias"])
@pytest.mark.parametrize("size", [1e-6, 1e8])
def test_the_size_of_logits_does_not_matter(method, size):
    P, y = draw(3)
    L = np.log(P)
    one = LogitCalibrator(method, C=np.inf, from_logits=True).fit(L, y).predict_proba(L)
    other = (
        LogitCalibrator(method, C=np.inf, from_logits=True).fit(size * L, y).predict_proba(size * L)
    )
    np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("K", [2, 3])
def test_impossible_classes_have_the_floor(method, K):
    P, y = draw(K)
    P[:40] = np.eye(K)[y[:40]]
    P[40:44] = np.eye(K)[(y[40:44] + 1) % K]
    floored = np.maximum(P, np.finfo(float).eps)
    calibrator = LogitCalibrator(method, smoothing=0).fit(P, y)
    expected = LogitCalibrator(method, from_logits=True).fit(np.log(floored), y)
    assert calibrator.floor_ == pytest.approx(FLOOR)
    Q = calibrator.predict_proba(P)
    assert (Q > 0).all()
    np.testing.assert_allclose(Q, expected.predict_proba(np.log(floored)), rtol=1e-5)
    with np.errstate(divide="ignore"):
        of_logits = LogitCalibrator(method, from_logits=True).fit(np.log(P), y)
    assert of_logits.floor_ == min(FLOOR, np.log(P[P > 0]).min())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.thinned(4)
def test_votes_are_smoothed(method, K):
    """Shares of 20 votes: a share of 0 is no probability of 0."""
    rng = np.random.default_rng(K)
    truth = rng.dirichlet(np.ones(K), 2000)
    P = np.array([rng.multinomial(20, p) for p in truth]) / 20
    y = np.array([rng.choice(K, p=p) for p in truth])
    losses = {}
    for smoothing in ("auto", "loo", 0.1, 0):
        calibrator = LogitCalibrator(method, smoothing=smoothing).fit(P[:1000], y[:1000])
        Z = calibrator.predict_log_proba(P[1000:])
        losses[smoothing] = categorical_cross_entropy(y[1000:], Z, from_logits=True)
    best = categorical_cross_entropy(y[1000:], (20 * P[1000:] + 1) / (20 + K))  # the posterior mean
    assert losses["auto"] == losses["loo"]
    assert losses["loo"] < best + 0.01
    assert losses[0] > losses["loo"] + 0.01
    assert losses[0.1] == pytest.approx(losses["loo"], abs=0.01)


def test_smoothing_is_a_mixture():
    P, y = draw(4)
    calibrator = LogitCalibrator("bias", smoothing=0.2, C=0.1).fit(P, y)
    assert calibrator.smoothing_ == 0.2
    mixed = LogitCalibrator("bias", smoothing=0, C=0.1).fit(0.8 * P + 0.05, y)
    expected = mixed.predict_proba(0.8 * P + 0.05)
    np.testing.assert_allclose(calibrator.predict_proba(P), expected, rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_good_predictions_and_logits_are_not_smoothed(method):
    P, y = draw(3, 2000)
    assert LogitCalibrator(method).fit(P, y).smoothing_ == 0.0
    rng = np.random.default_rng(0)
    wild = 30 * rng.normal(size=(500, 3))
    truth = rng.integers(3, size=500)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert LogitCalibrator(method, from_logits=True).fit(wild, truth).smoothing_ == 0.0
        kept = LogitCalibrator(method, from_logits=True, smoothing="loo").fit(P, y)
    assert np.isfinite(kept.predict_log_proba(1e6 * wild)).all()


def test_the_floor_of_logits_is_below_all_of_them():
    P, y = draw(3)
    L = 50 * np.log(P)
    L[3, (y[3] + 1) % 3] = -np.inf
    calibrator = LogitCalibrator(from_logits=True).fit(L, y)
    finite = log_softmax(L, axis=1)
    assert calibrator.floor_ == finite[np.isfinite(finite)].min() < FLOOR


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("missing", [0, 2])
def test_a_class_without_samples_keeps_its_probability(method, missing):
    P, y = draw(3)
    kept = y != missing
    X, labels = P[kept], y[kept]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        calibrator = LogitCalibrator(method).fit(X, labels, classes=[0, 1, 2])
    Q = calibrator.predict_proba(X)
    if method == "temperature":
        assert not caught
        return
    assert [str(c.message) for c in caught] == [
        f"LogitCalibrator: y has no samples with a weight of {missing}. The map leaves these "
        "classes out, and they keep their probability."
    ]
    np.testing.assert_allclose(Q[:, missing], X[:, missing], rtol=1e-12)
    there = [k for k in range(3) if k != missing]
    pair = X[:, there] / X[:, there].sum(axis=1, keepdims=True)
    alone = LogitCalibrator(method).fit(pair, labels).predict_proba(pair)
    expected = alone * X[:, there].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(Q[:, there], expected, rtol=1e-9)
    own = np.eye(3)[missing] if method == "matrix" else 1.0
    assert np.array_equal(calibrator.slope_[missing], own)
    assert calibrator.intercept_[missing] == 0.0


@pytest.mark.parametrize("method", METHODS)
def test_weight_zero_is_leaving_out(method):
    P, y = draw(3)
    weight = np.where(np.arange(400) < 300, 1.0, 0.0)
    P_wild = np.where(weight[:, None] > 0, P, np.eye(3)[(y + 1) % 3])
    one = LogitCalibrator(method).fit(P_wild, y, weight)
    other = LogitCalibrator(method).fit(P[:300], y[:300])
    np.testing.assert_allclose(one.slope_, other.slope_, rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_no_finite_optimum_is_told(method):
    P, _ = draw(3)
    with pytest.warns(ConvergenceWarning, match="no finite optimum was found"):
        calibrator = LogitCalibrator(method, C=np.inf).fit(P, P.argmax(axis=1))
    assert calibrator.converged_ is False
    assert np.isfinite(calibrator.predict_log_proba(P)).all()


def test_a_fit_that_ends_early_is_told(monkeypatch):
    from skxent.metrics import newton

    P, y = draw(3)
    monkeypatch.setattr(newton, "MOST_STEPS", 1)
    with pytest.warns(ConvergenceWarning, match=r"above the target of|no finite optimum"):
        assert not LogitCalibrator("bias").fit(P**3 / (P**3).sum(1, keepdims=True), y).converged_


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"method": "isotonic"},
            'method=.isotonic.: pass "temperature", "bias", "vector" or "matrix"',
        ),
        ({"C": "cv"}, "C is 'cv': pass \"loo\", a positive number, or numpy.inf"),
        ({"C": 0}, "C is 0: pass"),
        ({"C": np.nan}, "C is nan: pass"),
        ({"smoothing": "floor"}, 'smoothing is \'floor\': pass "loo", "auto", or a number'),
        ({"smoothing": 1}, "smoothing is 1: pass"),
        ({"smoothing": -1e-9}, "smoothing is -1e-09: pass"),
        ({"smoothing": np.nan}, "smoothing is nan: pass"),
        ({"smoothing": None}, "smoothing is None: pass"),
        ({"from_logits": "yes"}, "from_logits='yes': pass True or False"),
        ({"tol": 0}, "tol is 0: pass a positive number of nats"),
        ({"tol": "small"}, "tol is 'small'"),
    ],
)
def test_bad_parameters(parameters, message):
    P, y = draw(2)
    with pytest.raises(ValueError, match=message):
        LogitCalibrator(**parameters).fit(P, y)


def test_a_failed_fit_changes_nothing():
    P, y = draw(3)
    calibrator = LogitCalibrator().fit(P, y)
    before = dict(vars(calibrator))
    with pytest.raises(ValueError, match="sum to 1"):
        calibrator.fit(P / 2, y)
    assert vars(calibrator) == before


def test_weights_are_checked():
    P, y = draw(2)
    with pytest.raises(ValueError, match="sample_weight has shape"):
        LogitCalibrator().fit(P, y, np.ones(3))
    with pytest.raises(ValueError, match="zero for every sample"):
        LogitCalibrator().fit(P, y, np.zeros(400))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("K", [2, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.thinned(3)
def test_logits_near_the_largest_float(method, K):
    rng = np.random.default_rng(K)
    Z = rng.normal(size=(200, K))
    y = (3 * Z + rng.gumbel(size=Z.shape)).argmax(axis=1)
    Z *= 1.7e308 / np.abs(Z).max()
    calibrator = LogitCalibrator(method, from_logits=True, smoothing="loo").fit(Z, y)
    losses = -calibrator.predict_log_proba(Z)[np.arange(200), y]
    assert losses.mean() < np.log(K)


@pytest.mark.parametrize(("seed", "size"), [(267, 8), (3153, 8), (3670, 2)])
def test_the_gap_bounds_a_fall_that_rounding_hides_in_the_hessian(seed, size):
    # The maps separate most samples, and a direction with hardly any curvature is left.
    rng = np.random.default_rng(seed)
    L = size * rng.normal(size=(12, 4))
    y = (L + rng.gumbel(size=L.shape)).argmax(axis=1)
    calibrator = LogitCalibrator("vector", C=np.inf, smoothing=0.01)
    with pytest.warns(ConvergenceWarning, match="no finite optimum"):
        calibrator.fit(softmax(-L, axis=1), y)
    log_q = np.log(0.99 * softmax(-L, axis=1) + 0.01 / 4)
    model, origin, centre = map_model("vector", log_q, np.eye(4)[y], np.ones(12), np.inf, 1.0)
    theta = parameters_of("vector", calibrator.slope_, calibrator.intercept_, centre)
    least = min(minimum(model, start).value for start in (origin, theta))
    assert -calibrator.log_likelihood_ - calibrator.optimality_gap_ <= least + 1e-8
    assert calibrator.converged_ is False


def test_a_penalised_fit_with_nearly_tied_predictions_and_huge_weights():
    rng = np.random.default_rng(0)
    for _ in range(20):
        Z = np.round(rng.normal(size=(4, 3))) + 1e-10 * rng.normal(size=(4, 3))
        y, w = rng.permutation(4) % 3, rng.choice([1.0, 1e12], 4)
        fitted = LogitCalibrator(C=1e8, smoothing=0.0, from_logits=True).fit(Z, y, w)
        log_q = log_softmax(Z, axis=1)
        model, origin, _ = map_model("temperature", log_q, np.eye(3)[y], w, 1e8, 1.0)
        value, least = model.value(fitted.slope_[:1]), minimum(model, origin)
        noise = model.noise(fitted.slope_[:1]) + least.noise
        assert value - least.value <= fitted.optimality_gap_ + 1e-9 * least.value + noise


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("there", [1, 2, 3])
def test_the_log_likelihood_is_that_of_the_predictions(method, C, there):
    P, y = draw(4, n=60)
    y = y % there
    w = np.random.default_rng(1).uniform(0.1, 3.0, len(y))
    calibrator = LogitCalibrator(method, C=C)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "LogitCalibrator: y has no samples", UserWarning)
        calibrator.fit(P, y, w, classes=np.arange(4))
    log_q = calibrator.predict_log_proba(P)[np.arange(60), y]
    assert calibrator.log_likelihood_ == pytest.approx(w @ log_q, rel=1e-12)
    assert calibrator.slope_.shape == ((4, 4) if method == "matrix" else (4,))


@pytest.mark.parametrize(("n", "K", "seed"), [(2, 2, 0), (3, 3, 1), (4, 2, 3), (5, 3, 5)])
def test_no_fit_has_a_finite_minimum(n, K, seed):
    rng = np.random.default_rng(seed)
    P, y = softmax(3 * rng.normal(size=(n, K)), axis=1), rng.integers(K, size=n)
    calibrator = LogitCalibrator("vector", C=np.inf, smoothing="loo")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", RuntimeWarning)
        calibrator.fit(P, y, classes=np.arange(K))
    assert calibrator.smoothing_ == 0


def test_no_held_out_loss_is_the_smallest_if_all_are_infinite():
    samples = Samples(np.zeros((3, 2)), np.array([0, 1, 1]), np.ones(3), 1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert smallest([np.inf, np.inf], samples, np.inf) == 0
        assert smallest([np.inf, 1.0], samples, np.inf) == 1
