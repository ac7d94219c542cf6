"""The rivals of SoftmaxClassifier: how each library is asked for the minimum of the same objective.

The objective is Σ_i w_i l_i + ‖W‖² / (2C), a sum over samples, with intercepts that are not
penalised. Each library scales and names it in its own way, and this module holds the maps:

* scikit-learn and scikit-learn-intelex minimise the objective itself, with the same C.
* glum and cyanure minimise a mean over the n samples, objective / n, so their penalty is 1 / (C n).
* liblinear minimises C times the objective. Its option -R leaves the intercept out of the penalty,
  which it penalises otherwise. It fits one class against the rest, so it is raced on two classes.
* statsmodels has no penalty of this form, so it is raced with C = inf. It compares all classes with
  the first, which is the same problem as long as nothing is penalised.

`tests/package/test_rivals.py` compares each map with the optimum.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

# Distribution of each library that is raced beside scikit-learn -> its module.
LIBRARIES = {
    "scikit-learn-intelex": "sklearnex.linear_model",
    "glum": "glum",
    "statsmodels": "statsmodels.api",
    "liblinear-multicore": "liblinear.liblinearutil",
    "cyanure": "cyanure.estimators",
}
CYANURE = ("auto", "qning-ista", "qning-svrg", "catalyst-miso")


@dataclass
class Fitted:
    """The end of a fit: coefficients (K, d) or (1, d), intercepts, and iterations if known."""

    coef: np.ndarray
    intercept: np.ndarray
    iterations: float | None = None


@dataclass
class Rival:
    """A solver on given data: a function of a tolerance and of the most iterations it may take.

    `compiled` is for solvers whose loop is compiled, so that no signal interrupts it: the number of
    iterations of a first trial. It is zero for the others. Trials measure `start`, the seconds that
    a fit takes without its iterations, and `pace`, those of one iteration. `details` tells more
    about the last fit.
    """

    name: str
    fit: Callable[[float, int], Fitted]
    most: int = 1000
    compiled: int = 0
    start: float = 0.0
    pace: float = 0.0
    details: Callable[[], dict[str, Any]] = dict


@dataclass
class NotRaced:
    """A solver that is not raced on given data, and why."""

    name: str
    reason: str


def multiplications(X: Any, classes: int) -> float:
    """Multiplications of X with the coefficients; entries of sparse X that are zero have none."""
    entries = X.nnz if sp.issparse(X) else X.size
    return float(entries) * (1 if classes == 2 else classes)


def rivals(X: Any, y: np.ndarray, C: float, threads: int = 1) -> Iterator[Rival | NotRaced]:
    """All solvers, those that are likely to be fast first.

    The order saves time, because a solver that solves a problem ends the runs of slower ones.
    """
    # The number of rows of the Hessian decides which is likely to be the faster one.
    narrow = X.shape[1] * (1 if y.max() == 1 else int(y.max()) + 1) <= 500
    if narrow:
        first, later = ("newton-cholesky", "lbfgs"), ("newton-cg",)
    elif sp.issparse(X):
        first, later = ("newton-cg", "lbfgs"), ("newton-cholesky",)
    else:
        first, later = ("lbfgs",), ("newton-cg", "newton-cholesky")
    yield from _scikit_learn(X, y, C, first)
    for distribution, make in (
        ("glum", _glum),
        ("statsmodels", _statsmodels),
        ("scikit-learn-intelex", _intelex),
        ("liblinear-multicore", _liblinear),
    ):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                module = importlib.import_module(LIBRARIES[distribution])
            yield from make(module, X, y, C, threads)
        except ImportError:
            yield NotRaced(distribution, "is not installed")
        except Exception as error:
            yield NotRaced(distribution, f"does not take the data ({type(error).__name__})")
    yield from _scikit_learn(X, y, C, later)
    try:
        yield from _cyanure(importlib.import_module(LIBRARIES["cyanure"]), X, y, C, threads)
    except ImportError:
        yield NotRaced("cyanure", "is not installed")
    yield from _scikit_learn(X, y, C, ("sag", "saga"))


def of_estimator(model: Any) -> Fitted:
    """The end of a fit of an estimator with the attributes of scikit-learn's."""
    iterations = float(np.max(getattr(model, "n_iter_", np.nan)))
    return Fitted(np.atleast_2d(model.coef_), np.ravel(model.intercept_), iterations)


def _scikit_learn(
    X: Any, y: np.ndarray, C: float, solvers: tuple[str, ...]
) -> Iterator[Rival | NotRaced]:
    d, K = X.shape[1], int(y.max()) + 1
    for solver in solvers:
        if solver == "newton-cholesky" and sp.issparse(X):
            yield NotRaced(solver, "makes a dense copy of sparse X")
        elif solver == "newton-cholesky" and d * (1 if K == 2 else K) > 6000:
            yield NotRaced(solver, "its Hessian has more than 6000 rows")
        else:

            def fit(tol: float, most: int, solver: str = solver) -> Fitted:
                model = LogisticRegression(C=C, solver=solver, tol=tol, max_iter=most)
                return of_estimator(model.fit(X, y))

            compiled = 2 if solver in ("sag", "saga") else 0
            yield Rival(solver, fit, 10_000 if solver == "lbfgs" else 1000, compiled)


def _intelex(module: Any, X: Any, y: np.ndarray, C: float, threads: int) -> Iterator[Rival]:
    importlib.import_module("daal4py").daalinit(threads)

    def fit(tol: float, most: int) -> Fitted:
        return of_estimator(module.LogisticRegression(C=C, tol=tol, max_iter=most).fit(X, y))

    yield Rival("intelex", fit, 10_000)


def _glum(module: Any, X: Any, y: np.ndarray, C: float, threads: int) -> Iterator[Rival | NotRaced]:
    if y.max() > 1:
        yield NotRaced("glum", "has no model of more than two classes")
        return
    truth = y.astype(np.float64)

    def fit(tol: float, most: int) -> Fitted:
        model = module.GeneralizedLinearRegressor(
            family="binomial",
            alpha=1 / (C * X.shape[0]),
            l1_ratio=0,
            gradient_tol=tol,
            max_iter=most,
        )
        return of_estimator(model.fit(X, truth))

    yield Rival("glum", fit)


def _statsmodels(
    module: Any, X: Any, y: np.ndarray, C: float, threads: int
) -> Iterator[Rival | NotRaced]:
    if np.isfinite(C):
        yield NotRaced("statsmodels", "not the same problem: it has no penalty of this form")
        return
    if sp.issparse(X):
        yield NotRaced("statsmodels", "takes no sparse X")
        return
    K = int(y.max()) + 1
    design = np.column_stack([np.ones(len(X)), X])
    model = module.Logit(y, design) if K == 2 else module.MNLogit(y, design)

    def fit(tol: float, most: int, method: str) -> Fitted:
        limit = {"tol": tol} if method == "newton" else {"gtol": tol}
        result = model.fit(
            method=method, maxiter=most, disp=0, skip_hessian=True, warn_convergence=False, **limit
        )
        params = np.reshape(result.params, (design.shape[1], K - 1)).T
        if K > 2:
            params = np.vstack([np.zeros(len(params.T)), params])
        return Fitted(params[:, 1:], params[:, 0], result.mle_retvals.get("iterations"))

    for method in ("newton", "bfgs"):
        yield Rival(
            f"statsmodels {method}", lambda tol, most, method=method: fit(tol, most, method)
        )


def _liblinear(
    module: Any, X: Any, y: np.ndarray, C: float, threads: int
) -> Iterator[Rival | NotRaced]:
    """The time in which its interface copies X is not counted: it is a loop in Python."""
    if y.max() > 1:
        yield NotRaced("liblinear", "not the same problem: one class against the rest")
        return
    if not np.isfinite(C):
        yield NotRaced("liblinear", "not the same problem: it always has a penalty")
        return
    problem = module.problem(y.astype(np.float64), sp.csr_matrix(X))

    def fit(tol: float, most: int) -> Fitted:
        options = f"-s 0 -c {C!r} -B 1 -R -e {tol!r} -m {threads} -q"
        model = module.train(problem, module.parameter(options))
        coef, intercept = model.get_decfun()
        sign = 1.0 if model.get_labels()[0] == 1 else -1.0
        return Fitted(sign * np.array([coef]), sign * np.array([intercept]))

    yield Rival("liblinear", fit)


def _cyanure(module: Any, X: Any, y: np.ndarray, C: float, threads: int) -> Iterator[Rival]:
    K = int(y.max()) + 1

    def fit(tol: float, most: int, solver: str) -> Fitted:
        model = module.Classifier(
            loss="logistic" if K == 2 else "multiclass-logistic",
            penalty="l2" if np.isfinite(C) else "none",
            lambda_1=1 / (C * X.shape[0]),
            fit_intercept=True,
            solver=solver,
            tol=tol,
            max_iter=most,
            n_threads=threads,
            verbose=False,
        ).fit(X, y)
        coef = np.asarray(model.coef_, np.float64)
        coef = coef.reshape(X.shape[1], -1).T
        iterations = float(np.max(model.n_iter_))
        return Fitted(coef, np.ravel(model.intercept_).astype(np.float64), iterations)

    for solver in CYANURE:
        yield Rival(
            f"cyanure {solver}",
            lambda tol, most, solver=solver: fit(tol, most, solver),
            5000,
            compiled=5,
        )
