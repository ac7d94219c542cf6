"""Errors about samples name the columns of X."""

import numpy as np
import pandas as pd
import pytest
from extreme_samples import N
from fit_samples import Y2, X, put

from skxent import LogisticClassifier, SoftmaxClassifier, infer

FRAMES = {
    "text": ({"kind": ["setosa"] * N}, "'kind' ('setosa' in row 0)"),
    "empty text": ({"kind": ["1"] * 3 + [""] + ["2"] * (N - 4)}, "'kind' ('' in row 3)"),
    "categories": ({"kind": pd.Categorical(["u", "v"] * (N // 2))}, "'kind' ('u' in row 0)"),
    "missing": ({"b": put(X[:, 1], 7, np.nan)}, "'b' ('nan' in row 7)"),
    "nullable": ({"b": pd.array([1, None] * (N // 2), dtype="Int64")}, "'b' ('nan' in row 1)"),
    "infinite": ({"b": put(X[:, 1], 7, np.inf)}, "'b' ('inf' in row 7)"),
    "dates": ({"when": pd.date_range("2020-01-01", periods=N)}, "'when' ('2020-01-01T"),
    "two": ({"a": ["x"] * N, "c": ["y"] * N}, "'a' ('x' in row 0), column 'c' ('y' in row 0). "),
    "many": ({str(i): ["x"] * N for i in range(9)}, "'4' ('x' in row 0) and 4 more. "),
}


@pytest.mark.parametrize("columns, place", FRAMES.values(), ids=FRAMES)
def test_columns_of_frames_are_named(columns, place):
    good = pd.DataFrame(X, columns=["a", "b", "c"])
    bad = good.assign(**columns)
    calls = [lambda: SoftmaxClassifier().fit(bad, Y2), lambda: LogisticClassifier().fit(bad, Y2)]
    if list(bad) == list(good):
        clf = SoftmaxClassifier(C=np.inf).fit(good, Y2)
        inference = infer(clf, good, Y2)
        calls += [
            lambda: clf.predict(bad),
            lambda: infer(clf, bad, Y2),
            lambda: inference.predict_proba_interval(bad),
        ]
    for call in calls:
        with pytest.raises((ValueError, TypeError)) as caught:
            call()
        note, *pipelines = caught.value.__notes__
        assert all("of a pipeline pass the whole" in other for other in pipelines)
        assert len(pipelines) <= 1
        assert note.startswith("Not finite numbers in X: column ")
        assert place in note
        assert "Impute" in note


def test_columns_of_arrays_of_objects_are_numbered():
    with pytest.raises(ValueError, match="could not convert string to float: 'x'") as caught:
        SoftmaxClassifier().fit(put(X, (4, 1), "x", dtype=object), Y2)
    assert "column 1 ('x' in row 4). " in caught.value.__notes__[0]


def test_errors_about_other_things_note_no_columns():
    clf = SoftmaxClassifier()
    for bad in (pd.DataFrame(X)[:0], put(X, (4, 1), "1", dtype=object)[:0], pd.Series(X[:, 0])):
        with pytest.raises(ValueError) as caught:
            clf.fit(bad, Y2)
        assert not hasattr(caught.value, "__notes__")
