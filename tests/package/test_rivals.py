"""Each rival of the race minimises the same objective as SoftmaxClassifier, or is not raced.

The rivals of libraries that are not installed are skipped, with the reason.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.preprocessing import StandardScaler

from skxent import SoftmaxClassifier

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def load(name):
    """A module of the benchmarks, which are scripts and no package."""
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


race = load("rivals")
# Solver -> distance from the optimum that it must reach, on each of the data sets below.
SOLVERS = {
    "newton-cholesky": 1e-9,
    "lbfgs": 1e-9,
    "newton-cg": 1e-9,
    "sag": 1e-6,
    "saga": 1e-6,
    "intelex": 1e-9,
    "glum": 1e-9,
    "liblinear": 1e-9,
    "cyanure auto": 1e-6,
    "cyanure qning-ista": 1e-6,
    "cyanure qning-svrg": 1e-6,
    "cyanure catalyst-miso": 1e-6,
    "statsmodels newton": 1e-9,
    "statsmodels bfgs": 1e-6,
}
PACKAGE = {"intelex": "scikit-learn-intelex", "liblinear": "liblinear-multicore"}


def samples(case):
    """Standardised columns with means of one half, so that the intercepts are far from zero."""
    rng = np.random.default_rng(0)
    if case == "two classes":
        X, y = load_breast_cancer(return_X_y=True)
        return StandardScaler().fit_transform(X)[:, :6] + 0.5, y, 0.3
    if case == "three classes":
        X, y = load_wine(return_X_y=True)
        return StandardScaler().fit_transform(X)[:, :6] + 0.5, y, 0.3
    X = rng.standard_normal((300, 4)) + 0.5
    K = 2 if case == "two classes, no penalty" else 3
    logits = X @ rng.standard_normal((4, K)) + np.arange(K)
    return X, (logits + rng.gumbel(size=logits.shape)).argmax(axis=1), np.inf


def objective(X, y, fitted, C):
    """Written with one-hot targets and full logits."""
    Z = X @ fitted.coef.T + fitted.intercept
    if Z.shape[1] == 1:
        Z = np.hstack([np.zeros_like(Z), Z])
    losses = np.log(np.exp(Z - Z.max(axis=1, keepdims=True)).sum(axis=1)) + Z.max(axis=1)
    return (losses - Z[np.arange(len(y)), y]).sum() + (fitted.coef**2).sum() / (2 * C)


def distance(X, y, C, fitted):
    """Relative distance from the optimum."""
    optimum = SoftmaxClassifier(C=C, tol=1e-12).fit(X, y).objective_
    return abs(objective(X, y, fitted, C) - optimum) / optimum


CASES = ("two classes", "three classes", "two classes, no penalty", "three classes, no penalty")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_rival_reaches_the_same_optimum(solver, case):
    X, y, C = samples(case)
    found = {rival.name: rival for rival in race.rivals(X, y, C)}
    name = PACKAGE.get(solver, solver.split()[0])
    rival = found.get(solver) or found.get(solver.split()[0]) or found.get(name)
    if isinstance(rival, race.NotRaced):
        pytest.skip(f"{solver} {rival.reason}")
    assert distance(X, y, C, rival.fit(1e-10, 5000)) < SOLVERS[solver]


@pytest.mark.filterwarnings("ignore")
def test_what_is_another_problem_is_not_raced():
    """Wherever the libraries are installed, these rivals are left out with a reason."""
    names = {"statsmodels": "two classes", "liblinear": "three classes"}
    for name, case in names.items():
        found = {rival.name: rival for rival in race.rivals(*samples(case))}
        left_out = found.get(name) or found["liblinear-multicore"]
        assert isinstance(left_out, race.NotRaced)
        assert left_out.reason.startswith("not the same problem") or (
            left_out.reason == "is not installed"
        )


def test_a_penalised_intercept_would_be_seen():
    """liblinear without -R minimises another objective, which the distance shows."""
    module = pytest.importorskip("liblinear.liblinearutil")
    X, y, C = samples("two classes")
    problem = module.problem(y.astype(float), sp.csr_matrix(X))
    model = module.train(problem, module.parameter(f"-s 0 -c {C} -B 1 -e 1e-10 -q"))
    coef, intercept = model.get_decfun()
    sign = 1 if model.get_labels()[0] == 1 else -1
    fitted = race.Fitted(sign * np.array([coef]), sign * np.array([intercept]))
    assert distance(X, y, C, fitted) > 1e-4


def test_sparse_samples_are_the_same_problem():
    """For rivals that take them. cyanure is left out: qning-svrg ends the process on them."""
    X, y, C = samples("two classes")
    for solver in ("lbfgs", "newton-cg"):
        rival = next(r for r in race.rivals(sp.csr_matrix(X), y, C) if r.name == solver)
        assert distance(X, y, C, rival.fit(1e-8, 5000)) < 1e-9
