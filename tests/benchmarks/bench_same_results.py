"""Whether two versions of the package fit the same numbers, bit for bit.

Run ``python tests/benchmarks/bench_same_results.py --save before.json`` with one version and
``--compare before.json`` with the other. Each problem of the suite is fitted as it comes; small
ones also as a sparse matrix, in Dask partitions, and by the array API. The comparison lists every
fit whose coefficients, intercepts, objective, gap or passes differ, with the largest relative
difference. ``--only TEXT`` chooses problems by name, ``--quick`` leaves the slow ones out.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["SCIPY_ARRAY_API"] = "1"  # scikit-learn asks for it, before SciPy is imported

import numpy as np
import scipy.sparse as sp
import sklearn
from problems import Problem, available

from skxent import SoftmaxClassifier
from skxent.inputs.namespaces import to_numpy

SMALL = 2_000_000  # numbers of X; larger problems are fitted as they come only
STRICT = 200_000  # the same for the array API, whose strict library is slow
PARTITIONS = 5
NUMBERS = "coef_", "intercept_", "objective_", "optimality_gap_", "n_passes_"


def forms(X: Any, y: np.ndarray) -> Iterator[tuple[str, Any, Any]]:
    """Yield the same data in each form that is fitted."""
    yield ("sparse" if sp.issparse(X) else "dense"), X, y
    size = X.shape[0] * X.shape[1]
    if size > SMALL or sp.issparse(X):
        return
    yield "as sparse", sp.csr_array(X), y
    import dask.array as da

    rows = -(-len(y) // PARTITIONS)
    yield "Dask", da.from_array(X, chunks=(rows, -1)), da.from_array(y, chunks=rows)
    if size <= STRICT:
        import array_api_strict as xp

        yield "array API", xp.asarray(np.asarray(X, dtype=np.float64)), xp.asarray(y)


def fitted(problem: Problem, X: Any, y: Any) -> dict[str, Any]:
    """Fit one form of a problem; return its numbers, exactly, and the seconds."""
    clf = SoftmaxClassifier(C=problem.C)
    begin = time.perf_counter()
    on_device = type(X).__module__.startswith("array_api_strict")
    with warnings.catch_warnings(), sklearn.config_context(array_api_dispatch=on_device):
        warnings.simplefilter("ignore")
        clf.fit(X, y)
    seconds = time.perf_counter() - begin
    found = {}
    for name in NUMBERS:
        value = getattr(clf, name)
        value = to_numpy(value) if hasattr(value, "shape") else value
        found[name] = np.asarray(value, dtype=np.float64).ravel().tobytes().hex()
    return found | {"seconds": seconds}


def difference(one: str, other: str) -> float:
    """Return the largest difference of two arrays, relative to the largest number."""
    a, b = (np.frombuffer(bytes.fromhex(text)) for text in (one, other))
    if a.shape != b.shape:
        return np.inf
    return float(np.abs(a - b).max() / max(np.abs(a).max(), np.finfo(float).tiny))


def main() -> None:
    """Fit, and save or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", type=Path)
    parser.add_argument("--compare", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    settings = parser.parse_args()
    before = json.loads(settings.compare.read_text()) if settings.compare else {}
    after: dict[str, dict[str, Any]] = {}
    n_same = n_other = 0
    for problem, X, y in available(settings.only):
        if problem.slow and settings.quick:
            continue
        for form, X_form, y_form in forms(X, y):
            key = f"{problem.name}, {form}"
            after[key] = fitted(problem, X_form, y_form)
            line = f"{key:<44} {after[key]['seconds']:8.3f} s"
            if key in before:
                pairs = {name: (before[key][name], after[key][name]) for name in NUMBERS}
                off = {name: difference(*pair) for name, pair in pairs.items() if len({*pair}) > 1}
                n_same, n_other = n_same + (not off), n_other + bool(off)
                line += f", before {before[key]['seconds']:8.3f} s; "
                line += ", ".join(f"{n} {d:.1e}" for n, d in off.items()) if off else "same bits"
            print(line, flush=True)
            if settings.save:
                settings.save.write_text(json.dumps(after))
    if before:
        print(f"{n_same} fits with the same bits, {n_other} with others")


if __name__ == "__main__":
    main()
