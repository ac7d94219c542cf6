"""Sums with an offset equal those of a wider model whose other coefficients are the offset's."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from skxent.likelihood import tuning
from skxent.likelihood.sources import grams
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments

N, OWN, WIDE = 150, 3, 5  # the columns OWN to WIDE of the wider model make the offset


@pytest.fixture(params=["one block", "many blocks"])
def block_size(request, monkeypatch):
    if request.param == "many blocks":
        monkeypatch.setattr(tuning, "ONE_BLOCK_ELEMENTS", 100)
        monkeypatch.setattr(tuning, "BLOCK_ELEMENTS", 700)
        monkeypatch.setattr(tuning, "SPARSE_BLOCK_ENTRIES", 200)
        monkeypatch.setattr(tuning, "PACKED_WIDTH", 0)


def models(K, form, weighted, kind):
    """Return the sums and parameters of the model with an offset, and of the wider model."""
    rng = np.random.default_rng(K)
    X = rng.normal(size=(N, WIDE))
    R = 1 if K == 2 else K
    theta = rng.normal(size=(R, WIDE + 1))
    theta -= theta.mean(axis=0) if K > 2 else 0
    targets = rng.dirichlet(np.ones(K), size=N) if kind == "soft" else rng.integers(0, K, N)
    weight = rng.integers(0, 3, N).astype(float) if weighted else None
    offset = theta[:, OWN:WIDE] @ X[:, OWN:].T
    wide = LocalRows(form(X), targets, weight, K)
    narrow = replace(wide, X=form(X[:, :OWN]), offset=offset)
    own = [*range(OWN), WIDE]
    return narrow, theta[:, own], wide, theta, own


def cut(matrix, own):
    """The rows and columns `own` of matrices (q, p, p)."""
    return matrix[:, own][:, :, own]


@pytest.mark.parametrize("kind", ["labels", "soft"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("K", [2, 3, 6])
@pytest.mark.parametrize("far", [False, True])
def test_every_sum_of_the_wider_model(K, form, weighted, kind, far, block_size):
    narrow, theta, wide, all_theta, own = models(K, form, weighted, kind)
    centre = np.array([0.3, -2.0, 1.0])
    theta = theta.copy()
    theta[:, -1] += theta[:, :OWN] @ centre  # the same logits from centred rows
    one, other = narrow.sums(centre, far), wide.sums(None, False)
    close = {"rtol": 1e-10, "atol": 1e-10}
    inner = [*range(OWN), OWN]

    def uncentred(gradient):
        gradient[:, :OWN] += np.outer(gradient[:, -1], centre)
        return gradient

    value, gradient = one.log_partition(theta)
    expected, slopes = other.log_partition(all_theta)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(uncentred(gradient), slopes[:, own], **close)
    value, sensitivity, gradient = one.losses(theta)
    expected, least, slopes = other.losses(all_theta)
    assert value == pytest.approx(expected, rel=1e-12)
    assert sensitivity >= least
    np.testing.assert_allclose(uncentred(gradient), slopes[:, own], **close)
    np.testing.assert_allclose(
        one.sampling_scores(theta), other.sampling_scores(all_theta), **close
    )
    direction = np.random.default_rng(1).normal(size=theta.shape)
    along = np.zeros_like(all_theta)
    along[:, own] = direction
    along[:, WIDE] -= direction[:, :OWN] @ centre
    product = uncentred(one.hessian_product(theta, direction))
    np.testing.assert_allclose(product, other.hessian_product(all_theta, along)[:, own], **close)
    assert one.max_logit_range(direction) == pytest.approx(other.max_logit_range(along), rel=1e-12)
    lengths = np.array([0.0, 0.5, 4.0])
    np.testing.assert_allclose(
        one.slopes(theta, direction, lengths), other.slopes(all_theta, along, lengths), **close
    )
    one = narrow.sums(None, False)
    theta = all_theta[:, own]
    for name in ("hessian_gram", "class_block_grams"):
        found = grams.unpacked(getattr(one, name)(theta, 0.1), OWN + 1)
        expected = grams.unpacked(getattr(other, name)(all_theta, 0.1), WIDE + 1)
        np.testing.assert_allclose(cut(found, inner), cut(expected, own), **close)
    found, expected = one.hessian_diagonal(theta, 0.1), other.hessian_diagonal(all_theta, 0.1)
    np.testing.assert_allclose(found, expected[:, own], **close)


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("K", [2, 4])
def test_sum_of_losses(K, form):
    narrow, theta, wide, all_theta, _ = models(K, form, True, "labels")
    found = narrow.sum_of_losses(theta[:, :OWN], theta[:, -1])
    expected = wide.sum_of_losses(all_theta[:, :WIDE], all_theta[:, -1])
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("with_scores", [False, True])
@pytest.mark.parametrize("K", [2, 4])
def test_a_sample_keeps_the_offsets_of_its_rows(K, with_scores):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 3))
    offset = np.outer(np.arange(1.0, 1 + (1 if K == 2 else K)), X[:, 0])
    data = LocalRows(X, rng.integers(0, K, 5000), None, K, offset=offset)
    scores = rng.random(5000) if with_scores else None
    centre = np.array([1.0, 0.0, 0.0])
    sample = data.sample(compute_moments(data), centre, 500, scores)
    assert 300 < sample.n_rows < 1000
    expected = np.outer(offset[:, 0] / X[0, 0], sample.X[:, 0] + 1.0)
    np.testing.assert_allclose(sample.offset, expected, rtol=1e-12, atol=1e-12)
