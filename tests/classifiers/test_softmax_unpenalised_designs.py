"""A slice of tests/benchmarks/bench_unpenalised_designs.py: fits against a reference of its own."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

FILE = Path(__file__).parents[1] / "benchmarks" / "bench_unpenalised_designs.py"


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location(FILE.stem, FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[FILE.stem] = module  # where its dataclasses look for their annotations
    spec.loader.exec_module(module)
    yield module
    del sys.modules[FILE.stem]


def faults_of(bench, seeds):
    return {seed: dict(faults) for seed, _, faults, _ in bench.studied(seeds) if faults}


@pytest.mark.parametrize("first", range(0, 60, 12))
def test_designs(bench, first):
    assert faults_of(bench, range(first, first + 12)) == {}


@pytest.mark.parametrize("seed", [118, 136, 280, 754])
def test_separated_designs_of_repeated_rows_end_before_rounding_takes_over(bench, seed):
    """A step further, logits are 1e16 and their losses are any number."""
    design = bench.design(seed)
    assert not bench.judged(design)[0] and bench.separable(design)
    with pytest.warns(ConvergenceWarning, match="no finite maximum"):
        clf = bench.SoftmaxClassifier(C=np.inf, fit_intercept=design.fit_intercept).fit(
            design.X, design.y, design.weight
        )
    assert abs(clf.decision_function(design.X)).max() < 1e3


@pytest.mark.slow
@pytest.mark.parametrize("first", range(60, 600, 60))
def test_more_designs(bench, first):
    assert faults_of(bench, range(first, first + 60)) == {}


def worse(clf, X):
    clf.coef_ = clf.coef_ + 0.1 * abs(clf.coef_).max()


def boastful(clf, X):
    clf.log_likelihood_ += 1e-6


def with_a_part_that_moves_no_logit(clf, X):
    null = np.linalg.svd(X - X.mean(axis=0))[2][-1]
    clf.coef_ = clf.coef_ + null
    clf.intercept_ = clf.intercept_ - X.mean(axis=0) @ null


SPOILED = {worse: "wrong", boastful: "untrue", with_a_part_that_moves_no_logit: "long"}


@pytest.mark.parametrize("spoil", SPOILED)
def test_the_study_sees_a_fault(bench, spoil, monkeypatch):
    """A dense design of low rank without separation, whose fit is spoiled."""
    designs = map(bench.design, range(3, 200, 6))
    design = next(d for d in designs if not (d.sparse or bench.separable(d)))
    fit = bench.SoftmaxClassifier.fit

    def spoiled(self, X, *arguments, **options):
        fit(self, X, *arguments, **options)
        spoil(self, X)
        return self

    assert not bench.judged(design)[0]
    monkeypatch.setattr(bench.SoftmaxClassifier, "fit", spoiled)
    assert bench.judged(design)[0][SPOILED[spoil]]
