"""Tables of results: plain text of at most 80 columns, HTML, and data frames."""

from __future__ import annotations

import textwrap
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, TypeAlias

import numpy as np

# The entries of a column, or of the names of the rows.
Column: TypeAlias = Sequence[object] | np.ndarray

WIDTH = 80
GAP = "  "
LEAST_NAME = 8  # least width of the column of names, in characters


@dataclass(frozen=True)
class Table:
    """A title, column heads, named rows of cells, an optional row of totals, and notes."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    total: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the table as plain text; names that are too long for the line are shortened."""
        lines = [self.heads, *self.rows, *([self.total] if self.total else [])]
        lines = [(" ".join(name.split()), *cells) for name, *cells in lines]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        left = WIDTH - sum(widths[1:]) - len(GAP) * (len(widths) - 1)
        widths[0] = min(widths[0], max(left, LEAST_NAME))
        body = slice(1, 1 + len(self.rows))
        names = distinct([name for name, *_ in lines[body]], widths[0])
        lines[body] = [(name, *line[1:]) for name, line in zip(names, lines[body], strict=True)]
        texts = [
            GAP.join([f"{cut(name, widths[0]):<{widths[0]}}", *map(str.rjust, cells, widths[1:])])
            for name, *cells in lines
        ]
        rule = "-" * len(texts[0])
        texts.insert(1, rule)
        if self.total:
            texts.insert(-1, rule)
        prose = [textwrap.fill(part, WIDTH) for part in (self.title, *self.notes)]
        return "\n".join([prose[0], "", *texts, *([""] if self.notes else []), *prose[1:]])

    def html(self) -> str:
        """Return the table as HTML, with the title as its caption."""
        body = "".join(map(_html_row, self.rows))
        total = f"<tfoot>{_html_row(self.total)}</tfoot>" if self.total else ""
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        heads = "".join(f"<th>{escape(head)}</th>" for head in self.heads)
        return (
            f"<div><table><caption>{escape(self.title)}</caption><thead><tr>{heads}</tr></thead>"
            f"<tbody>{body}</tbody>{total}</table>{notes}</div>"
        )


class Tabular(ABC):
    """A result that prints as a table."""

    @abstractmethod
    def _table(self) -> Table:
        """Return the table that `summary` shows."""

    @abstractmethod
    def _columns(self) -> tuple[dict[str, Column], Column, str]:
        """Return the columns, the names of the rows, and the title of these names."""

    def summary(self) -> str:
        """Return the result as plain text of at most 80 columns.

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
        columns, names, what = self._columns()
        return data_frame(columns, names, [what])

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return self._table().html()


def data_frame(columns: Mapping[str, Column], index: Column, names: list[str]) -> Any:
    """Return a pandas data frame; `names` are the names of the levels of its index."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            "to_frame needs pandas, which is not installed: pip install pandas, or read the fields "
            "of the result, which hold the same."
        ) from error
    if len(names) == 1:
        return pandas.DataFrame(columns, index=pandas.Index(index, name=names[0]))
    return pandas.DataFrame(columns, index=pandas.MultiIndex.from_tuples(index, names=names))


def unit_name(base: float | None) -> str:
    """Return the name of the unit of information with this base of the logarithm."""
    if base is None:
        return "nats"
    return {2.0: "bits", 10.0: "bans"}.get(float(base), f"units of log {base:g}")


def number(value: float) -> str:
    """Return a number with four decimals, or in scientific notation if very small or large."""
    if value != value:
        return "n/a"
    value += 0.0  # 0 for -0
    if value == 0 or 1e-3 <= abs(value) < 1e5 or abs(value) == float("inf"):
        return f"{value:.4f}"
    return f"{value:.2e}"


def count(value: float) -> str:
    """Return a number as text, without decimals if it is whole."""
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def percent(value: float) -> str:
    """Return a percentage with one decimal."""
    if value != value:
        return "n/a"
    return f"{100 * value + 0.0:.1f} %" if abs(value) < 1e3 else f"{100 * value:.1e} %"


def cut(text: str, width: int) -> str:
    """Return a text, shortened to at most `width` characters."""
    return text if len(text) <= width else text[: width - 1] + "…"


def _html_row(row: tuple[str, ...] | None) -> str:
    name, *cells = row or ("",)
    numbers = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f"<tr><th>{escape(name)}</th>{numbers}</tr>"


def distinct(names: Sequence[str], width: int) -> list[str]:
    """Shorten names to at most `width` characters, so that different names stay different.

    Long names lose their middle. If two of them are then equal, another part of all names is left
    out. If two are equal whichever part is left out, "#" and the name's index are added at its end.
    """
    head = width // 2
    for part in dict.fromkeys([head, *range(width - 1, -1, -1)]):
        short = [_without_middle(name, width, part) for name in names]
        if len(set(short)) == len(set(names)):
            return short
    short = [_without_middle(name, width, head) for name in names]
    full: dict[str, set[str]] = {}
    for name, text in zip(names, short, strict=True):
        full.setdefault(text, set()).add(name)
    return [
        text
        if len(full[text]) == 1
        else _without_middle(f"{name}#{i}", width, width - len(f"{i}") - 2)
        for i, (name, text) in enumerate(zip(names, short, strict=True))
    ]


def _without_middle(text: str, width: int, head: int) -> str:
    """Return a text of at most `width` characters, with "…" for the part after the first `head`."""
    if len(text) <= width:
        return text
    tail = width - 1 - head
    return f"{text[:head]}…{text[len(text) - tail :] if tail > 0 else ''}"[:width]
