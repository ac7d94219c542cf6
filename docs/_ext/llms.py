"""``llms.txt`` beside the pages: a list of all pages, each with its address and first sentence."""

import re
from pathlib import Path

from docutils import nodes

FIRST_SENTENCE = re.compile(r"(.+?[.!?])(?:\s|$)")


def text_of(app):
    """The list as Markdown, in the order of the navigation."""
    root = app.config.root_doc
    texts = [f"# {app.config.project}\n\n> {_described(app.env, root)}\n"]
    for section in app.env.toctree_includes[root]:
        entries = [_entry(app, page) for page in [section, *_below(app.env, section)]]
        texts.append(f"## {app.env.titles[section].astext()}\n\n" + "\n".join(entries) + "\n")
    return "\n".join(texts)


def _below(env, page):
    for child in env.toctree_includes.get(page, []):
        yield child
        yield from _below(env, child)


def _entry(app, page):
    title, address = app.env.titles[page].astext(), app.builder.get_target_uri(page)
    described = _described(app.env, page)
    return f"- [{title}]({address})" + (f": {described}" if described else "")


def _described(env, page):
    """The first sentence of a page, or of the description of its object."""
    tree = env.get_doctree(page)
    for paragraph in tree.findall(nodes.paragraph):
        if not isinstance(paragraph.parent, (nodes.section, nodes.document)) and (
            "desc_content" not in type(paragraph.parent).__name__
        ):
            continue
        text = " ".join(paragraph.astext().split())
        found = FIRST_SENTENCE.match(text)
        return (found[1] if found else text).removesuffix(":")
    return ""


def _write(app, exception):
    if exception is None and app.builder.name == "html":
        (Path(app.outdir) / "llms.txt").write_text(text_of(app), encoding="utf-8")


def setup(app):
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
