"""Classifiers trained by minimising cross-entropy."""

from skxent.classifiers._estimates import ChiSquareTest, IntervalEstimates
from skxent.classifiers._likelihood_inference import LikelihoodInference
from skxent.classifiers.inference import InferenceWarning, infer
from skxent.classifiers.selection import SoftmaxClassifierCV
from skxent.classifiers.softmax import LogisticClassifier, SoftmaxClassifier

__all__ = [
    "ChiSquareTest",
    "InferenceWarning",
    "IntervalEstimates",
    "LikelihoodInference",
    "LogisticClassifier",
    "SoftmaxClassifier",
    "SoftmaxClassifierCV",
    "infer",
]
