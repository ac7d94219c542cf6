"""Targets of a fit: codes of labels, or soft rows, and their multiplication by class weights."""

from __future__ import annotations

import numbers
import warnings
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skxent.inputs.array_arguments import as_array, as_numbers
from skxent.inputs.class_names import check_order, classes_named, column_names, name_array
from skxent.inputs.dask_arguments import computed
from skxent.inputs.errors import check_kind
from skxent.inputs.labels import as_labels, first_repeated, shorten
from skxent.inputs.namespaces import AnyArray, Floats, Label, namespace_of, to_numpy
from skxent.inputs.predictions import check_distributions
from skxent.inputs.weights import as_weights, check_weight_range


def sample_weights(sample_weight: ArrayLike | None, n: int) -> Floats | None:
    """Read and check the weights of `n` samples."""
    if sample_weight is None:
        return None
    values = as_array(sample_weight, "sample_weight")
    check_weight_shape(values.shape, n)
    weight = as_weights(values, n)
    if weight is not None:
        check_weight_range(weight.max())
    return weight


def check_weight_shape(shape: tuple[int, ...], n: int) -> None:
    """Require one weight for each of `n` samples."""
    if tuple(shape) != (n,):
        raise ValueError(
            f"sample_weight has shape {tuple(shape)} but X has {n} samples: pass one weight for "
            "each."
        )


def check_target_shape(shape: tuple[int, ...], n: int | None) -> None:
    """Require one label or one soft row for each of `n` samples; None means any number."""
    if n is not None and len(shape) > 0 and shape[0] != n:
        raise ValueError(f"X has {n} samples but y has {shape[0]}: pass equal lengths.")
    if len(shape) not in (1, 2):
        raise ValueError(f"y has shape {tuple(shape)}: pass labels, (n,), or soft rows, (n, K).")


def class_codes(target: np.ndarray) -> NDArray[np.intp]:
    """Return the class of each sample, the most probable one of soft targets, (n,)."""
    return target if target.ndim == 1 else target.argmax(axis=1)


@dataclass(frozen=True)
class FitTargets:
    """The classes, and the target of each sample.

    Parameters
    ----------
    classes : (K,) array
    values : (n,) or (n, K) array
        Codes into `classes`, or rows that sum to one.
    """

    classes: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, y: object, classes: ArrayLike | None, n: int) -> Self:
        """Read and check `y` of all `n` samples, which must have at least two classes."""
        targets = cls.read(y, classes, n)
        require_two_classes(targets.classes)
        return targets

    @classmethod
    def read(cls, y: AnyArray, classes: ArrayLike | None, n: int | None = None) -> Self:
        """Read and check `y` of `n` samples, or of any number, which may all be of one class."""
        if y is None:
            raise ValueError("fit requires y to be passed, but the target y is None.")
        (y,) = computed(y)
        check_kind(y, "y")
        y = y if hasattr(y, "shape") else as_array(y, "y")
        y = y if namespace_of(y) is None else to_numpy(y)
        check_target_shape(y.shape, n)
        soft = len(y.shape) == 2 and y.shape[1] > 1
        return cls._from_rows(y, classes) if soft else cls._from_labels(y, classes)

    @classmethod
    def _from_labels(cls, y: AnyArray, classes: ArrayLike | None) -> Self:
        if classes is not None:
            raise ValueError(
                "classes names the columns of soft targets, but y holds labels: leave classes out."
            )
        if not isinstance(y, np.ndarray) or y.ndim != 1:
            y = column_or_1d(y, warn=True)
        if y.dtype.kind == "T":
            y = y.astype(object)
            labels = as_labels(y, "y")
            return cls(labels.distinct, labels.codes)
        if y.dtype.kind == "f":
            assert_all_finite(y, input_name="y")
        if y.dtype.kind not in "biuUO":  # `as_labels` checks the other kinds
            check_classification_targets(y)
        labels = as_labels(y, "y")
        if y.dtype.kind == "O":  # keep the given values: equal labels may differ in type
            example = np.empty(len(labels.distinct), dtype=np.intp)
            example[labels.codes[::-1]] = np.arange(len(y))[::-1]
            return cls(y[example], labels.codes)
        return cls(labels.distinct.astype(y.dtype), labels.codes)

    @classmethod
    def _from_rows(cls, y: ArrayLike, classes: ArrayLike | None) -> Self:
        rows = as_numbers(y, "y")
        check_distributions(rows, "y")
        # The order of the columns stays, so that predictions have the columns of the targets.
        columns = column_names(y)
        if classes is not None:
            return cls(cls.names(classes, rows.shape[1], columns), rows)
        if columns is None:
            return cls(np.arange(rows.shape[1]), rows)
        try:
            return cls(name_array(classes_named(columns, "y")), rows)
        except ValueError as error:
            raise ValueError(f"{error} Or pass classes=, which then names them.") from error

    @staticmethod
    def names(classes: ArrayLike, n_columns: int, columns: list[Label] | None) -> np.ndarray:
        """Read and check the names of the columns of soft targets."""
        if np.shape(classes) != (n_columns,):
            raise ValueError(
                f"classes has shape {np.shape(classes)}, y has {n_columns} columns: pass one name "
                "for each column."
            )
        labels = as_labels(classes, "classes")
        repeated = first_repeated(labels)
        if repeated is not None:
            raise ValueError(f"classes has {repeated!r} twice: name each column differently.")
        check_order("y", columns, "classes", labels.source.tolist())
        return np.asarray(classes)

    def weighted(
        self, class_weight: dict[Label, float] | str | None, weight: Floats | None
    ) -> tuple[Self, Floats | None]:
        """Return the targets and sample weights that result from class weights.

        The weight of a soft row is multiplied by the mean of the class factors under the row. The
        row is multiplied by the factors and divided by its sum. A one-hot row therefore has the
        same effect as its label.
        """
        if class_weight is None:
            return self, weight
        totals = self.totals(weight)
        factors = class_factors(class_weight, self.classes, totals)
        return self.times(factors, weight)

    def times(self, factors: Floats, weight: Floats | None) -> tuple[Self, Floats]:
        """Return targets and sample weights multiplied by the factors of the classes."""
        targets = self
        if self.values.ndim == 1:
            share = factors[self.values]
        else:
            rows = self.distributions() * factors
            share = rows.sum(axis=1)
            rows = np.where(share[:, None] > 0, rows, self.values)
            targets = replace(self, values=rows / rows.sum(axis=1, keepdims=True))
        return targets, share if weight is None else share * weight

    @property
    def codes(self) -> NDArray[np.intp]:
        """The class of each sample, the most probable one of soft targets, (n,)."""
        return class_codes(self.values)

    def distributions(self) -> Floats:
        """Return soft rows in float64, divided by their sums."""
        rows: Floats = self.values / self.values.sum(axis=1, keepdims=True, dtype=np.float64)
        return rows

    def totals(self, weight: Floats | None) -> Floats:
        """Return the total weight of each class."""
        if self.values.ndim == 1:
            return np.bincount(self.values, weight, minlength=len(self.classes)).astype(float)
        weight = np.ones(len(self.values)) if weight is None else weight
        return weight @ self.distributions()


def require_two_classes(classes: np.ndarray) -> None:
    """Refuse samples that are all of one class."""
    if len(classes) < 2:
        raise ValueError(
            f"y has only one class, {classes.tolist()[0]!r}: a classifier needs at least two."
        )


def class_factors(
    class_weight: dict[Label, float] | str, classes: np.ndarray, totals: Floats
) -> Floats:
    """Return the factor of each class, (K,), given the total weight of its samples."""
    if isinstance(class_weight, str) and class_weight == "balanced":
        return totals.sum() / (len(classes) * np.where(totals > 0, totals, np.inf))
    if not isinstance(class_weight, dict):
        raise ValueError(f"class_weight is {class_weight!r}: pass a dict, 'balanced' or None.")
    labels = classes.tolist()
    _check_keys(class_weight, labels)
    for key, factor in class_weight.items():
        if not isinstance(factor, numbers.Real) or not 0 <= factor < np.inf:
            raise ValueError(
                f"class_weight[{key!r}] is {factor!r}: factors are finite and not negative."
            )
    factors = np.array([float(class_weight.get(label, 1.0)) for label in labels])
    if not (factors * totals).any():
        raise ValueError(
            "class_weight is zero wherever sample_weight is not: give at least one sample some "
            "weight."
        )
    return factors


def _check_keys(class_weight: dict[Label, float], labels: list[Label]) -> None:
    """Refuse keys of another type than labels; warn of unknown keys if a class has no key.

    If every class has a key, unknown keys are taken for classes that a training fold lacks.
    """
    unknown = [key for key in class_weight if key not in labels]
    text = isinstance(labels[0], str)
    other = [key for key in unknown if isinstance(key, str) != text]
    if other:
        raise ValueError(
            f"class_weight has the key {other[0]!r}, but the labels of y are like {labels[0]!r}: "
            "pass keys of the type of the labels."
        )
    without = [label for label in labels if label not in class_weight]
    if unknown and without:
        warnings.warn(
            f"class_weight has keys {shorten(unknown)} that are not classes of y and are "
            f"ignored; classes {shorten(without)} have no key, and their factor is 1.",
            stacklevel=2,
        )


def check_labels(y: AnyArray) -> None:
    """Refuse soft targets, for which accuracy is not defined."""
    shape = getattr(y, "shape", None)
    shape = np.shape(y) if shape is None else tuple(shape)
    if len(shape) == 2 and shape[1] > 1:
        raise ValueError(
            f"y has shape {shape}, and score is the accuracy of predicted labels: for soft targets "
            "take log_likelihood(X, y), or skxent.cce_scorer(clf, X, y)."
        )
