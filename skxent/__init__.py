"""Cross-entropy for scikit-learn: losses, scorers, and a softmax classifier that converges."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skxent.classifiers import (
        CalibratedClassifier,
        FirthClassifier,
        LogisticClassifier,
        LogitCalibrator,
        SoftmaxClassifier,
        SoftmaxClassifierCV,
    )
    from skxent.displays import (
        CoefficientDisplay,
        ConvergenceDisplay,
        LossDistributionDisplay,
        LossShareDisplay,
        ProfileDisplay,
        RegularizationDisplay,
        ReliabilityDisplay,
    )
    from skxent.inference import (
        ChiSquareTest,
        InferenceWarning,
        IntervalEstimates,
        LikelihoodInference,
        ProfileCurve,
        TermTests,
        VuongTest,
        infer,
    )
    from skxent.metrics import (
        Comparison,
        CrossEntropyDecomposition,
        CrossEntropyReport,
        CrossEntropySum,
        MeanLossInterval,
        ZeroProbabilityWarning,
        bce_scorer,
        bce_sum_scorer,
        binary_cross_entropy,
        categorical_cross_entropy,
        cce_scorer,
        cce_sum_scorer,
        compare,
        compare_cv,
        compare_losses,
        cross_entropy,
        cross_entropy_report,
        decompose_cross_entropy,
        discrimination_scorer,
        entropy,
        kl_divergence,
        make_cross_entropy_scorer,
        mean_loss_interval,
        miscalibration_scorer,
    )

__version__ = "0.2.0"

__all__ = [
    "CalibratedClassifier",
    "ChiSquareTest",
    "CoefficientDisplay",
    "Comparison",
    "ConvergenceDisplay",
    "CrossEntropyDecomposition",
    "CrossEntropyReport",
    "CrossEntropySum",
    "FirthClassifier",
    "InferenceWarning",
    "IntervalEstimates",
    "LikelihoodInference",
    "LogisticClassifier",
    "LogitCalibrator",
    "LossDistributionDisplay",
    "LossShareDisplay",
    "MeanLossInterval",
    "ProfileCurve",
    "ProfileDisplay",
    "RegularizationDisplay",
    "ReliabilityDisplay",
    "SoftmaxClassifier",
    "SoftmaxClassifierCV",
    "TermTests",
    "VuongTest",
    "ZeroProbabilityWarning",
    "__version__",
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
    "infer",
    "kl_divergence",
    "make_cross_entropy_scorer",
    "mean_loss_interval",
    "miscalibration_scorer",
]

# The rooms that define public names, in the order in which they import each other.
_PUBLIC_ROOMS = ("metrics", "inference", "classifiers", "displays")


def __getattr__(name: str) -> object:
    """Import the room of a public name when the name is first used.

    ``import skxent`` itself then takes less than a millisecond.
    """
    if name in (*_PUBLIC_ROOMS, "inputs", "likelihood"):
        return import_module(f"skxent.{name}")
    if name in __all__:
        for room in _PUBLIC_ROOMS:
            module = import_module(f"skxent.{room}")
            if name in module.__all__:
                return globals().setdefault(name, getattr(module, name))
    raise AttributeError(f"module 'skxent' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
