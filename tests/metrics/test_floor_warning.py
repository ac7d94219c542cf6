"""The warning about floored probabilities names the samples."""

import numpy as np
import pandas as pd
import pytest
from extreme_samples import caught

from skxent.metrics import binary_cross_entropy, categorical_cross_entropy

NAMES = np.array(["ant", "bee", "cow"])


def problem(seed, n=60, K=3):
    rng = np.random.default_rng(seed)
    codes, top = rng.integers(K, size=(2, n))
    P = np.full((n, K), 0.0)
    P[np.arange(n), top] = 1.0
    tiny = np.where(codes == 0, 0.0, 10.0 ** -rng.integers(17, 300, size=n))
    P[np.arange(n), codes] = np.where(codes == top, 1.0, tiny)
    return codes, P, np.flatnonzero(codes != top)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("form", ["labels", "one-hot", "frame"])
def test_rows_classes_and_costs(seed, form):
    codes, P, rows = problem(seed)
    y = NAMES[codes] if form == "labels" else np.eye(3)[codes]
    y = pd.DataFrame(y, columns=NAMES) if form == "frame" else y
    options = {} if form == "frame" else {"labels": NAMES}
    p = pd.DataFrame(P, columns=NAMES) if form == "frame" else P
    (found,) = caught(lambda: categorical_cross_entropy(y, p, **options))
    text = str(found.message)
    assert text.startswith(f"{len(rows)} of 60 samples")
    for row in rows[:3]:
        with np.errstate(divide="ignore"):
            cost = -np.log(P[row, codes[row]])
        assert f"row {row} (class '{NAMES[codes[row]]}', exact cost {cost:.4g} nats)" in text
    assert f"row {rows[3]} " not in text and ", ..." in text
    assert "36.04 nats" in text


def test_later_blocks_of_rows(monkeypatch):
    codes, P, rows = problem(0)
    split = [slice(i, i + 1) for i in range(60)]
    monkeypatch.setattr("skxent.metrics.row_forms.blocks_of", lambda array: iter(split))
    (found,) = caught(lambda: categorical_cross_entropy(codes, P))
    assert f"{len(rows)} of 60" in str(found.message) and f"row {rows[2]} " in str(found.message)


def test_outcomes():
    y = np.array([[0, 1], [1, 0], [1, 1]])
    p = np.array([[0.5, 0.0], [0.5, 0.5], [1e-20, 0.5]])
    (found,) = caught(lambda: binary_cross_entropy(y, p))
    assert "row 0 (column 1, exact cost inf nats)" in str(found.message)
    assert "row 2 (column 0, exact cost 46.05 nats)" in str(found.message)
