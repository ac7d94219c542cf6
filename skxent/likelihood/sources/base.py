"""What a fit asks of its rows, wherever they are: in this process, on a device or in partitions.

A `RowSource` holds rows with their targets and weights. `RowSums` are sums over these rows at given
parameters, measured from a centre. Each method of either reads the rows where they are and returns
one result of the size of the parameters or of their curvature.
"""

from __future__ import annotations

from typing import Protocol, Self

import numpy as np

from skxent.likelihood.sources.first_sums import FirstSums, Moments
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.local_sums import LocalSums
from skxent.likelihood.sources.row_space import RowSpace
from skxent.likelihood.sources.sampling import Scores


class RowSums(Protocol):
    """Sums over rows at parameters theta (R, p), see `objective` for conventions."""

    def in_memory(self) -> LocalSums | None:
        """The sums over rows in this process; None if the rows are elsewhere."""
        ...

    def log_partition(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Sum of the weighted log-partition A, and its gradient (R, p)."""
        ...

    def losses(self, theta: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Sum of the weighted losses, its sensitivity to rounding and its gradient (R, p).

        No terms cancel, unlike in `log_partition`, which is faster.
        """
        ...

    def hessian_product(self, theta: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Hessian of the weighted log-partition at `theta`, times `direction`, (R, p)."""
        ...

    def max_logit_range(self, direction: np.ndarray) -> float:
        """Largest change of a logit relative to the others of its sample, along `direction`."""
        ...

    def hessian_gram(self, theta: np.ndarray, residual_weight: float) -> np.ndarray:
        """Blocks of the Hessian for pairs of classes but the last, as `grams.unpacked` takes them.

        The Hessian of a sample is diag(p) - p p', and `residual_weight` times r r' for the residual
        r = p - y.
        """
        ...

    def class_block_grams(
        self, theta: np.ndarray, residual_weight: float, per_leverage: np.ndarray | None = None
    ) -> np.ndarray:
        """Diagonal blocks of the Hessian, one a class; from drawn rows if `per_leverage` is given.

        `per_leverage`, (R, p), times the squared entries of a row times its class weight is the
        probability of drawing the row for the class.
        """
        ...

    def hessian_diagonal(self, theta: np.ndarray, residual_weight: float) -> np.ndarray:
        """Diagonal of the Hessian, (R, p)."""
        ...

    def sampling_scores(self, theta: np.ndarray) -> Scores:
        """How much each row matters to the curvature, left where the rows are."""
        ...

    def close(self) -> None:
        """End threads and free memory that the sums hold; they can be used again."""
        ...


class RowSource(Protocol):
    """Rows with their targets and weights, the data of a fit."""

    @property
    def n_rows(self) -> int:
        """Number of rows, n."""
        ...

    @property
    def n_features(self) -> int:
        """Number of columns of X, d."""
        ...

    @property
    def n_classes(self) -> int:
        """Number of classes, K."""
        ...

    @property
    def n_outputs(self) -> int:
        """Rows of logits, R: K, or one for two classes."""
        ...

    @property
    def fit_intercept(self) -> bool:
        """Whether samples have a constant entry."""
        ...

    @property
    def theta_shape(self) -> tuple[int, int]:
        """Shape of the parameters, (R, p)."""
        ...

    @property
    def sparse(self) -> bool:
        """Whether X is a sparse matrix."""
        ...

    @property
    def can_sample(self) -> bool:
        """Whether rows can be drawn and brought to this process."""
        ...

    @property
    def eps(self) -> float:
        """Relative rounding error of sums."""
        ...

    def in_memory(self) -> LocalRows | None:
        """All rows, if they are in this process; None if they are elsewhere."""
        ...

    def first_sums(self) -> FirstSums:
        """Sums from which the moments follow, from one read of X."""
        ...

    def weight_range(self) -> tuple[float, float]:
        """The smallest weight above zero, and the largest."""
        ...

    def sum_of_losses(self, coef: np.ndarray, intercept: np.ndarray) -> float:
        """Weighted sum of the losses, each to full accuracy, of parameters that are not centred."""
        ...

    def largest_distance(self, columns: np.ndarray, origin: np.ndarray) -> np.ndarray:
        """Largest distance from `origin` in some columns, over rows with a weight."""
        ...

    def column_products(
        self, centre: np.ndarray, scale: np.ndarray, V: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Weighted X' E and E' E of E = X V, for X centred and scaled; of E = X if V is None."""
        ...

    def first_row(self, columns: np.ndarray) -> np.ndarray:
        """Numbers of the first row in some columns."""
        ...

    def power_sums(
        self, columns: np.ndarray, origin: np.ndarray, shift: np.ndarray, power: int
    ) -> np.ndarray:
        """Weighted sums of ((x - origin) - shift)^power, column by column."""
        ...

    def with_classes(self, mask: np.ndarray) -> Self:
        """The same rows for the classes in `mask`; rows of other classes must have no weight."""
        ...

    def with_columns(self, columns: np.ndarray, exponents: np.ndarray | None = None) -> Self:
        """The same rows with some of the columns, each times 2^exponent."""
        ...

    def without_far_unweighted(self) -> Self:
        """The same rows, with zeros for rows without weight whose squares would overflow.

        Sources that leave rows without weight out of their sums return themselves.
        """
        ...

    def sample(
        self, moments: Moments, centre: np.ndarray, size: int, scores: Scores | None = None
    ) -> LocalRows:
        """Draw about `size` rows, less `centre`, see `sampling.draw_sample`."""
        ...

    def row_space(self, moments: Moments, independent: bool) -> RowSpace[RowSource]:
        """Coordinates of the space of all rows, or of independent rows only."""
        ...

    def sums(self, centre: np.ndarray | None, far: bool) -> RowSums:
        """Sums over the rows measured from `centre`; None stands for the origin.

        `far` tells that the centre is so many deviations from zero that centred logits would
        cancel.
        """
        ...
