"""Labels, soft rows and weights of fits on a device may be anywhere."""

import numpy as np
import pytest
from device_fits import problem
from sklearn.exceptions import DataConversionWarning

from skxent import SoftmaxClassifier
from skxent.inputs.namespaces import to_numpy


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
