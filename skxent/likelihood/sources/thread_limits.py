"""One BLAS thread while rows are shared among threads, and the end of those threads.

The limit on BLAS threads belongs to the process, so fits that run at once share it: the first user
sets it, the last one to leave restores what the first one found.

An interrupt (Ctrl-C) may arrive between any two bytecodes, also in the code that restores. Three
rules keep the state consistent:

* Each change of the state is one bytecode. The changes are ordered so that leaving is correct after
  any number of them. Leaving twice does no harm.
* Users leave twice, ``with closing(one_blas_thread()) as limit, limit:``. The outer exit completes
  an entry or exit that was interrupted. (Python may raise KeyboardInterrupt between the last
  statement of ``__enter__`` and the body of a with statement, and before the first statement of
  ``__exit__``, so one exit is not enough.)
* The lock is reentrant: a signal handler that runs in the middle of a change may fit as well.

A child of a fork inherits the state, but none of the threads other than the one that forked. Users
in those threads are removed in the child.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Self
from weakref import WeakSet

import joblib
from threadpoolctl import ThreadpoolController


@cache
def _blas() -> ThreadpoolController:
    # Finding the loaded libraries takes milliseconds; setting a limit with them takes microseconds.
    return ThreadpoolController().select(user_api="blas")


_lock = threading.RLock()
_users: dict[OneBlasThread, int] = {}  # and the thread that each of them entered from
_before: list[int] | None = None  # threads of each library before the first user; None: no limit


class OneBlasThread:
    """A user of the limit; see `one_blas_thread`."""

    pools: WeakSet[ThreadPoolExecutor] | None = None

    def __enter__(self) -> Self:
        _enter(self)
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def close(self) -> None:
        """End the pools that are left, and release the limit if it is still held."""
        for pool in list(self.pools or ()):
            end_pool(pool)
        _leave(self)

    def add(self, pool: ThreadPoolExecutor) -> None:
        """End the threads of `pool` together with the limit."""
        if self.pools is None:
            self.pools = WeakSet()
        self.pools.add(pool)


def one_blas_thread() -> OneBlasThread:
    """Limit BLAS to one thread; the last user to leave restores the limits of the caller.

    Thread pools of `new_pool` end with the innermost user of the thread that created them.

    Examples
    --------
    >>> from contextlib import closing
    >>> with closing(one_blas_thread()) as limit, limit:  # leaves also if interrupted, see above
    ...     pass
    """
    return OneBlasThread()


def new_pool(n_threads: int) -> ThreadPoolExecutor:
    """A pool of threads, which start with the first task.

    The caller shuts the pool down. If an interrupt prevents that, the user of the limit does.
    """
    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="skxent")
    thread = threading.get_ident()
    with _lock:
        users = [user for user, owner in _users.items() if owner == thread]
    for user in users[-1:]:
        user.add(pool)
    return pool


def end_pool(pool: ThreadPoolExecutor) -> None:
    """End the threads of a pool; tasks that have not begun are cancelled."""
    pool.shutdown(wait=True, cancel_futures=True)


def effective_threads(n_jobs: int | None) -> int:
    """Number of threads for `n_jobs`.

    None stands for as many threads as BLAS would use, so that its limits are respected, divided
    among the fits at work.
    """
    if n_jobs is not None:
        return n_jobs if n_jobs > 0 else max(1, joblib.cpu_count() + 1 + n_jobs)
    with _lock:
        if _before is not None and _users:  # other fits hold the limit: share the threads with them
            return max(1, max(_before, default=1) // (1 + len(_users)))
    return max((library.num_threads for library in _blas().lib_controllers), default=1)


def _enter(user: OneBlasThread) -> None:
    global _before
    with _lock:
        _users.setdefault(user, threading.get_ident())
        found = [library.num_threads for library in _blas().lib_controllers]
        if _before is None:  # tested after the look: a signal handler may have set the limit since
            _before = found
        _set_blas_threads([1] * len(_before))


def _leave(user: OneBlasThread) -> None:
    with _lock:
        _users.pop(user, None)
        _restore_after_the_last()


def _restore_after_the_last() -> None:
    global _before
    if _before is not None and not _users:
        _set_blas_threads(_before)
        _before = None


def _set_blas_threads(limits: list[int]) -> None:
    """Set the limits of the libraries, from any thread.

    threadpoolctl 3.8 does nothing, silently, in a thread other than the one that set limits first,
    for as long as that one lives. The last user to leave is seldom the first who entered.
    """
    for library, limit in zip(_blas().lib_controllers, limits, strict=True):
        getattr(library, "_real_set_num_threads", library.set_num_threads)(limit)


def _after_fork_in_child() -> None:
    """Remove the users whose threads are not in the child; the lock is held since before."""
    here = threading.get_ident()
    for user in [user for user, owner in _users.items() if owner != here]:
        del _users[user]
    _restore_after_the_last()
    _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire,
        after_in_parent=_lock.release,
        after_in_child=_after_fork_in_child,
    )
