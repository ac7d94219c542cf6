"""What happens exactly at a limit: of a block of rows, of a table, of the size of losses."""

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from skxent import (
    ZeroProbabilityWarning,
    categorical_cross_entropy,
    cce_scorer,
    cross_entropy_report,
    mean_loss_interval,
)
from skxent.inputs.predictions import row_blocks


@pytest.mark.parametrize(
    ("shape", "size", "blocks"),
    [
        ((5, 2), 4, [(0, 2), (2, 4), (4, 5)]),
        ((4, 2), 4, [(0, 2), (2, 4)]),
        ((3, 9), 4, [(0, 1), (1, 2), (2, 3)]),
        ((3,), 2, [(0, 2), (2, 3)]),
        ((2, 3, 2), 6, [(0, 1), (1, 2)]),
        ((2, 0), 6, [(0, 2)]),
        ((0, 3), 6, []),
    ],
)
def test_blocks_of_rows_meet_and_do_not_overlap(shape, size, blocks):
    assert list(row_blocks(shape, size)) == [slice(*block) for block in blocks]


def test_blocks_hold_a_quarter_of_a_megabyte():
    first, *_, last = row_blocks((100_000, 4))
    assert (first.stop * 4 * 8, last.stop) == (256 * 1024, 100_000)


@pytest.mark.parametrize("n", [32768, 32769, 70000])
def test_capped_samples_are_counted_once_over_blocks(n):
    p, y = np.full(n, 0.5), np.ones(n, dtype=int)
    p[[0, n - 2, n - 1]] = 0.0
    y[1] = 0
    with pytest.warns(ZeroProbabilityWarning, match=f"^3 of {n} samples .* row {n - 1} "):
        categorical_cross_entropy(y, p)


@pytest.mark.parametrize(("n", "others"), [(24, 0), (25, 0), (26, 1)])
def test_tables_show_twenty_five_rows(n, others):
    P = np.full((2 * n, n), 1.0 / n)
    lines = str(cross_entropy_report(np.arange(2 * n) % n, P, n_worst=0)).splitlines()
    assert len(lines) == 2 + 2 + min(n, 25) + 2 + 1 + 1 + (1 if others else 0)
    assert (f"{others} rows of smaller sums" in "\n".join(lines)) == bool(others)


@pytest.mark.parametrize("size", [1.0, 1e149, 1e151, 1e200, 1e-100, 1e-149, 1e-151, 1e-200, 1e-300])
def test_sums_means_and_errors_of_losses_of_any_size(size):
    losses = size * np.array([1.0, 2.0, 6.0, 7.0])
    found = mean_loss_interval(losses)
    assert found.mean == pytest.approx(4.0 * size, rel=1e-14, abs=0)
    assert found.standard_error == pytest.approx(np.sqrt(26 / 12) * size, rel=1e-14, abs=0)
    if size >= 1:  # the loss of the wrong one of two classes is the margin, where that is large
        z = np.array([1.0, 2.0, -3.0, -4.0]) * size * 1e3
        report = cross_entropy_report([0, 0, 1, 1], z, from_logits=True)
        np.testing.assert_allclose(report.sum, np.array([3e3, 7e3]) * size, rtol=1e-3)
        np.testing.assert_allclose(report.mean, report.sum / 2, rtol=1e-14)
        assert report.total_sum == pytest.approx(report.sum.sum(), rel=1e-14)


@pytest.mark.parametrize("name", ["_score_func", "_sign", "_kwargs"])
def test_scorers_say_why_no_threshold_is_tuned_by_them(name):
    with pytest.raises(AttributeError, match="scores probabilities, which no decision threshold"):
        getattr(cce_scorer, name)
    with pytest.raises(AttributeError, match=f"^'CrossEntropyScorer' object has no .* '{name}s'$"):
        getattr(cce_scorer, f"{name}s")


def test_whole_probabilities_are_not_called_labels():
    objects = np.array([0, 1, 0], dtype=object)
    for predicted in ([0, 1, 1], [1.0, 0.0, 1.0], [True, False, True], [[0], [1], [0]], objects):
        with pytest.raises(ValueError, match="y_true has 2") as caught:
            categorical_cross_entropy([0, 1], predicted)
        assert "holds labels" not in str(caught.value)


def test_a_model_of_two_classes_scores_each_class_alone():
    X = np.array([[0.0], [1.0], [4.0], [5.0]])
    model = GaussianNB().fit(X, ["a", "a", "b", "b"])
    P = model.predict_proba(X)
    assert cce_scorer(model, X[:2], ["a", "a"]) == pytest.approx(np.log(P[:2, 0]).mean())
    assert cce_scorer(model, X[2:], ["b", "b"]) == pytest.approx(np.log(P[2:, 1]).mean())
