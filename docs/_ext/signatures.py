"""Signatures of the reference without private fields."""

import re

PRIVATE = re.compile(r", _\w+(?:=[^,)]*)?")
FUNCTION = re.compile(r"<function (\w+)>")


def _signature(app, what, name, obj, options, signature, returns):
    if signature:
        signature = FUNCTION.sub(r"\1", PRIVATE.sub("", signature))
    return signature, returns


def setup(app):
    app.connect("autodoc-process-signature", _signature, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
