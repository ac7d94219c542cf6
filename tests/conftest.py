"""Settings that must be made before NumPy, SciPy or matplotlib is imported."""

import os

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
