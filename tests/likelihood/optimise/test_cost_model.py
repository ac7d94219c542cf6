"""Operations of passes and preconditioners, and whether to fit in the space of the rows."""

import numpy as np
import pytest
import scipy.sparse

from skxent.likelihood import tuning
from skxent.likelihood.optimise.cost_model import CostModel, fits_row_space
from skxent.likelihood.sources.local_rows import LocalRows


def costs_of(n, d, K):
    X = np.broadcast_to(0.0, (n, d))
    return CostModel.of(LocalRows(X, np.zeros(n, dtype=np.intp), None, K))


@pytest.mark.parametrize("K", [2, 3, 10])
def test_widths(K):
    costs = costs_of(1000, 20, K)
    assert costs.width == 21
    assert costs.n_parameters == 21 * max(K - 1, 1) if K > 2 else 21


def test_a_pass_over_next_to_nothing_costs_a_call():
    assert costs_of(2, 2, 2).one_pass == tuning.CALL_OPERATIONS
    assert costs_of(10_000, 100, 3).one_pass == 10_000 * 3 * (4 * 101 + 40)


def test_costs_grow_with_classes():
    """The Hessian with their square, class blocks in proportion; a pass counts more, too."""
    few, many = costs_of(100_000, 50, 5), costs_of(100_000, 50, 10)
    assert many.hessian.row / few.hessian.row == pytest.approx(45 / 10)
    assert many.class_blocks.row == 2 * few.class_blocks.row
    assert many.passes(many.class_blocks, 1000) == pytest.approx(
        few.passes(few.class_blocks, 1000), rel=1e-9
    )


def test_rows_of_a_preconditioner():
    """All where that is cheap; otherwise between some and many for each parameter."""
    small = costs_of(100, 3, 2)
    assert small.sample_rows(small.hessian) == 100
    large = costs_of(10_000_000, 50, 5)
    cost = large.hessian
    rows = large.sample_rows(cost)
    assert tuning.LEAST_ROWS * cost.width <= rows <= tuning.MOST_ROWS * cost.width


def test_space_of_the_rows():
    def fits(n, d, sparse=False, needed=False):
        X = scipy.sparse.csr_array((n, d)) if sparse else np.broadcast_to(0.0, (n, d))
        return fits_row_space(LocalRows(X, np.zeros(n, dtype=np.intp), None, 3), needed)

    assert fits(100, 101)
    assert not fits(100, 100)
    most = tuning.ROW_SPACE_ROWS + 3 * tuning.ROW_SPACE_ROWS_PER_OUTPUT
    assert fits(most, 5000)
    assert not fits(most + 1, 5000)
    assert fits(most + 1, 5000, needed=True)
    assert not fits(100, 200, sparse=True)
    assert fits(100, 200, sparse=True, needed=True)
    assert not fits(5000, 5000 + tuning.ROW_SPACE_NUMBERS // 5000, needed=True)
