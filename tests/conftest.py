"""Settings that must be made before NumPy is imported."""

import os

# Threads of BLAS that share cores with other work make small problems many times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
