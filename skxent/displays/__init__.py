"""Plots with scikit-learn's Display interface; matplotlib is imported when a plot is drawn."""

from skxent.displays.coefficients import CoefficientDisplay
from skxent.displays.convergence import ConvergenceDisplay
from skxent.displays.loss_distribution import LossDistributionDisplay
from skxent.displays.loss_share import LossShareDisplay
from skxent.displays.profile_display import ProfileDisplay
from skxent.displays.regularization import RegularizationDisplay
from skxent.displays.reliability import ReliabilityDisplay

__all__ = [
    "CoefficientDisplay",
    "ConvergenceDisplay",
    "LossDistributionDisplay",
    "LossShareDisplay",
    "ProfileDisplay",
    "RegularizationDisplay",
    "ReliabilityDisplay",
]
