"""Bad input: an error that names argument, place and cure, and nothing half-fitted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from extreme_samples import N
from fit_samples import ONES, SOFT, Y2, Y3, X, put
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skxent import LogisticClassifier, SoftmaxClassifier
from skxent.classifiers import softmax
from skxent.likelihood.optimise.solver import minimise


def text(y, other):
    """Text labels, but for row 3."""
    return np.array([other if i == 3 else "ab"[v] for i, v in enumerate(y)], dtype=object)


FITS = {
    "X NaN": ((put(X, (3, 1), np.nan), Y2), "X contains NaN"),
    "X infinite": ((put(X, (3, 1), np.inf), Y2), "X contains infinity"),
    "X sparse NaN": ((sp.csr_array(put(X, (3, 1), np.nan)), Y2), "X contains NaN"),
    "X complex": ((X + 0j, Y2), "Complex data not supported"),
    "X of text": ((X.astype(str).astype(object) + "a", Y2), "could not convert string to float"),
    "X 1-D": ((X[:, 0], Y2), "Expected 2D array, got 1D array"),
    "X 3-D": ((X[:, :, None], Y2), "dim 3"),
    "X empty": ((X[:0], Y2[:0]), "0 sample"),
    "X overflows": (
        (X * np.where(np.arange(X.shape[1]) == 0, 1e200, 1.0), Y2),
        "X has numbers in column 0 whose squares overflow",
    ),
    "y NaN": ((X, put(Y2, 3, np.nan)), "y contains NaN"),
    "y infinite": ((X, put(Y2, 3, np.inf)), "y contains infinity"),
    "y None": ((X, text(Y2, None)), r"y\[3\] is None"),
    "y missing": ((X, pd.Series(text(Y2, None))), r"y\[3\] is"),
    "y mixed": ((X, text(Y2, 1)), "y mixes strings and numbers.*row 3"),
    "y continuous": ((X, X[:, 0]), "continuous"),
    "y complex": ((X, Y2 + 1j), "Complex data not supported"),
    "y 3-D": ((X, SOFT[:, :, None]), "y has shape"),
    "y scalar": ((X, 1), r"y has shape \(\): pass labels"),
    "y short": ((X, Y2[:-1]), "X has 60 samples but y has 59"),
    "y of one class": ((X, 0 * Y2), "y has only one class, 0"),
    "y multilabel": ((X, np.ones((N, 3), int)), "y does not sum to 1 in row 0.*MultiOutput"),
    "soft short": ((X, SOFT[:-1]), "X has 60 samples but y has 59"),
    "soft sum": ((X, put(SOFT, (7, 0), 2 / 3 + SOFT[7, 0] / 3)), "y does not sum to 1 in row 7"),
    "soft negative": ((X, put(SOFT, 2, [-0.5, 1.0, 0.5])), "y has -0.5 in row 2"),
    "soft NaN": ((X, put(SOFT, (2, 0), np.nan)), "y has NaN or infinity in row 2"),
    "weight NaN": ((X, Y2, put(ONES, 3, np.nan)), r"sample_weight\[3\] is nan"),
    "weight infinite": ((X, Y2, put(ONES, 3, np.inf)), r"sample_weight\[3\] is inf"),
    "weight negative": ((X, Y2, put(ONES, 3, -1)), r"sample_weight\[3\] is -1"),
    "weight zero": ((X, Y2, 0 * ONES), "sample_weight is zero for every sample"),
    "weight short": ((X, Y2, ONES[:-1]), r"sample_weight has shape \(59,\) but X has 60 samples"),
    "weight 2-D": ((X, Y2, np.ones((N, 2))), r"sample_weight has shape \(60, 2\)"),
    "weight complex": ((X, Y2, ONES + 0j), "sample_weight is complex"),
    "classes few": ((X, SOFT, None, ["a", "b"]), r"classes has shape \(2,\), y has 3 columns"),
    "classes twice": ((X, SOFT, None, ["a", "b", "a"]), "classes has 'a' twice"),
    "classes mixed": ((X, SOFT, None, np.array(["a", 1, 2], object)), "classes mixes"),
    "classes for labels": ((X, Y2, None, [0, 1]), "classes names the columns of soft targets"),
    "classes in another order": (
        (X, pd.DataFrame(SOFT, columns=list("abc")), None, ["b", "a", "c"]),
        "columns of y, .* are not in the order of classes",
    ),
}


@pytest.fixture
def fitted():
    return SoftmaxClassifier().fit(X, Y3)


def state(clf):
    """Everything an estimator holds, in a form that compares."""
    return {name: repr(value) for name, value in vars(clf).items()}


@pytest.mark.parametrize("arguments, message", FITS.values(), ids=FITS)
def test_fit_says_what_is_wrong(arguments, message):
    clf = SoftmaxClassifier()
    before = state(clf)
    with pytest.raises(ValueError, match=message):
        clf.fit(*arguments)
    assert state(clf) == before


@pytest.mark.parametrize("arguments, message", FITS.values(), ids=FITS)
def test_a_failed_refit_leaves_the_first_fit(fitted, arguments, message):
    before, predicted = state(fitted), fitted.predict_proba(X)
    with pytest.raises(ValueError, match=message):
        fitted.fit(*arguments)
    assert state(fitted) == before
    assert np.array_equal(fitted.predict_proba(X), predicted)


def test_a_failed_refit_keeps_feature_names():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    clf = SoftmaxClassifier().fit(frame, Y2)
    with pytest.raises(ValueError, match="59"):
        clf.fit(pd.DataFrame(X, columns=["d", "e", "f"]), Y2[:-1])
    assert clf.feature_names_in_.tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="X has 3 samples"):
        clf.fit(X[:3, :1], Y2)
    assert clf.n_features_in_ == 3
    clf.predict(frame)


def test_weights_and_class_weights_that_leave_nothing():
    with pytest.raises(ValueError, match="class_weight is zero wherever sample_weight is not"):
        SoftmaxClassifier(class_weight={0: 0}).fit(X, Y2, sample_weight=(Y2 == 0).astype(float))


@pytest.mark.parametrize("y", [Y3, SOFT], ids=["labels", "soft"])
def test_logistic_takes_two_classes(y):
    clf = LogisticClassifier()
    with pytest.raises(ValueError, match=r"3 classes, use SoftmaxClassifier"):
        clf.fit(X, y)
    assert not hasattr(clf, "n_features_in_")


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "predict_log_proba", "decision_function"]
)
def test_predict_checks(method, fitted):
    with pytest.raises(NotFittedError, match="SoftmaxClassifier"):
        getattr(SoftmaxClassifier(), method)(X)
    with pytest.raises(ValueError, match="X has 2 features, but SoftmaxClassifier is expecting 3"):
        getattr(fitted, method)(X[:, :2])
    with pytest.raises(ValueError, match="NaN"):
        getattr(fitted, method)(put(X, (0, 0), np.nan))
    named = SoftmaxClassifier().fit(pd.DataFrame(X, columns=["a", "b", "c"]), Y3)
    with pytest.raises(ValueError, match="feature names should match"):
        getattr(named, method)(pd.DataFrame(X, columns=["a", "c", "b"]))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        getattr(named, method)(X)


def test_log_likelihood_and_to_sklearn_check(fitted):
    for call in (lambda c: c.log_likelihood(X, Y3), lambda c: c.to_sklearn()):
        with pytest.raises(NotFittedError):
            call(SoftmaxClassifier())
    with pytest.raises(ValueError, match=r"\[0\] is 7|y_true\[0\]"):
        fitted.log_likelihood(X, put(Y3, 0, 7, int))
    with pytest.raises(ValueError, match="59"):
        fitted.log_likelihood(X, Y3[:-1])


@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6])
@pytest.mark.parametrize("y", [Y2, Y3], ids=["2", "3"])
def test_a_constant_column_changes_nothing(C, constant, sparse, y):
    """Its weight is zero, whether or not the penalty says so."""
    more = np.column_stack([X, np.full(N, constant)])
    without = SoftmaxClassifier(C=C).fit(X, y)
    clf = SoftmaxClassifier(C=C).fit(sp.csr_array(more) if sparse else more, y)
    assert clf.objective_ == pytest.approx(without.objective_, rel=1e-10)
    np.testing.assert_allclose(clf.coef_[:, :3], without.coef_, rtol=1e-6, atol=1e-7)
    # sums over a sparse column cancel when it is centred, and leave their rounding
    np.testing.assert_allclose(clf.coef_[:, 3], 0.0, atol=1e-13 * max(constant, 1.0))
    np.testing.assert_allclose(
        clf.predict_proba(more), without.predict_proba(X), rtol=1e-6, atol=1e-8
    )


@pytest.mark.parametrize(
    "y, fit_intercept",
    [
        (X[:, 0] > 0, True),
        (X[:, 0] > 0, False),
        (np.digitize(X[:, 0], [-0.5, 0.5]), True),
        (X[:, 0] == X[:, 0].max(), True),
    ],
    ids=["two", "no intercept", "three", "one sample"],
)
def test_separable_data_without_penalty(y, fit_intercept):
    clf = SoftmaxClassifier(C=np.inf, fit_intercept=fit_intercept)
    with pytest.warns(
        ConvergenceWarning, match="no finite maximum of the likelihood exists"
    ) as caught:
        clf.fit(X, y)
    assert len(caught) == 1
    assert clf.log_likelihood_ == pytest.approx(0, abs=1e-3)
    assert (clf.predict(X) == y).all()
    # The penalty makes it an ordinary problem.
    clf.set_params(C=1e3).fit(X, y)
    assert clf.converged_


def test_a_warning_points_at_the_caller():
    with pytest.warns(ConvergenceWarning, match="gap to the minimum of at most") as caught:
        SoftmaxClassifier(max_iter=1, tol=1e-9).fit(X, Y3)
    assert caught[0].filename == __file__


def test_an_early_end_names_gap_and_cure():
    clf = SoftmaxClassifier(max_iter=2)
    with pytest.warns(ConvergenceWarning, match="stopped after 2 iterations.*raise max_iter"):
        clf.fit(X, Y3)
    assert not clf.converged_
    assert clf.optimality_gap_ > 1e-6
    assert clf.n_iter_ == 2
    assert type(clf.converged_) is bool
    assert type(clf.optimality_gap_) is float


def test_a_dead_end_is_not_blamed_on_max_iter(monkeypatch):
    def stuck(*arguments, **options):
        return replace(minimise(*arguments, **options), gap=1.0, converged=False)

    monkeypatch.setattr(softmax, "minimise", stuck)
    with pytest.warns(ConvergenceWarning, match="no better point was found: look for") as caught:
        SoftmaxClassifier().fit(X, Y3)
    assert "max_iter" not in str(caught[0].message)


def test_a_small_gap_that_is_not_certain_is_told_as_one(monkeypatch):
    def doubtful(*arguments, **options):
        return replace(minimise(*arguments, **options), converged=False)

    monkeypatch.setattr(softmax, "minimise", doubtful)
    with pytest.warns(ConvergenceWarning, match="target of 1e-06 nats, but logits still move"):
        SoftmaxClassifier().fit(X, Y3)
