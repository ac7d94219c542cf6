"""Fits without a sample: what they cost on ordinary data, and when their end counts as one."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.model_selection import LeaveOneOut as LeaveOneOutSplitter

from skxent import SoftmaxClassifierCV
from skxent.inference.leave_one_out import LeaveOneOut
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.newton_cg import is_minimum
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_ordinary_data_take_no_second_fit(load, monkeypatch):
    """A stage in the coordinates of the fit of all samples ends each fit without one."""
    kinds = []
    whole = LeaveOneOut._minimise

    def counted(self, data, penalty, start, tol, search):
        kinds.append(search)
        return whole(self, data, penalty, start, tol, search)

    monkeypatch.setattr(LeaveOneOut, "_minimise", counted)
    clf = SoftmaxClassifierCV().fit(*load(return_X_y=True))
    assert clf.n_refits_.sum() > 50
    assert kinds == [True]  # the first fit of all samples; Newton steps lead to the others


def problem(seed, K, strength):
    """Samples of which the first decides much, the fit of all, and the objective without it."""
    rng = np.random.default_rng([seed, K])
    X = rng.normal(size=(40, 3))
    X[0] *= 4.0
    P = softmax(strength * X @ rng.normal(size=(3, K)), axis=1)
    y = (P.cumsum(axis=1) < rng.random((40, 1))).sum(axis=1)
    y[:K] = np.arange(K)[::-1]
    alpha = 10.0 ** -rng.integers(0, 5)
    weight = np.ones(40)
    weight[0] = 0.0
    data = LocalRows(X, y, None, K)
    others = LocalRows(X, y, weight, K)
    centre = compute_moments(data).mean
    fits = [
        minimise(d, penalty=Penalty(alpha), start=None, tol=1e-12, max_iter=1000)
        for d in (data, others)
    ]
    after = Objective(others, compute_moments(others), Penalty(alpha), centre)
    start, end = (after.enter(fit.coef, fit.intercept) for fit in fits)
    return rng, after, start, end


@pytest.mark.parametrize("strength", [1.0, 5.0, 30.0])
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("seed", range(10))
def test_an_end_that_counts_is_within_the_target(seed, K, strength):
    """At points of all distances from the minimum: what is true of it, and what is said of it."""
    rng, after, start, end = problem(seed, K, strength)
    model = preconditioners.full(after, start)
    lowest = after(end)
    said = {True: 0, False: 0}
    for distance in 10.0 ** np.arange(-9.0, 1.0):
        direction = rng.normal(size=end.shape)
        direction = direction - direction.mean(axis=0) if K > 2 else direction
        point = after(end + distance * direction)
        gap = point.value - lowest.value
        for target in 10.0 ** np.arange(-10.0, 1.0, 2.0):
            near = is_minimum(
                after, point, start, PreconditionedPoint.of(model, point).decrement, target
            )
            said[bool(near)] += 1
            assert not near or gap <= 2 * target + 1e-12
            assert near or gap > 1e-5 * target
    assert min(said.values()) > 5


@pytest.mark.parametrize("weight", [1e6, 1e12])
@pytest.mark.parametrize("K", [2, 3])
def test_a_soft_sample_with_nearly_all_of_the_weight(weight, K):
    """The fit goes through this sample, whose loss has no slope there, and then far away."""
    X = np.arange(5.0)[:, None]
    Y = np.array([[0.7, 0.3], [0.4, 0.6], [0.5, 0.5], [0.1, 0.9], [0.2, 0.8]])
    Y = np.column_stack([0.8 * Y, np.full(5, 0.2)])[:, :K] if K == 3 else Y
    w = np.array([1.0, weight, 1.0, 1.0, 1.0])
    loo = SoftmaxClassifierCV(Cs=[1.0, 1e3]).fit(X, Y, w)
    folds = SoftmaxClassifierCV(Cs=[1.0, 1e3], cv=LeaveOneOutSplitter()).fit(X, Y, w)
    np.testing.assert_allclose(loo.loo_loss_, folds.mean_loss_, rtol=1e-4)


def test_one_sample_with_weight_is_an_error_that_names_the_weights():
    X, y = np.arange(3.0)[:, None], np.eye(2)[[0, 1, 0]] * 0.5 + 0.25
    with pytest.raises(ValueError, match="sample_weight and class_weight leave only one sample"):
        SoftmaxClassifierCV(Cs=[1.0]).fit(X, y, [1.0, 0.0, 0.0])


def test_a_column_of_one_sample_stays_in_a_fit_without_an_intercept():
    """A soft class has no limit without an intercept: it is fitted as any other."""
    X, Y = np.array([[0.0], [1.0], [1.0], [2.0]]), np.eye(3)[[0, 1, 2, 1]]
    options = dict(Cs=[0.1, 10.0], fit_intercept=False)
    loo = SoftmaxClassifierCV(**options).fit(X, Y)
    folds = SoftmaxClassifierCV(cv=LeaveOneOutSplitter(), **options).fit(X, Y)
    np.testing.assert_allclose(loo.loo_loss_, folds.mean_loss_, rtol=5e-3)


@pytest.mark.parametrize("rest", [1e-9, 1e-14])
def test_a_sample_with_nearly_all_of_a_class(rest):
    """What the others have of the class is little, and a fit without the sample finds it."""
    X, Y = np.arange(8.0)[:, None] % 3, np.tile([1.0, rest], (8, 1))
    Y[0] = 0.1, 0.9
    loo = SoftmaxClassifierCV(Cs=[0.1, 10.0]).fit(X, Y)
    folds = SoftmaxClassifierCV(Cs=[0.1, 10.0], cv=LeaveOneOutSplitter()).fit(X, Y)
    np.testing.assert_allclose(loo.loo_loss_, folds.mean_loss_, rtol=5e-3)


def test_a_step_that_ends_far_from_the_minimum():
    """One sample has nearly all of a class, and its Newton step a fraction of the way."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, size=(33, 3))
    Y = np.column_stack([rng.uniform(0.4, 0.6, size=33), np.full((33, 2), 1e-9)])
    Y[0, 2] = 0.1
    Y[:, 1] = 1.0 - Y[:, 0] - Y[:, 2]
    options = dict(Cs=[0.01], class_weight={2: 110.0})
    loo = SoftmaxClassifierCV(**options).fit(X, Y)
    folds = SoftmaxClassifierCV(cv=LeaveOneOutSplitter(), **options).fit(X, Y)
    np.testing.assert_allclose(loo.loo_loss_, folds.mean_loss_, rtol=5e-3)


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
@pytest.mark.parametrize("own", [1e-6, 0.3])
def test_a_sample_alone_in_a_class_with_a_share_in_others(own):
    """Its loss in the other classes is that of a fit, which has only these classes."""
    X = np.array([[3.0], [0.0], [0.2], [1.0], [1.1], [0.9]])
    Y = np.eye(3)[[0, 0, 0, 1, 1, 1]]
    Y[0] = 1.0 - own, 0.0, own
    loo = SoftmaxClassifierCV(Cs=[100.0]).fit(X, Y)
    folds = SoftmaxClassifierCV(Cs=[100.0], cv=LeaveOneOutSplitter()).fit(X, Y)
    np.testing.assert_allclose(loo.loo_loss_, folds.mean_loss_, rtol=5e-3)
