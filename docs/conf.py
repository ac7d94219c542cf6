"""Sphinx configuration: ``python -m sphinx -W --keep-going -b html docs docs/_build/html``."""

import os
import sys
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

import skxent

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "skxent"
author = "The skxent developers"
copyright = "2026, The skxent developers"
release = version = skxent.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "error_tables",
    "myst_parser",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates", "auto_examples/GALLERY_HEADER.rst"]
templates_path = ["_templates"]

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

extlinks = {"doi": ("https://doi.org/%s", "doi:%s")}

autodoc_typehints = "none"  # the parameter lists give the types, in words
autosummary_generate = True
toc_object_entries_show_parents = "hide"
# The class template lists the members, without those that every scikit-learn estimator inherits.
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/(quickstart|on_disk|separation|compare_|plot_)",
    "doc_module": ("skxent",),
    "reference_url": {"skxent": None},
    "backreferences_dir": "reference/generated/backreferences",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
}

html_math_renderer = "mathml"
html_sidebars = {
    page: []
    for page in (
        "losses",
        "scorers",
        "comparison",
        "decomposition",
        "calibrate",
        "classifier",
        "selection",
        "inference",
        "displays",
        "distributed",
        "traps",
        "changelog",
        "contributing",
    )
}
html_theme = "pydata_sphinx_theme"
html_title = "skxent"
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
}


def setup(app):
    """Write formulas as MathML, which browsers draw with no script from elsewhere."""

    def visitor(as_block):
        def visit(self, node):
            mathml = tex2mathml(node.astext(), as_block=as_block)
            self.body.append(f'<p style="text-align: center">{mathml}</p>' if as_block else mathml)
            raise nodes.SkipNode

        return visit, None

    app.add_html_math_renderer("mathml", visitor(False), visitor(True))
