"""Held-out predictions and their calibration by other samples."""

from functools import partial

import numpy as np
import pytest
from scipy.special import log_softmax

from skxent.classifiers.calibration_fit import Calibration
from skxent.classifiers.held_out_predictions import HeldOut, HeldOutFit, cross_fitted
from skxent.inputs.labels import as_labels

fit_bias = partial(Calibration.of, "bias", tol=1e-9)


def draw(n=60, K=3):
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(n, K))
    y = (Z + rng.gumbel(size=(n, K))).argmax(axis=1)
    return log_softmax(2 * Z, axis=1), y


def splits_of(folds):
    return [(np.flatnonzero(folds != f), np.flatnonzero(folds == f)) for f in np.unique(folds)]


def test_rows_and_folds():
    L, y = draw(6)
    found = HeldOut.of_fitted(L, splits_of(np.array([1, 0, 1, 0, 2, 2])))
    assert found.rows.tolist() == [1, 3, 0, 2, 4, 5]
    assert found.folds.tolist() == [0, 0, 1, 1, 2, 2]
    np.testing.assert_array_equal(found.log_p, L[found.rows])
    assert not found.repeats
    assert found.weights(y, None).tolist() == [1.0] * 6
    assert HeldOut.of_fitted(L, [], every=True).rows.tolist() == list(range(6))


def test_rows_of_a_sample_share_its_weight():
    L, y = draw(4)
    found = HeldOut.of_fitted(L, [(None, np.array([0, 1])), (None, np.array([1, 2]))])
    assert found.repeats
    assert found.weights(y, np.array([1.0, 3.0, 5.0, 7.0])).tolist() == [1.0, 1.5, 1.5, 5.0]


@pytest.mark.parametrize("C", [1e3, np.inf])
@pytest.mark.parametrize("method", ["temperature", "bias", "vector"])
def test_a_sample_is_no_part_of_its_own_calibration(method, C):
    """A changed truth of one sample changes the calibration of other folds only."""
    L, y = draw()
    folds = np.arange(60) % 4
    held_out = HeldOut.of_fitted(L, splits_of(folds))
    other = y.copy()
    other[7] = (y[7] + 1) % 3
    fit = partial(Calibration.of, method, tol=1e-9, C=C)
    one, two = (
        cross_fitted(held_out, truth[held_out.rows], np.ones(60), fit) for truth in (y, other)
    )
    same = (one == two).all(axis=1)
    assert np.array_equal(same, held_out.folds == folds[7])
    train = folds != 2
    found = fit(L[train], y[train], np.ones(45))
    np.testing.assert_allclose(one[held_out.folds == 2], found.logits(L[folds == 2]), atol=1e-6)


def test_a_single_fold_is_divided():
    L, y = draw()
    held_out = HeldOut.of_fitted(L, [(None, np.arange(60))])
    other = y.copy()
    other[7] = (y[7] + 1) % 3
    one, two = (cross_fitted(held_out, truth, np.ones(60), fit_bias) for truth in (y, y))
    assert np.array_equal(one, two)
    weight = np.where(np.arange(60) == 7, 0.0, 1.0)
    without = cross_fitted(held_out, y, weight, fit_bias)
    assert np.array_equal(one[7], without[7])
    assert 10 <= (one == without).all(axis=1).sum() <= 14


def test_repeated_samples_stay_together():
    """A map for a fold knows none of its samples, also where another fold has them, too."""
    L, y = draw()
    tests = [np.arange(30), np.arange(20, 60), np.arange(40, 60)]
    held_out = HeldOut.of_fitted(L, [(None, test) for test in tests])
    target = y[held_out.rows]
    logits = cross_fitted(held_out, target, np.ones(len(target)), fit_bias)
    train = ~np.isin(held_out.rows, tests[0])
    fit = Calibration.of("bias", held_out.log_p[train], target[train], np.ones(train.sum()), 1e-9)
    np.testing.assert_array_equal(logits[:30], fit.logits(L[:30]))


def test_too_few_folds():
    L, y = draw()
    held_out = HeldOut.of_fitted(L, [(None, np.arange(60)), (None, np.arange(3))])
    with pytest.raises(ValueError, match="without fold 0 of cv no held-out sample"):
        cross_fitted(held_out, y[held_out.rows], np.ones(63), fit_bias)


def test_impossible_classes_are_floored():
    L, _ = draw()
    L[3, 1] = -np.inf
    floor = np.log(np.finfo(float).eps)
    assert HeldOut.of_fitted(L, [], every=True).log_p[3, 1] == pytest.approx(floor)
    L[4, 2] = -90.0
    assert HeldOut.of_fitted(L, [], every=True).log_p[3, 1] == -90.0


def test_a_soft_target_with_a_class_that_a_fold_lacks_is_not_known():
    target = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.75, 0.25], [0.0, 1.0, 0.0]])
    L, _ = draw(4)
    splits = splits_of(np.array([0, 0, 1, 1]))
    fits = [HeldOutFit(None, "auto", ()) for _ in splits]
    for fit, (_, test) in zip(fits, splits, strict=True):
        fit.log_p_, fit.classes_ = L[test], as_labels(np.arange(3), "classes_")
    found = HeldOut.of_fits(fits, splits, as_labels(np.arange(3), "classes_"), target)
    assert found.known.tolist() == [[False, True, True], [True, True, False]]
    assert found.is_known(target).tolist() == [False, False, False, True]
    assert found.weights(target, None).tolist() == [0.0, 0.0, 0.0, 1.0]
