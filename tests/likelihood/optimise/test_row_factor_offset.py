"""With an offset, the factor from the rows is that of the Hessian at the logits with the offset."""

import numpy as np
import pytest

from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise.preconditioners import hessian
from skxent.likelihood.optimise.row_factor import RowFactor
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize("residual_weight", [0.0, 0.1])
def test_the_factor_and_the_margins(K, residual_weight):
    rng = np.random.default_rng(K)
    X, O = rng.normal(size=(60, 3)), 3 * rng.normal(size=(1 if K == 2 else K, 60))
    data = LocalRows(X, rng.integers(0, K, 60), None, K, offset=O)
    objective = Objective(data, compute_moments(data), Penalty(), None)
    theta = rng.normal(size=data.theta_shape)
    factor = RowFactor.of(objective, theta, residual_weight, np.ones(3))
    R = np.zeros((len(factor.order), len(factor.scale)))
    R[:, factor.order] = factor.R
    expected = hessian(objective, theta, residual_weight)
    np.testing.assert_allclose(R.T @ R, expected, rtol=1e-9, atol=1e-10)
    Z = np.column_stack([X, np.ones(60)]) @ theta.T + O.T
    ordered = np.sort(Z, axis=1)
    margin = np.abs(Z[:, 0]) if K == 2 else ordered[:, -1] - ordered[:, -2]
    np.testing.assert_allclose(factor.margin, margin, rtol=1e-10, atol=1e-12)
