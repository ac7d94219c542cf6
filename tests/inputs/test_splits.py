"""Folds given as pairs of indices or masks."""

import numpy as np
import pytest
from metric_samples import MODEL, N, X, Y
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skxent.inputs.splits import read_splits
from skxent.metrics import compare_cv

BAD_FOLDS = {
    "beyond": ([(np.arange(20), np.arange(20, N + 1))], rf"cv has test indices .* like {N}, "),
    "below": ([(np.arange(-N - 1, 3), np.arange(3, 9))], "cv has training indices in fold 0"),
    "fractions": ([(np.arange(20) + 0.5, np.arange(20, N))], "cv has training indices in fold 0"),
    "matrices": ([(np.arange(20)[None], np.arange(20, N))], "cv has training indices in fold 0"),
    "numbers": ([1, 2], "cv has a int for fold 0"),
    "singles": ([(np.arange(5),)], "cv has a tuple for fold 0"),
}


@pytest.mark.parametrize("folds, message", BAD_FOLDS.values(), ids=BAD_FOLDS)
def test_folds_that_are_no_pairs_of_indices_are_named(folds, message):
    for cv in (folds, iter(folds)):
        with pytest.raises(ValueError, match=message):
            compare_cv({"a": MODEL, "b": LogisticRegression()}, X, Y, baseline="a", cv=cv)


def test_masks_and_lists_are_folds():
    folds = [(np.arange(N) % 5 != k, [i for i in range(N) if i % 5 == k]) for k in range(5)]
    numbers = [(np.flatnonzero(train), np.array(test)) for train, test in folds]
    models = {"a": MODEL, "b": GaussianNB(var_smoothing=0.1)}
    one, other = (compare_cv(models, X, Y, baseline="a", cv=cv) for cv in (folds, numbers))
    np.testing.assert_array_equal(one.difference, other.difference)


@pytest.mark.parametrize("kind", [np.int8, np.int64, list])
def test_negative_indices_count_from_the_end(kind):
    test = [-3, -2, -1, 0, 1]
    test = test if kind is list else np.array(test, dtype=kind)
    ((_, found),) = read_splits([(np.arange(5, 200), test)], X, Y, {}, 500)
    assert found.tolist() == [497, 498, 499, 0, 1]
    assert found.dtype == np.intp
