"""skxent behind the names, arguments and attributes of scikit-learn, for scikit-learn's own tests.

Each adapter takes the arguments of the class or function whose place it takes, and translates those
that skxent has under another name or value. An argument that skxent lacks raises `NoSuchOption`,
whatever a test expects. Default values stand for the defaults of skxent.
"""

from __future__ import annotations

from copy import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.svm import LinearSVC

from skxent import (
    CalibratedClassifier,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
)

# What the test that runs has used of skxent, and the options that it asked for in vain.
used: list[str] = []
missing: list[str] = []
# These solvers have the same minimum, so that "auto" stands for those without a name in skxent.
SOLVERS = {"lbfgs": "lbfgs", "newton-cholesky": "newton"} | dict.fromkeys(
    ("newton-cg", "sag", "saga", "liblinear"), "auto"
)


class NoSuchOption(Exception):
    """An argument, a value or an attribute that skxent does not have."""

    def __init__(self, option: str) -> None:
        missing.append(option)
        super().__init__(f"no such option: {option}")


def require(has_it: bool, option: str) -> None:
    """Raise `NoSuchOption` unless skxent has the option."""
    if not has_it:
        raise NoSuchOption(option)


def lacking(option: str) -> property:
    """Return a property that raises `NoSuchOption`."""

    def get(self: object) -> None:
        raise NoSuchOption(option)

    return property(get)


class _Linear:
    """What the adapters of both linear classifiers share."""

    sparsify = densify = lacking("sparsify()")

    def _translated(self, theirs: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters of skxent for those of scikit-learn."""
        solver, penalty = theirs["solver"], theirs["penalty"]
        require(solver in SOLVERS, "unknown solver")
        require(penalty in ("deprecated", "l2", None), f"penalty={penalty!r}")
        require(not theirs["dual"], "dual=True")
        # liblinear penalises the intercept. Without one its minimum is that of the others.
        penalised = solver == "liblinear" and theirs["fit_intercept"]
        require(not penalised, "solver='liblinear' with an intercept")
        ours = {"solver": SOLVERS[solver], "penalty_factor": None}
        # Their tol bounds the gradient. Ours bounds the gap, which is quadratic in the gradient.
        ours["tol"] = 1e-6 if theirs["tol"] == 1e-4 else theirs["tol"] ** 2
        if theirs["max_iter"] == 100:
            ours["max_iter"] = 1000
        return ours

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Any:
        """Fit skxent's classifier with the translated parameters."""
        used.append(type(self).__name__)
        theirs = self.get_params(deep=False)
        vars(self).update(self._translated(theirs))
        try:
            super().fit(X, y, sample_weight, **params)
        finally:
            vars(self).update(theirs)
        self.n_iter_ = np.array([self.n_iter_])
        return self


class LogisticRegression(_Linear, SoftmaxClassifier):
    """`SoftmaxClassifier` in place of scikit-learn's LogisticRegression."""

    def __init__(
        self,
        penalty: Any = "deprecated",
        *,
        C: Any = 1.0,
        l1_ratio: Any = 0.0,
        dual: Any = False,
        tol: Any = 1e-4,
        fit_intercept: Any = True,
        intercept_scaling: Any = 1,
        class_weight: Any = None,
        random_state: Any = None,
        solver: Any = "lbfgs",
        max_iter: Any = 100,
        verbose: Any = 0,
        warm_start: Any = False,
        n_jobs: Any = None,
    ) -> None:
        given = dict(locals())
        vars(self).update({name: given[name] for name in self._get_param_names()})

    def _translated(self, theirs: dict[str, Any]) -> dict[str, Any]:
        require(theirs["l1_ratio"] in (0, None), "l1_ratio")
        return super()._translated(theirs) | ({"C": np.inf} if theirs["penalty"] is None else {})


class LogisticRegressionCV(_Linear, SoftmaxClassifierCV):
    """`SoftmaxClassifierCV` in place of scikit-learn's LogisticRegressionCV."""

    coefs_paths_ = lacking("coefs_paths_")

    def __init__(
        self,
        *,
        Cs: Any = 10,
        l1_ratios: Any = "warn",
        fit_intercept: Any = True,
        cv: Any = None,
        dual: Any = False,
        penalty: Any = "deprecated",
        scoring: Any = "warn",
        solver: Any = "lbfgs",
        tol: Any = 1e-4,
        max_iter: Any = 100,
        class_weight: Any = None,
        n_jobs: Any = None,
        verbose: Any = 0,
        refit: Any = True,
        intercept_scaling: Any = 1.0,
        random_state: Any = None,
        use_legacy_attributes: Any = "warn",
    ) -> None:
        given = dict(locals())
        vars(self).update({name: given[name] for name in self._get_param_names()})

    def _translated(self, theirs: dict[str, Any]) -> dict[str, Any]:
        ratios = theirs["l1_ratios"]
        require(isinstance(ratios, str) or not np.any(ratios), "l1_ratio")
        require(theirs["scoring"] in ("warn", "neg_log_loss"), "scoring of the choice of C")
        require(theirs["refit"], "refit=False")
        require(theirs["use_legacy_attributes"] in ("warn", False), "use_legacy_attributes=True")
        ours = {"cv": 5 if self.cv is None else self.cv, "one_standard_error": False}
        return super()._translated(theirs) | ours

    @property
    def scores_(self) -> np.ndarray:
        """Scores of shape (n_folds, 1, n_Cs): the negative losses."""
        return -self.loss_path_.T[:, None, :]

    l1_ratio_ = property(lambda self: 0.0)
    l1_ratios_ = property(lambda self: np.zeros(1))

    def score(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> float:
        """Score by `scoring`, as LogisticRegressionCV does."""
        scorer = cce_scorer if self.scoring == "neg_log_loss" else super().score
        return scorer(*(self,) * (scorer is cce_scorer), X, y, sample_weight, **params)


class CalibratedClassifierCV(CalibratedClassifier):
    """`CalibratedClassifier` in place of scikit-learn's CalibratedClassifierCV."""

    def __init__(
        self,
        estimator: Any = None,
        *,
        method: Any = "sigmoid",
        cv: Any = None,
        n_jobs: Any = None,
        ensemble: Any = "auto",
    ) -> None:
        given = dict(locals())
        vars(self).update({name: given[name] for name in self._get_param_names()})

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Any:
        """Fit skxent's classifier with the translated parameters."""
        used.append(type(self).__name__)
        theirs = self.get_params(deep=False)
        require(self.method != "isotonic", "method='isotonic'")
        require(self.ensemble in ("auto", False), "ensemble=True")
        # Their maps have no penalty and take decision values if there are any.
        vars(self).update(C=np.inf, smoothing=0.0, tol=1e-12)
        self.estimator = LinearSVC(random_state=0) if self.estimator is None else self.estimator
        wrapped = isinstance(self.estimator, FrozenEstimator)
        inner = self.estimator.estimator if wrapped else self.estimator
        decides = hasattr(inner, "decision_function")
        self.response_method = "decision_function" if decides else "predict_proba"
        self.method = {"sigmoid": "bias"}.get(self.method, self.method)
        try:
            return super().fit(X, y, sample_weight, **params)
        finally:
            vars(self).update(theirs)

    @property
    def calibrated_classifiers_(self) -> list[SimpleNamespace]:
        """The classifier and its calibrator, as the only member of their list."""
        calibrator = copy(self.calibrator_)
        calibrator.beta_ = calibrator.slope_[0]  # the inverse temperature
        pair = {"estimator": self.estimator_, "calibrators": [calibrator]}
        return [SimpleNamespace(**pair, predict_proba=self.predict_proba)]


def log_loss(
    y_true: Any,
    y_proba: Any,
    *,
    normalize: Any = True,
    sample_weight: Any = None,
    labels: Any = None,
) -> float:
    """`categorical_cross_entropy` in place of scikit-learn's log_loss."""
    used.append("log_loss")
    reduction = "mean" if normalize else "sum"
    if np.ndim(y_proba) == 1 and labels is None:
        return binary_cross_entropy(
            y_true, y_proba, sample_weight=sample_weight, reduction=reduction
        )
    return categorical_cross_entropy(
        y_true, y_proba, labels=labels, sample_weight=sample_weight, reduction=reduction
    )


class NegLogLoss(type(cce_scorer)):
    """`cce_scorer` in place of scikit-learn's "neg_log_loss"."""

    def __call__(self, *args: Any, **params: Any) -> float:
        """Score, and remember that a test did."""
        used.append("neg_log_loss")
        return super().__call__(*args, **params)


neg_log_loss = NegLogLoss()
