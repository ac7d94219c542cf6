"""Checks of models that are compared, and of their losses."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from skxent.inputs.namespaces import Floats, first_true


def check_baseline(models: object, baseline: Any, name: str) -> None:
    """Require a dict of models with the baseline and at least one other model."""
    if not isinstance(models, Mapping):
        raise TypeError(
            f"{name} is a {type(models).__name__}: pass a dict with the name of each model."
        )
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


def argument_of(values: Any, model: str, models: Mapping[str, Any], name: str) -> Any:
    """Return the argument of one model: an entry of a dict, or what all models have in common."""
    if not isinstance(values, Mapping):
        return values
    missing = [known for known in models if known not in values]
    unknown = [given for given in values if given not in models]
    if missing or unknown:
        what = f"lacks {missing[0]!r}" if missing else f"has {unknown[0]!r}"
        raise ValueError(f"{name} {what}: pass an entry for each model, {list(models)}.")
    return values[model]
