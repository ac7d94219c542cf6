"""Marginal effects and adjusted predictions of fitted classifiers."""

import numpy as np
import pytest
import scipy.sparse as sp
from inferences import COVARIANCES, assert_close, inference_of

NAMES = ("estimate", "standard_errors", "low", "high")


def with_dummy(X):
    return np.column_stack([X[:, :2], X[:, 2] > 0])


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("K", [2, 3])
def test_one_sample(grouped_data, K, covariance):
    """Its adjusted prediction is that of `predict_proba_interval`."""
    X, y, groups = grouped_data[K]
    found = inference_of(X, y, None, covariance, groups)
    interval = found.predict_proba_interval(X[:3], 0.9)
    for i in range(3):
        one = found.adjusted_predictions(X=X[[i]], level=0.9)
        for name in NAMES:
            np.testing.assert_allclose(getattr(one, name)[0], getattr(interval, name)[i], rtol=1e-9)
    mean = found.predict_proba_interval(X.mean(axis=0)[None])
    for name in NAMES:
        np.testing.assert_allclose(
            getattr(found.adjusted_predictions("mean"), name), getattr(mean, name), rtol=1e-9
        )


@pytest.mark.parametrize("K", [2, 3, 5])
def test_observed_shares(grouped_data, K):
    """The mean probabilities of a fit with intercept are the shares of the classes."""
    X, y, _ = grouped_data[K]
    weight = np.random.default_rng(0).integers(1, 4, size=300)
    found = inference_of(X, y, weight).adjusted_predictions()
    shares = np.bincount(y, weight) / weight.sum()
    np.testing.assert_allclose(found.estimate[0], shares, rtol=1e-9)
    np.testing.assert_allclose(found.estimate.sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("at", ["overall", "mean", {0: 0.5}])
@pytest.mark.parametrize("K", [2, 3])
def test_same_samples_in_other_forms(grouped_data, K, at):
    X, y, _ = grouped_data[K]
    X = with_dummy(X)
    plain = inference_of(X, y)
    for form, rtol in ((sp.csr_array, 1e-9), (np.float32, 1e-4), (np.asfortranarray, 1e-9)):
        other = inference_of(form(X), y)
        for method in ("marginal_effects", "adjusted_predictions"):
            ours, theirs = getattr(other, method)(at=at), getattr(plain, method)(at=at)
            for name in NAMES:
                assert_close(getattr(ours, name), getattr(theirs, name), rtol)
            given = getattr(plain, method)(at=at, X=form(X))
            for name in NAMES:
                assert_close(getattr(given, name), getattr(theirs, name), rtol)


@pytest.mark.parametrize("K", [2, 4])
def test_units_and_origins(generate, K):
    """Of a timestamp in seconds, at any value, no digits are lost."""
    X, y = generate(300, 3, K, seed=1)
    X = with_dummy(X)
    unit, origin = np.array([1e7, 1e-3, 1.0]), np.array([1.7e9, 5.0, 0.0])
    plain, other = inference_of(X, y), inference_of(X * unit + origin, y)
    here, there = {0: 0.5}, {0: 0.5e7 + 1.7e9}
    for at, moved in (("overall", "overall"), ("mean", "mean"), (here, there)):
        ours, theirs = other.marginal_effects(at=moved), plain.marginal_effects(at=at)
        for name in NAMES:
            assert_close(getattr(ours, name) * unit, getattr(theirs, name), 1e-6)
        ours, theirs = other.adjusted_predictions(moved), plain.adjusted_predictions(at)
        for name in NAMES:
            assert_close(getattr(ours, name), getattr(theirs, name), 1e-6)


def test_effects_of_no_slopes(generate):
    """All columns are zeros and ones."""
    X, y = generate(300, 3, 4, seed=1)
    X = (X > 0).astype(float)
    found = inference_of(X, y)
    effects = found.marginal_effects()
    assert effects.comparisons == ["0 to 1"] * 3
    for j in range(3):
        P = found.adjusted_predictions({j: [0, 1]}).estimate
        np.testing.assert_allclose(effects.estimate[:, j], P[1] - P[0], rtol=1e-10, atol=1e-15)


def test_frames_and_tables(named_data):
    X, y = named_data[3]
    found = inference_of(X, y)
    effects = found.marginal_effects()
    frame = effects.to_frame()
    assert frame.columns.tolist() == [
        *("class", "term", "comparison", "estimate", "std_error", "statistic", "p_value"),
        *("conf_low", "conf_high"),
    ]
    assert set(frame["comparison"]) == {"slope"}
    assert str(effects).startswith("Average marginal effects, 95 % intervals\n")
    at_mean = found.marginal_effects(0.9, at="mean")
    assert str(at_mean).startswith("Marginal effects at the mean, 90 % intervals\n")
    adjusted = found.adjusted_predictions({"age": [0, 1]})
    frame = adjusted.to_frame()
    assert frame.columns.tolist() == [
        *("at", "class", "estimate", "std_error", "conf_low", "conf_high")
    ]
    assert frame.loc[3, ["at", "class"]].tolist() == ["age=1", "may"]
    assert str(adjusted).startswith("Adjusted predictions, 95 % intervals\n")


@pytest.mark.parametrize("method", ["marginal_effects", "adjusted_predictions"])
def test_samples_that_do_not_fit(named_data, method):
    X, y = named_data[3]
    found = inference_of(X, y)
    with pytest.raises(ValueError, match="feature names"):
        getattr(found, method)(X=X.rename(columns={"age": "Age"}))
    with pytest.raises(ValueError, match="level is"):
        getattr(found, method)(level=95)


def test_threads_do_not_change_a_bit(generate):
    X, y = generate(60_000, 8, 3, seed=1)
    found = [inference_of(X, y, n_jobs=n_jobs).marginal_effects(at={0: 0.1}) for n_jobs in (1, 2)]
    for name in NAMES:
        np.testing.assert_array_equal(*(getattr(effects, name) for effects in found))
