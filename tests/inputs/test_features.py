"""Errors about samples name the columns of X."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from extreme_samples import N
from fit_samples import Y2, X, put
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from skxent import LogisticClassifier, SoftmaxClassifier, infer
from skxent.inputs.features import FLOATS, read_rows

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


PLAIN = {
    "C order": X,
    "Fortran order": np.asfortranarray(X),
    "float32": X.astype(np.float32),
    "strided": np.repeat(X, 2, axis=1)[::-1, ::2],
    "one entry": X[:1, :1],
    "an infinite sum": np.full((4, 2), 1e308),
    "an infinite float32 sum": np.full((4, 2), 3e38, dtype=np.float32),
    "integers": X.astype(int),
    "float16": X.astype(np.float16),
    "other byte order": X.astype(">f8"),
    "a matrix of objects": X.astype(object),
    "a list": X.tolist(),
}
BAD = {
    "NaN": put(X, (3, 1), np.nan),
    "infinite": put(X, (3, 1), np.inf),
    "opposite infinities": put(put(X, (3, 1), np.inf), (4, 1), -np.inf),
    "float32 NaN": put(X, (3, 1), np.nan).astype(np.float32),
    "one dimension": X[0],
    "three dimensions": X[None],
    "no dimension": np.array(1.0),
    "no rows": X[:0],
    "no columns": X[:, :0],
    "complex": X + 0j,
}


def checked_by_sklearn(values, **options):
    estimator = BaseEstimator()
    for name, value in options.pop("known", {}).items():
        setattr(estimator, name, value)
    found = validate_data(estimator, values, accept_sparse="csr", dtype=FLOATS, **options)
    return found, vars(estimator)


@pytest.mark.parametrize("values", PLAIN.values(), ids=PLAIN)
def test_arrays_are_read_as_scikit_learn_reads_them(values):
    expected, attributes = checked_by_sklearn(values, reset=True)
    estimator = BaseEstimator()
    for reset in (True, False):
        found = read_rows(estimator, values, reset=reset)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
        assert (found is values) == (expected is values)
        assert vars(estimator) == attributes


@np.errstate(invalid="ignore")  # scikit-learn adds the two infinities
@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("values", BAD.values(), ids=BAD)
def test_arrays_are_refused_as_scikit_learn_refuses_them(values, reset):
    known = {} if reset else {"n_features_in_": 3}
    with pytest.raises(ValueError) as expected:
        checked_by_sklearn(values, reset=reset, known=known)
    estimator = BaseEstimator()
    vars(estimator).update(known)
    with pytest.raises(ValueError) as caught:
        read_rows(estimator, values, reset=reset)
    assert str(caught.value) == str(expected.value)
    assert vars(estimator) == known


def test_numbers_and_names_of_columns_are_those_of_the_fit():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    clf = LogisticClassifier().fit(frame, Y2)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        clf.predict(X)
    clf.fit(X, Y2)
    assert not hasattr(clf, "feature_names_in_")
    with pytest.raises(ValueError, match="X has 2 features, but LogisticClassifier is expecting 3"):
        clf.predict(X[:, :2])
    with pytest.warns(UserWarning, match="X has feature names, but LogisticClassifier was fitted"):
        clf.predict(frame)


def test_assume_finite_is_respected():
    with sklearn.config_context(assume_finite=True):
        found = read_rows(BaseEstimator(), BAD["NaN"], reset=True)
    assert found is BAD["NaN"]


WHEN = pd.date_range("2020-01-01", periods=N)
DATES = {
    "pandas": pd.DataFrame({"when": WHEN}),
    "pandas, two units": pd.DataFrame({"when": WHEN, "then": WHEN.as_unit("s")}),
    "pandas, durations": pd.DataFrame({"since": WHEN - WHEN[0]}),
    "polars": pl.DataFrame({"when": WHEN}),
    "polars, days": pl.DataFrame({"when": WHEN}).with_columns(pl.col("when").cast(pl.Date)),
    "pyarrow": pa.table({"when": pa.array(WHEN)}),
    "numpy": WHEN.to_numpy()[:, None],
}


@pytest.mark.parametrize("X_of_dates", DATES.values(), ids=DATES)
def test_dates_alone_are_not_read_as_numbers(X_of_dates):
    """NumPy would convert them to numbers, whose unit depends on the library and its version."""
    with pytest.raises(TypeError, match=r"X is an? .*\[.*: pass numbers, for example days since"):
        SoftmaxClassifier().fit(X_of_dates, Y2)


def test_dates_in_partitions_are_not_read_as_numbers():
    dd = pytest.importorskip("dask.dataframe")
    X_of_dates = dd.from_pandas(DATES["pandas"], npartitions=2)
    with pytest.raises(TypeError, match=r"in partition .: X is a data frame of datetime64"):
        SoftmaxClassifier().fit(X_of_dates, dd.from_pandas(pd.Series(Y2), npartitions=2))


@pytest.mark.parametrize("names", [["a", "b", "a"], [0, 0, 1]])
def test_columns_of_one_name_are_refused_by_name(names):
    with pytest.raises(ValueError, match=f"X has two columns with the name {names[0]!r}: give"):
        SoftmaxClassifier().fit(pd.DataFrame(X, columns=names), Y2)


def test_frames_without_columns():
    with pytest.raises(ValueError, match="X has no columns: pass at least one feature"):
        SoftmaxClassifier().fit(pd.DataFrame(index=range(N)), Y2)
