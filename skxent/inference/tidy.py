"""Base class of results that are tables with tidy columns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from skxent.metrics.short_names import prefix_note, without_prefixes
from skxent.metrics.tables import Cells, Column, Table, Tabular, count, significant

# Columns of numbers and their heads in print. Other columns name what a row is about.
HEADS = {
    "estimate": "estimate",
    "std_error": "std err",
    "statistic": "statistic",
    "df": "df",
    "p_value": "p",
    "conf_low": "low",
    "conf_high": "high",
}
MOST_ROWS = 60  # largest number of rows that are printed
AT_ENDS = 20  # number of rows printed at either end of a longer table
GAP = "…"
SLOPE = "slope"  # the comparison of a feature whose effect is a derivative

TidyColumns = Mapping[str, Column]


class TidyResult(Tabular):
    """A result with a row for each estimate or test.

    A subclass gives its columns, which `to_frame` returns as they are, and a title. In print, the
    names of classes are titles above their rows, terms lack the prefixes of transformers, a long
    table lacks its middle, and columns that say the least are left out.
    """

    @abstractmethod
    def _title(self) -> str:
        """Return the title of the table."""

    @abstractmethod
    def _tidy(self) -> TidyColumns:
        """Return the columns: first names such as "class" and "term", then some of `HEADS`."""

    def _heads(self) -> Mapping[str, str]:
        """Return heads that differ from `HEADS`."""
        return {}

    def _columns(self) -> tuple[TidyColumns, None, None]:
        return self._tidy(), None, None

    def _table(self) -> Table:
        columns = _printed(self._tidy())
        names = [name for name in columns if name not in HEADS]
        sections = len(names) > 1 and names[0] == "class"
        heads = {**HEADS, **self._heads()}
        terms, prefixes = without_prefixes([str(term) for term in columns.get("term", [])])
        if prefixes:
            columns["term"] = terms
        rows, left_out = _rows(columns, len(names))
        notes = [*prefix_note(prefixes), *left_out]
        return Table(
            self._title(),
            tuple(heads.get(name, name) for name in columns)[sections:],
            [*_with_sections(rows)] if sections else rows,
            notes=tuple(notes),
            n_names=len(names) - sections,
        )


def crossed(
    rows: Sequence[object], columns: Sequence[object], names: tuple[str, str]
) -> dict[str, Column]:
    """Return the names of the entries of a matrix, in row-major order."""
    row, column = names
    return {row: [r for r in rows for _ in columns], column: [c for _ in rows for c in columns]}


def _printed(columns: TidyColumns) -> dict[str, Column]:
    """Return the columns that are printed, so that names have room in a line.

    Tests are left out if there are no p-values, comparisons if all are slopes, and statistics if
    there are other comparisons.
    """
    left_out: set[str] = set()
    if np.isnan(np.asarray(columns.get("p_value", 0.0), dtype=np.float64)).all():
        left_out |= {"statistic", "p_value"}
    if "comparison" in columns:
        slopes = set(columns["comparison"]) == {SLOPE}
        left_out.add("comparison" if slopes else "statistic")
    return {name: values for name, values in columns.items() if name not in left_out}


def _rows(columns: TidyColumns, n_names: int) -> tuple[list[Cells], list[str]]:
    """Return the rows that are printed, and a note if others are left out."""
    n = len(next(iter(columns.values())))
    if n <= MOST_ROWS:
        return [_cells(columns, i) for i in range(n)], []
    rows = [_cells(columns, i) for i in (*range(AT_ENDS), *range(n - AT_ENDS, n))]
    rows.insert(AT_ENDS, (GAP,) * n_names + ("",) * (len(columns) - n_names))
    return rows, [f"{n - len(rows) + 1:,} rows are left out; to_frame() has all of them."]


def _cells(columns: TidyColumns, i: int) -> Cells:
    """Return row i as text."""
    return tuple(_text(name, values[i]) for name, values in columns.items())


def _text(column: str, value: Any) -> str:
    """Return an entry of a column as text."""
    if column not in HEADS:
        return str(value)
    return count(value) if column == "df" else significant(value)


def _with_sections(rows: Sequence[Cells]) -> Iterator[Cells]:
    """Yield the rows without their first names, which become titles above them."""
    for name, group in groupby(rows, key=lambda row: row[0]):
        if name != GAP:
            yield (name,)
        yield from (row[1:] for row in group)
