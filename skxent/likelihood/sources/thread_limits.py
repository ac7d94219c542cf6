"""Limit BLAS to one thread while fits use threads of their own, and end these threads.

The limit on BLAS threads applies to the whole process, so concurrent fits share it: the first user
sets it, and the last user to leave restores the limits that the first user found.

An interrupt (Ctrl-C) may arrive between any two bytecodes, also while limits are restored. Three
rules keep the state consistent:

* Each change of the state is one bytecode. The changes are ordered so that a user can leave
  correctly after any of them. Leaving twice does no harm.
* Users leave twice, ``with closing(one_blas_thread()) as limit, limit:``. The outer exit completes
  an entry or exit that was interrupted. (Python may raise KeyboardInterrupt between the last
  statement of ``__enter__`` and the body of a with statement, and before the first statement of
  ``__exit__``, so one exit is not enough.)
* The lock is reentrant, because a signal handler that interrupts a change may itself run a fit.

A forked child process inherits the state, but of the threads only the one that forked. The child
removes the users of all other threads.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Self
from weakref import WeakSet

import joblib
from threadpoolctl import ThreadpoolController


@cache
def _blas() -> ThreadpoolController:
    # Cached, because finding the loaded libraries takes milliseconds. Setting limits afterwards
    # takes microseconds.
    return ThreadpoolController().select(user_api="blas")


_lock = threading.RLock()
_users: dict[OneBlasThread, int] = {}  # user -> thread in which the user entered
# Number of threads of each BLAS library before the first user; None while there is no limit.
_before: list[int] | None = None


class OneBlasThread:
    """A context manager that limits BLAS to one thread; see `one_blas_thread`."""

    pools: WeakSet[ThreadPoolExecutor] | None = None

    def __enter__(self) -> Self:
        _enter(self)
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the pools that still exist, and release the limit if it is still held."""
        for pool in list(self.pools or ()):
            end_pool(pool)
        _leave(self)

    def add(self, pool: ThreadPoolExecutor) -> None:
        """Register `pool`, to end its threads when this user leaves."""
        if self.pools is None:
            self.pools = WeakSet()
        self.pools.add(pool)


def one_blas_thread() -> OneBlasThread:
    """Limit BLAS to one thread; the last user to leave restores the limits of the caller.

    A thread pool from `new_pool` belongs to the user that entered last in the same thread, and is
    shut down when this user leaves.

    Examples
    --------
    >>> from contextlib import closing
    >>> with closing(one_blas_thread()) as limit, limit:  # safe under interrupts
    ...     pass
    """
    return OneBlasThread()


def new_pool(n_threads: int) -> ThreadPoolExecutor:
    """A pool of threads, which are started when the first task is submitted.

    The caller shuts the pool down. If an interrupt prevents this, the `OneBlasThread` of the caller
    shuts it down.
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

    For None it is the number of threads that BLAS would use, so that limits on BLAS are respected.
    It is divided by the number of fits that run at the same time.
    """
    if n_jobs is not None:
        return n_jobs if n_jobs > 0 else max(1, joblib.cpu_count() + 1 + n_jobs)
    with _lock:
        if _before is not None and _users:  # other fits are running
            return max(1, max(_before, default=1) // (1 + len(_users)))
    return max((library.num_threads for library in _blas().lib_controllers), default=1)


def _enter(user: OneBlasThread) -> None:
    global _before
    with _lock:
        _users.setdefault(user, threading.get_ident())
        found = [library.num_threads for library in _blas().lib_controllers]
        if _before is None:  # a signal handler may have set it since the line above
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

    The public method of threadpoolctl 3.8 silently does nothing in any thread but the one that set
    limits first, as long as this thread lives. The last user to leave is often in another thread.
    """
    for library, limit in zip(_blas().lib_controllers, limits, strict=True):
        getattr(library, "_real_set_num_threads", library.set_num_threads)(limit)


def _after_fork_in_child() -> None:
    """Remove the users whose threads are not in the child; the parent's hook took the lock."""
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
