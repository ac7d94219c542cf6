"""Reliability of naive Bayes, which counts dependent features as independent."""

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB

import skxent

SIZE = (5.2, 4.6)
ALT = (
    "Recalibrated probability against predicted probability, a step curve above the diagonal on "
    "the left and below it on the right, with the band of calibrated predictions around the "
    "diagonal. The title has the decomposition of the loss."
)


def draw(figure):
    X, y = load_breast_cancer(return_X_y=True)
    P = cross_val_predict(GaussianNB(var_smoothing=1e-6), X, y, method="predict_proba")
    skxent.ReliabilityDisplay.from_predictions(y, P, ax=figure.subplots())
