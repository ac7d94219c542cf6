"""Axes, names of rows, columns of texts, labels and legends of the displays."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skxent.displays.cell import Artist, Axes, Style, cell_size, keep_in_cell
from skxent.metrics.short_names import distinct

Floats = NDArray[np.float64]

# Markers and line styles that distinguish curves in print without colour.
MARKERS = "osD^vPX*"
LINES = ("-", "--", "-.", ":")

ROW = 0.22  # height of a row with a name, in inches
LETTER = 0.08  # width of a character of a name, in inches
# A cell is the room between the neighbours of axes that the user passed, see `cell`.
NAMES = 0.3  # largest width of the names of rows, as a fraction of the width of the cell
HALF = 0.5  # largest length of the label of a vertical axis, as a fraction of the cell's height
LEGEND = 0.75  # largest width of a legend, as a fraction of the width of the cell
SMALL = 8.0  # font size if room is short, in points
LARGEST = 1e100  # largest number that is drawn; near 1e300 the ticks of matplotlib overflow


def plain(name: object) -> str:
    """Return a name as text on one line that matplotlib draws as it is.

    Dollar signs are escaped, and a leading underscore gets a space before it.
    """
    text = " ".join(str(name).split()).replace("$", r"\$")
    return (
        f" {text}" if text.startswith("_") else text
    )  # a legend leaves out labels that begin with an underscore


def row_size(names: Sequence[str], *columns: Sequence[str]) -> tuple[float, float]:
    """Return the size of a figure with a row for each name and columns of texts on the right."""
    letters = sum(max(map(len, texts), default=0) for texts in (names, *columns))
    return 5.0 + LETTER * letters, 1.9 + ROW * max(len(names), 5)


def name_rows(ax: Axes, names: Sequence[str]) -> float:
    """Name the rows 0, 1, ... of the axes, the first on top; return the font size."""
    height = ax.get_window_extent().height / ax.figure.dpi * 72 / len(names)
    size = float(np.clip(0.8 * height, 2.0, 10.0))
    cell = cell_size(ax)
    if cell is not None:
        size = float(np.clip(0.8 * HALF * height, 2.0, SMALL))
        names = distinct(names, max(8, int(NAMES * cell[0] * 72 / (0.55 * size))))
    ax.set_yticks(np.arange(len(names)), labels=names, fontsize=size)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(names) - 0.5, -0.5)
    return size


def text_column(ax: Axes, header: str, texts: Sequence[str], left: float, size: float) -> float:
    """Write a text right of each row, `left` points from the axes; return where the column ends."""
    options = {"textcoords": "offset points", "annotation_clip": False}
    above = {"xycoords": "axes fraction", "va": "bottom", "fontsize": "small"}
    ax.annotate(header, (1, 1), xytext=(left, 4), **above, **options)
    beside = {"xycoords": ax.get_yaxis_transform(), "va": "center", "fontsize": size}
    for row, text in enumerate(texts):
        ax.annotate(text, (1, row), xytext=(left, 0), **beside, **options)
    return left + 0.62 * max(9 * len(header), size * max(map(len, texts))) + 6


def new_axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """Return the axes given, or those of a new figure of `size` inches."""
    if ax is not None:
        if np.size(np.array(ax, dtype=object)) != 1:
            raise ValueError(
                f"ax is an array of {np.size(ax)}: pass one matplotlib Axes, or None for a new "
                "figure."
            )
        return _axes(ax, 1)[0]
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def new_panels(
    ax: Axes, n: int, size: tuple[float, float], margins: float, most: int, **sharing: bool
) -> list[Axes]:
    """Return n axes: the first n of the given axes, or panels of a new figure.

    A row has up to `most` panels, or up to three if `most` is smaller. `size` is the size of one
    panel in inches, and `margins` is the height of titles and legend in inches.
    """
    if ax is not None:
        return _axes(ax, n)
    import matplotlib.pyplot as plt

    n_columns = min(n, max(most, 3))
    n_rows = -(-n // n_columns)
    total = (size[0] * n_columns, size[1] * n_rows + margins)
    options: Style = {"figsize": total, "layout": "constrained", "squeeze": False, **sharing}
    panels = list(plt.subplots(n_rows, n_columns, **options)[1].ravel())
    for empty in panels[n:]:
        empty.remove()
    return panels[:n]


def label_panels(panels: Sequence[Axes], own: bool, x: str, y: str = "") -> None:
    """Label the outer panels of a new figure (if `own`), or all panels on the user's axes."""
    n = len(panels)
    n_columns = panels[0].get_subplotspec().get_gridspec().ncols if own else 1
    size = "medium" if n == 1 or not own else "small"
    for i, panel in enumerate(panels):
        if not own or i >= n - n_columns:
            panel.set_xlabel(wrapped(panel, x), fontsize=size)
            panel.xaxis.set_tick_params(labelbottom=True)
        if not own or i % n_columns == 0:
            panel.set_ylabel(wrapped(panel, y, upright=True), fontsize=size)


def curve_style(i: int, n_points: int) -> Style:
    """Return colour, line and marker of curve i, with about twenty markers at most."""
    return {
        "color": f"C{i % 10}",
        "linestyle": LINES[i % len(LINES)],
        "marker": MARKERS[i % len(MARKERS)],
        "markersize": 5,
        "markevery": sorted({*range(0, n_points, max(1, n_points // 20)), max(n_points - 1, 0)}),
    }


def _axes(ax: Axes, n: int) -> list[Axes]:
    """Return the first n of the given axes, and let them shrink to keep texts in their cells."""
    from matplotlib import axes

    given = list(np.array(ax, dtype=object).ravel())
    wrong = next((panel for panel in given if not isinstance(panel, axes.Axes)), None)
    if wrong is not None:
        raise ValueError(
            f"ax is {type(wrong).__name__}: pass one matplotlib Axes, or as many as there are "
            "panels, or None for a new figure."
        )
    if len(given) < n:
        raise ValueError(
            f"ax holds {len(given)} Axes but {n} panels are to be drawn: pass an array of {n} "
            "Axes, or choose what to draw."
        )
    for panel in given[:n]:
        keep_in_cell(panel)
    return given[:n]


def wrapped(ax: Axes, text: str, size: float = 10.0, upright: bool = False) -> str:
    """Break the lines of a text of font size `size` to fit the cell of the user's axes."""
    cell = cell_size(ax)
    if cell is None:
        return text
    room = HALF * cell[1] if upright else cell[0]
    letters = max(12, int(room * 72 / (0.6 * size)))
    return "\n".join(textwrap.fill(line, letters) for line in text.split("\n"))


def legend_below(ax: Axes, **options: Any) -> Artist:
    """Add a legend below the axes, their ticks and their label."""
    from matplotlib.transforms import ScaledTranslation

    points = 30 + 12 * (1 + ax.get_xlabel().count("\n"))
    down = ScaledTranslation(0, -points / 72, ax.figure.dpi_scale_trans)
    style = {"loc": "upper center", "borderaxespad": 0, "frameon": False, "fontsize": "small"}
    style |= {"bbox_to_anchor": (0.5, 0), "bbox_transform": ax.transAxes + down} | options
    legend, cell = ax.legend(**style), cell_size(ax)
    for columns in range(options.get("ncols", 1) - 1, 0, -1):
        if cell is None or legend.get_window_extent().width <= LEGEND * cell[0] * ax.figure.dpi:
            break
        legend = ax.legend(**(style | {"ncols": columns}))
    return legend
