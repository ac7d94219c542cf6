"""Axes of the user that shrink to keep names, columns of texts and legends within their cell.

The cell of axes is the space up to the neighbouring axes or the edge of the figure. matplotlib's
constrained layout makes room for texts outside of the axes. In a figure without a layout engine,
names are cut at the edge of the figure, and columns of texts overlap the next axes. In such a
figure the user's axes shrink at each drawing by the room that their texts need. Their position
attribute is not changed.
"""

from __future__ import annotations

from typing import Any

# Names for types of matplotlib, which is not imported before something is drawn.
Axes = Any
Artist = Any  # also a figure, a renderer or a container of artists
Style = dict[str, Any]  # options of an artist

PAD = 3.0  # pixels between texts and the edge of the cell
LEAST = 0.25  # smallest width and height of shrunken axes, as a fraction of the original


class WithinCell:
    """Locator that shrinks axes so that the texts around them stay in their cell."""

    def __call__(self, ax: Axes, renderer: Artist | None) -> Artist:
        """Return the position of the axes, in fractions of the figure."""
        from matplotlib.transforms import Bbox

        whole = ax.get_position(original=True)
        if ax.figure.get_layout_engine() is not None:
            return whole
        to_pixels = ax.figure.transSubfigure
        left, bottom, right, top = _margins(ax, renderer)
        x0, y0, x1, y1 = to_pixels.transform_bbox(whole).extents
        cell = _cell(ax, renderer)
        x0, x1 = _between(x0, x1, cell[0] + PAD + left, cell[2] - PAD - right)
        y0, y1 = _between(y0, y1, cell[1] + PAD + bottom, cell[3] - PAD - top)
        return Bbox([[x0, y0], [x1, y1]]).transformed(to_pixels.inverted())


def keep_in_cell(ax: Axes) -> None:
    """Let the user's axes shrink if their figure has no layout engine."""
    if ax.get_axes_locator() is None:
        ax.set_axes_locator(WithinCell())


def cell_size(ax: Axes) -> tuple[float, float] | None:
    """Return width and height of the cell of the user's axes, in inches.

    The size is None if the axes are not the user's, or if their figure has a layout engine.
    """
    if not isinstance(ax.get_axes_locator(), WithinCell):
        return None
    if ax.figure.get_layout_engine() is not None:
        return None
    left, bottom, right, top = _cell(ax, None)
    return float((right - left) / ax.figure.dpi), float((top - bottom) / ax.figure.dpi)


def _between(low: float, high: float, least: float, most: float) -> tuple[float, float]:
    """Return the part of an interval between the bounds `least` and `most`.

    If this part is shorter than the fraction `LEAST` of the interval, it is extended to this length
    on both sides, beyond the bounds.
    """
    new_low, new_high = max(low, least), min(high, most)
    short = LEAST * (high - low) - (new_high - new_low)
    if short > 0:
        new_low, new_high = new_low - short / 2, new_high + short / 2
    return new_low, new_high


def _margins(ax: Axes, renderer: Artist | None) -> tuple[float, float, float, float]:
    """Return the pixels that texts need on the left, below, on the right and above.

    Centred titles and labels move with the axes, so they count only above and below.
    """
    tight = ax.get_tightbbox(renderer, call_axes_locator=False)
    own = ax.bbox
    beside = [ax.yaxis.get_tightbbox(renderer)]
    beside += [text.get_window_extent(renderer) for text in ax.texts if text.get_visible()]
    boxes = [box for box in beside if box is not None]
    left = max((own.x0 - box.x0 for box in boxes), default=0.0)
    right = max((box.x1 - own.x1 for box in boxes), default=0.0)
    return max(left, 0.0), own.y0 - tight.y0, max(right, 0.0), tight.y1 - own.y1


def _cell(ax: Axes, renderer: Artist | None) -> tuple[float, float, float, float]:
    """Return the ends of the cell in pixels: left, bottom, right, top."""
    figure = ax.figure.bbox
    own = _original_box(ax)
    left, bottom, right, top = figure.extents
    for other in ax.figure.axes:
        if other is ax or not other.get_visible():
            continue
        box = _original_box(other)
        taken = box if other.get_axes_locator() is not None else _tight_box(other, renderer, box)
        shared = isinstance(other.get_axes_locator(), WithinCell)
        if box.y0 < own.y1 and own.y0 < box.y1:
            if box.x0 >= own.x1:
                right = min(right, (own.x1 + box.x0) / 2 if shared else taken.x0)
            elif box.x1 <= own.x0:
                left = max(left, (box.x1 + own.x0) / 2 if shared else taken.x1)
        if box.x0 < own.x1 and own.x0 < box.x1:
            if box.y0 >= own.y1:
                top = min(top, (own.y1 + box.y0) / 2 if shared else taken.y0)
            elif box.y1 <= own.y0:
                bottom = max(bottom, (box.y1 + own.y0) / 2 if shared else taken.y1)
    return left, bottom, right, top


def _original_box(ax: Axes) -> Artist:
    """Return the original position of axes, in pixels."""
    return ax.figure.transSubfigure.transform_bbox(ax.get_position(original=True))


def _tight_box(ax: Axes, renderer: Artist | None, default: Artist) -> Artist:
    tight = ax.get_tightbbox(renderer, call_axes_locator=False)
    return default if tight is None else tight
