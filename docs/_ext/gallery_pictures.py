"""Pictures of the gallery with letters that can be read on a phone.

Figures of matplotlib get larger letters and a smaller default size. On a narrow screen the style
sheet shrinks a picture to about two thirds of its size. A picture that is still wider than the
screen scrolls in a box, which this extension puts around each picture.
"""

from docutils import nodes
from sphinx_gallery.directives import imgsgnode


def enlarge(gallery_conf, example):
    """Set the defaults of matplotlib before each example, after sphinx-gallery has reset them."""
    import matplotlib

    matplotlib.rcParams.update({"figure.figsize": (5.5, 4.1), "font.size": 11})


def _put_in_boxes(app, doctree):
    for image in list(doctree.findall(imgsgnode)):
        box = nodes.container(classes=["gallery-picture"])
        image.replace_self(box)
        box += image


def setup(app):
    app.connect("doctree-read", _put_in_boxes)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
