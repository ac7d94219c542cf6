"""The reports of skore with the scorers as metrics."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skxent.classifiers import SoftmaxClassifier
from skxent.metrics import (
    bce_scorer,
    bce_sum_scorer,
    cce_scorer,
    cce_sum_scorer,
    discrimination_scorer,
    make_cross_entropy_scorer,
    miscalibration_scorer,
)

with warnings.catch_warnings():
    # What skore imports may warn; what its reports do with a scorer may not (2026-12-04).
    warnings.simplefilter("ignore")
    skore = pytest.importorskip("skore", minversion="0.28")

MULTICLASS = {
    "neg_categorical_cross_entropy": cce_scorer,
    "neg_sum_categorical_cross_entropy": cce_sum_scorer,
    "neg_categorical_cross_entropy_base_2": make_cross_entropy_scorer(base=2),
    "neg_sum_categorical_cross_entropy_base_10": make_cross_entropy_scorer(
        reduction="sum", base=10, eps=0
    ),
    "neg_miscalibration": miscalibration_scorer,
    "discrimination": discrimination_scorer,
}
BINARY = MULTICLASS | {
    "neg_binary_cross_entropy": bce_scorer,
    "neg_sum_binary_cross_entropy": bce_sum_scorer,
}
LEARNERS = {
    "softmax": make_pipeline(StandardScaler(), SoftmaxClassifier()),
    "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
}
NAMES = np.array(["Grignolino", "Barolo", "Barbera"])


def samples(binary):
    if binary:
        return load_breast_cancer(return_X_y=True)
    X, y = load_wine(return_X_y=True)
    return X, NAMES[y]


def splits(binary, lacking=None):
    """Return what a report takes, of which the test part can lack a class."""
    X, y = samples(binary)
    test = (np.arange(len(y)) % 3 == 0) & (y != lacking)
    return {
        "X_train": X[~test],
        "y_train": y[~test],
        "X_test": X[test],
        "y_test": y[test],
    }


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("binary", [False, True], ids=["three classes", "two classes"])
def test_a_report_of_one_estimator(learner, binary):
    data = splits(binary)
    report = skore.EstimatorReport(LEARNERS[learner], **data)
    for name, scorer in (BINARY if binary else MULTICLASS).items():
        report.metrics.add(scorer)
        for part in ("test", "train"):
            expected = scorer(report.estimator_, data[f"X_{part}"], data[f"y_{part}"])
            found = report.metrics.summarize(metric=name, data_source=part).summary
            assert found["score"].tolist() == [expected]
            assert found["verbose_name"].tolist() == [name]
            assert found["greater_is_better"].tolist() == [True]


@pytest.mark.parametrize("lacking", NAMES)
@pytest.mark.parametrize("name", MULTICLASS)
def test_the_test_part_lacks_a_class(name, lacking):
    data = splits(False, lacking)
    report = skore.EstimatorReport(LEARNERS["logistic"], **data)
    report.metrics.add(MULTICLASS[name], name="ours")
    (found,) = report.metrics.summarize(metric="ours").summary["score"]
    assert found == MULTICLASS[name](report.estimator_, data["X_test"], data["y_test"])
    if name == "neg_categorical_cross_entropy":
        P = report.estimator_.predict_proba(data["X_test"])
        columns = np.searchsorted(np.sort(NAMES), data["y_test"])
        by_hand = np.mean(np.log(P[np.arange(len(P)), columns]))
        assert found == pytest.approx(by_hand, rel=1e-14)


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_report_of_a_cross_validation(learner):
    X, y = samples(binary=False)
    cv = StratifiedKFold(3)
    report = skore.CrossValidationReport(LEARNERS[learner], X, y, splitter=cv)
    report.metrics.add(cce_scorer)
    found = report.metrics.summarize(metric=cce_scorer.__name__).summary["score"].tolist()
    expected = [
        cce_scorer(part.estimator_, X[test], y[test])
        for part, (_, test) in zip(report.reports_, cv.split(X, y), strict=True)
    ]
    assert found == expected


def test_a_report_of_a_comparison():
    data = splits(binary=True)
    reports = {name: skore.EstimatorReport(clf, **data) for name, clf in LEARNERS.items()}
    report = skore.ComparisonReport(reports)
    report.metrics.add(bce_scorer)
    found = report.metrics.summarize(metric=bce_scorer.__name__).summary
    for name, one in reports.items():
        (score,) = found.loc[found["estimator"] == name, "score"]
        assert score == bce_scorer(one.estimator_, data["X_test"], data["y_test"])


@pytest.mark.parametrize("metric", [cce_scorer, {"ours": cce_scorer}], ids=["alone", "dict"])
def test_the_importance_of_columns(metric):
    data = splits(binary=False)
    report = skore.EstimatorReport(LEARNERS["softmax"], **data)
    shown = report.inspection.permutation_importance(metric=metric, n_repeats=2, seed=0)
    frame = shown.frame()
    names = {"ours"} if isinstance(metric, dict) else {"neg categorical cross entropy"}
    assert set(frame["metric"]) == names
    X, y = data["X_test"], data["y_test"]
    expected = permutation_importance(
        report.estimator_, X, y, scoring=cce_scorer, n_repeats=2, random_state=0
    )
    np.testing.assert_allclose(frame["value_mean"], expected.importances_mean, rtol=1e-12)
