"""Samples of tests of inference."""

import numpy as np
import pandas as pd
import pytest

from skxent import SoftmaxClassifier, infer


@pytest.fixture(scope="module")
def grouped_data(generate):
    """Some 300 samples with 2, 3 or 5 classes, and groups."""
    groups = np.random.default_rng(0).integers(0, 25, size=300)
    return {K: (*generate(300, 3, K, seed=1), groups) for K in (2, 3, 5)}


@pytest.fixture(scope="module")
def named_data(generate):
    """Frames with the labels "no", "may" and "yes"."""
    made = {}
    for K in (2, 3):
        X, codes = generate(300, 3, K, seed=1)
        frame = pd.DataFrame(X, columns=["age", "income", "a & b"])
        made[K] = frame, np.array(["no", "yes", "may"])[codes]
    return made


@pytest.fixture(scope="module")
def fitted(generate):
    X, y = generate(200, 3, 3)
    clf = SoftmaxClassifier(C=np.inf).fit(X, y)
    return clf, X, y, infer(clf, X, y)
