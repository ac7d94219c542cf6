"""Metrics of predictions: entropies, losses, scorers, reports, intervals and comparisons."""

from skxent.metrics.comparison import Comparison, compare
from skxent.metrics.cross_entropy_sum import CrossEntropySum
from skxent.metrics.cross_validated import compare_cv
from skxent.metrics.decomposition import CrossEntropyDecomposition, decompose_cross_entropy
from skxent.metrics.floor_warning import ZeroProbabilityWarning
from skxent.metrics.information import cross_entropy, entropy, kl_divergence
from skxent.metrics.intervals import MeanLossInterval, mean_loss_interval
from skxent.metrics.loss_comparison import compare_losses
from skxent.metrics.losses import binary_cross_entropy, categorical_cross_entropy
from skxent.metrics.ready_scorers import (
    bce_scorer,
    bce_sum_scorer,
    cce_scorer,
    cce_sum_scorer,
    discrimination_scorer,
    miscalibration_scorer,
)
from skxent.metrics.report import CrossEntropyReport, cross_entropy_report
from skxent.metrics.scorers import make_cross_entropy_scorer

__all__ = [
    "Comparison",
    "CrossEntropyDecomposition",
    "CrossEntropyReport",
    "CrossEntropySum",
    "MeanLossInterval",
    "ZeroProbabilityWarning",
    "bce_scorer",
    "bce_sum_scorer",
    "binary_cross_entropy",
    "categorical_cross_entropy",
    "cce_scorer",
    "cce_sum_scorer",
    "compare",
    "compare_cv",
    "compare_losses",
    "cross_entropy",
    "cross_entropy_report",
    "decompose_cross_entropy",
    "discrimination_scorer",
    "entropy",
    "kl_divergence",
    "make_cross_entropy_scorer",
    "mean_loss_interval",
    "miscalibration_scorer",
]
