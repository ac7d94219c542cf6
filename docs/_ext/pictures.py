"""The directive ``picture``: a drawing of matplotlib, made during the build.

``{picture} NAME`` runs ``docs/pictures/NAME.py``, whose function ``draw(figure)`` draws, and puts
the SVG into the page itself. Its lines and texts get their colours from the style sheet, and its
greys become mixtures of text and background, so one picture serves light and dark pages. The option
``alt`` describes the picture for those who do not see it, and the content of the directive is the
caption. ``:size: WIDTH HEIGHT`` is in inches. A script whose picture is on several pages has the
constants ``ALT`` and ``SIZE``.

Each picture is drawn twice, for wide screens and for narrow ones, and the style sheet shows one of
the two. The one for narrow screens is four inches wide, so that its letters are large enough. The
constant ``NARROW_HEIGHT`` of the script is its height, if there is one. If a picture has two
panels, its script has the constant ``PANELS`` and ``draw(figure, rows, columns)``. The panels are
side by side on wide screens, and one below the other on narrow ones. A picture with much text
beside its axes has the constant ``SCROLLS``: it is drawn once, and scrolls in its box on narrow
screens.
"""

import html
import io
import re
import runpy
import sys
from functools import cache
from pathlib import Path
from typing import ClassVar

import matplotlib
from docutils import nodes
from docutils.parsers.rst import directives
from matplotlib.figure import Figure
from sphinx.util.docutils import SphinxDirective

FOLDER = Path(__file__).parents[1] / "pictures"
NARROW = 4.0  # inches, width of a picture for narrow screens

# Colours that no one would choose stand for those of the style sheet.
TEXT, FRAME = "#010101", "#020202"
LINES = [f"#03030{i}" for i in range(1, 6)]
IN_PAGE = {TEXT: "currentColor", FRAME: "var(--picture-frame)"} | {
    colour: f"var(--picture-{i})" for i, colour in enumerate(LINES, start=1)
}

STYLE = {
    "axes.edgecolor": FRAME,
    "axes.labelcolor": TEXT,
    "axes.prop_cycle": matplotlib.cycler(color=LINES),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": TEXT,
    "axes.titlesize": 10,
    "grid.color": FRAME,
    "hatch.color": FRAME,
    "legend.frameon": False,
    "legend.labelcolor": TEXT,
    "lines.linewidth": 2.0,
    "svg.fonttype": "none",
    "text.color": TEXT,
    "xtick.color": FRAME,
    "xtick.labelcolor": TEXT,
    "ytick.color": FRAME,
    "ytick.labelcolor": TEXT,
}


GREY = re.compile(r"#([0-9a-f]{2})\1\1\b")


def _grey_in_page(match):
    """A mixture of text and background, which are black and white for matplotlib."""
    strength = 100 * (255 - int(match[1], 16)) // 255
    return f"color-mix(in srgb, currentColor {strength}%, var(--pst-color-background))"


@cache
def svgs_of(name, size=None, alt=None):
    """The picture of one script as ``svg`` elements, for wide and for narrow screens."""
    script = runpy.run_path(str(FOLDER / f"{name}.py"))
    width, height = size or script.get("SIZE", (5.2, 3.1))
    alt = alt or script["ALT"]
    if "PANELS" in script:
        stacked = (NARROW, 1.9 * height)
        wide = _svg(script, name, "wide", alt, (width, height), 1, 2)
        return wide + _svg(script, name, "narrow", alt, stacked, 2, 1)
    if script.get("SCROLLS"):
        return _svg(script, name, "scrolls", alt, (width, height))
    less = (NARROW, script.get("NARROW_HEIGHT", height * (NARROW / width) ** 0.5))
    wide = _svg(script, name, "wide", alt, (width, height))
    return wide + _svg(script, name, "narrow", alt, less)


def _svg(script, name, kind, alt, size, *panels):
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE | {"svg.hashsalt": f"{name}-{kind}"})
        figure = Figure(figsize=size, layout="constrained")
        script["draw"](figure, *panels)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = file.getvalue()
    view = re.search(r'viewBox="[^"]*"', text)[0]
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    # An id is unique in a page, on which there may be several pictures.
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-{kind}-", body)
    body = body.replace("xlink:href=", "href=")
    for colour, in_page in IN_PAGE.items():
        body = body.replace(colour, in_page)
    body = GREY.sub(_grey_in_page, body)
    label = html.escape(alt, quote=True)
    return f'<svg class="{kind}" {view} role="img" aria-label="{label}">{body}'


def write_standalone(name, file):
    """Write the picture of one script in plain colours, for the README."""
    script = runpy.run_path(str(FOLDER / f"{name}.py"))
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {"axes.spines.right": False, "axes.spines.top": False, "lines.linewidth": 2.0}
            | {"svg.hashsalt": name}
        )
        figure = Figure(figsize=(6.4, 4.0), layout="constrained")
        script["draw"](figure)
        figure.savefig(file, format="svg", metadata={"Date": None})


class Picture(SphinxDirective):
    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"alt": directives.unchanged_required, "size": directives.unchanged}

    def run(self):
        name = self.arguments[0]
        self.env.note_dependency(str(FOLDER / f"{name}.py"))
        size = tuple(map(float, self.options.get("size", "").split()))
        figure = nodes.figure(classes=["picture"])
        drawn = svgs_of(name, size, self.options.get("alt"))
        figure += nodes.raw("", f'<div class="drawing">{drawn}</div>', format="html")
        for paragraph in self.parse_content_to_nodes():
            figure += nodes.caption("", "", *paragraph.children)
        return [figure]


def setup(app):
    app.add_directive("picture", Picture)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    write_standalone(*sys.argv[1:])
