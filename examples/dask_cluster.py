"""
Fit on a cluster
================

Rows that lie on several machines, or on the disk of one, stay where they are: each pass sends the
parameters out and brings one sum back. Here the cluster is two processes of this machine; with
``Client("scheduler-address:8786")`` it is whatever runs there, and nothing else changes.
"""

# sphinx_gallery_thumbnail_path = "thumbnails/dask_cluster.svg"

import dask
import dask.array as da
import numpy as np
from dask.distributed import Client, LocalCluster

from skxent import SoftmaxClassifier, SoftmaxClassifierCV, categorical_cross_entropy


def part(seed, n=25_000):
    """Raw measurements of one day: the columns have units, and days differ in size."""
    rng = np.random.default_rng(seed)
    n += 5000 * seed
    X = np.column_stack(
        [
            rng.normal(1.7e9, 3e4, n),  # seconds since 1970
            rng.normal(101_325, 800, n),  # air pressure in Pa
            rng.exponential(40.0, n),  # dust, in micrograms per cubic metre
        ]
    )
    drift = (X - [1.7e9, 101_325, 40.0]) / [3e4, 800, 40.0]
    y = (
        drift @ [[0.0, 1.0, 0.3], [0.0, -0.5, 1.0], [0.0, 0.2, 0.8]] + rng.gumbel(size=(n, 3))
    ).argmax(axis=1)
    return X, y


def main():
    """Fit, score and choose the penalty."""
    workers = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with workers, Client(workers):
        days = [dask.delayed(part, nout=2)(seed) for seed in range(6)]
        X = da.concatenate([da.from_delayed(x, (np.nan, 3), float) for x, _ in days])
        y = da.concatenate([da.from_delayed(y, (np.nan,), int) for _, y in days])

        clf = SoftmaxClassifier().fit(X, y)
        print(f"log-likelihood {clf.log_likelihood_:.1f} nats, gap {clf.optimality_gap_:.0e}")
        print(f"{clf.n_passes_:.0f} passes over the partitions, accuracy {clf.score(X, y):.3f}")

        loss = categorical_cross_entropy(y, clf.predict_proba(X))
        print(f"cross-entropy {loss:.4f} nats: one sum a partition, divided once")

        chosen = SoftmaxClassifierCV(Cs=[1e-8, 1e-6, 1e-4], cv=3).fit(X, y)
        print(f"C = {chosen.C_:g} of folds that are whole partitions")


if __name__ == "__main__":
    main()
