"""The sum of weighted losses and the sum of weights, to be added over chunks."""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from numpy.typing import ArrayLike

from skxent.inputs.errors import raise_loss_function
from skxent.inputs.namespaces import Floats
from skxent.inputs.options import is_positive, unit
from skxent.inputs.partitions import is_dask
from skxent.inputs.weights import check_weight_range
from skxent.metrics.loss_registry import BINARY, CATEGORICAL, Loss, losses_of
from skxent.metrics.loss_sums import loss_sums
from skxent.metrics.losses import binary_cross_entropy, categorical_cross_entropy
from skxent.metrics.partitioned_losses import PartitionedLosses
from skxent.metrics.tables import unit_name

FIELDS = ("total", "weight", "base")


@dataclass(frozen=True, repr=False)
class CrossEntropySum:
    """The sum of weighted losses and the sum of weights, to be added over chunks.

    The mean of chunk means is wrong when chunks differ in size or weight. Let each chunk, worker or
    device report this pair, add the pairs, and read `mean` at the end.

    Parameters
    ----------
    total : float, default=0.0
        Sum of weighted losses, in nats unless `base` says otherwise.
    weight : float, default=0.0
        Sum of the weights; the number of samples if there are no weights.
    base : float, default=None
        Base of the logarithm in the losses. None is nats, 2 is bits.

    Attributes
    ----------
    mean : float
        ``total / weight``.
    perplexity : float
        Exponential of the mean in nats.

    Notes
    -----
    Each sum, and each addition of two pairs, is right up to one rounding, a relative error of about
    1e-16. The sums of any division into k chunks therefore agree with the sums of the whole to a
    relative k × 1e-15. Pairs in different bases are not added.

    Examples
    --------
    >>> from skxent import CrossEntropySum
    >>> first = CrossEntropySum.of([0, 1], [0.5, 0.5])
    >>> second = CrossEntropySum.of([1], [0.25], labels=[0, 1])
    >>> first + second
    CrossEntropySum(total=2.772588722239781, weight=3.0)
    >>> sum([first, second]).mean
    0.924196240746593...
    """

    total: float = 0.0
    weight: float = 0.0
    base: float | None = None

    @classmethod
    def of(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        loss: Callable[..., float | Floats] = categorical_cross_entropy,
        **options: Any,
    ) -> CrossEntropySum:
        """Return the pair of one chunk.

        Parameters
        ----------
        y_true, y_pred : array-like
            As `loss` takes them. An empty chunk gives the pair (0, 0). Dask collections give one
            pair for all their partitions.
        sample_weight : array-like of shape (n,), default=None
            Weights. All weights of a chunk may be 0. Otherwise their sum must be between 1e-290 and
            1e290, so that sums of losses keep their digits.
        loss : callable, default=categorical_cross_entropy
            `categorical_cross_entropy` or :func:`binary_cross_entropy`, or a `functools.partial` of
            these.
        **options : dict
            Further arguments of `loss`. Pass `labels` if a chunk may lack a class. If all labels
            of a chunk are `ignore_label`, its pair is (0, 0).

        Returns
        -------
        CrossEntropySum
            The sum of weighted losses and the sum of weights.
        """
        while isinstance(loss, partial):
            options, loss = {**loss.keywords, **options}, loss.func
        entry = _entry(loss)
        given = entry.options(options)
        base, scale = given.base, unit(given.base)
        if is_dask(y_true, y_pred, sample_weight):
            sums = PartitionedLosses.of(entry, y_true, y_pred, sample_weight, given).sums()
            return cls(sums.total, sums.weight, base) if sums.weight else cls()
        if _is_empty(y_true) and _is_empty(y_pred):
            return cls()
        losses = losses_of(y_true, y_pred, entry, given)
        losses.warn(given.eps)
        total, weight = losses.sums(losses.weights(sample_weight, zero=True))
        check_weight_range(weight)
        return cls(total / scale, weight, base) if weight else cls()

    @classmethod
    def of_losses(cls, losses: Any, *, weight: Any = None) -> CrossEntropySum:
        """Return the pair of losses that others have computed, such as one loss for each token.

        Parameters
        ----------
        losses : array-like of any shape, or list of array-like
            Losses in nats, each at least 0. A list of arrays, one for each document or batch, may
            have arrays of unequal shapes. Arrays may be NumPy's, columns of data frames, Dask
            collections, whose partitions report their sums, or tensors of other libraries, which
            are summed on their device if scikit-learn's `array_api_dispatch` is on. No losses give
            the pair (0, 0).
        weight : array-like of the shape of `losses`, or list of array-like, default=None
            Weights, or a mask. True and 1 count a loss, False and 0 leave it out.

        Returns
        -------
        CrossEntropySum
            The sum of weighted losses and the sum of weights.

        Raises
        ------
        ValueError
            If a loss that has weight is NaN or negative, a weight is negative or not finite, the
            shapes of losses and weights differ, or the sum of finite losses is larger than the
            largest float.

        Notes
        -----
        An entry of weight 0 is absent. Padding may therefore be NaN, infinite or negative, if its
        weight is 0. An infinite loss that has weight gives an infinite total: the prediction ruled
        out what happened. Losses that are negative by rounding, down to -1e-6 (or the machine
        epsilon of half precision), count as 0.

        The losses are read once, block by block; of a memory map no more than a block is in memory.

        Examples
        --------
        >>> import numpy as np
        >>> from skxent import CrossEntropySum
        >>> losses = np.array([[0.5, 1.0, 1.5], [2.0, np.nan, np.nan]])
        >>> found = CrossEntropySum.of_losses(losses, weight=~np.isnan(losses))
        >>> found
        CrossEntropySum(total=5.0, weight=4.0)
        >>> round(found.perplexity, 4)
        3.4903
        >>> round(found.bits_per(18), 4)  # the text of these four tokens has 18 bytes
        0.4008
        """
        found = loss_sums(losses, weight)
        check_weight_range(found.weight, name="weight")
        if found.total == math.inf > found.largest:
            raise ValueError(
                "the sum of the losses is larger than the largest float: divide all losses by one "
                "number."
            )
        return cls(found.total, found.weight)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CrossEntropySum:
        """Return the pair that :meth:`to_dict` wrote.

        Parameters
        ----------
        values : dict
            With the keys "total" and "weight". "base" may be left out.

        Returns
        -------
        CrossEntropySum
            Equal to the pair that was written, to the last bit.

        Raises
        ------
        ValueError
            If a key is missing or unknown, or a value is not a number that a sum can have.
        """
        if not isinstance(values, Mapping):
            raise TypeError(f"values is a {type(values).__name__}: pass a dict, as to_dict gives.")
        unknown = [key for key in values if key not in FIELDS]
        missing = [key for key in FIELDS[:2] if key not in values]
        if unknown or missing:
            what = f"lacks the key {missing[0]!r}" if missing else f"has the key {unknown[0]!r}"
            raise ValueError(
                f"values {what}: pass what to_dict gives, with the keys 'total', 'weight' and "
                "'base'."
            )
        base = values.get("base")
        unit(base)
        total, weight = (_number(values[key], key) for key in FIELDS[:2])
        if weight == math.inf:
            raise ValueError("weight is inf: a sum of weights is finite.")
        if total and not weight:
            raise ValueError(f"total is {total} but weight is 0: without weight the total is 0.")
        return cls(total, weight, None if base is None else float(base))

    @classmethod
    def from_json(cls, text: str | bytes) -> CrossEntropySum:
        """Return the pair that :meth:`to_json` wrote.

        Parameters
        ----------
        text : str or bytes
            An object of JSON, such as one line of a file to which workers append theirs.

        Returns
        -------
        CrossEntropySum
            Equal to the pair that was written, to the last bit.

        Raises
        ------
        ValueError
            If the text is not JSON, or as :meth:`from_dict`.
        """
        return cls.from_dict(json.loads(text))

    def to_dict(self) -> dict[str, float | str | None]:
        """Return the pair as a dict of numbers, which JSON, YAML and TOML keep exactly.

        Returns
        -------
        dict
            With the keys "total", "weight" and "base". An infinite total is the text "inf", since
            JSON has no infinite numbers.
        """
        total = float(self.total)
        base = None if self.base is None else float(self.base)
        return {
            "total": total if math.isfinite(total) else str(total),
            "weight": float(self.weight),
            "base": base,
        }

    def to_json(self) -> str:
        """Return the pair as one line of JSON; :meth:`from_json` reads it without loss.

        Returns
        -------
        str
            An object of JSON.

        Examples
        --------
        >>> from skxent import CrossEntropySum
        >>> lines = [CrossEntropySum.of_losses(part).to_json() for part in ([0.1, 0.2], [0.6])]
        >>> print(lines[0])
        {"total": 0.30000000000000004, "weight": 2.0, "base": null}
        >>> round(sum(map(CrossEntropySum.from_json, lines)).mean, 4)
        0.3
        """
        return json.dumps(self.to_dict(), allow_nan=False)

    @property
    def mean(self) -> float:
        """Mean loss, total / weight."""
        if self.weight == 0:
            raise ValueError("the weight of this sum is 0: add a chunk that has some weight.")
        return self.total / self.weight

    @property
    def perplexity(self) -> float:
        """Exponential of the mean loss in nats; infinite above the largest float.

        It is the number of equally probable classes, or tokens, with the same mean loss.
        """
        try:
            return math.exp(self.mean * unit(self.base))
        except OverflowError:
            return math.inf

    def bits_per(self, units: float) -> float:
        """Return the total in bits, divided by a number of bytes, characters or words.

        Losses of models that cut a text into different tokens have different means, but can be
        compared in bits per byte.

        Parameters
        ----------
        units : float
            How many bytes (or characters, words) all the predicted text has, such as
            ``len(text.encode())``.

        Returns
        -------
        float
            total / log 2 / units, if the total is in nats.

        Raises
        ------
        ValueError
            If `units` is not a positive number, or the weight is 0.
        """
        if not is_positive(units):
            raise ValueError(f"units={units!r}: pass a number of bytes, characters or words.")
        _ = self.mean  # raises if there is no weight
        return float(self.total * (unit(self.base) / unit(2)) / float(units))

    def __add__(self, other: object) -> CrossEntropySum:
        """Add two pairs, which must be in the same unit."""
        if not isinstance(other, CrossEntropySum):
            return NotImplemented
        if not (other.weight or other.total):
            return self
        if not (self.weight or self.total):
            return other
        if unit(self.base) != unit(other.base):
            raise ValueError(
                f"one sum is in {unit_name(self.base)}, the other in {unit_name(other.base)}: take "
                "the losses of all chunks in one base."
            )
        return CrossEntropySum(self.total + other.total, self.weight + other.weight, self.base)

    def __radd__(self, other: object) -> CrossEntropySum:
        """Let the built-in sum start from its 0."""
        return self if other == 0 else NotImplemented

    def __repr__(self) -> str:
        base = "" if self.base is None else f", base={self.base!r}"
        return f"{type(self).__name__}(total={self.total!r}, weight={self.weight!r}{base})"


def _number(value: Any, key: str) -> float:
    """Return a number that is at least 0; the text "inf" stands for infinity."""
    if value == "inf":
        return math.inf
    number = math.nan if isinstance(value, bool | str) else value
    if isinstance(number, numbers.Real) and float(number) >= 0:
        return float(number)
    raise ValueError(f"{key} is {value!r}: pass a number that is not negative.")


def _is_empty(values: object) -> bool:
    shape = getattr(values, "shape", None)
    if shape is None:
        return hasattr(values, "__len__") and not len(values)
    return 0 in shape[:1]


def _entry(loss: Callable[..., float | Floats]) -> Loss:
    """Return the registry entry of a public loss function."""
    entries: dict[Callable[..., float | Floats], Loss] = {
        categorical_cross_entropy: CATEGORICAL,
        binary_cross_entropy: BINARY,
    }
    try:
        return entries[loss]
    except (KeyError, TypeError):
        raise_loss_function(loss, [known.__name__ for known in entries])
