"""What surrounds a fit: callbacks (`sklearn.callback`, new in scikit-learn 1.9), undoing errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    HAS_CALLBACKS = True
except ImportError:
    HAS_CALLBACKS = False

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in for scikit-learn's where it has none."""

    def with_callbacks(method: Callable) -> Callable:
        """Return the method itself."""
        return method


# From the body of fit to its caller: `whole_fit` stands between, and scikit-learn's decorator.
FRAMES_OF_FIT = 2 + HAS_CALLBACKS

Attributes = Callable[[], dict[str, Any]]
Step = Callable[[Attributes], bool]


def whole_fit(method: Callable) -> Callable:
    """Support callbacks in a method `fit`, and leave the estimator as it was if `fit` raises.

    That includes errors of callbacks at the end of a fit, warnings that are errors, and interrupts.
    """
    watched = with_callbacks(method)

    @wraps(method)
    def fit(estimator: Any, *args: Any, **kwargs: Any) -> Any:
        before = dict(vars(estimator))
        try:
            return watched(estimator, *args, **kwargs)
        except BaseException:
            estimator.__dict__ = before
            raise

    return fit


@contextmanager
def fit_task(
    estimator: Any, X: Any, y: Any, metadata: dict | None, start: Attributes
) -> Iterator[Step | None]:
    """One fit as a task with a subtask for each iteration.

    Yields None where no callback listens, and otherwise the function to call after each iteration.
    It takes a function that makes the fitted attributes, called only if a callback wants them, and
    tells whether a callback asked for the end. `start` makes the attributes of the first point.

    As in scikit-learn's LogisticRegression the next iteration begins as soon as one ends. Callbacks
    at its beginning therefore get the attributes of that point. The iteration that begins after the
    last one ends without data and attributes.
    """
    if not getattr(estimator, "_skl_callbacks", None):
        yield None
        return
    known: dict[str, Any] = dict(estimator=estimator, X=X, y=y, metadata=metadata)
    fit = estimator._init_callback_context(max_subtasks=estimator.max_iter + 1)
    fit.call_on_fit_task_begin(**known)

    def begin(attributes: Attributes) -> Any:
        iteration = fit.subcontext(task_name="iteration")
        return iteration.call_on_fit_task_begin(**known, reconstruction_attributes=attributes)

    iteration = begin(start)

    def after_iteration(attributes: Attributes) -> bool:
        nonlocal iteration
        ended, iteration = iteration, None
        if ended.call_on_fit_task_end(**known, reconstruction_attributes=attributes):
            return True
        iteration = begin(attributes)
        return False

    yield after_iteration
    if iteration is not None:
        iteration.call_on_fit_task_end(estimator=estimator)
    # The fitted attributes are set by now, so the estimator itself can be looked at.
    fit.call_on_fit_task_end(**known, reconstruction_attributes={})
