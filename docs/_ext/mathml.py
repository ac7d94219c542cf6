"""Formulas as MathML, which browsers draw with no script from elsewhere."""

import re

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

# As in LaTeX, a thin space stands between a function and an argument without brackets.
FUNCTION = re.compile(r"\\(log|exp)\b(?!\s*(?:$|[\^_(\[]|\\(?:[,;]|left\b)))")
NORM = re.compile("<mo>([‖∥])</mo>")


def _converted(node, as_block):
    formula = tex2mathml(FUNCTION.sub(r"\\\1\\,", node.astext()), as_block=as_block)
    # Both bars of a norm are as high as a letter, also if the second one has an exponent.
    return NORM.sub(r'<mo stretchy="false">\1</mo>', formula)


def _inline(self, node):
    self.body.append(_converted(node, as_block=False))
    raise nodes.SkipNode


def _block(self, node):
    # The box scrolls if the formula is wider than the page, and can be reached by keyboard.
    formula = _converted(node, as_block=True)
    self.body.append(f'<div class="formula" tabindex="0">{formula}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
