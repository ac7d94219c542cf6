"""The public names: what they are, where they come from, and that the reference lists them."""

import ast
import inspect
import re
import subprocess
import sys
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
    },
    "inference": {
        "ChiSquareTest",
        "InferenceWarning",
        "IntervalEstimates",
        "LikelihoodInference",
        "ProfileCurve",
        "TermTests",
        "VuongTest",
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
    """Beside the rooms and what the module itself needs to import them."""
    visible = {name for name in dir(skxent) if not name.startswith("_")}
    rooms = {name for name in visible if inspect.ismodule(getattr(skxent, name))}
    assert visible - rooms == {*NAMES, "TYPE_CHECKING", "annotations", "import_module"}


def test_type_checkers_see_the_public_names():
    tree = ast.parse(Path(skxent.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {
        alias.name: node.module.removeprefix("skxent.")
        for node in block.body
        for alias in node.names
    }
    assert imported == {name: room for room, names in PUBLIC.items() for name in names}


def test_import_loads_no_room():
    code = "import sys, skxent; print([name for name in sys.modules if 'skxent.' in name])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_names_that_do_not_exist_are_attribute_errors():
    with pytest.raises(AttributeError, match="module 'skxent' has no attribute 'sigmoid'"):
        skxent.sigmoid  # noqa: B018


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


def test_citation_names_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {skxent.__version__}\n" in citation
