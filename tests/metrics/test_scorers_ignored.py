"""Scorers leave out samples whose label does not count."""

import numpy as np
import pytest
from fixed_predictions import Fixed
from ignored_samples import K, problem
from scipy.special import softmax
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.semi_supervised import SelfTrainingClassifier

from skxent.metrics import categorical_cross_entropy, make_cross_entropy_scorer


@pytest.mark.parametrize("loss", ["categorical", "binary"])
@pytest.mark.parametrize("eps", [None, 0])
def test_scorers(loss, eps):
    Z, codes, w = problem(200)
    y = codes if loss == "categorical" else np.where(codes == 2, 0, codes)
    P = softmax(Z if loss == "categorical" else Z[:, :2], axis=1)
    kept, names = y >= 0, np.arange(P.shape[1])
    for reduction in ("mean", "sum"):
        plain = make_cross_entropy_scorer(loss, reduction=reduction, eps=eps)
        scorer = make_cross_entropy_scorer(loss, reduction=reduction, eps=eps, ignore_label=-100)
        assert "ignore_label=-100" in repr(scorer)
        for weight in (None, w):
            found = scorer(Fixed(P, names), None, y, weight)
            rest = None if weight is None else weight[kept]
            assert found == plain(Fixed(P[kept], names), None, y[kept], rest)
    with pytest.raises(ValueError, match=r"ignore_label=1 is a class in classes_"):
        make_cross_entropy_scorer(loss, ignore_label=1)(Fixed(P, names), None, y)
    with pytest.raises(ValueError, match="every label in y_true is ignore_label"):
        scorer(Fixed(P, names), None, np.full(200, -100))
    with pytest.raises(ValueError, match="ignore_label is for labels"):
        scorer(Fixed(P, names), None, P)
    with pytest.raises(ValueError, match="pass one label"):
        make_cross_entropy_scorer(loss, ignore_label=[1])


def test_scorers_of_dask_partitions():
    da = pytest.importorskip("dask.array")
    Z, codes, w = problem(200)
    P = softmax(Z, axis=1)
    codes[:50] = -100
    lazy = da.from_array(codes, chunks=50)
    for loss, y, p in [
        ("categorical", lazy, P),
        ("binary", da.minimum(lazy, 1), softmax(Z[:, :2], axis=1)),
    ]:
        scorer = make_cross_entropy_scorer(loss, ignore_label=-100)
        model = Fixed(da.from_array(p, chunks=(50, p.shape[1])), np.arange(p.shape[1]))
        expected = scorer(Fixed(p, np.arange(p.shape[1])), None, y.compute(), w)
        found = scorer(model, None, y, da.from_array(w, chunks=50))
        assert found == pytest.approx(expected, rel=1e-14)


def test_samples_without_a_label_in_semi_supervised_learning():
    """scikit-learn marks them by -1; the classifier never learns that as a class."""
    rng = np.random.default_rng(0)
    truth = rng.integers(K, size=150)
    X = rng.normal(size=(150, 2)) + 2 * truth[:, None]
    y = np.where(rng.random(150) < 0.5, -1, truth)
    cv = StratifiedKFold(3)
    model = SelfTrainingClassifier(GaussianNB(), criterion="k_best", k_best=5)
    scorer = make_cross_entropy_scorer(ignore_label=-1)
    scores = cross_val_score(model, X, y, scoring=scorer, cv=cv)
    for score, (train, test) in zip(scores, cv.split(X, y), strict=True):
        fitted = model.fit(X[train], y[train])
        test = test[y[test] >= 0]
        P = fitted.predict_proba(X[test])
        assert score == -categorical_cross_entropy(y[test], P, labels=fitted.classes_)
