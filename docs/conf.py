"""Sphinx configuration: ``python -m sphinx -W --keep-going -b html docs docs/_build/html``."""

import os
import sys
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")
sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import skxent

project = "skxent"
author = "The skxent developers"
copyright = "2026, The skxent developers"
release = version = skxent.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "myst_parser",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    # In docs/_ext.
    "error_tables",
    "gallery_pictures",
    "llms",
    "mathml",
    "pictures",
    "search_words",
    "sessions",
    "signatures",
    "sklearn_links",
]
# examples.md takes the place of the index that sphinx-gallery writes: it has sections.
exclude_patterns = [
    "_build",
    "_templates",
    "auto_examples/GALLERY_HEADER.rst",
    "auto_examples/index.rst",
]
templates_path = ["_templates"]

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

extlinks = {"doi": ("https://doi.org/%s", "doi:%s")}

autodoc_typehints = "none"  # the parameter lists give the types, in words
autosummary_generate = True
# Classes that draw, and the script in docs/pictures whose picture is on the page of the class.
autosummary_context = {
    "pictures": {
        "CoefficientDisplay": "coefficients",
        "ConvergenceDisplay": "convergence",
        "LossDistributionDisplay": "loss_distribution",
        "LossShareDisplay": "loss_share",
        "ProfileDisplay": "profile",
        "RegularizationDisplay": "regularization",
        "ReliabilityDisplay": "reliability",
    }
}
toc_object_entries_show_parents = "hide"
# The class template lists the members, without those that every scikit-learn estimator inherits.
numpydoc_show_class_members = False

# What is copied from a session is its code: no prompts, no output.
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_copy_empty_lines = False
copybutton_selector = "div:not(.sphx-glr-script-out) > div.highlight > pre"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/(quickstart|on_disk|separation|compare_|plot_)",
    "within_subsection_order": "gallery_order.place",
    "minigallery_sort_order": "gallery_order.place",
    "doc_module": ("skxent",),
    "reference_url": {"skxent": None},
    "backreferences_dir": "reference/generated/backreferences",
    "reset_modules": ("matplotlib", "gallery_pictures.enlarge"),
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "remove_config_comments": True,
}

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "skxent"
html_static_path = ["_static"]
html_css_files = ["skxent.css"]
html_favicon = "_static/favicon.svg"
html_show_sourcelink = False
html_sidebars = {"index": [], "install": [], "examples": []}
html_theme_options = {
    "logo": {
        "text": "skxent",
        "alt_text": "",
        "image_light": "_static/logo-light.svg",
        "image_dark": "_static/logo-dark.svg",
    },
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 5,
    "show_prev_next": True,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
