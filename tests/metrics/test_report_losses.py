"""Reports on losses that others have computed: the same rows as from predictions."""

import math

import numpy as np
import pandas as pd
import pytest

from skxent import (
    CrossEntropyReport,
    categorical_cross_entropy,
    cross_entropy_report,
    mean_loss_interval,
)

of_losses = CrossEntropyReport.of_losses
CUTS = [5, 30, 31, 60]
DOMAINS = np.array(["news", "code", "news", "mail", "code"])


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    y, P = rng.integers(3, size=100), rng.dirichlet([1.0, 2.0, 3.0], size=100)
    return y, P, categorical_cross_entropy(y, P, reduction="none", labels=range(3))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("base", [None, 2])
def test_rows_are_those_of_a_report_on_predictions(problem, weighted, base):
    y, P, losses = problem
    by = np.array(["x", "y", "z"])[np.arange(100) % 3]
    weight = np.arange(100) % 4 if weighted else None
    options = {"by": by, "sample_weight": weight, "base": base, "n_worst": 3}
    expected = cross_entropy_report(y, P, labels=range(3), **options)
    found = of_losses(losses, **options)
    for name, value in vars(expected).items():
        if "normalised" in name or name == "base_rate_loss":
            assert np.isnan(getattr(found, name)).all()
        else:
            for left, right in zip(
                np.atleast_1d(np.asarray(value, dtype=object)),
                np.atleast_1d(np.asarray(getattr(found, name), dtype=object)),
                strict=True,
            ):
                np.testing.assert_array_equal(left, right, err_msg=name)
    assert math.fsum(found.sum) == found.total_sum
    assert "normalised" not in str(found) and "nan" not in str(found) + found._repr_html_()
    assert np.isnan(found.to_frame()["d2"]).all()


def test_documents_by_domain(problem):
    _, _, losses = problem
    documents = np.split(losses, CUTS)
    found = of_losses(documents, by=DOMAINS, n_worst=1)
    assert found.names.tolist() == ["code", "mail", "news"]
    for name, error, mean in zip(found.names, found.standard_error, found.mean, strict=True):
        own = [part for part, domain in zip(documents, DOMAINS, strict=True) if domain == name]
        assert mean == pytest.approx(np.concatenate(own).mean(), rel=1e-14)
        if len(own) == 1:
            assert np.isnan(error)
        else:
            assert error == mean_loss_interval(own).standard_error
    assert found.total_standard_error == mean_loss_interval(documents).standard_error
    place, worst = found.worst_index[0][0], found.worst[0][0]
    first, second = map(int, place.strip("[]").split("]["))
    assert documents[first][second] == losses[worst] == found.worst_losses[0][0]


def test_each_document_has_a_row(problem):
    documents = np.split(problem[2], CUTS)
    found = of_losses(documents)
    np.testing.assert_allclose(found.sum, [part.sum() for part in documents], rtol=1e-14)
    assert found.names.tolist() == list(range(5))
    masked = [np.append(part, np.nan) for part in documents]
    same = of_losses(masked, sample_weight=[~np.isnan(part) for part in masked])
    np.testing.assert_array_equal(same.sum, found.sum)


def test_labels_of_an_index(problem):
    losses = pd.Series(problem[2], index=[f"token {i}" for i in range(100)])
    found = of_losses(losses, by=np.zeros(100, dtype=int), n_worst=1)
    assert found.worst_index[0][0] == losses.idxmax()


def test_large_sums_are_printed_with_decimals():
    """The sums of rows add up to the printed total."""
    text = str(of_losses([60000.25, 70000.5], by=["a", "b"]))
    assert "60000.2500" in text and "130000.7500" in text


@pytest.mark.parametrize(
    ("losses", "options", "message"),
    [
        ([1.0, 2.0], {}, "by is None: pass a label for each loss, or a list of documents"),
        ([1.0, 2.0], {"by": [1]}, "by has 1 samples but losses has 2"),
        ([1.0, -2.0], {"by": [1, 2]}, r"losses\[1\] is -2"),
        ([[1.0], [2.0]], {"by": [1, 2, 3]}, "by has 3 samples but losses has 2"),
        ([1.0, 2.0], {"by": [1, 2], "n_worst": -1}, "n_worst=-1"),
        ([1.0, 2.0], {"by": [1, 2], "sample_weight": [1e300, 0]}, "sample_weight is too large"),
    ],
)
def test_what_is_refused(losses, options, message):
    with pytest.raises(ValueError, match=message):
        of_losses(losses, **options)
