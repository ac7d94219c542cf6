"""Held-out losses of single wines, by grape."""

import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_predict

import skxent

SIZE = (6.4, 3.8)
SCROLLS = True
ALT = (
    "Box plots of the losses of single wines by grape on a logarithmic axis from a millionth of "
    "a nat to ten nats. In each grape the mean is far to the right of the box. The three "
    "costliest wines have their index beside them."
)


def draw(figure):
    X, codes = load_wine(return_X_y=True)
    y = np.array(["Barolo", "Grignolino", "Barbera"])[codes]
    P = cross_val_predict(skxent.SoftmaxClassifier(), X, y, method="predict_proba")
    skxent.LossDistributionDisplay.from_predictions(y, P, n_worst=3, ax=figure.subplots())
