"""Code blocks as readers see them: without the empty lines that end the output of a doctest.

Sphinx itself removes ``<BLANKLINE>`` and comments with options of doctest.
"""

from docutils import nodes


def _strip(app, doctree):
    for block in doctree.findall(nodes.literal_block):
        text = block.astext()
        stripped = text.rstrip()
        if stripped != text and len(block.children) == 1:
            block.rawsource = block.rawsource.rstrip()
            block[:] = [nodes.Text(stripped)]


def setup(app):
    app.connect("doctree-read", _strip)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
