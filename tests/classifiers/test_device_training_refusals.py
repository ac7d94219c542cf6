"""What fits on a device refuse, with the messages of fits in NumPy."""

import array_api_strict as strict
import numpy as np
import pytest
from array_libraries import Strict
from device_fits import METHODS, assert_same_fit, problem
from sklearn import config_context

from skxent import LogisticClassifier, SoftmaxClassifier, SoftmaxClassifierCV, infer


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
    with pytest.raises(ValueError, match="has the key '7', but the labels of y are like"):
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
