"""What a prediction costs: information measures, losses and scorers."""

from skxent.metrics._costs import ZeroProbabilityWarning
from skxent.metrics.information import cross_entropy, entropy, kl_divergence
from skxent.metrics.losses import CrossEntropySum, binary_cross_entropy, categorical_cross_entropy
from skxent.metrics.scorers import (
    bce_scorer,
    bce_sum_scorer,
    cce_scorer,
    cce_sum_scorer,
    make_cross_entropy_scorer,
)

__all__ = [
    "CrossEntropySum",
    "ZeroProbabilityWarning",
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
