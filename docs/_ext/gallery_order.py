"""The order of the examples, which is that of ``docs/examples.md``."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "examples.md"
NAMED = re.findall(r"^ *\.\./examples/(\w+)\.py$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def place(path):
    """Sort key of an example: its place in the page."""
    name = Path(path).stem
    return (NAMED.index(name) if name in NAMED else len(NAMED), name)
