"""Sizes decide which models a fit may use; these are the promises about them."""

import numpy as np
import pytest
import scipy.sparse as sp

from skxent.likelihood import tuning
from skxent.likelihood.optimise.choices import SPARSE_STAGE, Kind, plan
from skxent.likelihood.sources.local_rows import LocalRows

SIZES = [(n, d, K) for n in (50, 2000, 10**5, 10**7) for d in (2, 40, 700) for K in (2, 5, 60)]


def plan_of(n, d, K, sparse=False):
    X = sp.csr_array((n, d)) if sparse else np.broadcast_to(np.zeros(d), (n, d))
    return plan(LocalRows(X, np.zeros(n, dtype=np.intp), None, K)), X


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_ladder_leads_from_cheap_to_dear(size):
    chosen, _ = plan_of(*size)
    costs = [choice.passes for choice in chosen.choices]
    assert costs == sorted(costs)
    assert costs[0] > 0


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_ladder_ends_with_all_rows(size):
    chosen, _ = plan_of(*size)
    assert chosen.choices[-1].rows is None
    assert all(choice.rows < size[0] for choice in chosen.choices[:-1] if choice.rows)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_samples_grow(size):
    chosen, _ = plan_of(*size)
    assert list(chosen.first_rows) == sorted(chosen.first_rows)
    assert all(rows < size[0] for rows in chosen.first_rows)


@pytest.mark.parametrize("size", [(150, 4, 3), (569, 30, 2), (178, 13, 3)], ids=str)
def test_small_data_take_newton_steps(size):
    (choice,) = plan_of(*size)[0].choices
    assert choice.is_hessian and choice.newton


def test_models_fit_into_memory():
    for size in [(2000, 4500, 3), (2000, 12500, 2), (10**5, 700, 60)]:
        for choice in plan_of(*size)[0].choices:
            p, R = size[1] + 1, size[2] if size[2] > 2 else 1
            elements = {
                Kind.DIAGONAL: p * R,
                Kind.CLASS_BLOCKS: R * p * p,
                Kind.DRAWN_CLASS_BLOCKS: R * p * p,
                Kind.HESSIAN: (max(R - 1, 1) * p) ** 2,
            }[choice.kind]
            assert elements <= max(tuning.CLASS_ELEMENTS, tuning.HESSIAN_WIDTH**2)


def test_wide_sparse_data_stay_sparse():
    chosen, _ = plan_of(5000, 40_000, 4, sparse=True)
    assert [choice.kind for choice in chosen.choices] == [Kind.DIAGONAL]
    assert not chosen.first_rows


def test_dear_class_blocks_are_drawn():
    chosen, _ = plan_of(20_000, 784, 10)
    models = [choice.kind for choice in chosen.choices]
    assert models == [Kind.DIAGONAL, Kind.DRAWN_CLASS_BLOCKS]
    assert chosen.choices[1].passes < 20


@pytest.mark.parametrize("K", [2, 60])
def test_stages_over_wide_sparse_rows_of_many_classes_are_longer(K):
    wide, _ = plan_of(1000, 5000, K, sparse=True)
    kind = Kind.DAMPED_DIAGONAL if K == 60 else Kind.DIAGONAL
    assert [choice.kind for choice in wide.choices] == [kind]
    assert wide.choices[0].is_diagonal
    assert wide.choices[0].iterations == (SPARSE_STAGE if K == 60 else tuning.DIAGONAL_STAGE)
    assert wide.choices[0].iterations >= (18 if K == 60 else 6)
    assert wide.cg_gap > 0
