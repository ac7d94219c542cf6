"""`solver` by name: every form of data, one minimum, and errors for what it cannot do."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from device_fits import problem
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skxent import LogisticClassifier, SoftmaxClassifier, SoftmaxClassifierCV

OTHERS = ["lbfgs", "newton"]
SOLVERS = ["auto", *OTHERS]
DATA = [load_iris, load_wine, load_breast_cancer, load_digits]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("C", [1e-2, 1.0, 1e2])
@pytest.mark.parametrize("scaled", [False, True], ids=["raw", "scaled"])
@pytest.mark.parametrize("load", DATA, ids=lambda load: load.__name__[5:])
@pytest.mark.thinned(3)
def test_real_data(optimum, load, scaled, C, solver):
    X, y = load(return_X_y=True)
    X = StandardScaler().fit_transform(X) if scaled else X
    clf = SoftmaxClassifier(C=C, solver=solver).fit(X, y)
    if load is load_digits:  # the slow reference is for few parameters
        exact = SoftmaxClassifier(C=C, tol=1e-10).fit(X, y)
        assert clf.objective_ - exact.objective_ <= clf.target_gap_ + exact.target_gap_
        assert clf.converged_
    else:
        optimum(X, y, C=C).assert_reached(clf)


@pytest.mark.parametrize("solver", OTHERS)
@pytest.mark.parametrize("K", [2, 3])
def test_forms_of_data(K, solver, library):
    X, y = problem(K=K)
    here = SoftmaxClassifier(tol=1e-10, solver=solver).fit(X, y)
    auto = SoftmaxClassifier(tol=1e-10).fit(X, y)
    dask = pytest.importorskip("dask.array")
    forms = {
        "sparse": (sp.csr_array(X), y),
        "Dask": (dask.from_array(X, chunks=(40, -1)), dask.from_array(y, chunks=40)),
        "array API": (library.array(X), library.array(y)),
    }
    np.testing.assert_allclose(here.coef_, auto.coef_, atol=1e-4)
    for name, (X_form, y_form) in forms.items():
        on_device = name == "array API"
        with sklearn.config_context(array_api_dispatch=on_device):
            there = SoftmaxClassifier(tol=1e-10, solver=solver).fit(X_form, y_form)
        assert there.converged_, name
        assert there.objective_ == pytest.approx(auto.objective_, rel=1e-9), name


@pytest.mark.parametrize("solver", OTHERS)
def test_weights_soft_targets_and_warm_start(iris, solver):
    X, y = iris
    weight = 1.0 + (np.arange(150) % 3 == 0)
    Y = 0.9 * np.eye(3)[y] + 0.1 / 3
    auto = SoftmaxClassifier(tol=1e-9).fit(X, Y, weight)
    clf = SoftmaxClassifier(tol=1e-9, solver=solver, warm_start=True).fit(X, Y, weight)
    assert clf.objective_ == pytest.approx(auto.objective_, abs=2e-9 * auto.objective_)
    n_passes = clf.n_passes_
    clf.fit(X, Y, weight)
    assert clf.n_passes_ < n_passes


@pytest.mark.parametrize("solver", OTHERS)
@pytest.mark.parametrize("size", [1.0, 100.0])
def test_offset(iris, size, solver):
    X, y = iris
    offset = size * np.random.default_rng(0).normal(size=(150, 3))
    auto = SoftmaxClassifier().fit(X, y, offset=offset)
    clf = SoftmaxClassifier(solver=solver).fit(X, y, offset=offset)
    assert clf.converged_
    assert clf.objective_ - auto.objective_ <= clf.target_gap_
    assert clf.optimality_gap_ <= clf.target_gap_


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cv", [None, 3])
def test_the_chosen_penalty_is_the_same(iris, cv, solver):
    auto = SoftmaxClassifierCV(Cs=5, cv=cv, tol=1e-9).fit(*iris)
    clf = SoftmaxClassifierCV(Cs=5, cv=cv, tol=1e-9, solver=solver).fit(*iris)
    assert clf.C_ == auto.C_
    np.testing.assert_allclose(clf.mean_loss_, auto.mean_loss_, rtol=1e-4)
    assert clf.converged_


def test_the_solver_of_a_choice_reaches_its_fits(iris, monkeypatch):
    from skxent.classifiers import folds, selection
    from skxent.inference import leave_one_out

    seen = []
    for module in (folds, selection, leave_one_out):

        def spied(*args, original=module.minimise, **settings):
            seen.append(settings["solver"])
            return original(*args, **settings)

        monkeypatch.setattr(module, "minimise", spied)
    for cv in (None, 3):
        seen.clear()
        SoftmaxClassifierCV(Cs=3, cv=cv, solver="newton", n_jobs=1).fit(*iris)
        assert set(seen) == {"newton"}


@pytest.mark.parametrize("solver", ["sag", "LBFGS", "", None, 1, ["lbfgs"], np.array(["lbfgs"])])
@pytest.mark.parametrize("kind", [SoftmaxClassifier, LogisticClassifier, SoftmaxClassifierCV])
def test_unknown_names(iris, kind, solver):
    X, y = iris
    with pytest.raises(ValueError, match=r'^solver=.*: pass "auto", "lbfgs" or "newton"'):
        kind(solver=solver).fit(X[:100], y[:100])


def test_a_hessian_that_is_too_large(iris):
    X = np.random.default_rng(0).normal(size=(30, 4))
    wide = sp.csr_array(np.tile(X, (200, 500)))
    y = np.arange(6000) % 4
    with pytest.raises(
        ValueError, match=r"6003 parameters .2000 features, 4 classes.*are the most"
    ):
        SoftmaxClassifier(solver="newton").fit(wide, y)


def test_the_row_space_makes_the_hessian_small():
    """More features than `NEWTON_WIDTH`, but few rows."""
    X, y = problem(n=40, d=3, K=3)
    X = np.hstack([X, np.random.default_rng(0).normal(size=(40, 6000))])
    auto = SoftmaxClassifier().fit(X, y)
    clf = SoftmaxClassifier(solver="newton").fit(X, y)
    assert clf.converged_
    assert clf.objective_ == pytest.approx(auto.objective_, abs=2e-6)


KINDS = ["normal", "correlated", "heavy", "lognormal", "rare", "outlier", "mostly zero"]
EARLY = [{}, *({"tol": tol} for tol in (1e-1, 1e-3)), *({"max_iter": n} for n in (1, 3, 8))]


@pytest.mark.parametrize("solver", OTHERS)
@pytest.mark.parametrize("C", [1.0, 1e3])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(60, 3, 2), (300, 8, 3), (500, 6, 6), (80, 30, 3)], ids=str)
@pytest.mark.thinned(3)
def test_the_gap_is_honest(optimum, generate, shape, kind, C, solver):
    X, y = generate(*shape, kind=kind, strength=4.0)
    best = optimum(X, y, C=C)
    for settings in EARLY:
        clf = SoftmaxClassifier(C=C, solver=solver, **settings)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            clf.fit(X, y)
        true, claimed = best.gap_of(clf), clf.optimality_gap_
        what = f"{settings}: true gap {true:.3g}, claimed {claimed:.3g}, {clf.converged_}"
        assert len(caught) == (not clf.converged_), what
        assert clf.converged_ == (claimed <= clf.target_gap_), what
        if clf.converged_:
            assert true <= 5 * clf.target_gap_, what
        elif true > 1e-9:
            assert 0.99 * true <= claimed <= clf.objective_ * (1 + 1e-9), what
