"""The messages of skxent, read from its source.

A message is the text of a ``raise`` or of ``warnings.warn``, with ``…`` for the values in it. By
convention it ends with what to do, after a colon.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "skxent"
VALUE = "…"
WARNING = "warning"
# Raised for other code of the package, which catches it.
INTERNAL = ("Undecided", "NotImplementedError", "OneClassError")


@dataclass(frozen=True, order=True)
class Message:
    """A message, where the source has it, and the exception, or "warning"."""

    text: str
    path: str
    kind: str

    @property
    def parts(self) -> tuple[str, str]:
        """What is wrong, and what to do, which is empty if the text has no colon."""
        cause, _, cure = self.text.partition(": ")
        if cause.strip(VALUE + " ") == "":  # the name of an estimator, or of a place
            prefix, (cause, _, cure) = cause + ": ", cure.partition(": ")
            cause = prefix + cause
        return cause, cure


def messages(package: Path = PACKAGE) -> list[Message]:
    """All messages of a package, without those that other functions make."""
    found: set[Message] = set()
    for path in sorted(package.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        place = path.relative_to(package).as_posix()
        texts = _assignments(tree.body)
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                known = texts | _assignments(ast.walk(function))
                for kind, node in _raised(function):
                    found |= {Message(text, place, kind) for text in _texts(node, known)}
    return sorted(message for message in found if message.text.strip(VALUE + " .:="))


def _assignments(statements) -> dict[str, ast.expr]:
    return {
        statement.targets[0].id: statement.value
        for statement in statements
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }


def _raised(function: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            yield ast.unparse(node.exc.func), node.exc.args[0]
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "warnings.warn":
            yield WARNING, node.args[0]


def _texts(node: ast.expr, known: dict[str, ast.expr]) -> list[str]:
    """The texts that an expression may have: several, if it has a condition."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body, known), *_texts(node.orelse, known)]
    if isinstance(node, ast.Name) and node.id in known:
        rest = {name: value for name, value in known.items() if name != node.id}
        return _texts(known[node.id], rest)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _joined([node.left, node.right], known)
    if isinstance(node, ast.JoinedStr):
        return _joined(node.values, known)
    if isinstance(node, ast.FormattedValue):
        texts = _texts(node.value, known)
        return texts if all(" " in text for text in texts) else [VALUE]
    return [VALUE]


def _joined(parts: list[ast.expr], known: dict[str, ast.expr]) -> list[str]:
    texts = [""]
    for part in parts:
        texts = [before + text for before in texts for text in _texts(part, known)]
    return texts
