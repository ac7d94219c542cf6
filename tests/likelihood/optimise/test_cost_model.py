"""Sizes decide which models a fit may use; these are the promises about them."""

import numpy as np
import pytest
import scipy.sparse as sp

from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.cost_model import CLASS_ELEMENTS, FULL_WIDTH, plan
from skxent.likelihood.sources.local_rows import LocalRows

SIZES = [(n, d, K) for n in (50, 2000, 10**5, 10**7) for d in (2, 40, 700) for K in (2, 5, 60)]


def ladder_of(n, d, K, sparse=False):
    X = sp.csr_array((n, d)) if sparse else np.broadcast_to(np.zeros(d), (n, d))
    return plan(LocalRows(X, np.zeros(n, dtype=np.intp), None, K)), X


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_ladder_leads_from_cheap_to_dear(size):
    chosen, _ = ladder_of(*size)
    costs = [rung.passes for rung in chosen.ladder]
    assert costs == sorted(costs)
    assert costs[0] > 0


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_ladder_ends_with_all_rows(size):
    chosen, _ = ladder_of(*size)
    assert chosen.ladder[-1].rows is None
    assert all(rung.rows < size[0] for rung in chosen.ladder[:-1] if rung.rows)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_samples_grow(size):
    chosen, _ = ladder_of(*size)
    assert list(chosen.first_rows) == sorted(chosen.first_rows)
    assert all(rows < size[0] for rows in chosen.first_rows)


@pytest.mark.parametrize("size", [(150, 4, 3), (569, 30, 2), (178, 13, 3)], ids=str)
def test_small_data_take_newton_steps(size):
    (rung,) = ladder_of(*size)[0].ladder
    assert rung.exact and rung.newton


def test_models_fit_into_memory():
    for size in [(2000, 4500, 3), (2000, 12500, 2), (10**5, 700, 60)]:
        for rung in ladder_of(*size)[0].ladder:
            p, R = size[1] + 1, size[2] if size[2] > 2 else 1
            elements = {
                preconditioners.diagonal: p * R,
                preconditioners.classes: R * p * p,
                preconditioners.drawn_classes: R * p * p,
                preconditioners.full: (max(R - 1, 1) * p) ** 2,
            }[rung.model]
            assert elements <= max(CLASS_ELEMENTS, FULL_WIDTH**2)


def test_wide_sparse_data_stay_sparse():
    chosen, _ = ladder_of(5000, 40_000, 4, sparse=True)
    assert [rung.model for rung in chosen.ladder] == [preconditioners.diagonal]
    assert not chosen.first_rows


def test_dear_class_blocks_are_drawn():
    chosen, _ = ladder_of(20_000, 784, 10)
    models = [rung.model for rung in chosen.ladder]
    assert models == [preconditioners.diagonal, preconditioners.drawn_classes]
    assert chosen.ladder[1].passes < 20
