"""Pictures of the gallery with letters that can be read on a phone.

Figures of matplotlib get larger letters and a smaller default size. On a narrow screen the style
sheet shrinks a picture to about two thirds of its size. A picture that is still wider than the
screen scrolls in a box, which this extension puts around each picture. Wide pictures have many
panels with smaller letters. They scroll anyway, so they are shrunk less.
"""

from pathlib import Path

from docutils import nodes
from PIL import Image
from sphinx_gallery.directives import imgsgnode


def enlarge(gallery_conf, example):
    """Set the defaults of matplotlib before each example, after sphinx-gallery has reset them."""
    import matplotlib

    matplotlib.rcParams.update({"figure.figsize": (5.5, 4.1), "font.size": 11})


WIDE = 700  # pixels


def _is_wide(app, image):
    path = Path(app.srcdir, image["uri"].lstrip("/"))
    if not path.is_file():
        return False
    with Image.open(path) as file:
        return file.width > WIDE


def _put_in_boxes(app, doctree):
    for image in list(doctree.findall(imgsgnode)):
        wide = ["gallery-picture-wide"] if _is_wide(app, image) else []
        box = nodes.container(classes=["gallery-picture", *wide])
        image.replace_self(box)
        box += image


def setup(app):
    app.connect("doctree-read", _put_in_boxes)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
