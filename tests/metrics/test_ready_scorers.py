"""The texts of the scorers: doctest does not find them, since they belong to instances."""

import copy
import doctest
import inspect
import pickle
import pydoc

import pytest

from skxent.metrics import make_cross_entropy_scorer, ready_scorers

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SCORERS = {
    name: scorer
    for name, scorer in vars(ready_scorers).items()
    if name.endswith("_scorer") and not name.startswith("make")
}


def test_each_scorer_has_words_of_its_own():
    assert len(SCORERS) == 6
    texts = [scorer.__doc__ for scorer in SCORERS.values()]
    texts += [type(scorer).__doc__ for scorer in SCORERS.values()]
    assert len({text.split("\n")[0] for text in texts}) == 6 + 2


@pytest.mark.parametrize("name", SCORERS)
def test_help_shows_the_words_of_the_scorer(name):
    shown = pydoc.render_doc(SCORERS[name], renderer=pydoc.plaintext)
    first = SCORERS[name].__doc__.split("\n")[0]
    assert first in shown and inspect.getdoc(SCORERS[name]).startswith(first)
    assert type(SCORERS[name]).__doc__.split("\n")[0] not in shown


@pytest.mark.parametrize("name", SCORERS)
def test_the_example_runs(name):
    text = inspect.getdoc(SCORERS[name])
    examples = doctest.DocTestParser().get_doctest(text, {}, name, "ready_scorers.py", 0)
    assert examples.examples
    report = []
    doctest.DocTestRunner(optionflags=OPTIONS).run(examples, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("name", SCORERS)
def test_copies_keep_the_words_and_are_equal(name):
    scorer = SCORERS[name]
    for copied in (copy.deepcopy(scorer), pickle.loads(pickle.dumps(scorer))):
        assert copied == scorer and hash(copied) == hash(scorer)
        assert copied.__doc__ == scorer.__doc__


def test_a_scorer_made_from_the_same_options_is_equal_and_has_the_words_of_its_class():
    made = make_cross_entropy_scorer()
    assert made == ready_scorers.cce_scorer
    assert repr(made) == repr(ready_scorers.cce_scorer)
    asking = ready_scorers.cce_scorer.set_score_request(sample_weight=True)
    assert made.__doc__ == asking.__doc__ == type(made).__doc__
