"""Classifiers trained by minimising cross-entropy."""

from skxent.classifiers.selection import SoftmaxClassifierCV
from skxent.classifiers.softmax import LogisticClassifier, SoftmaxClassifier

__all__ = ["LogisticClassifier", "SoftmaxClassifier", "SoftmaxClassifierCV"]
