"""The texts of the scorers, which doctest does not find below assignments."""

import ast
import doctest
import inspect
from itertools import pairwise

import pytest

from skxent.metrics import ready_scorers

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def texts_below_assignments(source):
    """Text of each name that is assigned on the top level and followed by a text."""
    body = ast.parse(source).body
    return {
        statement.targets[0].id: inspect.cleandoc(below.value.value)
        for statement, below in pairwise(body)
        if isinstance(statement, ast.Assign)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
    }


TEXTS = texts_below_assignments(inspect.getsource(ready_scorers))
SCORERS = [name for name in vars(ready_scorers) if name.endswith("_scorer") and name[:4] != "make"]


def test_each_scorer_has_words_of_its_own():
    assert sorted(TEXTS) == sorted(SCORERS) and len(SCORERS) == 6
    assert len({text.split("\n")[0] for text in TEXTS.values()}) == 6


@pytest.mark.parametrize("name", TEXTS)
def test_the_example_runs(name):
    examples = doctest.DocTestParser().get_doctest(TEXTS[name], {}, name, "ready_scorers.py", 0)
    assert examples.examples
    report = []
    doctest.DocTestRunner(optionflags=OPTIONS).run(examples, out=report.append)
    assert not report, "".join(report)
