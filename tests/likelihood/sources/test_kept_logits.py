"""What is kept serves the same parameters only, also if an array is changed in place."""

import numpy as np
import pytest

from skxent.likelihood import tuning
from skxent.likelihood.sources.kept_logits import KeptBlocks, KeptLine
from skxent.likelihood.sources.local_rows import LocalRows


def test_curvature_at_other_parameters_is_not_known():
    theta = np.ones((3, 4))
    kept = KeptBlocks.at(theta, None)
    kept.blocks[0] = np.zeros(5)
    kept.known.add(0)
    assert KeptBlocks.at(theta.copy(), kept) is kept
    theta[0, 0] = 2.0
    other = KeptBlocks.at(theta, kept)
    assert not other.known
    assert other.blocks[0] is kept.blocks[0]  # reused as space


@pytest.mark.parametrize("changed", [0, 1])
def test_another_line_has_no_logits(changed):
    line = [np.ones((3, 4)), np.full((3, 4), 2.0)]
    kept = KeptLine.of(*line, None)
    kept.blocks[0] = np.zeros(5), np.zeros(5)
    assert KeptLine.of(line[0].copy(), line[1].copy(), kept) is kept
    line[changed][0, 0] = 7.0
    assert not KeptLine.of(*line, kept).blocks


@pytest.mark.parametrize("few", [True, False])
@pytest.mark.parametrize("K", [2, 3])
def test_slopes_on_a_kept_line(monkeypatch, K, few):
    """Kept or computed again, in many blocks with weights, slopes are the same bits."""
    monkeypatch.setattr(tuning, "ONE_BLOCK_ELEMENTS", 100)
    monkeypatch.setattr(tuning, "BLOCK_ELEMENTS", 700)
    monkeypatch.setattr(tuning, "KEPT_PROBABILITIES", 1 << 20 if few else 1)
    rng = np.random.default_rng(0)
    X, y, weight = rng.normal(size=(60, 4)), rng.integers(K, size=60), rng.uniform(size=60)
    data = LocalRows(X, y, weight, K)
    theta, direction = rng.normal(size=(2, *data.theta_shape))
    lengths, sums = np.array([0.0, 0.5, 4.0]), data.sums(None, False)
    first = sums.slopes(theta, direction, lengths)
    np.testing.assert_array_equal(sums.slopes(theta, direction, lengths[:2]), first[:2])
    theta += 1.0
    direction[0] *= -1.0
    fresh = data.sums(None, False).slopes(theta, direction, lengths)
    np.testing.assert_array_equal(sums.slopes(theta, direction, lengths), fresh)
    expected = [np.vdot(sums.log_partition(theta + t * direction)[1], direction) for t in lengths]
    np.testing.assert_allclose(fresh, expected, rtol=1e-10)
