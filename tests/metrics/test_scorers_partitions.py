"""Scores of Dask collections equal the scores of the same samples in memory."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

dask = pytest.importorskip("dask")
import dask.dataframe as dd  # noqa: E402
from cut_samples import (  # noqa: E402
    CODES,
    CUTS,
    EVENTS,
    NAMES,
    SOFT,
    YES,
    K,
    N,
    P,
    W,
    X,
    array,
    frame,
    memory,
    other,
    unknown,
    with_row,
)
from fixed_predictions import Fixed  # noqa: E402

from skxent import SoftmaxClassifier  # noqa: E402
from skxent.metrics import (  # noqa: E402
    ZeroProbabilityWarning,
    bce_scorer,
    cce_scorer,
    cce_sum_scorer,
    discrimination_scorer,
    make_cross_entropy_scorer,
    miscalibration_scorer,
)

pytestmark = pytest.mark.usefixtures("synchronous_dask")


@pytest.mark.parametrize(
    "scorer",
    [cce_scorer, cce_sum_scorer, make_cross_entropy_scorer(base=2, eps=0), discrimination_scorer,
     miscalibration_scorer],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.thinned(3)
def test_scorers(scorer, soft):
    y = SOFT if soft else NAMES[CODES]
    model = SoftmaxClassifier(C=1.0).fit(X, NAMES[CODES])
    sklearns = LogisticRegression().fit(X, NAMES[CODES])
    expected = [scorer(model, X, y), scorer(model, X, y, W), scorer(sklearns, X, y, W)]
    for of_x, of_y, of_w in CUTS:
        if of_x is of_y is memory:
            continue
        rows, truth, weight = of_x(X), of_y(y), of_w(W)
        found = [scorer(model, rows, truth), scorer(model, rows, truth, weight)]
        if of_x is not frame:
            found.append(scorer(sklearns, of_x(X), truth, weight))
        np.testing.assert_allclose(found, expected[: len(found)], rtol=1e-9)


def test_scorers_read_columns_by_their_names():
    model = SoftmaxClassifier(C=1.0).fit(X, NAMES[CODES])
    soft = pd.DataFrame(SOFT, columns=NAMES[::-1])
    expected = cce_scorer(model, X, soft)
    for y in (soft, dd.from_pandas(soft, npartitions=4)):
        for rows in (array(X), unknown(X), other(X)):
            assert cce_scorer(model, rows, y) == pytest.approx(expected, rel=1e-14)


def test_binary_scorer():
    model = SoftmaxClassifier(C=1.0).fit(X, NAMES[YES])
    expected = bce_scorer(model, X, NAMES[YES], W)
    for rows, y in [
        (array(X), other(NAMES[YES])),
        (X, array(NAMES[YES])),
        (unknown(X), NAMES[YES]),
    ]:
        assert bce_scorer(model, rows, y, W) == pytest.approx(expected, rel=1e-14)
    with pytest.raises(ValueError, match="the binary loss takes two classes, but here are 3"):
        bce_scorer(model, array(X), array(NAMES[CODES]))
    known = Fixed(array(np.ones((N, 1))), [0])
    with pytest.raises(ValueError, match="the binary loss takes two classes, but here are 3"):
        bce_scorer(known, None, array(np.repeat([1, 2], [28, 32])))


def test_multilabel_scorer():
    columns = [np.column_stack([1 - p, p]) for p in P.T]
    many = Fixed(columns, [np.array([0, 1])] * K)
    expected = bce_scorer(Fixed(P, None), X, EVENTS, W)
    for model in (Fixed(P, None), Fixed(array(P), None), Fixed(frame(P), None), many):
        for y in (array(EVENTS), other(EVENTS), frame(EVENTS)):
            assert bce_scorer(model, X, y, array(W)) == pytest.approx(expected, rel=1e-14)


def test_what_is_wrong_with_predictions_is_said_with_the_estimators_name():
    bad = with_row(24, P, 0.5)
    with pytest.raises(ValueError, match=r"in partition 2: Fixed.predict_proba\(X\) does not sum"):
        cce_scorer(Fixed(array(bad), np.arange(K)), array(X), CODES)
    with pytest.raises(ValueError, match=r"Fixed.predict_proba\(X\) has shape .* names 3"):
        cce_scorer(Fixed(array(P[:, :2]), np.arange(K)), array(X), CODES)
    nameless = Fixed(array(P), None)
    with pytest.raises(TypeError, match="Fixed has no classes_"):
        cce_scorer(nameless, array(X), CODES)
    with pytest.raises(TypeError, match="int has no predict_proba"):
        cce_scorer(1, array(X), CODES)


def test_labels_that_the_estimator_never_saw():
    model = Fixed(array(P), NAMES)
    y = NAMES[CODES].astype(object)
    y[[3, 30]] = "dog"
    with pytest.warns(ZeroProbabilityWarning, match="^2 of 60 samples"):
        lazy = cce_scorer(model, None, array(y))
    model.P = P
    with pytest.warns(ZeroProbabilityWarning, match="^2 of 60 samples"):
        assert lazy == pytest.approx(cce_scorer(model, None, y), rel=1e-14)
