"""Fits without penalty: a maximum is found, or denied with the reason named."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn import config_context
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning

from skxent import LogisticClassifier, SoftmaxClassifier, infer
from skxent.likelihood import tuning
from skxent.likelihood.existence import proof
from skxent.likelihood.existence.separation import find_separation
from skxent.likelihood.optimise import search, solver
from skxent.likelihood.sources.local_rows import LocalRows

DENIED = "no finite maximum of the likelihood exists, because "
UNKNOWN = "no finite maximum of the likelihood is in reach, because some classes can be separated "
UNREACHED = "the maximum of the likelihood is finite, but out of reach in float64"


def warning_of(X, y, Classifier=SoftmaxClassifier, sample_weight=None, classes=None, **settings):
    """Fit without penalty; return what it warns of, at most once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Classifier(**{"C": np.inf} | settings).fit(X, y, sample_weight, classes)
    assert len(caught) <= 1
    if not caught:
        return None
    assert caught[0].category is ConvergenceWarning
    assert caught[0].filename == __file__
    message = str(caught[0].message)
    assert message.startswith(Classifier.__name__)
    return message


def random_data(kind, seed):
    """Data of some kind that overlap in most cases, in raw units."""
    rng = np.random.default_rng([seed, *map(ord, kind)])
    K, d = rng.choice([2, 3, 5]), rng.integers(1, 9)
    n = rng.integers(30 * K, 60 * K)
    X = rng.normal(size=(n, d))
    if kind == "correlated":
        X = X @ rng.normal(size=(d, d)) + 5 * rng.normal(size=d)
    elif kind == "heavy":
        X = rng.standard_t(1.5, size=(n, d))
    elif kind == "lognormal":
        X = np.exp(2 * X)
    elif kind == "one-hot":
        X = np.column_stack([X, np.eye(4)[rng.integers(4, size=n)]])
    elif kind == "integer":
        X = rng.integers(3, size=(n, d)).astype(float)
    elif kind == "repeated":
        X = np.column_stack([X, X[:, 0], np.full(n, 0.1)])
    spread = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1) @ rng.normal(size=(X.shape[1], K))
    y = (Z * rng.choice([0.3, 1, 3]) + rng.gumbel(size=(n, K))).argmax(axis=1)
    y[:K] = np.arange(K)
    units = 10.0 ** rng.integers(-6, 7, size=X.shape[1])
    if kind == "repeated":
        units[-2] = units[0]
    X *= units
    if seed % 4 == 1:
        X = X.astype(np.float32)
    elif seed % 4 == 2:
        X = scipy.sparse.csr_array(X)
    elif seed % 4 == 3:
        X += 1e4 * X.std(axis=0)
    weight = rng.integers(3, size=n).astype(float) if seed % 3 == 0 else None
    return X, y, weight, bool(seed % 4 == 3 or seed % 5), K


KINDS = ["normal", "correlated", "heavy", "lognormal", "one-hot", "integer", "repeated"]


@pytest.mark.parametrize("n_seeds", [24, pytest.param(90, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.thinned(6)
def test_fits_converge_where_nothing_separates(kind, n_seeds):
    """572 times of 630, over the kinds, and never a false alarm; warnings agree with the search."""
    n_finite = 0
    for seed in range(n_seeds):
        X, y, weight, fit_intercept, K = random_data(kind, seed)
        found = find_separation(LocalRows(X, y, weight, K, fit_intercept))
        message = warning_of(X, y, sample_weight=weight, fit_intercept=fit_intercept)
        if found is None:
            assert message is None, f"seed {seed}: {message}"
            n_finite += 1
        else:
            assert DENIED in message, f"seed {seed}"
    assert n_finite > n_seeds / 2


@pytest.fixture
def patients():
    """A fever that only the ill have, among features that overlap."""
    rng = np.random.default_rng(0)
    age, fever = rng.normal(50, 10, size=80).round(1), (rng.random(80) < 0.1).astype(float)
    outcome = np.where(rng.random(80) < 1 / (1 + np.exp((50 - age) / 10)), "ill", "well")
    outcome[fever > 0] = "ill"
    return pd.DataFrame({"age": age, "fever": fever}), outcome


@pytest.mark.parametrize("Classifier", [SoftmaxClassifier, LogisticClassifier])
def test_names_of_columns_and_classes(patients, Classifier):
    X, outcome = patients
    n = int(X["fever"].sum())
    text = f"separates 'ill' from 'well' in {n} of 80 samples (quasi-complete separation)"
    assert f"{DENIED}fever {text}" in warning_of(X, outcome, Classifier)
    for form in (np.asarray, np.float32, scipy.sparse.csr_array):
        assert f"{DENIED}x1 {text}" in warning_of(form(X.to_numpy()), outcome, Classifier)
    assert "fever separates False from True in" in warning_of(X, outcome == "ill", Classifier)


def test_three_classes():
    iris = load_iris(as_frame=True)
    species = iris.target_names[iris.target]
    message = warning_of(iris.data, species)
    assert "petal length (cm) separates 'setosa' from 'versicolor' and 'virginica'" in message
    assert "in all 150 samples (quasi-complete separation)" in message
    assert warning_of(iris.data[50:], species[50:]) is None


def test_weights_of_zero(patients):
    """Without the feverish the fit is finite, and by way of class weights too."""
    X, outcome = patients
    assert warning_of(X[["age"]], outcome) is None
    well = (X["fever"] == 0).to_numpy()
    assert warning_of(X, outcome, sample_weight=well.astype(float)) is None


def test_soft_rows(patients):
    X, outcome = patients
    Y = np.column_stack([outcome == "ill", outcome == "well"]).astype(float)
    message = warning_of(X, Y, classes=["sick", "fit"])
    assert "fever separates 'sick' from 'fit'" in message
    Y[np.argmax(X["fever"])] = [0.9, 0.1]
    assert warning_of(X, Y) is None


def test_a_penalty_or_a_good_end_asks_for_no_search(patients, monkeypatch):
    X, outcome = patients

    def search(*args, **hints):
        raise AssertionError("there was no need")

    monkeypatch.setattr(proof, "find_separation_by", search)
    assert warning_of(X, outcome, C=1e6) is None
    assert warning_of(X[["age"]], outcome) is None
    assert "raise max_iter" in warning_of(X, outcome, C=1e6, max_iter=1, tol=1e-12)
    with pytest.raises(AssertionError, match="no need"):
        warning_of(X, outcome)


def test_an_early_end(patients):
    """What separates is named however soon the fit ends; what does not gets the usual advice."""
    X, outcome = patients
    assert f"{DENIED}fever separates" in warning_of(X, outcome, max_iter=1)
    message = warning_of(X[["age"]], outcome, max_iter=1, tol=1e-12)
    assert "stopped after 1 iterations" in message
    assert "raise max_iter" in message


def test_an_overlap_of_a_billionth_is_none():
    """Its maximum is finite, if hardly to be seen in nats: nothing is said to separate."""
    x = np.append(np.linspace(0, 1, 50), np.linspace(1, 2, 50))[:, None]
    y = np.repeat([0, 1], 50)
    for overlap in (1e-3, 1e-6, 1e-9, 1e-12):
        assert warning_of(x - overlap * y[:, None], y) is None
    assert UNREACHED in warning_of(x - 1e-14 * y[:, None], y)
    for gap, kind in ((0.0, "quasi-complete"), (1e-6, "complete"), (0.1, "complete")):
        message = warning_of(x + gap * y[:, None], y)
        assert f"{DENIED}x0 separates 0 from 1" in message
        assert f"({kind} separation)" in message


def test_too_large_for_a_search():
    """A complete separation needs none. Otherwise nothing is named, but the end is not hidden."""
    X, y = load_digits(return_X_y=True)
    assert "in all 1797 samples (complete separation)" in warning_of(X, y)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 400))
    y = rng.integers(2, size=2000)
    X[:, 0] = (y == 1) & (rng.random(2000) < 0.05)
    assert f"{DENIED}x0 separates" in warning_of(X, y)  # sums of columns show it
    X[:, 0] *= -1
    assert UNKNOWN in warning_of(X, y)


@pytest.mark.parametrize("K", [2, 3])
def test_dependent_columns_elsewhere(K):
    """Rows that cannot be searched: the end of a fit proves a maximum, with all levels of a factor.

    Where a level has one class only, it cannot be told what separates, but that something may.
    """
    da = pytest.importorskip("dask.array")
    strict = pytest.importorskip("array_api_strict")
    rng = np.random.default_rng(K)
    X = np.column_stack([rng.normal(size=(300, 2)), np.eye(5)[rng.integers(5, size=300)]])
    y, weight = rng.integers(K, size=300), rng.uniform(1, 2, size=300)
    for labels in (y, np.where(X[:, 3] > 0, 1, y)):
        messages = [warning_of(X, labels, sample_weight=weight)]
        parts = (da.from_array(a, chunks=(100, *a.shape[1:])) for a in (X, labels, weight))
        messages.append(warning_of(next(parts), next(parts), sample_weight=next(parts)))
        with config_context(array_api_dispatch=True):
            there = [strict.asarray(a) for a in (X, labels, weight)]
            messages.append(warning_of(there[0], there[1], sample_weight=there[2]))
        if labels is y:
            assert messages == [None, None, None]
        else:
            assert f"{DENIED}x3 separates" in messages[0]
            assert all("could not be decided" in message for message in messages[1:])


@pytest.mark.parametrize(("C", "converged"), [(np.inf, False), (1.0, True)])
def test_converged_is_false_where_no_maximum_exists(patients, C, converged):
    """Whatever the gap; the objective is that of the parameters, an upper bound of its infimum."""
    X, outcome = patients
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf = SoftmaxClassifier(C=C).fit(X, outcome)
    assert clf.converged_ is converged
    assert clf.optimality_gap_ < 1e-6
    if not converged:
        rest = X["fever"] == 0
        infimum = SoftmaxClassifier(C=C, tol=1e-12).fit(X[["age"]][rest], outcome[rest]).objective_
        assert infimum <= clf.objective_ < infimum + 1e-6
        with pytest.raises(ValueError, match="fever separates 'ill' from 'well'"):
            infer(clf, X, outcome)


def test_what_cannot_be_decided_is_said_plainly(patients, monkeypatch):
    """Where rounding may hide a direction and programmes take too long."""
    X, outcome = patients
    monkeypatch.setattr(tuning, "PROGRAMME_SECONDS", 0.0)
    assert f"{DENIED}fever separates" in warning_of(X, outcome)  # sums of columns show it
    message = warning_of(X.assign(fever=-X["fever"]), outcome)
    assert UNKNOWN in message
    assert "could not be decided" in message
    monkeypatch.setattr(search, "proves_finite", lambda *args: False)
    monkeypatch.setattr(solver, "fit_small", lambda *args: None)
    message = warning_of(X[["age"]], outcome)
    assert "it could not be decided whether a finite maximum of the likelihood exists" in message
    monkeypatch.setattr(tuning, "PROGRAMME_SECONDS", 20.0)
    assert warning_of(X[["age"]], outcome) is None
