"""Samples of Dask collections that are copied into this process, if they are few."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, vstack

from skxent.classifiers.partitioned_training import PartitionedSamples
from skxent.classifiers.training import LocalSamples
from skxent.inputs.features import canonical
from skxent.inputs.fit_targets import FitTargets
from skxent.likelihood.optimise.cost_model import fits_row_space
from skxent.likelihood.sources.partitioned_rows import PartitionedRows

# Size of X in bytes up to which samples are copied. Round trips to the workers for each pass would
# take longer than the copy.
FEW_BYTES = 32 * 2**20


def gathered_if_few(samples: PartitionedSamples) -> LocalSamples | PartitionedSamples:
    """Return the samples in this process, if they are few or fitted in their row space."""
    rows = samples.rows(None, None)
    if samples.n_bytes > FEW_BYTES and not fits_row_space(rows):
        return samples
    return gathered(samples, rows)


def gathered(samples: PartitionedSamples, rows: PartitionedRows) -> LocalSamples:
    """Return the samples in this process; `rows` are all of them without class weights."""
    parts = rows.gather("in_memory")
    X = [part.X for part in parts]
    weights = [part.weight for part in parts]
    offsets = [part.offset for part in parts]
    return LocalSamples(
        X=canonical(csr_array(vstack(X))) if samples.sparse else np.concatenate(X),
        targets=FitTargets(samples.classes, np.concatenate([part.targets for part in parts])),
        weight=None if weights[0] is None else np.concatenate(weights),
        fit_intercept=samples.fit_intercept,
        offset=None if offsets[0] is None else np.concatenate(offsets, axis=1).T,
    )
