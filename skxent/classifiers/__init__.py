"""Classifiers trained by minimising cross-entropy."""

from skxent.classifiers.calibrated import CalibratedClassifier
from skxent.classifiers.calibration import LogitCalibrator
from skxent.classifiers.firth import FirthClassifier
from skxent.classifiers.selection import SoftmaxClassifierCV
from skxent.classifiers.softmax import LogisticClassifier, SoftmaxClassifier

__all__ = [
    "CalibratedClassifier",
    "FirthClassifier",
    "LogisticClassifier",
    "LogitCalibrator",
    "SoftmaxClassifier",
    "SoftmaxClassifierCV",
]
