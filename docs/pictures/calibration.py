"""Naive Bayes before and after calibration: reliability, and the parts of the loss."""

import numpy as np
from scipy.special import expit
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB

import skxent

PANELS = 2


def draw(figure, rows, columns):
    X, y = load_breast_cancer(return_X_y=True)
    Z = cross_val_predict(GaussianNB(), X, y, method="predict_log_proba")
    calibrator = skxent.LogitCalibrator(method="bias", from_logits=True).fit(Z[::2], y[::2])
    calibrated = np.log(calibrator.predict_proba(Z[1::2]))
    first, second = figure.subplots(rows, columns)
    first.plot([0, 1], [0, 1], color="C4", linewidth=1)
    names = ["loss", "miscalibration", "discrimination", "uncertainty"]
    styles = (("before", Z[1::2], "C1", "s--"), ("after", calibrated, "C0", "o-"))
    for shift, (label, logits, colour, style) in zip((-0.2, 0.2), styles, strict=True):
        p = expit(logits[:, 1] - logits[:, 0])
        bins = np.array_split(np.argsort(p), 8)
        points = [(p[rows].mean(), y[1::2][rows].mean()) for rows in bins]
        first.plot(*np.transpose(points), style, color=colour, markersize=5, label=label)
        parts = skxent.decompose_cross_entropy(y[1::2], logits, from_logits=True)
        values = [parts.loss, parts.miscalibration, parts.discrimination, parts.uncertainty]
        second.barh(np.arange(4) + shift, values, 0.36, color=colour)
        for place, value in enumerate(values):
            second.text(value + 0.01, place + shift, f"{value:.2f}", va="center", fontsize=8)
    first.legend(loc="upper left")
    first.set(xlabel="predicted probability", ylabel="fraction that is benign")
    second.set_yticks(range(4), names)
    second.invert_yaxis()
    second.set(xlabel="nats", xlim=(0, 0.8))
