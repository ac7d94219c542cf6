"""Reliability of a forest for one digit, before and after its calibration."""

from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

import skxent

SIZE = (5.2, 5.4)
NARROW_HEIGHT = 5.0
ALT = (
    "Recalibrated probability of the digit 8 against predicted probability. Before calibration "
    "the curve rises steeply to 1 near the predicted probability 0.35, and leaves the band of "
    "calibrated predictions. After calibration it stays within the band or near it. The legend "
    "has both losses."
)


def draw(figure):
    X, X_test, y, y_test = train_test_split(
        *load_digits(return_X_y=True), stratify=load_digits().target, random_state=0
    )
    clf = skxent.CalibratedClassifier(RandomForestClassifier(random_state=0)).fit(X, y)
    skxent.ReliabilityDisplay.from_calibrated(
        clf, X_test, y_test, pos_label=8, ax=figure.subplots()
    )
