"""Scikit-learn's callbacks, where there are any (`sklearn.callback`, new in 1.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    FRAMES_OF_FIT = 2  # from the body of fit to its caller: the decorator stands between
except ImportError:
    FRAMES_OF_FIT = 1

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in for scikit-learn's where it has none."""

    def with_callbacks(method: Callable) -> Callable:
        """Return the method itself."""
        return method


Step = Callable[[Callable[[], dict[str, Any]]], bool]


@contextmanager
def fit_task(estimator: Any, X: Any, y: Any, metadata: dict | None) -> Iterator[Step | None]:
    """One fit as a task with a subtask for each iteration.

    Yields None where no callback listens, and otherwise the function to call after each iteration.
    It takes a function that makes the fitted attributes, called only if a callback wants them, and
    tells whether a callback asked for the end.
    """
    if not getattr(estimator, "_skl_callbacks", None):
        yield None
        return
    known: dict[str, Any] = dict(estimator=estimator, X=X, y=y, metadata=metadata)
    fit = estimator._init_callback_context(max_subtasks=estimator.max_iter)
    fit.call_on_fit_task_begin(**known)

    def after_iteration(attributes: Callable[[], dict[str, Any]]) -> bool:
        iteration = fit.subcontext(task_name="iteration")
        iteration.call_on_fit_task_begin(**known)
        return bool(iteration.call_on_fit_task_end(**known, reconstruction_attributes=attributes))

    yield after_iteration
    # The fitted attributes are set by now, so the estimator itself can be looked at.
    fit.call_on_fit_task_end(**known, reconstruction_attributes={})
