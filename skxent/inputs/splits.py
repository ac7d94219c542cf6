"""Folds of cross-validation: pairs of indices of samples, checked before anything is fitted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import check_cv

from skxent.inputs.namespaces import Floats

Indices = NDArray[np.intp]
Split = tuple[Indices, Indices]


def read_splits(
    cv: object, X: object, y: object, metadata: Mapping[str, object], n: int
) -> list[Split]:
    """Return the training and test indices of each fold of n samples.

    `metadata` has the other arguments of a splitter, such as groups.
    """
    if isinstance(cv, Iterable) and not isinstance(cv, str):
        cv = list(cv)
        _check_pairs(cv)
    pairs = check_cv(cv, y, classifier=True).split(X, y, **metadata)
    return [
        (
            _indices(train, n, f"cv has training indices in fold {fold}"),
            _indices(test, n, f"cv has test indices in fold {fold}"),
        )
        for fold, (train, test) in enumerate(pairs)
    ]


def check_holds_out(splits: list[Split]) -> None:
    """Require a held-out sample and, of several folds, a held-out sample outside each of them."""
    sizes = [len(np.unique(test)) for _, test in splits]
    if not sum(sizes):
        raise ValueError("cv holds out no samples: pass a number of folds, or a splitter.")
    everything = len(np.unique(np.concatenate([test for _, test in splits])))
    if everything in sizes and np.count_nonzero(sizes) > 1:
        raise ValueError(
            f"fold {sizes.index(everything)} of cv holds out the samples of all other folds, so no "
            "held-out sample outside the fold is left: pass folds that hold out different samples."
        )


def check_two_folds(splits: list[Split]) -> None:
    """Require two folds, since one has no standard error."""
    if len(splits) < 2:
        raise ValueError("cv has one fold, which has no standard error: pass two folds or more.")


def fold_weights(splits: list[Split], weight: Floats | None, n: int) -> tuple[Floats, Floats]:
    """Return the total weights of the training and of the test part of each fold; refuse 0."""
    importance = np.ones(n) if weight is None else weight
    train, test = (
        np.array([importance[i].sum() for i in part]) for part in zip(*splits, strict=True)
    )
    if not (train.all() and test.all()):
        fold = int((train * test == 0).argmax())
        raise ValueError(
            f"fold {fold} of cv has no weight: its training or test part has only weights of 0."
        )
    return train, test


def _check_pairs(folds: list[object]) -> None:
    for fold, pair in enumerate(folds):
        if not isinstance(pair, tuple | list | np.ndarray) or len(pair) != 2:
            raise ValueError(
                f"cv has a {type(pair).__name__} for fold {fold}: pass each fold as a pair of "
                "arrays of indices, (train, test)."
            )


def _indices(part: object, n: int, about: str) -> Indices:
    array = np.asarray(part)
    if array.dtype.kind == "b" and array.shape == (n,):
        return np.flatnonzero(array)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ValueError(
            f"{about} of shape {array.shape} and dtype {array.dtype}: pass whole numbers of shape "
            "(m,)."
        )
    beyond = (array >= n) | (array < -n)
    if beyond.any():
        raise ValueError(
            f"{about} like {array[int(beyond.argmax())]}, but there are {n} samples: make the "
            "folds from these samples."
        )
    indices = array.astype(np.intp, copy=False)
    return np.where(indices < 0, indices + n, indices)
