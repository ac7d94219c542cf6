"""Fits on arrays of other libraries are as NumPy's in value, check and message, on the device."""

import pickle
import subprocess
import sys

import array_api_strict as strict
import numpy as np
import pytest
from array_libraries import Strict
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning

from skxent import LogisticClassifier, SoftmaxClassifier, SoftmaxClassifierCV, cce_scorer, infer
from skxent.classifiers.callbacks import HAS_CALLBACKS
from skxent.inputs.namespaces import to_numpy


@pytest.fixture
def torch():
    torch = pytest.importorskip("torch")
    with config_context(array_api_dispatch=True):
        yield torch


METHODS = ["decision_function", "predict", "predict_proba", "predict_log_proba"]


def assert_same_fit(clf, expected, library, X, y, rtol=1e-6):
    """Everything that was fitted or is predicted is there, and equal."""
    assert clf.converged_
    assert clf.objective_ == pytest.approx(expected.objective_, rel=1e-9)
    assert clf.log_likelihood_ == pytest.approx(expected.log_likelihood_, rel=1e-6)
    for name in ("coef_", "intercept_", "objective_curve_"):
        assert library.has(getattr(clf, name))
    for name in ("coef_", "intercept_"):
        values, known = to_numpy(getattr(clf, name)), getattr(expected, name)
        np.testing.assert_allclose(values, known, rtol=0, atol=rtol * max(abs(known).max(), 1e-3))
    there = library.array(X)
    for method in METHODS:
        values, known = getattr(clf, method)(there), getattr(expected, method)(X)
        assert library.has(values)
        assert str(values.dtype).endswith(str(known.dtype))
        scale = 1.0 if method == "predict_proba" else max(np.abs(known).max(), 1.0)
        np.testing.assert_allclose(to_numpy(values), known, rtol=0, atol=1e-6 * scale)


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


def problem(n=150, d=4, K=3, seed=0):
    rng = np.random.default_rng([seed, n, d, K])
    X = rng.normal(size=(n, d)) * np.logspace(-1, 2, d) + np.arange(d)
    y = ((X / np.logspace(-1, 2, d)) @ rng.normal(size=(d, K)) + rng.gumbel(size=(n, K))).argmax(1)
    y[:K] = np.arange(K)
    return X, y


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


def test_predictions_do_not_underflow(library):
    X, y = problem(K=2)
    clf = SoftmaxClassifier().fit(library.array(X), library.array(y))
    expected = SoftmaxClassifier().fit(X, y)
    for scale in (1.0, 1e3, 1e5):
        actual = to_numpy(clf.predict_log_proba(library.array(scale * X)))
        np.testing.assert_allclose(actual, expected.predict_log_proba(scale * X), rtol=1e-6)
        actual = to_numpy(clf.predict_proba(library.array(scale * X)))
        np.testing.assert_allclose(actual.sum(axis=1), 1, rtol=1e-14)


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


# ------------------------------------------------------------------ labels and mixed inputs


@pytest.mark.parametrize("K", [2, 3])
def test_strings_stay_numpys(K, library):
    X, y = problem(K=K)
    names = np.array(["ant", "bee", "cow"])[y]
    clf = SoftmaxClassifier().fit(library.array(X), names)
    expected = SoftmaxClassifier().fit(X, names)
    assert clf.classes_.tolist() == expected.classes_.tolist()
    assert library.has(clf.coef_)
    assert clf.predict(library.array(X)).tolist() == expected.predict(X).tolist()
    assert clf.score(library.array(X), names) == expected.score(X, names)
    value = clf.log_likelihood(library.array(X), names)
    assert value == pytest.approx(expected.log_likelihood(X, names), rel=1e-6)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint8, np.float64, np.bool_])
def test_labels_keep_their_type(dtype, library):
    X, y = problem(K=2)
    y = y.astype(dtype)
    expected = SoftmaxClassifier().fit(X, y)
    clf = SoftmaxClassifier().fit(library.array(X), library.array(y))
    assert to_numpy(clf.classes_).dtype == expected.classes_.dtype == dtype
    assert to_numpy(clf.predict(library.array(X))).dtype == dtype
    assert clf.score(library.array(X), library.array(y)) == expected.score(X, y)


def test_labels_in_a_column(library):
    X, y = problem()
    with pytest.warns(DataConversionWarning, match="column-vector"):
        clf = SoftmaxClassifier().fit(library.array(X), library.array(y[:, None]))
    assert tuple(clf.predict(library.array(X)).shape) == (150,)


@pytest.mark.parametrize("soft", [False, True])
def test_what_goes_with_X_may_be_anywhere(soft, library):
    X, y = problem()
    y = np.eye(3)[y] if soft else y + 4
    weight = 1.0 + np.arange(150) % 3
    expected = SoftmaxClassifier().fit(X, y, weight)
    here, there = (X, y, weight), tuple(map(library.array, (X, y, weight)))
    for a, b, c in [(1, 0, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1), (0, 0, 1)]:
        Z, t, w = ((here, there)[k][i] for i, k in enumerate((a, b, c)))
        clf = SoftmaxClassifier().fit(Z, t, w)
        assert library.has(clf.classes_) == bool(b)
        assert library.has(clf.coef_) == library.has(clf.predict_proba(Z)) == bool(a)
        assert library.has(clf.predict(Z)) == bool(a)
        assert clf.objective_ == pytest.approx(expected.objective_, rel=1e-9)
        assert clf.log_likelihood(Z, t, w) == pytest.approx(expected.log_likelihood_, rel=1e-6)
        if not soft:
            assert clf.score(Z, t, w) == pytest.approx(expected.score(X, y, weight), rel=1e-15)


def test_lists_beside_a_device(library):
    X, y = problem()
    clf = SoftmaxClassifier().fit(library.array(X), y.tolist(), sample_weight=[1.0] * 150)
    assert clf.objective_ == pytest.approx(SoftmaxClassifier().fit(X, y).objective_, rel=1e-9)
    assert isinstance(clf.classes_, np.ndarray)


def test_names_of_soft_columns(library):
    X, y = problem()
    rows = library.array(np.eye(3)[y])
    clf = SoftmaxClassifier().fit(library.array(X), rows, classes=["c", "a", "b"])
    assert clf.classes_.tolist() == ["c", "a", "b"]
    assert set(clf.predict(library.array(X)).tolist()) == {"a", "b", "c"}


# ------------------------------------------------------------------ what is refused


def without(values, place, value):
    values = values.astype(float)
    values[place] = value
    return values


BAD = {
    "NaN in X": (lambda X, y, w: (without(X, (3, 1), np.nan), y, w), "NaN"),
    "lengths": (lambda X, y, w: (X, y[:-1], w), "X has 150 samples but y has 149"),
    "one class": (lambda X, y, w: (X, 0 * y, w), "only one class, 0"),
    "no labels": (lambda X, y, w: (X, y + 0.5, w), "Unknown label type|not a label"),
    "NaN in y": (lambda X, y, w: (X, without(y, 4, np.nan), w), "NaN"),
    "rows": (lambda X, y, w: (X, np.eye(3)[y] * 0.9, w), "y does not sum to 1 in row 0"),
    "three dimensions": (lambda X, y, w: (X, np.zeros((150, 2, 2)), w), "y has shape"),
    "weights": (lambda X, y, w: (X, y, without(w, 2, -1)), r"sample_weight\[2\] is -1"),
    "no weight": (lambda X, y, w: (X, y, 0 * w), "zero for every sample"),
    "lengths of weights": (lambda X, y, w: (X, y, w[1:]), r"sample_weight has shape \(149,\)"),
    "overflow": (lambda X, y, w: (without(X, (3, 1), 1e300), y, w), "overflow"),
}


@pytest.mark.parametrize(("spoil", "message"), BAD.values(), ids=BAD.keys())
def test_bad_values(spoil, message, library):
    X, y = problem()
    bad = spoil(X, y, np.ones(150))
    clf = SoftmaxClassifier()
    for arrays in (bad, tuple(map(library.array, bad))):
        with pytest.raises(ValueError, match=message):
            clf.fit(*arrays)
        assert not [name for name in vars(clf) if name.endswith("_")]


def test_bad_class_weights(library):
    X, y = map(library.array, problem())
    with pytest.raises(ValueError, match="has a key '7', which no class of y can be"):
        SoftmaxClassifier(class_weight={"7": 1.0}).fit(X, y)
    with pytest.raises(ValueError, match="class_weight is zero wherever"):
        SoftmaxClassifier(class_weight={0: 0.0, 1: 0.0, 2: 0.0}).fit(X, y)


def test_names_without_columns(library):
    X, y = map(library.array, problem())
    with pytest.raises(ValueError, match="classes names the columns of soft targets"):
        SoftmaxClassifier().fit(X, y, classes=[0, 1, 2])


def test_logistic_is_for_two_classes(library):
    X, y = problem(K=2)
    clf = LogisticClassifier().fit(library.array(X), library.array(y))
    assert_same_fit(clf, LogisticClassifier().fit(X, y), library, X, y)
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        LogisticClassifier().fit(*map(library.array, problem(K=3)))


@pytest.mark.parametrize("method", METHODS)
def test_fits_and_predictions_are_in_one_place(method, library):
    X, y = problem()
    here = SoftmaxClassifier().fit(X, y)
    there = SoftmaxClassifier().fit(library.array(X), library.array(y))
    message = rf"SoftmaxClassifier\.{method}\(\) must use the same namespace"
    with pytest.raises(ValueError, match=message):
        getattr(here, method)(library.array(X))
    with pytest.raises(ValueError, match=message):
        getattr(there, method)(X)
    with config_context(array_api_dispatch=False), pytest.raises(ValueError, match=message):
        getattr(there, method)(X)


def test_another_device():
    X, y = problem()
    with config_context(array_api_dispatch=True):
        clf = SoftmaxClassifier().fit(strict.asarray(X), strict.asarray(y))
        with pytest.raises(ValueError, match=r"CPU_DEVICE.*X is of array_api_strict on .*device1"):
            clf.predict(strict.asarray(X, device=Strict.device))


def test_what_works_on_the_host_only(library):
    X, y = problem()
    Z, t = library.array(X), library.array(y)
    with pytest.raises(TypeError, match=r"X is of .*bring X, y and sample_weight to the host"):
        SoftmaxClassifierCV(cv=3).fit(Z, t)
    with pytest.raises(TypeError, match=r"X is of .*bring X, y and sample_weight to the host"):
        infer(SoftmaxClassifier(C=np.inf).fit(X, y), Z, t)
    with pytest.raises(TypeError, match="clf was fitted on a device"):
        infer(SoftmaxClassifier(C=np.inf).fit(Z, t), X, y)


# ------------------------------------------------------------------ the rest of the contract


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
