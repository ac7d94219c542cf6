"""Cross-entropy for scikit-learn: losses, scorers and a softmax classifier at its optimum."""

from skxent.classifiers import LogisticClassifier, SoftmaxClassifier
from skxent.metrics import (
    CrossEntropySum,
    ZeroProbabilityWarning,
    bce_scorer,
    bce_sum_scorer,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
    cce_sum_scorer,
    cross_entropy,
    entropy,
    kl_divergence,
    make_cross_entropy_scorer,
)

__version__ = "0.1.0"

__all__ = [
    "CrossEntropySum",
    "LogisticClassifier",
    "SoftmaxClassifier",
    "ZeroProbabilityWarning",
    "__version__",
    "bce_scorer",
    "bce_sum_scorer",
    "binary_cross_entropy",
    "categorical_cross_entropy",
    "cce_scorer",
    "cce_sum_scorer",
    "cross_entropy",
    "entropy",
    "kl_divergence",
    "make_cross_entropy_scorer",
]
