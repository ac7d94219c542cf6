"""Entropies of Dask collections equal the entropies of the same rows in memory."""

import numpy as np
import pytest

dask = pytest.importorskip("dask")
import dask.array as da  # noqa: E402
from cut_samples import SOFT, K, P, array, frame, other, unknown, with_row  # noqa: E402

from skxent.metrics import (  # noqa: E402
    cross_entropy,
    entropy,
    kl_divergence,
)

pytestmark = pytest.mark.usefixtures("synchronous_dask")


@pytest.mark.parametrize("base", [None, 2])
def test_information(base):
    for cut in (array, other, unknown, frame):
        found = entropy(cut(P), base=base)
        assert isinstance(found, da.Array)
        np.testing.assert_array_equal(found, entropy(P, base=base))
        for function in (cross_entropy, kl_divergence):
            expected = function(SOFT, P, base=base)
            np.testing.assert_array_equal(function(cut(SOFT), cut(P), base=base), expected)
            if cut is not unknown and cut is not frame:
                np.testing.assert_array_equal(function(cut(SOFT), P, base=base), expected)
                np.testing.assert_array_equal(function(SOFT, cut(P), base=base), expected)
            expected = function(SOFT, P[0], base=base)
            np.testing.assert_array_equal(function(cut(SOFT), P[0], base=base), expected)
    cube = P.reshape(5, 12, K)
    np.testing.assert_array_equal(entropy(da.from_array(cube, chunks=2)), entropy(cube))
    assert float(entropy(da.from_array(P[0], chunks=2))) == entropy(P[0])
    with pytest.raises(ValueError, match="p does not sum to 1 in row 4"):
        entropy(array(with_row(24, P, 0.5))).compute()
    with pytest.raises(ValueError, match="base=1"):
        entropy(array(P), base=1)
