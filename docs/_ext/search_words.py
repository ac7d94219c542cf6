"""Entries of the index lead to sections and paragraphs, so that the search shows their texts.

The directive ``index`` names words that readers search for. Its target is an empty element before
the section or in front of the paragraph that follows; the search would show nothing of it.
"""

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform


class LeadToSections(SphinxTransform):
    # After docutils has given the target to what follows, before Sphinx collects the entries.
    default_priority = 600

    def apply(self, **kwargs):
        places = {
            name: node["ids"][0]
            for node in self.document.findall(nodes.section)
            for name in node["ids"]
        }
        for index in self.document.findall(addnodes.index):
            index["entries"] = [
                (kind, words, places.get(target, target), *rest)
                for kind, words, target, *rest in index["entries"]
            ]


def setup(app):
    app.add_transform(LeadToSections)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
