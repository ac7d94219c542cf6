r"""Losses for each unit of text, such as nats per byte: ratios of two sums, with standard errors.

Texts consist of G independent pieces (documents). Piece g has the sum of losses N_g and the number
of units M_g, both random. The loss per unit is

.. math:: R = \frac{\sum_g N_g}{\sum_g M_g},

not the mean of the ratios N_g / M_g, in which a short document would count as much as a long one.
With :math:`\rho = \mathrm{E} N / \mathrm{E} M`, the delta method expands R about the expectations:

.. math:: R - \rho = \frac{\sum_g (N_g - \rho M_g)}{\sum_g M_g}
          \approx \frac{1}{G \, \mathrm{E} M} \sum_g (N_g - \rho M_g).

The terms on the right are independent and have the expectation 0, whatever the dependence within a
piece and between N_g and M_g. The variance of R is therefore that of their sum over
:math:`(\sum M)^2`, with the deviations :math:`e_g = N_g - R M_g` in place of the unknown errors.
That is the formula of a weighted mean of N_g / M_g with the weights M_g, and so are the correction
for few or unequal groups and the degrees of freedom; see `GroupShares`. A piece without units has a
deviation too, since nothing is divided by its M_g.

For the difference of two models, N_g is the difference of their losses for piece g, so that what is
hard for both cancels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skxent.inputs.grouped_losses import GivenLosses, check_mask
from skxent.inputs.namespaces import Codes, Floats
from skxent.metrics.means import (
    ROUNDING,
    GroupShares,
    MeanEstimate,
    copies_and_shares,
    exact_sum,
    scaled_weights,
)

# Nats. The difference of two such sums, less a multiple of the units, is still a finite number.
LARGEST_SUM = float(np.finfo(np.float64).max) / 4.0


@dataclass(frozen=True)
class Pieces:
    """The units of independent pieces, of which `copies` are alike, and what made the pieces.

    Parameters
    ----------
    units : (G,) array
        Units of one copy of each piece.
    copies : (G,) array
        Number of copies of each piece; 1 for groups.
    n : int
        Number of losses, copies counted.
    """

    units: Floats
    copies: Floats
    n: int

    def estimate(self, sums: Floats, size: float) -> MeanEstimate:
        """Estimate the ratio of sums of losses (G,) to units, for each copy of a piece.

        Deviations within the rounding error of `size`, a sum of losses, count as 0.
        """
        weight = exact_sum(self.copies * self.units)
        total = exact_sum(self.copies * sums)
        ratio, n_pieces = total / weight, round(self.copies.sum())
        deviations = sums - ratio * self.units
        deviations[np.abs(deviations) <= ROUNDING * size] = 0.0
        shares = GroupShares.of(self.units, self.copies)
        error = shares.standard_error(deviations, weight)
        return MeanEstimate(total, weight, ratio, error, self.n, n_pieces, shares.df)


@dataclass(frozen=True)
class Summed:
    """Losses summed by piece: the pieces that have weight, and the sum of losses of each (G,).

    `present` has the codes of the groups, in the order of the pieces, or is None without groups.
    """

    pieces: Pieces
    sums: Floats
    present: Codes | None


def summed_by_piece(
    given: GivenLosses, groups: Codes | None, units: Floats, by_document: bool
) -> Summed:
    """Sum losses and units by group, or by sample if there are no groups.

    Parameters
    ----------
    given : GivenLosses
        Losses and weights.
    groups : (n,) array or None
        Codes of groups.
    units : (n,) or (D,) array
        Units of each loss, or of each document.
    by_document : bool
        Which of the two.
    """
    weight = scaled_weights(given.weight)
    copies, shares = copies_and_shares(weight, len(given))
    n = round(copies.sum())
    if groups is None:
        kept = copies > 0
        own = shares[kept] * units[kept]
        pieces = Pieces(_some(own, copies[kept]), copies[kept], n)
        with np.errstate(over="ignore"):  # `_summable` refuses infinite sums
            sums = shares[kept] * given.values[kept]
        return Summed(pieces, _summable(sums, copies[kept]), None)
    weights = copies * shares
    n_groups = int(groups.max()) + 1
    if by_document:
        check_mask(given)
        own = _units_of_documents(given, groups, weights, units, n_groups)
    else:
        own = _sums_by(groups, weights * units, n_groups)
    present = np.flatnonzero(_sums_by(groups, weights, n_groups))
    with np.errstate(over="ignore"):  # `_summable` refuses infinite sums
        sums = _sums_by(groups, weights * given.values, n_groups)[present]
    ones = np.ones(len(present))
    pieces = Pieces(_some(own[present], ones), ones, n)
    return Summed(pieces, _summable(sums, ones), present)


def _units_of_documents(
    given: GivenLosses, groups: Codes, weights: Floats, units: Floats, n_groups: int
) -> Floats:
    """Return the units of each group, from the units of the documents that have some weight."""
    documents = given.documents
    assert documents is not None
    group_of = np.zeros(len(units), dtype=np.intp)
    group_of[documents] = groups
    kept = _sums_by(documents, weights, len(units)) > 0
    return _sums_by(group_of[kept], units[kept], n_groups)


def _some(units: Floats, copies: Floats) -> Floats:
    """Require units in two pieces, if there are two: one alone would determine the ratio."""
    if copies @ (units > 0) < min(copies.sum(), 2):
        raise ValueError(
            "units is 0 for all samples, or for all groups but one: pass numbers of bytes, "
            "characters or words."
        )
    return units


def _summable(sums: Floats, copies: Floats) -> Floats:
    """Require sums of losses whose differences and products do not overflow."""
    with np.errstate(over="ignore"):
        total = exact_sum(copies * np.abs(sums))
    if not total <= LARGEST_SUM:
        raise ValueError("the sum of the losses is too large: divide all losses by one number.")
    return sums


def _sums_by(codes: Codes, values: Floats, n: int) -> Floats:
    """Return the sum of the values of each of n groups."""
    return np.bincount(codes, values, minlength=n).astype(np.float64)
