"""Fits of whatever may be passed: the minimum, an honest warning, or an error by argument.

The problems and the slow reference are those of tests/benchmarks/bench_drawn_fits.py. Hypothesis
makes the choices, and shrinks those of a fit that fails.
"""

import importlib
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skxent import LogisticClassifier, SoftmaxClassifier, SoftmaxClassifierCV

BENCHMARKS = str(Path(__file__).parents[1] / "benchmarks")
PROFILE = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def bench():
    """The study of drawn fits, whose modules import each other by name."""
    names = "bench_unpenalised_designs", "drawn_fits", "fit_reference", "bench_drawn_fits"
    sys.path.insert(0, BENCHMARKS)
    try:
        yield importlib.import_module(names[-1])
    finally:
        sys.path.remove(BENCHMARKS)
        for name in names:
            sys.modules.pop(name, None)


@pytest.fixture(params=[60, pytest.param(1000, marks=pytest.mark.slow)], ids=["few", "many"])
def for_all(request, bench):
    """Run a check of problems, and of what else it draws; `part` as many of dear ones."""

    @st.composite
    def problems(draw):
        return bench.draw(lambda _, options: draw(st.sampled_from(options)))

    def run(check, *others, part=1.0):
        size = max(1, int(part * request.param))
        settings(PROFILE, max_examples=size)(given(problems(), *others)(check))()

    return run


def test_fits(for_all, bench):
    def check(problem):
        assert dict(bench.judged(problem)) == {}

    for_all(check)


def test_a_separation_beside_large_offsets_is_found(bench):
    """With logits of size 400 rounding hides the direction, though all pivots are above 1e-5."""
    choices = {
        **{"seed": 352, "n": 32, "K": 4, "d": 45, "family": "copies", "dtype": "bool"},
        **{"strength": 1.0, "soft": True, "zeros": 0.3, "wrapper": "Fortran", "C": "any"},
        **{"labels": "StringDType", "weights": "none", "class_weight": None, "tol": 1e-6},
        **{"fit_intercept": True, "max_iter": 1000, "factors": "few positive", "offset": 30.0},
    }
    problem = bench.draw(lambda name, options: choices[name])
    assert dict(bench.judged(problem)) == {}


@pytest.mark.parametrize("dtype", ["float64", "int8"])
def test_a_direction_without_curvature_is_not_left_out(bench, dtype):
    """One row gives a class its curvature, in one direction of two; the other has a gradient."""
    choices = {
        **{"seed": 35647, "n": 12, "K": 3, "d": 2, "family": "outlier", "dtype": dtype},
        **{"strength": 0.0, "soft": False, "wrapper": "Fortran", "C": "any", "y": "array"},
        **{"labels": "StringDType", "weights": "light", "class_weight": None, "tol": 0.01},
        **{"fit_intercept": True, "max_iter": 1000, "factors": "few positive", "offset": 30.0},
    }
    problem = bench.draw(lambda name, options: choices[name])
    assert dict(bench.judged(problem)) == {}


def test_the_reference_is_the_minimum(bench, generate, optimum):
    """Of other Newton steps, in other coordinates."""
    for seed, C in enumerate([1e-3, 1.0, 1e3, 1e5]):
        factors = np.ones(3) if seed % 2 else np.array([0.2, 0.0, 3.0])
        for K, intercept in ((2, True), (3, True), (4, False)):
            X, y = generate(50, 3, K, seed=seed)
            T = np.eye(K)[y]
            best = optimum(X, y, C=C, fit_intercept=intercept, factors=factors)
            here = bench.Minimum(X, T, C, intercept, factors, np.zeros_like(T))
            assert here.value == pytest.approx(float(best.value), rel=1e-10)
            assert here.objective(*best.parameters) == pytest.approx(float(best.value), rel=1e-14)
    X = np.random.default_rng(0).normal(size=(12, 30))
    y = np.arange(12) % 2
    wide = bench.Minimum(X, np.eye(2)[y], 1.0, True, np.ones(30), np.zeros((12, 2)))
    narrow = optimum(np.linalg.svd(X - X.mean(axis=0))[0] * 0 + (X @ X.T), y)  # another problem
    assert wide.value != pytest.approx(float(narrow.value), rel=1e-3)


@pytest.fixture(scope="module")
def twenty_sound_fits(bench):
    """Seeds of problems in whose fits the study sees no fault."""
    seeds = range(20)
    assert not any(bench.judged(bench.problem_of(seed)) for seed in seeds)
    return seeds


@pytest.mark.parametrize("name", ["coef_", "log_likelihood_", "objective_", "optimality_gap_"])
def test_the_study_sees_a_fault(bench, twenty_sound_fits, name, monkeypatch):
    """Some of any twenty fits, if one of their attributes is spoiled."""
    fit = SoftmaxClassifier.fit

    def spoiled(self, *arguments, **options):
        fit(self, *arguments, **options)
        value = getattr(self, name)
        worse = {"coef_": value * 1.01, "optimality_gap_": -1.0}
        setattr(self, name, worse.get(name, value * 1.001))
        return self

    monkeypatch.setattr(SoftmaxClassifier, "fit", spoiled)
    monkeypatch.setattr(LogisticClassifier, "fit", spoiled)
    assert any(bench.judged(bench.problem_of(seed)) for seed in twenty_sound_fits)


# ------------------------------------------------------------------ choosing C


@pytest.mark.slow
def test_choices_of_C(for_all, bench):
    """The fit that is kept is the minimum for the value chosen, whose held-out loss is least."""

    def check(problem, folds):
        if problem.choices["weights"] in ("forty orders", "light", "heavy"):
            return
        Cs = [1e-2, 1.0, 1e2]
        own = {k: v for k, v in problem.parameters.items() if k != "C"}
        clf = SoftmaxClassifierCV(Cs, cv=folds, **own)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                clf.fit(**problem.passed)
            except ValueError as error:
                known = bench.refused_rightly(problem, error)
                assert known or is_about_folds(problem, error), error
                return
        assert not [str(w.message) for w in caught if issubclass(w.category, RuntimeWarning)]
        words = [str(w.message) for w in caught if " stopped after " in str(w.message)]
        assert clf.Cs_.tolist() == Cs
        endless = np.isinf(clf.mean_loss_) & (problem.penalty_factors == 0).any()
        assert ((clf.mean_loss_ >= 0) & ((clf.mean_loss_ < 36.1) | endless)).all()
        assert clf.mean_loss_[Cs.index(clf.C_)] == clf.mean_loss_.min()
        problem = replace(problem, parameters={**problem.parameters, "C": clf.C_})
        assert dict(+bench.of_the_minimum(problem, clf, words)) == {}
        assert dict(+bench.of_predictions(problem, clf)) == {}

    for_all(check, st.sampled_from([None, 2, 3]), part=0.5)


def is_about_folds(problem, error):
    """Whether a fold can lack what the message says."""
    labels = np.bincount(problem.T.argmax(axis=1), minlength=problem.T.shape[1])
    few = min((problem.T > 0).sum(axis=0).min(), labels.min()) < 4
    words = "one class", "only class", "fold", "n_splits", "only one sample"
    # Beside columns of 1e85 no penalty is seen in float64: classes may be separated. Unpenalised
    # features may separate them too, in all samples or in a fold of so few.
    unseen = problem.choices["family"] == "huge or tiny" or (problem.penalty_factors == 0).any()
    text = str(error)
    return (unseen and "no fit has a finite" in text) or (
        few and any(word in text for word in words)
    )


# ------------------------------------------------------------------ what is wrong


def put(value):
    def spoil(X, rng):
        X = X.copy()
        X[rng.integers(X.shape[0]), rng.integers(X.shape[1])] = value
        return X

    return spoil


def with_text(X, rng):
    table = pd.DataFrame(X).astype(object)
    table.iloc[int(rng.integers(len(X))), 0] = "red"
    return table


SPOILED_X = {
    "nan": (put(np.nan), "NaN"),
    "infinite": (put(np.inf), "infinity"),
    "minus infinite": (put(-np.inf), "infinity"),
    "text": (with_text, "X: column 0 .'red' in row"),
    "one axis": (lambda X, rng: X[:, 0], "Expected 2D array"),
    "three axes": (lambda X, rng: X[:, :, None], "dim 3"),
    "complex": (lambda X, rng: X + 1j, "Complex data"),
    "dates": (lambda X, rng: np.full(X.shape, np.datetime64("2020-01-01")), "X is an array"),
    "too long": (lambda X, rng: np.vstack([X, X[:1]]), "samples"),
    "empty": (lambda X, rng: X[:0], "0 sample"),
    "no columns": (lambda X, rng: X[:, :0], "0 feature"),
    "masked": (lambda X, rng: np.ma.masked_array(X, mask=X[0] == X), r"X\[0, 0\] is masked"),
    "dict": (lambda X, rng: {"X": X}, "X is a dict"),
    "None": (lambda X, rng: None, "X|array"),
}
SPOILED_Y = {
    "nan": (lambda y, rng: np.append(y[1:].astype(float), np.nan), "y"),
    "fractions": (lambda y, rng: y + 0.5, "y|Unknown label type"),
    "short": (lambda y, rng: y[1:], "y has"),
    "one class": (lambda y, rng: y * 0, "y has only one class"),
    "three axes": (lambda y, rng: np.tile(y[:, None, None], (1, 2, 2)), "y has shape"),
    "no rows of one": (lambda y, rng: np.ones((len(y), 3)), r"y\[0\]|y row 0|y"),
    "negative": (lambda y, rng: np.tile([1.5, -0.5], (len(y), 1)), "y"),
    "None": (lambda y, rng: None, "y"),
    "mixed": (lambda y, rng: np.array(["a", 1, *y[2:]], dtype=object), "y"),
    "set": (lambda y, rng: {0, 1}, "y is a set"),
}
SPOILED_WEIGHT = {
    "negative": (lambda w, rng: np.append(w[1:], -1.0), "sample_weight"),
    "nan": (lambda w, rng: np.append(w[1:], np.nan), "sample_weight"),
    "infinite": (lambda w, rng: np.append(w[1:], np.inf), "sample_weight"),
    "zero": (lambda w, rng: w * 0, "sample_weight"),
    "short": (lambda w, rng: w[1:], "sample_weight has shape"),
    "scalar": (lambda w, rng: 2.0, "sample_weight"),
    "text": (lambda w, rng: ["much"] * len(w), "sample_weight"),
    "too large": (lambda w, rng: w * 0 + 1e300, "sample_weight is too large"),
    "too small": (lambda w, rng: w * 0 + 1e-300, "sample_weight is too small"),
    "two axes": (lambda w, rng: np.stack([w, w]), "sample_weight has shape"),
    "dict": (lambda w, rng: {0: 1.0}, "sample_weight"),
}
BAD_PARAMETERS = [
    *(("C", value) for value in (0, -1.0, np.nan, "1", None, True, 1e-320, [1.0])),
    *(("tol", value) for value in (0.0, -1e-3, np.nan, "small", None)),
    *(("max_iter", value) for value in (-1, 1.5, "many", None)),
    *(("fit_intercept", value) for value in (None, "yes", 2)),
    *(("class_weight", value) for value in ("even", [1, 2], {0: -1.0}, {0: np.nan}, {"q": 1.0})),
    *(("n_jobs", value) for value in (0, 1.5, "all")),
    *(("verbose", value) for value in (-1, "loud", None)),
    *(("warm_start", value) for value in (1, "yes", None)),
]
INTERNAL = "broadcast", "ufunc", "dtype('O')", "setting an array element", "not iterable", "indices"


def refused(clf, match, **passed):
    """The error is one of values or types, says what is wrong, and nothing of NumPy."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises((TypeError, ValueError), match=match) as caught:
            clf.fit(**passed)
    assert not any(text in str(caught.value) for text in INTERNAL), caught.value
    assert not hasattr(clf, "coef_")
    assert not hasattr(clf, "n_features_in_")


SPOILED = {"X": SPOILED_X, "y": SPOILED_Y, "sample_weight": SPOILED_WEIGHT}
PAIRS = [(name, what) for name, kinds in SPOILED.items() for what in kinds]


@pytest.mark.parametrize(("name", "what"), PAIRS)
@pytest.mark.parametrize("kind", [SoftmaxClassifier, LogisticClassifier, SoftmaxClassifierCV])
def test_bad_arguments(kind, name, what):
    """One of the three is spoiled, for data of any shape."""
    spoil, match = SPOILED[name][what]
    for seed in range(3):
        rng = np.random.default_rng(seed)
        n, d = rng.integers(4, 30), rng.integers(1, 30)
        passed = {
            "X": rng.normal(size=(n, d)),
            "y": np.arange(n) % 2,
            "sample_weight": rng.uniform(0.1, 2, n),
        }
        passed[name] = spoil(passed[name], rng)
        refused(kind(), match, **passed)


@pytest.mark.parametrize(("name", "value"), BAD_PARAMETERS, ids=str)
def test_bad_parameters(name, value):
    X, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    refused(SoftmaxClassifier(**{name: value}), name, X=X, y=y)
    refused(LogisticClassifier(**{name: value}), name, X=X, y=y)
    if name not in ("C", "warm_start"):
        refused(SoftmaxClassifierCV([1.0], **{name: value}), name, X=X, y=y)


def test_other_samples(for_all, bench):
    """Predictions of samples with other columns are refused, and of none are none."""

    def check(problem, method):
        X = np.asarray(np.clip(problem.X, -1e100, 1e100))
        y = np.arange(len(X)) % 2
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            clf = SoftmaxClassifier(C=1e-2).fit(np.tanh(X), y)
        call = getattr(clf, method)
        with pytest.raises(ValueError, match=f"expecting {X.shape[1]} features"):
            call(np.column_stack([X, X]))
        with pytest.raises(ValueError, match="NaN"):
            call(X * np.nan)
        with pytest.raises(ValueError, match="0 sample"):
            call(X[:0])
        assert np.isfinite(np.asarray(call(X), dtype=float)).all()

    methods = ["predict", "predict_proba", "predict_log_proba", "decision_function"]
    for_all(check, st.sampled_from(methods), part=0.3)
