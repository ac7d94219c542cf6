"""Objects that stand for an estimator, so that the estimator predicts once.

``cross_validate(..., scoring={"a": one, "b": other})`` gives scikit-learn's own scorers a cache of
predictions. The cache is the first argument of the function that such a scorer calls for
predictions. If a release of scikit-learn passes no cache there, each scorer predicts for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

PREDICTIONS = ("predict_proba", "predict_log_proba")


class SharedPredictions:
    """Stands for an estimator, and keeps its probabilities of one X in a cache.

    Parameters
    ----------
    estimator : object
    cache : dict
        The cache of one evaluation, in which all scorers have the same estimator and X.
    """

    def __init__(self, estimator: object, cache: dict[object, Any]) -> None:
        self.estimator = estimator
        self.cache = cache

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.estimator, name)
        return self._once(name, value) if name in PREDICTIONS else value

    def _once(self, name: str, predict: Callable[..., object]) -> Callable[..., object]:
        def cached(X: object, **offset: object) -> object:
            # A key of our own: scikit-learn's entries have one column for two classes. Scorers may
            # take different offsets. The cache keeps each offset, so that its id stays its own.
            key = "skxent", name, *map(id, offset.values())
            if key not in self.cache:
                self.cache[key] = predict(X, **offset), offset
            return self.cache[key][0]

        return cached


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


def with_shared_predictions(method_caller: object, estimator: object) -> object:
    """Return the estimator with the cache of scikit-learn's `method_caller`, if there is one.

    Parameters
    ----------
    method_caller : callable
        A `functools.partial` of a function whose first argument is a dict, or None.
    estimator : object

    Returns
    -------
    SharedPredictions, or the estimator itself if there is no cache
    """
    arguments = getattr(method_caller, "args", ())
    if arguments and isinstance(arguments[0], dict):
        return SharedPredictions(estimator, arguments[0])
    return estimator


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
    while isinstance(estimator, SharedPredictions | WithOffset):
        estimator = estimator.estimator
    return type(estimator).__name__
