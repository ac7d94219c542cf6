"""Fits and predictions with an offset, if X is an array of another library than NumPy."""

import numpy as np
import pandas as pd
import pytest
from device_fits import METHODS, problem

from skxent import SoftmaxClassifier
from skxent.inputs.namespaces import to_numpy


def data(K, d=4):
    X, y = problem(d=d, K=K)
    return X, y, 3 * np.random.default_rng(K).normal(size=(len(X), K))


@pytest.mark.parametrize("on_host", [False, True])
@pytest.mark.parametrize("columns", ["each class", "one"])
@pytest.mark.parametrize(("K", "C"), [(2, 1.0), (2, np.inf), (3, 1.0), (3, np.inf)])
def test_the_same_as_in_numpy(K, C, columns, on_host, library):
    X, y, O = data(K)
    if columns == "one":
        if K > 2:
            pytest.skip("one column is enough for two classes only")
        O = O[:, 1] - O[:, 0]
    weight = np.arange(len(y)) % 3.0
    known = SoftmaxClassifier(C, tol=1e-9).fit(X, y, weight, offset=O)
    there = [library.array(x) for x in (X, y, weight, O)]
    offset = O if on_host else there[3]
    clf = SoftmaxClassifier(C, tol=1e-9).fit(*there[:3], offset=offset)
    assert clf.has_offset_
    assert clf.converged_
    assert clf.objective_ == pytest.approx(known.objective_, rel=1e-9)
    for name in METHODS:
        found = getattr(clf, name)(there[0], offset=offset)
        assert library.has(found)
        np.testing.assert_allclose(to_numpy(found), getattr(known, name)(X, offset=O), atol=1e-3)
    likelihood = clf.log_likelihood(*there[:3], offset=offset)
    assert likelihood == pytest.approx(known.log_likelihood_, rel=1e-6)
    assert clf.score(*there[:3], offset=offset) == known.score(X, y, weight, offset=O)


def test_more_columns_than_rows(library):
    X, y, O = data(3, d=300)
    known = SoftmaxClassifier(tol=1e-9).fit(X, y, offset=O)
    clf = SoftmaxClassifier(tol=1e-9).fit(*map(library.array, (X, y)), offset=O)
    assert clf.objective_ == pytest.approx(known.objective_, rel=1e-9)


def test_what_is_refused(library):
    X, y, O = data(3)
    X, y = map(library.array, (X, y))
    clf = SoftmaxClassifier().fit(X, y, offset=library.array(O))
    for name in METHODS:
        with pytest.raises(ValueError, match="fitted with an offset"):
            getattr(clf, name)(X)
        getattr(clf, name)(X, offset=0)
    with pytest.raises(ValueError, match=r"shape \(150, 2\), and there are 3 classes"):
        clf.fit(X, y, offset=library.array(O[:, :2]))
    with pytest.raises(ValueError, match="X has 150 samples but offset has 149"):
        clf.predict(X, offset=library.array(O[1:]))
    with pytest.raises(ValueError, match="columns of offset"):
        clf.fit(X, y, offset=pd.DataFrame(O, columns=[1, 0, 2]))
    for value in (np.nan, -np.inf, 1e200):
        O[7, 1] = value
        with pytest.raises(ValueError, match=r"offset has .* in row 7"):
            clf.fit(X, y, offset=library.array(O))
