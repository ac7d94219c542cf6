"""Entries of the index lead to sections, so that the search shows the text of the section.

The directive ``index`` names words that readers search for. Sphinx makes an empty element the
target of these words, and the search can show no text of an empty element. This extension makes
the section that begins there the target. If no section begins there, the target is the section
around the directive.
"""

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform


def _around(node):
    while node is not None and not isinstance(node, nodes.section):
        node = node.parent
    return node


class LeadToSections(SphinxTransform):
    # After docutils has given the target to what follows, before Sphinx collects the entries.
    default_priority = 600

    def apply(self, **kwargs):
        sections = {
            name: section
            for section in self.document.findall(nodes.section)
            for name in section["ids"]
        }
        for index in self.document.findall(addnodes.index):
            entries = []
            for kind, words, target, *rest in index["entries"]:
                section = sections.get(target, _around(index))
                if target.startswith("index-") and section is not None:
                    target = section["ids"][0]
                entries.append((kind, words, target, *rest))
            index["entries"] = entries


def setup(app):
    app.add_transform(LeadToSections)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
