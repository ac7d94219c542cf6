"""Fits of wide sparse rows with many classes begin in float32 and end at the float64 optimum."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.exceptions import ConvergenceWarning

from skxent import SoftmaxClassifier
from skxent.likelihood import tuning
from skxent.likelihood.sources import sparse_single_sums
from skxent.likelihood.sources.local_sums import LocalSums
from skxent.likelihood.sources.single_sums import SingleSums

K = 8


def samples(n=500, d=300, seed=0):
    """Rows whose columns differ in their number of entries as words of a text do."""
    rng = np.random.default_rng(seed)
    share = 1.0 / np.arange(1, d + 1)
    columns = rng.permutation(d)[rng.choice(d, size=n * 15, p=share / share.sum())]
    entries = rng.exponential(size=n * 15)
    X = scipy.sparse.csr_array((entries, (np.repeat(np.arange(n), 15), columns)), shape=(n, d))
    X.sum_duplicates()
    y = (X @ rng.normal(size=(d, K)) + rng.gumbel(size=(n, K))).argmax(axis=1)
    return X, y


@pytest.fixture
def passes(monkeypatch):
    """Passes over rows of any size: the method, and whether its products are in float32."""
    monkeypatch.setattr(sparse_single_sums, "LEAST_PARAMETERS", 1)
    monkeypatch.setattr(tuning, "SPARSE_FEATURES", 100)
    found = []
    for name in ("log_partition", "hessian_product"):
        original = getattr(LocalSums, name)

        def counted(self, *arguments, name=name, original=original):
            found.append((name, isinstance(self, SingleSums)))
            return original(self, *arguments)

        monkeypatch.setattr(LocalSums, name, counted)
    return found


def in_double(monkeypatch, fit):
    with monkeypatch.context() as context:
        context.setattr(sparse_single_sums, "LEAST_PARAMETERS", 1 << 60)
        return fit()


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
@pytest.mark.parametrize(
    "form", ["labels", "weights", "offset", "soft", "factors", "no intercept", "float32"]
)
def test_the_optimum_is_that_of_float64(C, form, passes, monkeypatch):
    X, y = samples()
    rng = np.random.default_rng(1)
    model, arguments = {}, {}
    if form == "weights":
        arguments["sample_weight"] = rng.exponential(size=len(y)) * (rng.random(len(y)) > 0.1)
    if form == "offset":
        arguments["offset"] = rng.normal(size=(len(y), K))
    if form == "soft":
        y = 0.8 * np.eye(K)[y] + 0.2 / K
    if form == "factors":
        model["penalty_factor"] = rng.uniform(0.5, 2.0, size=X.shape[1])
    if form == "no intercept":
        model["fit_intercept"] = False
    X = X.astype(np.float32) if form == "float32" else X

    def fit():
        return SoftmaxClassifier(C=C, **model).fit(X, y, **arguments)

    expected = in_double(monkeypatch, fit)
    assert not any(single for _, single in passes)
    passes.clear()
    found = fit()
    for name in ("log_partition", "hessian_product"):
        singles = [single for each, single in passes if each == name]
        assert any(singles)
        assert not singles[-1]  # neither the objective nor the certificate relies on float32
    assert found.converged_ and expected.converged_
    assert found.optimality_gap_ <= found.target_gap_
    assert abs(found.objective_ - expected.objective_) <= expected.target_gap_


def test_products_that_are_wrong_in_float32_spoil_no_certificate(passes, monkeypatch):
    """A product whose error is much larger than its estimate must not end the fit."""
    X, y = samples()
    expected = in_double(monkeypatch, lambda: SoftmaxClassifier(tol=1e-10).fit(X, y))
    original = SingleSums.hessian_product
    noise = np.random.default_rng(1).uniform(0.9, 1.1, size=(K, X.shape[1] + 1))
    monkeypatch.setattr(
        SingleSums, "hessian_product", lambda self, *at: original(self, *at) * noise
    )
    found = SoftmaxClassifier().fit(X, y)
    assert any(single for name, single in passes if name == "hessian_product")
    gap = found.objective_ - expected.objective_
    assert found.converged_
    assert -1e-9 < gap <= found.optimality_gap_ + 1e-9 <= found.target_gap_ + 1e-9


def test_a_fit_continues_from_given_parameters(passes):
    X, y = samples()
    model = SoftmaxClassifier(warm_start=True, tol=1e-6).fit(X, y)
    first = model.coef_
    passes.clear()
    model.fit(X, y)
    assert len(passes) < 60
    np.testing.assert_allclose(model.coef_, first, atol=1e-3 * np.abs(first).max())


def test_nearly_separated_classes_use_no_products_in_float32(passes, monkeypatch):
    """Their curvature is below the epsilon of float32."""
    X, y = samples(n=150)
    model = SoftmaxClassifier(C=1e6).fit(X, y)
    assert model.converged_
    assert not any(single for name, single in passes if name == "hessian_product")
    expected = in_double(monkeypatch, lambda: SoftmaxClassifier(C=1e6).fit(X, y))
    assert model.objective_ == pytest.approx(expected.objective_, rel=1e-6)


def test_separated_classes_have_no_maximum(passes):
    X, y = samples(n=150)
    with pytest.warns(ConvergenceWarning):
        model = SoftmaxClassifier(C=np.inf).fit(X, y)
    assert model.objective_ < 1e-6
