"""Objects that stand for an estimator when a scorer asks it for predictions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

PREDICTIONS = ("predict_proba", "predict_log_proba")


class WithOffset:
    """Stands for an estimator, and predicts its probabilities with an offset.

    Parameters
    ----------
    estimator : object
    offset : array-like or 0
        Passed to the estimator's prediction method.
    """

    def __init__(self, estimator: object, offset: object) -> None:
        self.estimator = estimator
        self.offset = offset

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.estimator, name)
        return partial(value, offset=self.offset) if name in PREDICTIONS else value


def with_offset(estimator: object, offset: object) -> object:
    """Return the estimator, or a `WithOffset` for it if there is an offset."""
    return estimator if offset is None else WithOffset(estimator, offset)


@dataclass(frozen=True)
class GivenPredictions:
    """Stands for an estimator in a task of Dask: returns the predictions that it is given as X."""

    name: str
    classes_: object

    @staticmethod
    def of(estimator: object, logarithms: bool) -> GivenPredictions:
        """Return a stand-in for an estimator that predicted probabilities or their logarithms."""
        kind = GivenLogProbabilities if logarithms else GivenPredictions
        return kind(estimator_name(estimator), getattr(estimator, "classes_", None))

    def predict_proba(self, prediction: object) -> object:
        """Return what the estimator predicted."""
        return prediction


class GivenLogProbabilities(GivenPredictions):
    """Stands for an estimator that predicted log-probabilities."""

    predict_log_proba = GivenPredictions.predict_proba


def estimator_name(estimator: object) -> str:
    """Return the name of an estimator's class, also if another object stands for the estimator."""
    if isinstance(estimator, GivenPredictions):
        return estimator.name
    while isinstance(estimator, WithOffset):
        estimator = estimator.estimator
    return type(estimator).__name__
