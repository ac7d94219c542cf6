"""Tables of the error messages of skxent: ``{error-messages} inputs`` lists those of a folder."""

from __future__ import annotations

from docutils import nodes
from docutils.parsers.rst import Directive
from messages import INTERNAL, WARNING, messages


class ErrorMessages(Directive):
    """A table of the errors of some files or folders of the package."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        places = tuple(self.arguments[0].split())
        rows = [
            (*message.parts, message.kind)
            for message in messages()
            if message.path.startswith(places) and message.kind not in (WARNING, *INTERNAL)
        ]
        if not rows:
            raise self.error(f"no messages in {places}")
        return [_table(("Message", "What to do", "Exception"), sorted(set(rows)))]


def _table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> nodes.table:
    group = nodes.tgroup(cols=len(titles))
    group += [nodes.colspec(colwidth=width) for width in (55, 33, 12)]
    group += nodes.thead("", _row(titles))
    group += nodes.tbody("", *map(_row, rows))
    return nodes.table("", group, classes=["error-messages"])


def _row(texts: tuple[str, ...]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph(text=text)) for text in texts))


def setup(app):
    """Register the directive, and read the source anew in every build."""
    app.add_directive("error-messages", ErrorMessages)
    app.connect("env-before-read-docs", lambda app, env, names: names.append("errors"))
    return {"parallel_read_safe": True}
