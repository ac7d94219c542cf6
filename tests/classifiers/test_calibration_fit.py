"""Calibration of predictions in which some classes have no samples."""

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp

from skxent.classifiers.calibration_fit import Calibration

METHODS = ["temperature", "bias", "vector", "matrix"]


def draw():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(200, 4))
    y = (Z[:, :2] + rng.gumbel(size=(200, 2))).argmax(axis=1) * 2
    return log_softmax(2 * Z, axis=1), y, rng.random(200)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_absent_classes_keep_their_log_probability(method, soft):
    L, y, w = draw()
    target = np.eye(4)[y] if soft else y
    fit = Calibration.of(method, L, target, w, 1e-6)
    assert fit.present.tolist() == [True, method == "temperature"] * 2
    logits = fit.logits(L)
    if method == "temperature":
        np.testing.assert_allclose(
            log_softmax(logits, axis=1)[0] @ [1, -1, 0, 0],
            fit.parameters[0][0] * (L[0] @ [1, -1, 0, 0]),
        )
        return
    np.testing.assert_array_equal(logits[:, [1, 3]], L[:, [1, 3]])
    np.testing.assert_allclose(logsumexp(logits, axis=1), 0.0, atol=1e-12)


def test_a_single_class_stays_as_it_is():
    L, y, w = draw()
    for method in ("bias", "vector"):
        fit = Calibration.of(method, L, np.zeros_like(y), w, 1e-6)
        np.testing.assert_allclose(fit.logits(L), L, atol=1e-12)


def test_labels_without_weight_count_as_absent():
    L, y, w = draw()
    fit = Calibration.of("bias", L, y, np.where(y == 0, w, 0.0), 1e-6)
    assert fit.present.tolist() == [True, False, False, False]
