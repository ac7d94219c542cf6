"""Protocols of the data of a fit, in this process, on a device or in partitions.

A `RowSource` holds rows with their targets and weights. `RowSums` computes sums over these rows at
given parameters, after a centre is subtracted from each row. Every method reads the rows where they
are stored. Its result is as large as the parameters or as the Hessian, unless it says otherwise.
"""

from __future__ import annotations

from typing import Protocol, Self

import numpy as np

from skxent.likelihood.sources.first_sums import FirstSums, Moments
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.local_sums import LocalSums
from skxent.likelihood.sources.row_space import AnyRowSpace
from skxent.likelihood.sources.sampling import Scores
from skxent.likelihood.sources.single_sums import SingleSums


class RowSums(Protocol):
    """Sums over rows at parameters theta (R, p), see `objective` for conventions."""

    def in_memory(self) -> LocalSums | None:
        """Return these sums if the rows are in this process, else None."""
        ...

    def log_partition(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Sum of the weighted log-partition A, and its gradient (R, p)."""
        ...

    def losses(self, theta: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Sum of the weighted losses, its sensitivity to rounding and its gradient (R, p).

        This sum has no cancellation. `log_partition` is faster, but to get the loss its caller
        subtracts a linear term, and the two may cancel. `LocalSums.losses` defines the sensitivity.
        """
        ...

    def hessian_product(self, theta: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Hessian of the weighted log-partition at `theta`, times `direction`, (R, p)."""
        ...

    def max_logit_range(self, direction: np.ndarray, theta: np.ndarray | None = None) -> float:
        """Largest difference, over samples, between the changes of two logits along `direction`.

        If `theta` is given, logits out of reach there do not count, see `kernels.undecided_range`.
        """
        ...

    def slopes(self, theta: np.ndarray, direction: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Slopes along `direction` of the weighted log-partition at theta + length * direction.

        The result has one slope for each length.
        """
        ...

    def hessian_gram(self, theta: np.ndarray, residual_weight: float) -> np.ndarray:
        """Blocks (k, l), k <= l, of the Hessian without the last class, see `grams.unpacked`.

        The Hessian of a sample with respect to its logits is taken as diag(p) - p p' plus
        `residual_weight` times r r', where r = p - y is the residual.
        """
        ...

    def class_block_grams(
        self, theta: np.ndarray, residual_weight: float, per_leverage: np.ndarray | None = None
    ) -> np.ndarray:
        """Diagonal blocks of the Hessian, one for each class.

        If `per_leverage`, (R, p), is given, the blocks are estimated from a sample of rows for each
        class, see `grams.DrawnGrams`.
        """
        ...

    def hessian_diagonal(self, theta: np.ndarray, residual_weight: float) -> np.ndarray:
        """Diagonal of the Hessian, (R, p)."""
        ...

    def sampling_scores(self, theta: np.ndarray, per_leverage: np.ndarray | None = None) -> Scores:
        """Contribution of each row to the curvature; the result stays where the rows are.

        Without `per_leverage` it is w (sum p (1 - p) + sum (p - y)^2). If `per_leverage`, (R, p),
        is the reciprocal of the Hessian's diagonal, it is the leverage of the row: the sum over
        classes of w p (1 - p) sum_j per_leverage[k, j] x_j^2.
        """
        ...

    def close(self) -> None:
        """End the threads and free the memory of this object, which can be used again later."""
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
        """Number of logits of a sample, R: K, or one for two classes."""
        ...

    @property
    def fit_intercept(self) -> bool:
        """Whether the model has an intercept."""
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
        """Machine epsilon of the floats in which sums are computed."""
        ...

    def in_memory(self) -> LocalRows | None:
        """Return the rows if they are in this process, else None."""
        ...

    def first_sums(self) -> FirstSums:
        """Compute the sums that determine the moments, in one read of X."""
        ...

    def weight_range(self) -> tuple[float, float]:
        """Smallest and largest positive weight."""
        ...

    def sum_of_losses(self, coef: np.ndarray, intercept: np.ndarray) -> float:
        """Weighted sum of losses without cancellation; parameters are those for uncentred rows."""
        ...

    def largest_distance(self, columns: np.ndarray, origin: np.ndarray) -> np.ndarray:
        """Largest distance from `origin` in each given column, over rows with positive weight."""
        ...

    def column_products(
        self, centre: np.ndarray, scale: np.ndarray, V: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Weighted X' E and E' E for the centred and scaled X; E is X V, or X if V is None."""
        ...

    def first_row(self, columns: np.ndarray) -> np.ndarray:
        """Entries of the first row in the given columns, in float64."""
        ...

    def power_sums(
        self, columns: np.ndarray, origin: np.ndarray, shift: np.ndarray, power: int
    ) -> np.ndarray:
        """Weighted sum over rows of ((x - origin) - shift)^power, for each given column."""
        ...

    def with_classes(self, mask: np.ndarray) -> Self:
        """The same rows with only the classes in `mask`; rows of other classes must weigh zero."""
        ...

    def with_columns(self, columns: np.ndarray, exponents: np.ndarray | None = None) -> Self:
        """The same rows with only the given columns, each multiplied by 2^exponent."""
        ...

    def without_far_unweighted(self) -> Self:
        """The same rows; rows of weight zero become others if their squares would overflow.

        A source whose sums skip rows of weight zero returns itself unchanged.
        """
        ...

    def sample(
        self, moments: Moments, centre: np.ndarray, size: int, scores: Scores | None = None
    ) -> LocalRows:
        """Draw about `size` rows and subtract `centre`, see `sampling.draw_sample`."""
        ...

    def row_space(
        self, moments: Moments, independent: bool, scale: np.ndarray | None = None
    ) -> AnyRowSpace[RowSource]:
        """The rows in coordinates of their row space, see `row_space`.

        If `independent`, rows that depend linearly on other rows are left out of the factorisation.
        If `scale`, (d,), is given, columns are multiplied by it first. A column with a scale of
        zero is not factored, and follows the new columns unchanged.
        """
        ...

    def sums(self, centre: np.ndarray | None, far: bool) -> RowSums:
        """Sums over the rows after `centre` is subtracted; None subtracts nothing.

        `far` says that some column has a centre many standard deviations from zero. Computing
        centred logits from rows that are not centred would then lose digits.
        """
        ...

    def single_sums(
        self, moments: Moments, centre: np.ndarray | None, *, small: bool = False
    ) -> SingleSums | None:
        """The same sums with products in float32, or None; `small` asks also for few rows."""
        ...
