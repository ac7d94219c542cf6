"""Fits on arrays of other libraries are as NumPy's in value, check and message, on the device."""

import pickle
import subprocess
import sys

import array_api_strict as strict
import numpy as np
import pytest
from device_fits import METHODS, assert_same_fit, problem
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning

from skxent import SoftmaxClassifier, SoftmaxClassifierCV, cce_scorer
from skxent.classifiers.callbacks import HAS_CALLBACKS
from skxent.inputs.namespaces import to_numpy

DATA = {
    "iris": load_iris,
    "breast cancer": load_breast_cancer,
    "wine": load_wine,
    "digits": load_digits,
}


@pytest.mark.parametrize("load", DATA.values(), ids=DATA.keys())
def test_raw_data(load, library):
    X, y = load(return_X_y=True)
    expected = SoftmaxClassifier().fit(X, y)
    clf = SoftmaxClassifier().fit(library.array(X), library.array(y))
    assert library.has(clf.classes_)
    assert_same_fit(clf, expected, library, X, y)
    assert clf.score(library.array(X), library.array(y)) == expected.score(X, y)
    value = clf.log_likelihood(library.array(X), library.array(y))
    assert value == pytest.approx(expected.log_likelihood(X, y), rel=1e-7)


SETTINGS = {
    "balanced": dict(class_weight="balanced"),
    "class weights": dict(class_weight={0: 2.0, 1: 0.5}),
    "no intercept": dict(fit_intercept=False),
    "no penalty": dict(C=np.inf),
    "strong penalty": dict(C=1e-3),
}


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("targets", ["labels", "weighted labels", "soft rows", "weighted rows"])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_settings(settings, targets, K, library):
    X, y = problem(K=K)
    rng = np.random.default_rng(0)
    weight = rng.integers(0, 4, size=150) / 2.0 if "weighted" in targets else None
    if "rows" in targets:
        y = 0.8 * np.eye(K)[y] + 0.2 * rng.dirichlet(np.ones(K), size=150)
    settings = {"tol": 1e-10, **settings}
    expected = SoftmaxClassifier(**settings).fit(X, y, weight)
    there = None if weight is None else library.array(weight)
    clf = SoftmaxClassifier(**settings).fit(library.array(X), library.array(y), there)
    assert_same_fit(clf, expected, library, X, y)
    value = clf.log_likelihood(library.array(X), library.array(y), there)
    assert value == pytest.approx(expected.log_likelihood(X, y, weight), rel=1e-9)


@pytest.mark.parametrize("K", [2, 3])
def test_shapes(K, library):
    """One feature, a constant one, and more features than rows."""
    for n, d in [(60, 1), (60, 3), (30, 100)]:
        X, y = problem(n=n, d=d, K=K)
        X[:, -1] = 1.5 if d == 3 else X[:, -1]
        expected = SoftmaxClassifier(tol=1e-10).fit(X, y)
        clf = SoftmaxClassifier(tol=1e-10).fit(library.array(X), library.array(y))
        assert_same_fit(clf, expected, library, X, y)


@pytest.mark.parametrize("K", [2, 3])
def test_float32(K, library):
    X, y = problem(K=K)
    X = X.astype(np.float32)
    expected = SoftmaxClassifier().fit(X, y)
    clf = SoftmaxClassifier().fit(library.array(X), library.array(y))
    assert str(clf.coef_.dtype).endswith("float64")
    assert_same_fit(clf, expected, library, X, y)


def test_a_device_without_float64():
    X, y = problem()
    there = strict.Device("no_float64")
    with config_context(array_api_dispatch=True):
        Z = strict.asarray(X.astype(np.float32), device=there)
        t = strict.asarray(y.astype(np.int32), device=there)
        clf = SoftmaxClassifier().fit(Z, t)
        assert clf.converged_
        assert clf.coef_.dtype == clf.predict_proba(Z).dtype == strict.float32
        assert clf.objective_ == pytest.approx(SoftmaxClassifier().fit(X, y).objective_, rel=1e-5)


def test_many_classes(library):
    X, y = problem(n=600, d=5, K=10)
    expected = SoftmaxClassifier(tol=1e-10).fit(X, y)
    clf = SoftmaxClassifier(tol=1e-10).fit(library.array(X), library.array(y))
    assert_same_fit(clf, expected, library, X, y)


def test_warm_start(library):
    X, y = problem()
    there = library.array(X), library.array(y)
    clf = SoftmaxClassifier(warm_start=True).fit(*there)
    first = clf.n_passes_
    assert clf.fit(*there).n_passes_ < first
    assert library.has(clf.coef_)


def test_separated_classes(library):
    """No direction is looked for; the message is the general one."""
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    y = np.array([0, 0, 1, 1])
    with pytest.warns(ConvergenceWarning, match="no finite maximum of the likelihood") as caught:
        SoftmaxClassifier(C=np.inf).fit(library.array(X), library.array(y))
    assert caught[0].filename == __file__


def test_numpy_is_as_ever():
    X, y = problem()
    expected = SoftmaxClassifier().fit(X, y)
    with config_context(array_api_dispatch=True):
        clf = SoftmaxClassifier().fit(X, y)
        for method in METHODS:
            assert np.array_equal(getattr(clf, method)(X), getattr(expected, method)(X))
        assert clf.score(X, y) == expected.score(X, y)
    assert np.array_equal(clf.coef_, expected.coef_)
    assert np.array_equal(clf.objective_curve_, expected.objective_curve_)


def test_numpy_needs_no_array_api_compat():
    code = (
        "import sys; sys.modules['array_api_compat'] = None\n"
        "from sklearn.datasets import load_iris\n"
        "from skxent import SoftmaxClassifier\n"
        "X, y = load_iris(return_X_y=True)\n"
        "clf = SoftmaxClassifier(warm_start=True).fit(X, y).fit(X, y)\n"
        "clf.predict(X), clf.predict_proba(X), clf.score(X, y), clf.log_likelihood(X, y)\n"
        "clf.to_sklearn()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_with_the_switch_off_tensors_become_numpys(torch):
    X, y = problem()
    with config_context(array_api_dispatch=False):
        clf = SoftmaxClassifier().fit(torch.asarray(X), torch.asarray(y))
        assert isinstance(clf.coef_, np.ndarray)
        assert isinstance(clf.predict(torch.asarray(X)), np.ndarray)


def test_tensors_that_record_gradients(torch):
    X, y = problem()
    Z = torch.asarray(X).requires_grad_()
    clf = SoftmaxClassifier().fit(Z, torch.asarray(y))
    assert clf.objective_ == pytest.approx(SoftmaxClassifier().fit(X, y).objective_, rel=1e-9)
    assert not clf.predict_proba(Z).requires_grad


def test_pickle_and_clone(torch):
    X, y = map(torch.asarray, problem())
    clf = SoftmaxClassifier(C=3.0).fit(X, y)
    again = pickle.loads(pickle.dumps(clf))
    assert torch.equal(again.predict_log_proba(X), clf.predict_log_proba(X))
    assert clone(clf).C == 3.0


def test_to_sklearn(library):
    X, y = problem()
    clf = SoftmaxClassifier().fit(library.array(X), library.array(y))
    model = clf.to_sklearn()
    assert library.has(model.coef_)
    expected = SoftmaxClassifier().fit(X, y)
    np.testing.assert_allclose(to_numpy(model.coef_), expected.coef_, rtol=1e-9)


def test_a_fit_can_be_moved(library):
    """By scikit-learn's own function, where it has one: from the host to a device and back."""
    tools = pytest.importorskip("sklearn.utils._array_api")
    if not hasattr(tools, "move_estimator_to"):
        pytest.skip("new in scikit-learn 1.9")
    X, y = problem()
    there = library.array(X)
    place = tools.get_namespace_and_device(there)
    for labels in (y, np.array(["ant", "bee", "cow"])[y]):
        clf = SoftmaxClassifierCV(Cs=[0.1, 1.0], cv=3).fit(X, labels)
        expected = clf.predict_log_proba(X)
        moved = tools.move_estimator_to(clf, place[0], place[2])
        np.testing.assert_allclose(to_numpy(moved.predict_log_proba(there)), expected, rtol=1e-9)
        assert to_numpy(moved.predict(there)).tolist() == clf.predict(X).tolist()
        back = tools.move_estimator_to(moved, np, "cpu")
        assert np.array_equal(back.predict_log_proba(X), expected)


def test_scorer(library):
    X, y = problem()
    clf = SoftmaxClassifier().fit(library.array(X), library.array(y))
    score = cce_scorer(clf, library.array(X), library.array(y))
    assert score == pytest.approx(cce_scorer(SoftmaxClassifier().fit(X, y), X, y), rel=1e-9)


class Look:
    """Keeps the objective of each iteration, found by predicting where X is."""

    def __init__(self):
        self.values = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        if context.task_name == "iteration" and fitted_estimator is not None:
            penalty = np.sum(to_numpy(fitted_estimator.coef_) ** 2) / 2
            self.values.append(penalty - fitted_estimator.log_likelihood(X, y))


@pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn has no callbacks")
@pytest.mark.filterwarnings("ignore:.*callback.*experimental")
def test_callbacks_predict_on_the_device(library):
    X, y = map(library.array, problem())
    look = Look()
    clf = SoftmaxClassifier().set_callbacks(look).fit(X, y)
    np.testing.assert_allclose(look.values, to_numpy(clf.objective_curve_)[:, 1], rtol=1e-9)
