"""Leave-one-out loss against C, and the two values that one may choose."""

import numpy as np
from sklearn.datasets import load_breast_cancer

import skxent

SIZE = (5.6, 4.0)
NARROW_HEIGHT = 4.0
ALT = (
    "Mean held-out loss with error bars against C on a logarithmic axis. The curve is flat for "
    "small C, has its minimum near C = 300 and rises steeply for larger C. Vertical lines mark "
    "the minimum and the one-standard-error choice, C = 1."
)


def draw(figure):
    X, y = load_breast_cancer(return_X_y=True)
    chosen = skxent.SoftmaxClassifierCV(np.logspace(-3, 4, 15)).fit(X, y)
    skxent.RegularizationDisplay.from_estimator(chosen, ax=figure.subplots())
