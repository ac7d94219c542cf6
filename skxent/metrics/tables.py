"""Tables of results: plain text as wide as the terminal, HTML, and data frames."""

from __future__ import annotations

import shutil
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, TypeAlias

import numpy as np

from skxent.metrics.short_names import cut, distinct

# The entries of a column, or of the names of the rows.
Column: TypeAlias = Sequence[object] | np.ndarray
Cells: TypeAlias = tuple[str, ...]

WIDTH = 80  # least width of a line, in characters
GAP = "  "
LEAST_NAME = 8  # least width of a column of names, in characters
MOST_DIGITS = 9  # largest width of a number with significant digits, in characters


def line_width() -> int:
    """Return the number of characters in a line: 80, or that of the terminal if it is wider."""
    return max(WIDTH, shutil.get_terminal_size((WIDTH, 0)).columns)


@dataclass(frozen=True)
class Table:
    """A title, column heads, rows, an optional row of totals, and notes.

    Parameters
    ----------
    title : str
    heads : tuple of str
        A head for each column.
    rows : sequence of tuple of str
        Names and cells of each row. A row with one entry is the title of the rows that follow.
    total : tuple of str, default=None
        The last row.
    notes : tuple of str
        Sentences below the table.
    n_names : int, default=1
        Number of columns, on the left, that have names.
    """

    title: str
    heads: Cells
    rows: Sequence[Cells]
    total: Cells | None = None
    notes: Cells = ()
    n_names: int = 1

    def text(self) -> str:
        """Return the table as plain text; names that are too long for the line are shortened."""
        rows = [*self.rows, *([self.total] if self.total else [])]
        rows = [(*map(_one_line, row[: self.n_names]), *row[self.n_names :]) for row in rows]
        indent = " " * (2 * self._has_sections)
        widths = self._widths(rows, line_width() - len(indent))
        rule = "-" * (len(indent) + sum(widths) + len(GAP) * (len(widths) - 1))
        lines = [
            cut(row[0], len(rule)) if self._is_section(row) else indent + self._line(row, widths)
            for row in [self.heads, *self._with_short_names(rows, widths)]
        ]
        lines.insert(1, rule)
        if self.total:
            lines.insert(-1, rule)
        prose = [textwrap.fill(part, WIDTH) for part in (self.title, *self.notes)]
        return "\n".join([prose[0], "", *lines, *([""] if self.notes else []), *prose[1:]])

    @property
    def _has_sections(self) -> bool:
        return any(map(self._is_section, self.rows))

    def _is_section(self, row: Cells) -> bool:
        return len(row) == 1 < len(self.heads)

    def _widths(self, rows: Sequence[Cells], room: int) -> list[int]:
        """Return the width of each column; names get the room that the cells leave."""
        lines = [self.heads, *(row for row in rows if not self._is_section(row))]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        excess = sum(widths) + len(GAP) * (len(widths) - 1) - room
        while excess > 0 and max(widths[: self.n_names]) > LEAST_NAME:
            widest = int(np.argmax(widths[: self.n_names]))
            widths[widest] -= 1
            excess -= 1
        return widths

    def _with_short_names(self, rows: Sequence[Cells], widths: list[int]) -> list[Cells]:
        """Return the rows with names that fit into their columns."""
        cells = [row for row in rows if not self._is_section(row)]
        for i, width in enumerate(widths[: self.n_names]):
            names = distinct([row[i] for row in cells[: len(cells) - bool(self.total)]], width)
            names += [cut(row[i], width) for row in cells[len(names) :]]
            pairs = zip(cells, names, strict=True)
            cells = [(*row[:i], name, *row[i + 1 :]) for row, name in pairs]
        short = iter(cells)
        return [row if self._is_section(row) else next(short) for row in rows]

    def _line(self, row: Cells, widths: list[int]) -> str:
        texts = [
            f"{cut(cell, width):<{width}}" if i < self.n_names else f"{cell:>{width}}"
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return GAP.join(texts).rstrip()

    def html(self) -> str:
        """Return the table as HTML, with the title as its caption."""
        body = "".join(map(self._html_row, self.rows))
        total = f"<tfoot>{self._html_row(self.total)}</tfoot>" if self.total else ""
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        heads = "".join(f"<th>{escape(head)}</th>" for head in self.heads)
        return (
            f"<div><table><caption>{escape(self.title)}</caption><thead><tr>{heads}</tr></thead>"
            f"<tbody>{body}</tbody>{total}</table>{notes}</div>"
        )

    def _html_row(self, row: Cells) -> str:
        if self._is_section(row):
            return f'<tr><th colspan="{len(self.heads)}">{escape(row[0])}</th></tr>'
        names = "".join(f"<th>{escape(name)}</th>" for name in row[: self.n_names])
        return (
            f"<tr>{names}{''.join(f'<td>{escape(cell)}</td>' for cell in row[self.n_names :])}</tr>"
        )


def _one_line(text: str) -> str:
    return " ".join(text.split())


class Tabular(ABC):
    """A result that prints as a table."""

    @abstractmethod
    def _table(self) -> Table:
        """Return the table that `summary` shows."""

    @abstractmethod
    def _columns(self) -> tuple[Mapping[str, Column], Column | None, str | None]:
        """Return the columns, the names of the rows, if any, and the title of these names."""

    def summary(self) -> str:
        """Return the result as plain text, 80 columns wide at most, or as wide as the terminal.

        Returns
        -------
        str
            A table.
        """
        return self._table().text()

    def to_frame(self) -> Any:
        """Return the result as a data frame.

        Returns
        -------
        pandas.DataFrame
            A row for each row of the table, with all digits.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return data_frame(*self._columns())

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return self._table().html()


def data_frame(
    columns: Mapping[str, Column], index: Column | None = None, name: str | None = None
) -> Any:
    """Return a pandas data frame; without `index` its rows are numbered."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            "to_frame needs pandas, which is not installed: pip install pandas, or read the fields "
            "of the result, which hold the same."
        ) from error
    rows = None if index is None else pandas.Index(index, name=name)
    return pandas.DataFrame(dict(columns), index=rows)


def unit_name(base: float | None) -> str:
    """Return the name of the unit of information with this base of the logarithm."""
    if base is None:
        return "nats"
    return {2.0: "bits", 10.0: "bans"}.get(float(base), f"units of log {base:g}")


def number(value: float, most: float = 1e5) -> str:
    """Return a number with four decimals.

    Numbers below 1e-3, and from `most` upwards, are in scientific notation.
    """
    if value != value:
        return "n/a"
    value += 0.0  # 0 for -0
    if value == 0 or 1e-3 <= abs(value) < most or abs(value) == float("inf"):
        return f"{value:.4f}"
    return f"{value:.2e}"


def significant(value: float) -> str:
    """Return a number with four significant digits, or with fewer to have nine characters."""
    if value != value:
        return "n/a"
    texts = [f"{value + 0.0:.{digits}g}" for digits in (4, 3, 2, 1)]
    return next((text for text in texts if len(text) <= MOST_DIGITS), texts[-1])


def count(value: float) -> str:
    """Return a number as text, without decimals if it is whole."""
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def percent(value: float) -> str:
    """Return a percentage with one decimal."""
    if value != value:
        return "n/a"
    return f"{100 * value + 0.0:.1f} %" if abs(value) < 1e3 else f"{100 * value:.1e} %"
