"""Scorers: aligned by classes_, equal to the losses, at home wherever scoring= is taken."""

import pickle
from copy import deepcopy

import numpy as np
import pandas as pd
import polars as pl
import pytest
from fixed_predictions import Fixed
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skxent.metrics import (
    ZeroProbabilityWarning,
    bce_scorer,
    bce_sum_scorer,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
    cce_sum_scorer,
    make_cross_entropy_scorer,
)

SCORERS = [cce_scorer, bce_scorer, cce_sum_scorer, bce_sum_scorer]


# ------------------------------------------------------------------ the number


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_the_loss(iris, weighted):
    X, y = iris
    w = np.random.default_rng(1).random(len(y)) if weighted else None
    model = GaussianNB().fit(X, y)
    for reduction, scorer in (("mean", cce_scorer), ("sum", cce_sum_scorer)):
        loss = categorical_cross_entropy(
            y, model.predict_proba(X), sample_weight=w, reduction=reduction
        )
        assert scorer(model, X, y, sample_weight=w) == -loss


def test_binary_equals_the_loss_and_the_categorical(two_classes):
    X, y = two_classes
    model = GaussianNB().fit(X, y)
    p = model.predict_proba(X)[:, 1]
    np.testing.assert_allclose(bce_scorer(model, X, y), -binary_cross_entropy(y, p), rtol=1e-12)
    assert bce_scorer(model, X, y) == cce_scorer(model, X, y)
    assert bce_sum_scorer(model, X, y) == cce_sum_scorer(model, X, y)


def test_perfect_score_is_zero_not_minus_zero():
    score = cce_scorer(Fixed(np.eye(2), ["a", "b"]), np.ones((2, 1)), ["a", "b"])
    assert score == 0
    assert not np.signbit(score)


def test_base_and_eps():
    bits = make_cross_entropy_scorer(base=2, reduction="sum")
    assert bits(Fixed(np.array([[0.25, 0.75]]), ["a", "b"]), None, ["a"]) == -2
    model, X = Fixed(np.array([[0.25, 0.75], [0.0, 1.0]]), ["a", "b"]), np.ones((2, 1))
    assert make_cross_entropy_scorer(eps=0)(model, X, ["a", "a"]) == -np.inf
    with pytest.warns(ZeroProbabilityWarning, match="1 of 2 samples .* eps=0.001"):
        score = make_cross_entropy_scorer(eps=1e-3)(model, X, ["b", "a"])
    np.testing.assert_allclose(score, (np.log(0.75) + np.log(1e-3)) / 2)


def test_eps_zero_takes_logarithms_where_there_are_any():
    """The tail of naive Bayes is far below the smallest float64, its logarithm is not."""
    X, y = np.array([[0.0], [1.0], [1e3], [1.001e3]]), [0, 0, 1, 1]
    model, far = GaussianNB().fit(X, y), np.array([[500.0]])
    logarithms = model.predict_log_proba(far)[0]
    exact = make_cross_entropy_scorer(eps=0)
    assert logarithms.min() < -1000
    for label in (0, 1):
        assert exact(model, far, [label]) == logarithms[label]
    soft = np.array([[0.5, 0.5]])
    np.testing.assert_allclose(exact(model, far, soft), logarithms.mean())
    tree = RandomForestClassifier(5, random_state=0).fit(X, y)  # log of 0, without a warning
    assert exact(tree, X[:1], [1]) == -np.inf
    pipe = make_pipeline(StandardScaler(), KNeighborsClassifier(1)).fit(X, y)  # has none
    assert exact(pipe, X[:1], [1]) == -np.inf


# ------------------------------------------------------------------ rows that are no distributions


def test_a_score_is_a_number_to_arrays_and_frames(iris):
    X, y = iris
    score = cce_scorer(GaussianNB().fit(X, y), X, y)
    assert np.array([score, score]).shape == (2,)
    assert np.asarray(score).shape == ()
    frame = pd.DataFrame({"a": score}, index=["row"])
    frame.loc["row", "b"] = score
    assert frame.to_numpy().tolist() == [[score, score]]
    assert pl.DataFrame({"a": score}).rows() == [(score,)]


def test_wrong_options():
    for options, message in (
        ({"loss": "hinge"}, "loss='hinge'"),
        ({"reduction": "none"}, "reduction='none'"),
        ({"base": 0}, "base=0"),
        ({"base": "e"}, "base='e': pass a number"),
        ({"eps": "auto"}, "eps='auto': pass a number"),
        ({"eps": 2}, "eps=2"),
    ):
        with pytest.raises(ValueError, match=message):
            make_cross_entropy_scorer(**options)


# ------------------------------------------------------------------ weights and routing


def test_shared_scorers_do_not_change():
    routed = cce_scorer.set_score_request(sample_weight=True)
    assert cce_scorer.request is None
    assert routed.request is True
    with pytest.raises(AttributeError):
        cce_scorer.eps = 0


# ------------------------------------------------------------------ as objects


@pytest.mark.parametrize("scorer", [*SCORERS, cce_scorer.set_score_request(sample_weight="w")])
@pytest.mark.parametrize("copy", [clone, deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_are_equal(scorer, copy):
    assert copy(scorer) == scorer
    assert hash(copy(scorer)) == hash(scorer)
    assert len({*SCORERS}) == 4


@pytest.mark.parametrize("scorer", [*SCORERS, make_cross_entropy_scorer("binary", base=2, eps=0)])
def test_repr_is_the_call_that_makes_it(scorer):
    scope = {"make_cross_entropy_scorer": make_cross_entropy_scorer}
    assert eval(repr(scorer), scope) == scorer
    routed = scorer.set_score_request(sample_weight=True)
    assert eval(repr(routed), scope) == routed


def test_score_is_a_float_for_everyone(iris):
    X, y = iris
    score = cce_scorer(GaussianNB().fit(X, y), X, y)
    assert type(score) is float
    assert pd.Series([score]).dtype == np.float64
