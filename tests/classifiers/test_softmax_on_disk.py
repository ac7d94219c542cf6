"""Data larger than memory: X stays in its file, and a fit takes what its blocks take.

The file runs by itself as the process that has little memory: ``python test_on_disk.py FOLDER``.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from skxent import SoftmaxClassifier

ROOT = Path(__file__).parents[2]
STATUS = Path("/proc/self/status")
ROOM = 64 << 20  # bytes that the process may allocate once everything is imported
SIZE = 128 << 20  # bytes of X
PIECE = 1 << 16  # rows written at a time
FEATURES = 50
ENTRIES = 10  # of a sparse row

pytestmark = pytest.mark.skipif(not STATUS.exists(), reason="limits memory as Linux does")


def write(folder, form):
    """Write X, piece by piece, and y; X has as many rows as make `SIZE`."""
    sparse = form == "sparse"
    dtype = np.dtype("float64" if sparse else form)
    width = ENTRIES if sparse else FEATURES
    n = SIZE // (width * (dtype.itemsize + 4 * sparse))
    new = np.lib.format.open_memmap
    values = new(folder / "values.npy", mode="w+", dtype=dtype, shape=(n, width))
    if sparse:
        columns = new(folder / "columns.npy", mode="w+", dtype=np.int32, shape=(n, width))
        np.save(folder / "ends.npy", np.arange(0, n * width + 1, width, dtype=np.int32))
    rng = np.random.default_rng(0)
    labels = []
    for start in range(0, n, PIECE):
        rows = slice(start, min(start + PIECE, n))
        x = rng.standard_normal((rows.stop - start, width), dtype=np.float32)
        values[rows] = x
        if sparse:
            step = FEATURES // ENTRIES
            columns[rows] = rng.integers(step, size=x.shape) + step * np.arange(ENTRIES)
        labels.append(x.sum(axis=1) + 2 * rng.logistic(size=len(x)) > 0)
    np.save(folder / "y.npy", np.concatenate(labels))


def load(folder, mmap_mode):
    """X and y, either read or mapped."""
    values, y = (np.load(folder / f"{name}.npy", mmap_mode=mmap_mode) for name in ("values", "y"))
    if not (folder / "columns.npy").exists():
        return values, y
    columns, ends = (np.load(folder / f"{name}.npy", mmap_mode) for name in ("columns", "ends"))
    parts = (values.reshape(-1), columns.reshape(-1), ends)
    return scipy.sparse.csr_array(parts, shape=(len(y), FEATURES), copy=False), y


def attempt(function):
    """The result, or None where memory does not suffice."""
    try:
        return function()
    except MemoryError:
        return None


def fit_with_little_memory(folder):
    """Limit what this process may allocate, and fit X from its file."""
    import resource  # not on every platform

    X, y = load(folder, "r")
    # BLAS allocates its buffers when first used, and tries for ever if it cannot.
    SoftmaxClassifier(n_jobs=1).fit(X[:1000], y[:1000])
    allocated = int(re.search(r"VmData:\s+(\d+) kB", STATUS.read_text())[1]) << 10
    resource.setrlimit(resource.RLIMIT_DATA, (allocated + ROOM,) * 2)
    clf = SoftmaxClassifier(n_jobs=1).fit(X, y)
    return {
        "coef": clf.coef_.tolist(),
        "converged": clf.converged_,
        "training": clf.log_likelihood_,
        "predicted": attempt(lambda: clf.log_likelihood(X, y)),
        "copied": attempt(X.copy) is not None,
    }


@pytest.fixture(scope="module", params=["float32", "float64", "sparse"])
def folder(request):
    with tempfile.TemporaryDirectory() as name:  # pytest would keep the files of three runs
        write(Path(name), request.param)
        yield Path(name)


@pytest.fixture(scope="module")
def report(folder):
    """What the process with little memory has to tell."""
    run = subprocess.run(
        [sys.executable, "-W", "error", __file__, folder],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.thinned(50)
def test_fit_of_more_than_memory(folder, report):
    assert not report["copied"]  # or the limit was none
    assert report["converged"]
    clf = SoftmaxClassifier(n_jobs=1).fit(*load(folder, None))
    np.testing.assert_allclose(report["coef"], clf.coef_, rtol=1e-10)


@pytest.mark.thinned(3)
def test_log_likelihood_of_more_than_memory(report):
    assert report["predicted"] == pytest.approx(report["training"], rel=1e-10)


if __name__ == "__main__":
    print(json.dumps(fit_with_little_memory(Path(sys.argv[1]))))
