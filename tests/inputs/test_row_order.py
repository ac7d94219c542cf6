"""A pandas index in another order than that of the samples gives a warning, and no other does."""

import warnings

import numpy as np
import pandas as pd
import pytest
from fit_samples import ONES, Y3, N, X
from sklearn.naive_bayes import GaussianNB

from skxent import (
    CalibratedClassifier,
    FirthClassifier,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    categorical_cross_entropy,
    cce_scorer,
    compare_cv,
)
from skxent.inputs.row_order import warn_of_row_order

NAMES = [f"patient {i}" for i in range(N)]
FRAME = pd.DataFrame(X, columns=["a", "b", "c"], index=NAMES)
LABELS = pd.Series(Y3, index=NAMES)
MOVED = LABELS[::-1]
MODEL = GaussianNB().fit(FRAME, LABELS)
PREDICTION = pd.DataFrame(MODEL.predict_proba(FRAME), columns=MODEL.classes_, index=NAMES)

CALLS = {
    "fit": lambda X, y: SoftmaxClassifier().fit(X, y).objective_,
    "choice of C": lambda X, y: SoftmaxClassifierCV().fit(X, y).C_,
    "Firth": lambda X, y: FirthClassifier().fit(X, y).objective_,
    "weights": lambda X, y: SoftmaxClassifier().fit(X, LABELS, sample_weight=1.0 + y).objective_,
    "calibrated": lambda X, y: CalibratedClassifier(GaussianNB()).fit(X, y).classes_,
    "scorer": lambda X, y: cce_scorer(MODEL, X, y),
    "weights of a score": lambda X, y: cce_scorer(MODEL, X, LABELS, sample_weight=1.0 + y),
    "loss": lambda X, y: categorical_cross_entropy(y, PREDICTION),
    "comparison": lambda X, y: (
        compare_cv(
            {"a": GaussianNB(), "b": GaussianNB(var_smoothing=0.1)}, X, y, baseline="a", cv=3
        ).difference
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_another_order_gives_a_warning_at_the_line_of_the_user(call):
    with pytest.warns(UserWarning, match="index of .* in another order.*'patient 0'") as caught:
        found = call(FRAME, MOVED)
    assert {warning.filename for warning in caught} == {__file__}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = call(FRAME, pd.Series(MOVED.to_numpy(), index=NAMES))  # the cure it names
        call(FRAME, MOVED.loc[FRAME.index])
    assert np.all(np.asarray(found) == np.asarray(expected))


def test_the_message_names_the_first_row_that_differs():
    order = [0, 2, 1, *range(3, N)]
    with pytest.warns(UserWarning) as caught:
        warn_of_row_order(FRAME, "X", y=LABELS.iloc[order])
    assert str(caught[0].message) == (
        "y has the index of X in another order, but samples are paired by their position: row 1 of "
        "X has the label 'patient 1', and row 1 of y has 'patient 2'. Pass y.loc[X.index], or "
        "y.to_numpy() if the positions are right."
    )


SILENT = {
    "the same index": LABELS,
    "an equal index": pd.Series(Y3, index=list(NAMES)),
    "an index that was reset": LABELS.reset_index(drop=True),
    "some labels of another index": pd.Series(Y3, index=[*NAMES[1:], "new"]),
    "labels that are not unique": pd.Series(Y3, index=["a", "b"] * (N // 2)),
    "fewer rows": MOVED[:-1],
    "an array": Y3[::-1],
    "a list": Y3.tolist(),
    "nothing": None,
    "a scalar": 0,
    "an index alone": pd.Index(NAMES[::-1]),
    "an index of two levels": pd.Series(Y3, index=pd.MultiIndex.from_product([[0], NAMES])),
    "an index of numbers": pd.Series(Y3, index=range(1, N + 1)),
    "an index of times": pd.Series(Y3, index=pd.date_range("2020-01-01", periods=N)),
}


@pytest.mark.parametrize("values", SILENT.values(), ids=SILENT)
def test_other_indices_give_no_warning(values):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_row_order(FRAME, "X", y=values)
        warn_of_row_order(values, "X", y=LABELS if values is not MOVED else None)
        warn_of_row_order(X, "X", y=MOVED, sample_weight=ONES)


def test_indices_of_several_types_and_levels():
    levels = pd.MultiIndex.from_product([["a", "b"], [1, "c", 2.5]])
    samples = pd.DataFrame(X[:6], index=levels)
    with pytest.warns(UserWarning, match=r"row 0 of X has the label \('a', 1\)"):
        warn_of_row_order(samples, "X", y=pd.Series(Y3[:6], index=levels[::-1]))
    mixed = pd.Index([1, "a", 2.5, None, (1, 2), "z"], dtype=object)
    with pytest.warns(UserWarning, match=r"row 0 of X has the label 1, .* has 'z'"):
        moved = pd.Series(Y3[:6], index=mixed[[5, 1, 2, 3, 4, 0]])
        warn_of_row_order(pd.DataFrame(X[:6], index=mixed), "X", y=moved)
