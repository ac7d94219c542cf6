"""Callbacks of scikit-learn (`sklearn.callback`, new in 1.9) during a fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from skxent.inputs.features import AnyArray

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    HAS_CALLBACKS = True
except ImportError:
    HAS_CALLBACKS = False

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Replaces the mixin of scikit-learn 1.9 in earlier versions."""

    def with_callbacks(method: Callable) -> Callable:
        """Return the method itself."""
        return method


Attributes = dict[str, Any]  # fitted attributes of an estimator by name
# Makes the fitted attributes of a point of the fit.
MakeAttributes = Callable[[], Attributes]
# Called after each iteration; tells whether a callback ends the fit.
AfterIteration = Callable[[MakeAttributes], bool]


@contextmanager
def fit_task(
    estimator: Any, X: AnyArray, y: AnyArray, metadata: dict[str, Any] | None, start: MakeAttributes
) -> Iterator[AfterIteration | None]:
    """Run a fit as a task of the callbacks, with a subtask for each iteration.

    Yields the function to call after each iteration, or None if there are no callbacks. `start`
    makes the fitted attributes of the first point. Attributes are made only if a callback wants
    them.

    As in scikit-learn's LogisticRegression the next iteration begins as soon as one ends, so a
    callback at the beginning of an iteration sees the attributes of the end of the previous one.
    The iteration that begins after the last one ends without data and attributes.
    """
    if not getattr(estimator, "_skl_callbacks", None):
        yield None
        return
    known: dict[str, Any] = dict(estimator=estimator, X=X, y=y, metadata=metadata)
    fit = estimator._init_callback_context(max_subtasks=estimator.max_iter + 1)
    fit.call_on_fit_task_begin(**known)

    def begin(attributes: MakeAttributes) -> Any:
        iteration = fit.subcontext(task_name="iteration")
        return iteration.call_on_fit_task_begin(**known, reconstruction_attributes=attributes)

    iteration = begin(start)

    def after_iteration(attributes: MakeAttributes) -> bool:
        nonlocal iteration
        ended, iteration = iteration, None
        if ended.call_on_fit_task_end(**known, reconstruction_attributes=attributes):
            return True
        iteration = begin(attributes)
        return False

    yield after_iteration
    if iteration is not None:
        iteration.call_on_fit_task_end(estimator=estimator)
    # The estimator has its fitted attributes now, and callbacks can look at them.
    fit.call_on_fit_task_end(**known, reconstruction_attributes={})
