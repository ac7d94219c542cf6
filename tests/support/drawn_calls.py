"""Calls that are drawn from a seed, and the rule for how a call may end.

A feature is a function ``check(draw)`` that makes a call from a `Draw` and returns the faults that
it finds, as lines of text. The same seed always makes the same call. One seed in three is hostile:
the data then have few rows, ties, extreme sizes, other types and forms.

A call may end with a result, which the check compares with a reference of its own, or with a
ValueError or TypeError whose message names an argument. It may give a warning of `EXPECTED`. Any
other exception or warning is a fault, and so is an estimator that differs after an error.

``tests/benchmarks/bench_drawn_calls.py`` runs many seeds; ``tests/package/test_drawn_calls.py``
runs a few.
"""

from __future__ import annotations

import re
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from skxent.metrics import ZeroProbabilityWarning

Check = Callable[["Draw"], Sequence[str]]
EXPECTED = ConvergenceWarning, ZeroProbabilityWarning
DTYPES = "float64", "float32", "int64", "int8", "bool", "object", "nullable"
FORMS = "plain", "read-only", "Fortran", "strided", "list", "frame", "reversed view"


class Draw:
    """Choices made from a seed; `choices` holds them by name, to show the call that failed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        self.hostile = seed % 3 == 0
        self.choices: dict[str, Any] = {}

    def one_of(self, name: str, options: Sequence[Any]) -> Any:
        """Return one of the options, and remember it under this name."""
        found = options[int(self.rng.integers(len(options)))]
        self.choices[name] = found
        return found

    def number(self, name: str, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`, both included."""
        self.choices[name] = found = int(self.rng.integers(least, most + 1))
        return found

    def chance(self, name: str, share: float) -> bool:
        """Return True with this probability."""
        self.choices[name] = found = bool(self.rng.random() < share)
        return found

    # Data ----------------------------------------------------------------------------------------

    def n_samples(self, most: int = 200) -> int:
        """Return a number of samples: 1 to 20 if hostile."""
        return self.number("n", 1, 20) if self.hostile else self.number("n", 20, most)

    def features(self, n: int, d: int) -> np.ndarray:
        """Return n rows of d finite numbers; hostile ones have ties, constants and extremes."""
        X = self.rng.normal(size=(n, d))
        if not self.hostile:
            kind = self.one_of("X", ["normal", "counts", "scales", "indicators"])
            if kind == "counts":
                X = self.rng.poisson(2.0, (n, d)).astype(float)
            elif kind == "scales":
                X = X * 10.0 ** self.rng.uniform(-4, 4, d) + 10.0 ** self.rng.uniform(-2, 4, d)
            elif kind == "indicators":
                X = (X > 0.5).astype(float)
            return X
        for j in range(d):
            kind = self.one_of(
                f"column {j}",
                [
                    "normal",
                    "constant",
                    "zero",
                    "tied",
                    "copy",
                    "tiny",
                    "huge",
                    "outlier",
                    "shifted",
                ],
            )
            if kind == "constant":
                X[:, j] = 3.7
            elif kind == "zero":
                X[:, j] = 0.0
            elif kind == "tied":
                X[:, j] = np.round(X[:, j])
            elif kind == "copy":
                X[:, j] = X[:, 0]
            elif kind == "tiny":
                X[:, j] *= 1e-300
            elif kind == "huge":
                X[:, j] *= self.one_of(f"size {j}", [1e6, 1e100, 1e300])
            elif kind == "outlier":
                X[0, j] = 1e6
            elif kind == "shifted":
                X[:, j] += 1e8
        return X

    def codes(self, n: int, K: int) -> np.ndarray:
        """Return n codes of K classes; hostile ones may lack classes or have one class only."""
        codes = self.rng.integers(K, size=n)
        if self.hostile:
            kind = self.one_of("y", ["any", "one class", "lacks a class", "sorted"])
            if kind == "one class":
                codes[:] = codes[0]
            elif kind == "lacks a class":
                codes[codes == K - 1] = 0
            elif kind == "sorted":
                codes.sort()
        return codes

    def labels(self, codes: np.ndarray, K: int) -> tuple[np.ndarray, np.ndarray]:
        """Return labels of codes, and the K names of the classes in ascending order."""
        kind = self.one_of("labels", ["int", "str", "object", "bool", "float", "negative"])
        names = np.arange(K)
        if kind in ("str", "object"):
            names = np.array(
                [f"c{k:03d}" for k in range(K)], dtype=None if kind == "str" else object
            )
        elif kind == "bool" and K == 2:
            names = np.array([False, True])
        elif kind == "float":
            names = np.arange(K) * 1.0
        elif kind == "negative":
            names = np.arange(K) - 2
        return names[codes], names

    def soft_rows(self, n: int, K: int) -> np.ndarray:
        """Return n distributions over K classes."""
        T = self.rng.dirichlet(np.full(K, self.one_of("alpha", [0.1, 1.0, 10.0])), n)
        if self.hostile and self.chance("sharp", 0.5):
            T = np.eye(K)[T.argmax(axis=1)]
        return T

    def weights(self, n: int) -> np.ndarray | None:
        """Return None or weights that are not all zero."""
        kinds = ["none", "counts", "uniform"]
        if self.hostile:
            kinds += ["zeros", "wide", "tiny", "huge"]
        kind = self.one_of("weights", kinds)
        if kind == "none":
            return None
        if kind == "counts":
            return self.rng.integers(1, 4, n).astype(float)
        w = self.rng.uniform(0.1, 2.0, n)
        if kind == "zeros":
            w[self.rng.random(n) < 0.4] = 0.0
            w[0] = 1.0
        elif kind == "wide":
            w = self.rng.choice([0.0, 1e-12, 1.0, 1e12], n)
            w[0] = 1.0
        elif kind in ("tiny", "huge"):
            w *= 1e-12 if kind == "tiny" else 1e12
        return w

    # Forms ---------------------------------------------------------------------------------------

    def passed(self, name: str, A: np.ndarray, dtypes: Sequence[str] = DTYPES) -> tuple[Any, Any]:
        """Return an array in a drawn type and form, and the float64 numbers that it then holds."""
        A = np.asarray(A)
        dtype = self.one_of(f"{name} dtype", dtypes)
        with np.errstate(invalid="ignore"):  # a number that no integer type holds
            if dtype in ("int64", "int8", "bool") and not np.array_equal(A, A.astype(dtype)):
                dtype = "float64"
        if dtype == "float32" and np.abs(A).max(initial=0.0) > 1e30:
            dtype = "float64"
        kept = A if dtype in ("object", "nullable") else A.astype(dtype)
        numbers = kept.astype(np.float64)
        form = self.one_of(f"{name} form", FORMS)
        if dtype == "nullable":
            frame = pd.DataFrame(A) if A.ndim == 2 else pd.Series(A)
            return frame.convert_dtypes(), numbers
        if dtype == "object":
            kept = A.astype(object)
        return formed(kept, form), numbers

    def sparse(self, A: np.ndarray) -> Any:
        """Return a sparse matrix of A, which may have explicit zeros and unsorted indices."""
        kind = self.one_of("sparse", ["csr", "csc", "coo", "explicit zeros", "csr array"])
        S = sparse.csr_array(A) if kind == "csr array" else sparse.csr_matrix(A)
        if kind == "explicit zeros" and S.nnz:
            S.data[0] = 0.0
            A[tuple(index[0] for index in sparse.coo_matrix(S).coords)] = 0.0
        return S.asformat(kind) if kind in ("csc", "coo") else S


def formed(A: np.ndarray, form: str) -> Any:
    """Return the numbers of an array in another form."""
    if form == "read-only":
        A = A.copy()
        A.setflags(write=False)
    elif form == "Fortran":
        A = np.asfortranarray(A)
    elif form == "strided":
        wide = np.repeat(A, 2, axis=0)
        A = wide[::2]
    elif form == "reversed view":
        A = A[::-1].copy()[::-1]
    elif form == "list":
        return A.tolist()
    elif form == "frame":
        return pd.DataFrame(A) if A.ndim == 2 else pd.Series(A)
    return A


@dataclass
class Ended:
    """How a call ended: its result or its error, its warnings, and the faults in that."""

    result: Any = None
    error: Exception | None = None
    warned: list[warnings.WarningMessage] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def warned_of(self, category: type[Warning] = ConvergenceWarning) -> bool:
        """Whether a warning of this category was given."""
        return any(issubclass(each.category, category) for each in self.warned)

    @property
    def words(self) -> str:
        """The texts of the error and of all warnings."""
        return "\n".join([str(self.error or ""), *(str(each.message) for each in self.warned)])


def ended(
    call: Callable[[], Any],
    names: Sequence[str],
    expected: Sequence[type[Warning]] = EXPECTED,
    user_warnings: Sequence[str] = (),
) -> Ended:
    """Run a call, and list what is not allowed in how it ended.

    `names` are the arguments that an error may name, `user_warnings` parts of the texts of
    UserWarnings that the call may give.
    """
    found = Ended()
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("always")
        try:
            found.result = call()
        except (TypeError, ValueError) as error:
            found.error = error
            words = str(error)
            if isinstance(error, np.linalg.LinAlgError) or not any(
                re.search(rf"(?<![A-Za-z_]){re.escape(name)}(?![A-Za-z])", words) for name in names
            ):
                found.faults.append(f"error names no argument: {place_of(error)}")
        except Exception as error:
            found.error = error
            found.faults.append(f"other error: {place_of(error)}")
    found.warned = list(caught)
    for each in caught:
        known = each.category is UserWarning and any(
            part in str(each.message) for part in user_warnings
        )
        if not known and not issubclass(each.category, tuple(expected)):
            text = f"{each.category.__name__}: {each.message} at {each.filename}:{each.lineno}"
            found.faults.append(f"other warning: {text}"[:300])
    return found


def place_of(error: Exception) -> str:
    """Return an error's type, text and the last place in skxent that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "skxent" in f.filename and "tests" not in f.filename]
    at = f"{own[-1].filename.rsplit('skxent/', 1)[-1]}:{own[-1].lineno}" if own else "outside"
    return f"{type(error).__name__}: {str(error)[:160]!r} at {at}"


def state_of(estimator: Any) -> dict[str, Any]:
    """Return the attributes of an estimator, to compare them before and after an error."""
    return dict(vars(estimator))


def same_state(before: dict[str, Any], estimator: Any) -> list[str]:
    """Return a fault for each attribute that was added, removed or replaced."""
    after = vars(estimator)
    changed = before.keys() ^ after.keys()
    changed |= {k for k in before.keys() & after.keys() if before[k] is not after[k]}
    return [f"state differs after an error: {name}" for name in sorted(changed)]


def faults_of(check: Check, seed: int) -> list[str]:
    """Run one drawn call; an exception of the check itself is a fault, too.

    Warnings are judged by `ended`; those of a reference, as of a splitter, do not count.
    """
    draw = Draw(seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = list(check(draw))
    except Exception as error:
        found = [f"check failed: {place_of(error)}\n{traceback.format_exc(limit=-4)}"]
    return [f"seed {seed}: {line}\n    {draw.choices}" for line in found]
