"""Odds ratios of one standard deviation of each of five measurements."""

import numpy as np
from sklearn.datasets import load_breast_cancer

import skxent

NAMES = ["mean texture", "mean area", "mean smoothness", "mean concavity", "mean symmetry"]

SIZE = (5.6, 3.4)
ALT = (
    "Odds ratios of five measurements with 95 % intervals on a logarithmic axis. The interval "
    "of the mean symmetry contains one, those of the others lie above one, and the mean area is "
    "far to the right."
)


def draw(figure):
    table = load_breast_cancer(as_frame=True)
    X, y = table.data[NAMES], table.target_names[table.target]
    clf = skxent.LogisticClassifier(C=np.inf).fit(X, y)
    inference = skxent.infer(clf, X, y, reference="benign")
    display = skxent.CoefficientDisplay.from_inference(
        inference, units=X.std(), odds_ratios=True, ax=figure.subplots()
    )
    if figure.get_figwidth() < SIZE[0]:  # a narrow screen has no room for the second line
        label = display.ax_.get_xlabel().replace(" by its", "\nby its")
        display.ax_.set_xlabel(label)
