"""Searches on float32 rows begin in float32, and end in float64 with the same result."""

import numpy as np
import pytest

from skxent import SoftmaxClassifier
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise.search import Search
from skxent.likelihood.sources.local_sums import LocalSums
from skxent.likelihood.sources.single_sums import SingleSums

N = 40_000


def samples(K=3, offset=0.0, close=None, n=N, d=20):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d))
    if close is not None:
        X[:, d // 2 :] = X[:, : d - d // 2] + close * X[:, d // 2 :]
    y = (X @ rng.normal(size=(d, K)) + rng.gumbel(size=(n, K))).argmax(axis=1)
    return (X * rng.uniform(0.5, 20.0, size=d) + offset).astype(np.float32), y


@pytest.fixture
def passes(monkeypatch):
    """Numbers of passes over all rows: the method, and whether its products are in float32."""
    found = []
    for name in ("log_partition", "hessian_product"):
        original = getattr(LocalSums, name)

        def counted(self, *arguments, name=name, original=original):
            if self.data.n_rows > N // 2:
                found.append((name, isinstance(self, SingleSums)))
            return original(self, *arguments)

        monkeypatch.setattr(LocalSums, name, counted)
    return found


@pytest.mark.parametrize(
    "arguments", [{}, {"K": 2, "n": 60_000, "d": 30}, {"K": 12}, {"offset": 1e6}, {"close": 1e-3}]
)
@pytest.mark.parametrize("C", [1.0, np.inf])
def test_the_optimum_is_that_of_float64(arguments, C, passes):
    X, y = samples(**arguments)
    expected = SoftmaxClassifier(C=C).fit(X.astype(np.float64), y)
    assert not any(single for _, single in passes)
    passes.clear()
    found = SoftmaxClassifier(C=C).fit(X, y)
    assert sum(single for _, single in passes) >= 2
    evaluations = [single for name, single in passes if name == "log_partition"]
    assert evaluations == sorted(evaluations, reverse=True)  # float64 from some pass to the end
    assert not evaluations[-1]
    assert found.converged_ and expected.converged_
    assert found.optimality_gap_ <= found.target_gap_
    assert abs(found.objective_ - expected.objective_) <= expected.target_gap_
    loss = -found.log_likelihood(X.astype(np.float64), y)
    assert found.log_likelihood_ == pytest.approx(-loss, rel=1e-11)
    if not np.isfinite(C):
        assert not any(single for name, single in passes if name == "hessian_product")


def test_objectives_of_the_curve_fall(passes):
    X, y = samples()
    clf = SoftmaxClassifier().fit(X, y)
    values = [value for _, value in clf.objective_curve_]
    assert values == sorted(values, reverse=True)
    assert values[-1] == clf.objective_
    assert len(values) == clf.n_iter_


@pytest.mark.parametrize("change", ["separation", "newton", "max_iter", "small", "warm"])
def test_fits_that_stay_in_float64(change, passes):
    X, y = samples()
    clf = SoftmaxClassifier()
    if change == "separation":
        y = (X[:, 0] > 0).astype(int)
        X[y == 1, 0] += 1e4
        clf.set_params(C=1e6)
    elif change == "newton":
        clf.set_params(solver="newton")
    elif change == "max_iter":
        clf.set_params(max_iter=0)
    elif change == "small":
        X, y = X[:2000], y[:2000]
    else:
        clf.set_params(warm_start=True).fit(X, y)
        passes.clear()
    if change == "max_iter":
        with pytest.warns(match="max_iter"):
            clf.fit(X, y)
    else:
        clf.fit(X, y)
    assert not any(single for name, single in passes if name == "log_partition") or (
        change == "separation" and not passes[-1][1]
    )


def test_no_search_ends_at_a_point_in_float32(monkeypatch):
    points = []
    original = Search.solution

    def kept(self):
        points.append(self.point)
        return original(self)

    monkeypatch.setattr(Search, "solution", kept)
    X, y = samples()
    for max_iter in (1, 2, 3, 1000):
        clf = SoftmaxClassifier(max_iter=max_iter)
        if max_iter < 1000:
            with pytest.warns(match="max_iter"):
                clf.fit(X, y)
        else:
            clf.fit(X, y)
        assert clf.n_iter_ <= max_iter
    assert not any(point.single for point in points)


def test_an_error_of_float32_values_ends_in_float64(monkeypatch):
    """Values in float32 that are noise keep the search from nothing but its first stages."""
    X, y = samples()
    expected = SoftmaxClassifier().fit(X, y)
    original, rng = Objective._single_loss, np.random.default_rng(0)

    def noisy(self, theta):
        theta, loss, gradient, rounding = original(self, theta)
        return theta, loss * rng.uniform(0.9, 1.1), gradient, rounding

    monkeypatch.setattr(Objective, "_single_loss", noisy)
    found = SoftmaxClassifier().fit(X, y)
    assert found.converged_
    assert abs(found.objective_ - expected.objective_) <= expected.target_gap_
