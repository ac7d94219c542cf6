"""The warning that the best value of C is at an end of the grid."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.preprocessing import scale

from skxent import SoftmaxClassifierCV
from skxent.classifiers.messages import edge_message

FALLING = np.array([1.0, 0.8, 0.7])
EVEN = np.full(3, 0.1)


@pytest.fixture
def said():
    """Turn the filter off that the tests have, and count every warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_both_ends():
    text = edge_message(np.array([0.1, 1.0, 20.0]), FALLING, EVEN)
    assert text.startswith(": the best C, 20, is the largest of Cs, ")
    assert "by 0.1 nats from C=1. Pass Cs with larger values too" in text
    text = edge_message(np.array([0.1, 1.0, 20.0]), FALLING[::-1], EVEN)
    assert text.startswith(": the best C, 0.1, is the smallest of Cs, ")
    assert "by 0.1 nats from C=1. Pass Cs with smaller values too" in text


@pytest.mark.parametrize(
    ("Cs", "mean", "error"),
    [
        ([0.1, 1.0, np.inf], FALLING, EVEN),
        ([0.1, 1.0], FALLING[:2], EVEN[:2]),
        ([1.0], FALLING[:1], EVEN[:1]),
        ([0.1, 1.0, 10.0], [1.0, 0.7, 0.8], EVEN),
        ([0.1, 1.0, 10.0], [1.0, 0.705, 0.7], EVEN),  # flat: a twentieth of the error
        ([0.1, 1.0, 10.0], [1.0, 0.705, 0.7], EVEN / 1000),  # less than a hundredth of the loss
        ([0.1, 1.0, 10.0], [0.7, 0.7, 0.7], EVEN),
        ([0.1, 1.0, np.inf], [1.0, 0.7, np.inf], [0.1, 0.1, np.nan]),
        ([0.1, 1.0, 10.0], FALLING, np.full(3, np.nan)),  # one fold has no standard error
    ],
    ids=str,
)
def test_no_warning(Cs, mean, error):
    assert edge_message(np.array(Cs), np.array(mean), np.array(error)) == ""


@pytest.mark.parametrize("cv", [None, 3])
def test_a_fit_warns_at_the_users_line(cv):
    X, y = load_iris(return_X_y=True)
    with pytest.warns(UserWarning, match=r"CV: the best C, 0.1, is the largest of Cs") as caught:
        SoftmaxClassifierCV([0.001, 0.01, 0.1], cv=cv).fit(X, y)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=r"CV: the best C, 1e\+03, is the smallest of Cs"):
        SoftmaxClassifierCV([1e3, 1e4, 1e5], cv=cv).fit(X, y)


@pytest.mark.parametrize("form", [np.asarray, scale])
@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_the_default_grid_is_wide_enough_for_ordinary_data(load, form, said):
    X, y = load(return_X_y=True)
    clf = SoftmaxClassifierCV().fit(form(X), y)
    assert 0 < np.argmin(clf.mean_loss_) < 9
    noise = np.random.default_rng(0).normal(size=X.shape)
    SoftmaxClassifierCV().fit(noise, y)  # the best C is small, and the loss is flat there
