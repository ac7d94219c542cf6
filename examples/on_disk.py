"""
On disk: more data than memory
==============================

X need not fit into memory. A memory-mapped file will do, because
:class:`skxent.SoftmaxClassifier` reads X block by block, each block once a pass, and copies at
most a block and a sample of rows. The file here is small, so that the script takes seconds; one of
many gigabytes is handled in the same way.
"""

# sphinx_gallery_thumbnail_path = "thumbnails/on_disk.svg"

import tempfile
import tracemalloc
from pathlib import Path

import numpy as np

import skxent

# %%
# The data are written piece by piece, as they would come from a database or from other files, and
# are in memory at no time. The labels are: a number for each sample is little.

n, d, K = 600_000, 40, 3
rng = np.random.default_rng(0)
W = rng.normal(size=(K, d)) / np.sqrt(d)

folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "X.npy"
X = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, d))
y = np.empty(n, dtype=int)
for start in range(0, n, 50_000):
    rows = slice(start, start + 50_000)
    piece = rng.standard_normal((50_000, d), dtype=np.float32)
    X[rows] = piece
    y[rows] = (piece @ W.T + rng.gumbel(size=(50_000, K))).argmax(axis=1)
del X
print(f"{path.name}: {path.stat().st_size / 1e6:.0f} MB")

# %%
# ``mmap_mode="r"`` maps the file, and a slice of it is a map too. The first five sixths are for the
# fit. What Python allocates meanwhile is counted.

X = np.load(path, mmap_mode="r")
train, test = slice(0, 500_000), slice(500_000, n)

tracemalloc.start()
clf = skxent.SoftmaxClassifier(n_jobs=1).fit(X[train], y[train])
peak = tracemalloc.get_traced_memory()[1]
tracemalloc.stop()
print(f"{X[train].nbytes / 1e6:.0f} MB fitted, {peak / 1e6:.0f} MB allocated at most")

# %%
# A pass reads the file from its beginning to its end. Where it is larger than memory, passes are
# what a fit costs, and there are few of them.

print(f"{clf.n_passes_:.1f} passes, {clf.optimality_gap_:.0e} nats from the optimum")

# %%
# Predictions take a row for each sample, so they are made for some samples at a time. The
# log-likelihood is a sum over samples and adds up; one division at the end makes it a mean. A block
# is read, scored and forgotten.

total = 0.0
for start in range(test.start, test.stop, 20_000):
    rows = slice(start, start + 20_000)
    total += clf.log_likelihood(X[rows], y[rows])
print(f"held out: {-total / (test.stop - test.start):.4f} nats per sample")
print(f"fitted:   {-clf.log_likelihood_ / (train.stop - train.start):.4f} nats per sample")

# %%
# Windows removes no file that is mapped.

del X
folder.cleanup()
