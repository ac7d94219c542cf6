"""One prediction for several scorers that scikit-learn evaluates together.

``cross_validate(..., scoring={"a": one, "b": other})`` gives scikit-learn's own scorers a cache, so
that the estimator predicts once. It does so for objects of its class of scorers alone, which is
the class of what the public `make_scorer` returns. The cache is the first argument of the function
that such a scorer is told to call for predictions. Where a release of scikit-learn has it otherwise
there is no cache, and each scorer predicts for itself.
"""

from __future__ import annotations

from typing import Any

from sklearn.metrics import accuracy_score, make_scorer

ScorerOfSklearn: Any = type(make_scorer(accuracy_score))

PREDICTIONS = ("predict_proba", "predict_log_proba")


class SharedPredictions:
    """Stands for an estimator, whose probabilities of one X are kept in a cache.

    Parameters
    ----------
    estimator : object
    cache : dict
        Of one evaluation: the estimator and X are the same for all that use it.
    """

    def __init__(self, estimator: Any, cache: dict[Any, Any]) -> None:
        self.estimator = estimator
        self.cache = cache

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.estimator, name)
        return self._once(name, value) if name in PREDICTIONS else value

    def _once(self, name: str, predict: Any) -> Any:
        def cached(X: Any) -> Any:
            # scikit-learn's own entries have one column for two classes, so the key is another.
            key = "skxent", name
            if key not in self.cache:
                self.cache[key] = predict(X)
            return self.cache[key]

        return cached


def with_shared_predictions(method_caller: Any, estimator: Any) -> Any:
    """Return what stands for the estimator, with the cache of scikit-learn's `method_caller`.

    Parameters
    ----------
    method_caller : callable
        A `functools.partial` of a function whose first argument is a dict, or None.
    estimator : object

    Returns
    -------
    SharedPredictions, or the estimator itself where there is no cache
    """
    arguments = getattr(method_caller, "args", ())
    if arguments and isinstance(arguments[0], dict):
        return SharedPredictions(estimator, arguments[0])
    return estimator


def class_name(estimator: Any) -> str:
    """Name the class of an estimator, also of one that something stands for."""
    stands_for_it = isinstance(estimator, SharedPredictions)
    return type(estimator.estimator if stands_for_it else estimator).__name__
