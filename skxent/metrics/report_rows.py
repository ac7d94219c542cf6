"""Rows of a report: which samples are in each row, and the numbers of each row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skxent.inputs.namespaces import Codes, Floats
from skxent.metrics.means import MeanEstimate, copies_and_shares, estimate, exact_sum

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class RowPart:
    """One row: its samples, their losses there, and the fraction of each that is in the row."""

    rows: Indices
    values: Floats
    fractions: Floats


def parts_by_code(codes: Codes, n_codes: int, losses: Floats) -> Iterator[RowPart]:
    """Yield a row for each code, with whole samples."""
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=n_codes))
    for rows in np.split(order, ends[:-1]):
        yield RowPart(rows, losses[rows], np.ones(len(rows)))


def figures(
    parts: Iterable[RowPart],
    losses: Floats,
    weight: Floats | None,
    base_rate_loss: float,
    scale: float,
    n_worst: int,
    groups: Codes | None = None,
) -> dict[str, Any]:
    """Return the numeric fields of a report on losses (n,), in units of `scale` nats.

    `base_rate_loss` is in nats. Samples of a group (n,) may depend on each other.
    """
    copies, shares = copies_and_shares(weight, len(losses))
    estimates, worst, worst_losses = [], [], []
    for part in parts:
        values, i = part.values / scale, part.rows
        own = None if groups is None else groups[i]
        estimates.append(estimate(values, copies[i], shares[i] * part.fractions, own))
        costs = np.where(copies[i] > 0, values * part.fractions, -np.inf)
        order = np.argsort(-costs, kind="stable")[:n_worst]
        order = order[costs[order] > -np.inf]
        worst.append(i[order])
        worst_losses.append(costs[order])
    whole = estimate(losses / scale, copies, shares, groups)
    return {
        "worst": tuple(worst),
        "worst_losses": tuple(worst_losses),
        **_columns(estimates, whole, base_rate_loss / scale),
    }


def _columns(
    rows: Sequence[MeanEstimate], whole: MeanEstimate, base_rate_loss: float
) -> dict[str, Any]:
    """Return the columns and totals of a report."""
    sums, means = (np.array([getattr(row, name) for row in rows]) for name in ("total", "mean"))
    total_sum = exact_sum(sums)
    total_mean = total_sum / whole.weight if total_sum < np.inf else whole.mean
    # Do not warn of a division by 0, which happens if the total loss is 0 or there is one class, or
    # of the overflow of very large losses.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return {
            "n": np.array([row.n for row in rows]),
            "weight": np.array([row.weight for row in rows]),
            "sum": sums,
            "mean": means,
            "share": sums / np.float64(total_sum),
            "standard_error": np.array([row.standard_error for row in rows]),
            "normalised": means / np.float64(base_rate_loss),
            "total_n": whole.n,
            "total_sum": total_sum,
            "total_weight": whole.weight,
            "total_mean": total_mean,
            "total_standard_error": whole.standard_error,
            "total_normalised": float(np.float64(total_mean) / np.float64(base_rate_loss)),
            "base_rate_loss": base_rate_loss,
        }
