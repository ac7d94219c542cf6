"""Signatures and words of the reference: no private fields, and scorers with their own text.

A scorer is an instance, for which Sphinx would show the text of its class. Its own text stands
below its assignment.
"""

import re

from sphinx.pycode import ModuleAnalyzer

SCORERS = "skxent.metrics.ready_scorers"
PRIVATE = re.compile(r", _\w+(?:=[^,)]*)?")
FUNCTION = re.compile(r"<function (\w+)>")


def _signature(app, what, name, obj, options, signature, returns):
    if signature:
        signature = FUNCTION.sub(r"\1", PRIVATE.sub("", signature))
    return signature, returns


def _words(app, what, name, obj, options, lines):
    analyzer = ModuleAnalyzer.for_module(SCORERS)
    own = analyzer.find_attr_docs().get(("", name.removeprefix("skxent.")))
    if own:
        app.env.note_dependency(analyzer.srcname)
        lines[:] = own


def setup(app):
    # Before numpydoc, which makes sections of the text.
    app.connect("autodoc-process-docstring", _words, priority=400)
    app.connect("autodoc-process-signature", _signature, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
