"""Checks of models that are compared, and of their losses."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skxent.inputs.array_arguments import as_reals
from skxent.inputs.namespaces import Floats, first_true


def check_baseline(models: object, baseline: Any, name: str) -> None:
    """Require a dict of models with the baseline and at least one other model."""
    if not isinstance(models, Mapping):
        raise TypeError(f"{name} is a {type(models).__name__}: pass a dict, names to models.")
    if not isinstance(baseline, Hashable) or baseline not in models:
        raise ValueError(
            f"baseline={baseline!r} is not in {name}, {list(models)}: pass one of them."
        )
    if len(models) < 2:
        raise ValueError(f"{name} holds nothing but the baseline: add an entry to compare with it.")


def check_estimators(estimators: Mapping[str, object]) -> None:
    """Require objects that can be fitted."""
    for name, estimator in estimators.items():
        if not hasattr(estimator, "fit"):
            raise TypeError(
                f"estimators[{name!r}] is a {type(estimator).__name__}: pass classifiers, or "
                "compare existing predictions with skxent.compare."
            )


def check_is_prediction(y_pred: object, name: str) -> None:
    """Raise for an estimator in place of its prediction."""
    if hasattr(type(y_pred), "fit"):
        raise TypeError(
            f"y_preds[{name!r}] is a {type(y_pred).__name__}: pass its predict_proba(X), or "
            "compare the estimators themselves by cross-validation with compare_cv."
        )


def check_finite_losses(losses: Floats, copies: Floats, name: str) -> None:
    """Require a finite loss of a model for each sample whose number of copies is not zero.

    `copies` come from the sample weights, see `copies_and_shares`. A sample of weight zero has no
    copies, and its loss may be infinite.
    """
    row = first_true(~np.isfinite(losses) & (copies > 0))
    if row is not None:
        raise ValueError(
            f"y_preds[{name!r}]: the loss of row {row} is infinite, since the logit "
            "of its class is -inf: make it finite."
        )


def finite_losses(losses: ArrayLike) -> Floats:
    """Return the argument `losses`, one finite number for each sample, in float64."""
    values = as_reals(losses, "losses").astype(np.float64)
    if values.ndim != 1 or not values.size:
        raise ValueError(f"losses has shape {values.shape}: pass one loss for each sample, (n,).")
    row = first_true(~np.isfinite(values))
    if row is not None:
        raise ValueError(
            f"losses[{row}] is {values[row]}: the mean of such losses has no interval. Losses from "
            "probabilities are finite unless eps=0."
        )
    return values
