"""Inference for fitted classifiers: standard errors, intervals, tests, leave-one-out."""

from skxent.inference.infer import InferenceWarning, infer
from skxent.inference.interval_estimates import ChiSquareTest, IntervalEstimates
from skxent.inference.model_comparison import VuongTest
from skxent.inference.profiles import ProfileCurve
from skxent.inference.result import LikelihoodInference
from skxent.inference.term_tests import TermTests

__all__ = [
    "ChiSquareTest",
    "InferenceWarning",
    "IntervalEstimates",
    "LikelihoodInference",
    "ProfileCurve",
    "TermTests",
    "VuongTest",
    "infer",
]
