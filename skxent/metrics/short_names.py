"""Names that fit into a column of a table, and stay different from each other."""

from __future__ import annotations

import re
from collections.abc import Sequence

# The prefix that a ColumnTransformer or a FeatureUnion gives to the names of its output.
PREFIX = re.compile(r"\S+?__(?=\S)")
UNPREFIXED = "intercept"  # the term that no transformer has named


def cut(text: str, width: int) -> str:
    """Return a text, shortened to at most `width` characters."""
    return text if len(text) <= width else text[: width - 1] + "…"


def distinct(names: Sequence[str], width: int) -> list[str]:
    """Shorten names to at most `width` characters, so that different names stay different.

    Long names lose their middle. If two of them are then equal, another part of all names is left
    out. If two are equal whichever part is left out, "#" and the name's index are added at its end.
    """
    head = width // 2
    for part in dict.fromkeys([head, *range(width - 1, -1, -1)]):
        short = [_without_middle(name, width, part) for name in names]
        if len(set(short)) == len(set(names)):
            return short
    short = [_without_middle(name, width, head) for name in names]
    full: dict[str, set[str]] = {}
    for name, text in zip(names, short, strict=True):
        full.setdefault(text, set()).add(name)
    return [
        text
        if len(full[text]) == 1
        else _without_middle(f"{name}#{i}", width, width - len(f"{i}") - 2)
        for i, (name, text) in enumerate(zip(names, short, strict=True))
    ]


def _without_middle(text: str, width: int, head: int) -> str:
    """Return a text of at most `width` characters, with "…" for the part after the first `head`."""
    if len(text) <= width:
        return text
    tail = width - 1 - head
    return f"{text[:head]}…{text[len(text) - tail :] if tail > 0 else ''}"[:width]


def without_prefixes(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Leave out the prefixes of transformers, such as "num__" and "cat__".

    Parameters
    ----------
    names : sequence of str
        Names of features, and "intercept" or not.

    Returns
    -------
    short : list of str
        Names without prefixes. They are the given names if not all features have a prefix, or if
        different names would be equal.
    prefixes : list of str
        The prefixes that are left out.
    """
    found = [PREFIX.match(name) for name in dict.fromkeys(names) if name != UNPREFIXED]
    if None in found:
        return list(names), []
    prefixes = list(dict.fromkeys(match[0] for match in found if match))
    # The name of a product of features, "num__a num__b", has a prefix in each of its words.
    words = re.compile(rf"(?<!\S)(?:{'|'.join(map(re.escape, prefixes))})")
    short = [name if name == UNPREFIXED else words.sub("", name) for name in names]
    if len(set(short)) < len(set(names)):
        return list(names), []
    return short, prefixes


def prefix_note(prefixes: Sequence[str]) -> list[str]:
    """Return the note of a table that says which prefixes are left out, if any are."""
    if not prefixes:
        return []
    return [f"Names are shown without the prefixes of transformers: {', '.join(prefixes)}."]
