"""What a fit is made from, read and checked once for all that need it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from skxent.classifiers._fit_targets import FitTargets, Floats
from skxent.likelihood.blocks import effective_threads
from skxent.likelihood.data import Data


def read_X(estimator: Any, X: Any, *, reset: bool) -> Any:
    """Samples as they are, dense or CSR with indices sorted; `reset` learns their columns."""
    X = validate_data(
        estimator, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=reset
    )
    if issparse(X) and not X.has_canonical_format:
        X = X.copy()  # the caller's is not sorted for him
        X.sum_duplicates()
    return X


def training_data(estimator: Any, X: Any, targets: FitTargets, weight: Floats | None) -> Data:
    """Samples, targets and weights as a fit of `estimator` takes them, class weights included."""
    targets, weight = targets.weighted(estimator.class_weight, weight)
    return Data(
        X=X,
        targets=targets.values,
        weight=weight,
        n_classes=len(targets.classes),
        fit_intercept=bool(estimator.fit_intercept),
        n_threads=effective_threads(estimator.n_jobs),
    )
