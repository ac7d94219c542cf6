"""The public names: what they are, where they come from, and that the reference lists them."""

import inspect
import re
import typing
from pathlib import Path

import pytest

import skxent

ROOT = Path(__file__).parents[2]

PUBLIC = {
    "metrics": {
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
        "cross_entropy",
        "cross_entropy_report",
        "decompose_cross_entropy",
        "discrimination_scorer",
        "entropy",
        "kl_divergence",
        "make_cross_entropy_scorer",
        "mean_loss_interval",
        "miscalibration_scorer",
    },
    "inference": {
        "ChiSquareTest",
        "InferenceWarning",
        "IntervalEstimates",
        "LikelihoodInference",
        "ProfileCurve",
        "TermTests",
        "infer",
    },
    "classifiers": {
        "CalibratedClassifier",
        "FirthClassifier",
        "LogisticClassifier",
        "LogitCalibrator",
        "SoftmaxClassifier",
        "SoftmaxClassifierCV",
    },
    "displays": {
        "CoefficientDisplay",
        "ConvergenceDisplay",
        "LossDistributionDisplay",
        "LossShareDisplay",
        "ProfileDisplay",
        "RegularizationDisplay",
        "ReliabilityDisplay",
    },
}
NAMES = sorted(set().union(*PUBLIC.values()))


def test_all_is_exactly_the_public_names():
    assert sorted(skxent.__all__) == sorted([*NAMES, "__version__"])


def test_nothing_else_is_visible():
    visible = {name for name in vars(skxent) if not name.startswith("_")}
    rooms = {name for name in visible if inspect.ismodule(getattr(skxent, name))}
    assert visible - rooms == set(NAMES)


@pytest.mark.parametrize("room", PUBLIC)
def test_rooms_export_their_public_names(room):
    module = getattr(skxent, room)
    assert PUBLIC[room] <= set(module.__all__)
    for name in PUBLIC[room]:
        assert getattr(module, name) is getattr(skxent, name)


def signatures(thing):
    """Return a function itself, or the constructor and the public methods of a class."""
    if not inspect.isclass(thing):
        return [thing] if inspect.isfunction(thing) else []
    methods = inspect.getmembers(thing, inspect.isroutine)
    own = [method for name, method in methods if not name.startswith("_")]
    return [method for method in [thing.__init__, *own] if inspect.isroutine(method)]


@pytest.mark.parametrize("name", NAMES)
def test_annotations_can_be_evaluated(name):
    for function in signatures(getattr(skxent, name)):
        hints = typing.get_type_hints(function)
        assert set(hints) == set(getattr(function, "__annotations__", ()))


@pytest.mark.parametrize("name", NAMES)
def test_public_names_are_documented(name):
    thing = getattr(skxent, name)
    assert inspect.getdoc(thing)
    if callable(thing) and not name.endswith("_scorer"):
        assert thing.__module__.startswith("skxent.")


def test_reference_lists_exactly_the_public_names():
    page = (ROOT / "docs/reference/index.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^   (\w+)$", page, flags=re.MULTILINE)) == NAMES
