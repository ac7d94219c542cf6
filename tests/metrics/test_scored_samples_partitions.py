"""Metrics that read whole samples bring Dask collections to memory, once."""

import numpy as np
import pandas as pd
import pytest

dask = pytest.importorskip("dask")
from cut_samples import CODES, NAMES, K, N, P, W, X, array, frame, other, unknown  # noqa: E402

from skxent import LossDistributionDisplay, SoftmaxClassifier  # noqa: E402
from skxent.metrics import (  # noqa: E402
    categorical_cross_entropy,
    compare,
    compare_cv,
    cross_entropy_report,
    decompose_cross_entropy,
    mean_loss_interval,
)

pytestmark = pytest.mark.usefixtures("synchronous_dask")


def equal(found, expected):
    """Results whose numbers agree, field by field."""
    assert type(found) is type(expected)
    for name, value in vars(expected).items():
        for one, two in zip(
            np.atleast_1d(getattr(found, name))
            if not isinstance(value, tuple)
            else getattr(found, name),
            np.atleast_1d(value) if not isinstance(value, tuple) else value,
            strict=True,
        ):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("cut", [array, other, unknown, frame])
def test_metrics_that_bring_samples_here(cut):
    groups = np.arange(N) % 11
    y, p, w, by = cut(NAMES[CODES]), cut(P), cut(W), cut(groups)
    truth = pd.Series(NAMES[CODES], index=np.arange(N) % 7) if cut is frame else NAMES[CODES]
    equal(
        cross_entropy_report(y, p, by=by, sample_weight=w),
        cross_entropy_report(truth, P, by=groups, sample_weight=W),
    )
    equal(
        decompose_cross_entropy(y, p, sample_weight=w),
        decompose_cross_entropy(NAMES[CODES], P, sample_weight=W),
    )
    losses = categorical_cross_entropy(y, p, reduction="none")
    equal(
        mean_loss_interval(losses, groups=by, sample_weight=w),
        mean_loss_interval(
            categorical_cross_entropy(NAMES[CODES], P, reduction="none"),
            groups=groups,
            sample_weight=W,
        ),
    )
    Q = np.full((N, K), 1 / K)
    equal(
        compare(y, {"p": p, "q": cut(Q)}, baseline="q", groups=by, sample_weight=w),
        compare(NAMES[CODES], {"p": P, "q": Q}, baseline="q", groups=groups, sample_weight=W),
    )


def test_predictions_are_computed_once():
    reads = []
    p = array(P, (N,)).rechunk(-1).map_blocks(lambda b: reads.append(1) or b, meta=np.empty((0, 0)))
    for call in (cross_entropy_report, decompose_cross_entropy):
        reads.clear()
        call(array(CODES), p)
        assert len(reads) == 1
    reads.clear()
    compare(CODES, {"p": p, "q": P}, baseline="q")
    assert len(reads) == 1


def test_compare_cv():
    models = {"strong": SoftmaxClassifier(C=1.0), "weak": SoftmaxClassifier(C=0.001)}
    expected = compare_cv(models, X, CODES, baseline="weak", cv=3)
    equal(compare_cv(models, array(X), other(CODES), baseline="weak", cv=3), expected)


def test_displays():
    pytest.importorskip("matplotlib")
    model = SoftmaxClassifier(C=1.0).fit(X, CODES)
    expected = LossDistributionDisplay.from_estimator(model, X, CODES).losses
    for cut in (array, frame):
        found = LossDistributionDisplay.from_estimator(model, array(X), cut(CODES)).losses
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        y, p = cut(CODES), cut(P)
        found = LossDistributionDisplay.from_predictions(y, p, sample_weight=cut(W)).losses
        expected_of_p = categorical_cross_entropy(CODES, P, reduction="none")
        np.testing.assert_array_equal(found, expected_of_p)
