"""Pictures of the gallery with letters that can be read on a phone.

A figure of matplotlib gets larger letters and a smaller default size. On a narrow screen the style
sheet shows pictures no smaller than two thirds of their size, and a picture that is still wider
than the screen scrolls in the box that is put around it here.
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
