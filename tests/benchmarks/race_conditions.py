"""When, where and with which versions the race was run."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from typing import Any

from rivals import LIBRARIES

import skxent


def conditions(threads: int, minutes: float) -> dict[str, Any]:
    """What a reader has to know about a run. The machine's name is not in it."""
    packages = {}
    for name in ("numpy", "scipy", "scikit-learn", *LIBRARIES):
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            packages[name] = None
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "version": skxent.__version__,
        "python": platform.python_version(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "threads": threads,
        "clock": "processor time" if threads == 1 else "time by the clock",
        "busy": round(os.getloadavg()[0], 1),
        "minutes": minutes,
        "packages": packages,
    }
