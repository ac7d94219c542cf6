"""The line of user code that a warning is about."""

from __future__ import annotations

import os
import sys
import sysconfig

OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep
# Packages that call ours for the user; `warnings.warn(skip_file_prefixes=...)` needs Python 3.12.
BETWEEN = ("sklearn", "joblib", "dask", "distributed")
STANDARD = sysconfig.get_path("stdlib") + os.sep
INSTALLED = ("site-packages", "dist-packages")


def users_stacklevel() -> int:
    """Return the `stacklevel` with which a warning of the calling function names the user's line.

    That line is in the innermost frame outside this package, scikit-learn, joblib, Dask and the
    standard library. A worker of joblib has no such frame; there, the frame that called this
    package is named.
    """
    prefixes = tuple(
        os.path.dirname(sys.modules[name].__file__ or "") + os.sep
        for name in BETWEEN
        if name in sys.modules
    )
    frame, level, fallback = sys._getframe(1), 1, 0
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(OURS):
            fallback = 0  # frames further in are of decorators around a method of this package
        else:
            fallback = fallback or level
            if not name.startswith(prefixes) and not _is_standard(name):
                return level
        frame, level = frame.f_back, level + 1  # type: ignore[assignment]
    return fallback or 1


def _is_standard(name: str) -> bool:
    standard = name.startswith(STANDARD) and not any(part in name for part in INSTALLED)
    return standard or name.startswith("<frozen")
