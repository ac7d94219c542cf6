"""Colours that are visible in every matplotlib style, light or dark."""

from __future__ import annotations

from skxent.displays.cell import Axes

OPAQUE = 0.5  # smallest alpha at which the face colour of axes or figure counts as background


def shade(ax: Axes, strength: float) -> tuple[float, float, float]:
    """Return a mixture of the text colour (strength 1) and the background (strength 0).

    Parameters
    ----------
    ax : matplotlib Axes
    strength : float
    """
    import matplotlib as mpl
    from matplotlib.colors import to_rgb

    ink, paper = to_rgb(mpl.rcParams["text.color"]), background(ax)
    red, green, blue = (strength * i + (1 - strength) * p for i, p in zip(ink, paper, strict=True))
    return red, green, blue


def background(ax: Axes) -> tuple[float, float, float]:
    """Return the colour behind the axes: of the axes, or if transparent, of figure or style."""
    import matplotlib as mpl
    from matplotlib.colors import to_rgb, to_rgba

    for colour in (ax.get_facecolor(), ax.figure.get_facecolor()):
        red, green, blue, alpha = to_rgba(colour)
        if alpha > OPAQUE:
            return red, green, blue
    colour = mpl.rcParams["figure.facecolor"]
    return to_rgb("white" if colour == "none" else colour)
