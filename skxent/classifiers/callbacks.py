"""Callbacks of scikit-learn (`sklearn.callback`, new in 1.9) during a fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from skxent.inputs.features import AnyArray

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    HAS_CALLBACKS = True
except ImportError:
    HAS_CALLBACKS = False

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Empty replacement of scikit-learn's mixin, for versions before 1.9."""

    def with_callbacks(method: Callable) -> Callable:
        """Return the method itself."""
        return method


Attributes = dict[str, Any]  # fitted attributes of an estimator by name
# Function that returns the fitted attributes for some parameters of the fit.
MakeAttributes = Callable[[], Attributes]
# Function to call after each iteration; returns whether a callback stops the fit.
AfterIteration = Callable[[MakeAttributes], bool]


@contextmanager
def fit_task(
    estimator: Any,
    X: AnyArray,
    y: AnyArray,
    metadata: Mapping[str, object] | None,
    start: MakeAttributes,
) -> Iterator[AfterIteration | None]:
    """Run a fit as a task of the callbacks, with a subtask for each iteration.

    Yields the function to call after each iteration, or None if there are no callbacks. `start`
    returns the fitted attributes for the initial parameters. Attributes are computed only if a
    callback asks for them.

    As in scikit-learn's LogisticRegression the next iteration begins as soon as one ends, so a
    callback at the beginning of an iteration sees the attributes of the end of the previous one.
    The subtask that begins after the last iteration ends without data and attributes.
    """
    if not getattr(estimator, "_skl_callbacks", None):
        yield None
        return
    known: dict[str, object] = dict(estimator=estimator, X=X, y=y, metadata=metadata)
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
    # The estimator has its fitted attributes by now, so callbacks can read them there.
    fit.call_on_fit_task_end(**known, reconstruction_attributes={})
