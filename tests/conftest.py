"""Settings before NumPy, SciPy or matplotlib is imported, thinned tests, garbage, open figures."""

import gc
import os
import sys
from zlib import crc32

import pytest

# Threads of BLAS that share cores with other work make small problems many times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# SciPy reads once, at import, whether scikit-learn may pass it arrays of other libraries.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
# Pictures are drawn without windows.
os.environ.setdefault("MPLBACKEND", "Agg")

# Fixtures that tests of several folders use: see tests/support.
pytest_plugins = [
    "array_libraries",
    "dask_schedulers",
    "drawn_cases",
    "injected_faults",
    "loss_by_sample",
    "newton_optimum",
]


def pytest_runtest_teardown():
    """Close all figures: pyplot warns of more than twenty, whichever tests have left them open."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """Keep the garbage collector away from what lives until the end of the run.

    Test modules, imported packages and thousands of tests are many objects. Each full collection
    would visit all of them again: a second for `gc.collect()`, which some libraries call often.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out slow tests
def pytest_collection_modifyitems(items):
    """Of the cases of a test with the marker ``thinned(n)``, all but about each n-th are slow.

    The first case is kept. The others are chosen by a checksum of the name, so that each value of
    each parameter is in some case.
    """
    seen = set()
    for item in items:
        marker = item.get_closest_marker("thinned")
        name = item.nodeid.partition("[")[0]
        if marker and name in seen and crc32(item.nodeid.encode()) % marker.args[0]:
            item.add_marker(pytest.mark.slow)
        seen.add(name)
