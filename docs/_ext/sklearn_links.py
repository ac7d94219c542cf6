"""Names of scikit-learn as links to its documentation, without its inventory.

An address follows from the public name: ``sklearn.metrics.log_loss`` is described on
``modules/generated/sklearn.metrics.log_loss.html``. What is public is read from the installed
package. In the text, code that is such a name, or the name of one estimator alone, is the link.
"""

from functools import cache
from importlib import import_module
from inspect import getmodule

from docutils import nodes
from sklearn.utils.discovery import all_displays, all_estimators, all_functions
from sphinx.transforms.post_transforms import SphinxPostTransform

import skxent

SITE = "https://scikit-learn.org/stable/modules/generated"


@cache
def addresses():
    """The address of each full name, and of each estimator's own name."""
    found = {}
    for name, thing in [*all_estimators(), *all_displays(), *all_functions()]:
        public = _public_module(name, getmodule(thing).__name__)
        if public:
            address = f"{SITE}/{public}.{name}.html"
            found[f"{public}.{name}"] = address
            if isinstance(thing, type) and name not in skxent.__all__:
                found[name] = address
    return found


def _public_module(name, module):
    """The outermost module that lists the name, below ``sklearn`` unless it is private."""
    parts = module.split(".")
    public = parts[: next((i for i, part in enumerate(parts) if part[0] == "_"), len(parts))]
    for length in range(min(2, len(public)), len(public) + 1):
        candidate = ".".join(public[:length])
        if name in getattr(import_module(candidate), "__all__", ()):
            return candidate
    return None


class LinkNames(SphinxPostTransform):
    """Put a link around code that is a name of scikit-learn, outside of links and headings."""

    default_priority = 500
    formats = ("html",)

    def run(self, **kwargs):
        for literal in list(self.document.findall(nodes.literal)):
            address = addresses().get(literal.astext().removesuffix("()"))
            above, parents = literal.parent, []
            while above is not None:
                parents.append(above)
                above = above.parent
            if address and not any(isinstance(p, (nodes.reference, nodes.title)) for p in parents):
                link = nodes.reference("", "", refuri=address, internal=False)
                literal.replace_self(link)
                link += literal


def setup(app):
    app.add_post_transform(LinkNames)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
