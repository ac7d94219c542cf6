"""An error at any stage of a fit leaves estimator, input and process as they were."""

import contextlib
import threading
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse as sp
from injected_faults import in_package
from sklearn.exceptions import ConvergenceWarning

from skxent import LogisticClassifier, SoftmaxClassifier, SoftmaxClassifierCV, infer

FEW = 30  # places by default; those behind `slow` are five times as many


@dataclass
class Case:
    """A fit, with its estimator and input as they are before."""

    clf: object
    arguments: tuple
    again: bool = False  # whether the estimator has been fitted to other data before

    def __post_init__(self):
        if self.again:
            X, y = problem(60, 3, 2, seed=9)
            self.clf.fit(X, y)
        self.before = dict(vars(self.clf))
        self.bytes = self.bytes_now()

    def fit(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return self.clf.fit(*self.arguments)

    def bytes_now(self):
        values = [*self.arguments, *vars(self.clf).values()]
        arrays = [a for a in values if isinstance(a, np.ndarray)]
        for X in filter(sp.issparse, self.arguments):
            arrays += [X.data, X.indices, X.indptr]
        return [a.tobytes() for a in arrays]

    def check(self):
        now = vars(self.clf)
        assert list(now) == list(self.before)
        assert all(now[name] is value for name, value in self.before.items())
        assert self.bytes_now() == self.bytes

    def reset(self):
        """As before a fit that did not fail."""
        self.clf.__dict__ = dict(self.before)


def problem(n, d, K, seed=0):
    rng = np.random.default_rng([seed, n, d, K])
    X = rng.normal(size=(n, d))
    y = (X[:, :1] * np.arange(K) + rng.gumbel(size=(n, K))).argmax(axis=1)
    y[:K] = np.arange(K)
    return X, y


def soft(n, d, K):
    X, y = problem(n, d, K)
    return X, 0.8 * np.eye(K)[y] + 0.2 / K, np.linspace(0.5, 2.0, n)


def sparse(n, d, K):
    X, y = problem(n, d, K)
    return sp.csr_array(X * (X > 0.5)), y


def separated(n, d):
    X, _ = problem(n, d, 2)
    return X, (X[:, 0] > 0).astype(int)


CASES = {
    "dense": lambda: Case(SoftmaxClassifier(), problem(80, 3, 3)),
    "again": lambda: Case(SoftmaxClassifier(), problem(80, 4, 3), again=True),
    "warm": lambda: Case(SoftmaxClassifier(warm_start=True), problem(80, 3, 2), again=True),
    "two classes": lambda: Case(LogisticClassifier(), problem(80, 3, 2)),
    "weights": lambda: Case(SoftmaxClassifier(class_weight="balanced"), soft(80, 3, 3)[:2]),
    "sparse": lambda: Case(SoftmaxClassifier(), sparse(100, 12, 3)),
    "wide": lambda: Case(SoftmaxClassifier(), problem(20, 60, 3)),
    "threads": lambda: Case(SoftmaxClassifier(n_jobs=2), problem(60_000, 8, 2)),
    "separated": lambda: Case(SoftmaxClassifier(C=np.inf), separated(40, 2)),
    "leave one out": lambda: Case(SoftmaxClassifierCV(Cs=[0.1, 10.0]), problem(60, 3, 3)),
    "folds": lambda: Case(SoftmaxClassifierCV(Cs=[0.1, 10.0], cv=2, n_jobs=1), soft(60, 3, 3)),
    "folds again": lambda: Case(
        SoftmaxClassifierCV(Cs=[0.1, 10.0], cv=2, n_jobs=1), problem(60, 3, 2), again=True
    ),
}
ERRORS = [KeyboardInterrupt, MemoryError]


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.slow)], ids=["few", "many"])
def settings(request):
    """Of a sweep: a few places, or many and in the middle of functions."""
    return {"most": 5 * FEW, "after_calls": True} if request.param else {"most": FEW}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.thinned(3)
def test_an_error_at_any_stage(name, error, sweep, settings, process_unchanged):
    case = CASES[name]()
    expected = case.fit()
    expected = expected.coef_.tobytes(), expected.intercept_.tobytes()
    case.reset()

    def check():
        case.check()
        process_unchanged()

    def fit():
        case.fit()
        case.reset()

    n = sweep(fit, check, error, wanted=in_package, **settings)
    assert n > FEW // 2
    clf = case.fit()  # and nothing is left that changes the next one
    assert (clf.coef_.tobytes(), clf.intercept_.tobytes()) == expected


@pytest.mark.parametrize("error", [MemoryError, RuntimeError])
def test_an_error_in_a_thread_of_the_fit(error, sweep, settings, process_unchanged):
    case = CASES["threads"]()

    def wanted(frame):
        return in_package(frame) and threading.current_thread() is not threading.main_thread()

    def check():
        case.check()
        process_unchanged()

    def fit():
        case.fit()
        case.reset()

    sweep(fit, check, error, raises=False, wanted=wanted, threads=True, **settings)


@pytest.mark.parametrize("error", ERRORS)
def test_inference_leaves_the_classifier_as_it_is(error, sweep, settings, process_unchanged):
    case = CASES["dense"]()
    clf = SoftmaxClassifier(C=np.inf).fit(*case.arguments)
    fitted = Case(clf, case.arguments)

    def check():
        fitted.check()
        process_unchanged()

    sweep(lambda: infer(clf, *case.arguments), check, error, **settings)


def test_a_warning_that_is_an_error(process_unchanged):
    """It is raised after the fit, and the fit is undone all the same."""
    case = Case(SoftmaxClassifier(C=np.inf), separated(40, 2), again=True)
    with warnings.catch_warnings(), pytest.raises(ConvergenceWarning):
        warnings.simplefilter("error", ConvergenceWarning)
        case.clf.fit(*case.arguments)
    case.check()
    process_unchanged()


# ------------------------------------------------------------------ callbacks


class Failing:
    """Raises at its n-th call, whatever the hook."""

    def __init__(self, error, n):
        self.error, self.n, self.calls = error, n, 0

    def hook(self, *arguments, **keywords):
        self.calls += 1
        if self.calls == self.n:
            raise self.error("now")

    setup = hook
    teardown = hook

    def on_fit_task_begin(self, estimator, context, *, fitted_estimator):
        self.hook()

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.hook()


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ValueError])
@pytest.mark.parametrize("again", [False, True])
def test_an_error_in_any_call_of_a_callback(error, again, process_unchanged):
    """From setup to teardown, and at the end, where the new parameters are already known."""
    pytest.importorskip("sklearn.callback", reason="new in scikit-learn 1.9")
    data = problem(80, 4, 3)
    counter = Failing(error, None)
    SoftmaxClassifier().set_callbacks(counter).fit(*data)
    assert counter.calls > 8
    for n in range(1, counter.calls + 1):
        case = Case(SoftmaxClassifier(), data, again)
        case.clf.set_callbacks(Failing(error, n))
        case.before = dict(vars(case.clf))
        with pytest.raises(error, match="now"):
            case.clf.fit(*data)
        case.check()
        process_unchanged()
        with contextlib.suppress(AttributeError):
            del case.clf._skl_callbacks
        assert case.clf.fit(*data).converged_
