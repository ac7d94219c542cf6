"""The HTML diagram links to the documentation that the installed package names."""

import re
from email.message import Message
from importlib.metadata import PackageNotFoundError

import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skxent import LogisticClassifier, SoftmaxClassifier, SoftmaxClassifierCV
from skxent.classifiers import linear_classifier
from skxent.classifiers.linear_classifier import documentation_site

ESTIMATORS = [SoftmaxClassifier, LogisticClassifier, SoftmaxClassifierCV]
SITES = {
    "a site": (["Source, https://a.example/b", "Documentation, https://docs.example/"], True),
    "another name": (["Source, https://a.example/b"], False),
    "none": ([], False),
}


@pytest.fixture(autouse=True)
def fresh():
    documentation_site.cache_clear()
    yield
    documentation_site.cache_clear()


def links(html):
    return [link for link in re.findall(r'href="([^"]*)"', html) if "scikit-learn.org" not in link]


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(("urls", "linked"), SITES.values(), ids=SITES)
def test_link(monkeypatch, estimator, urls, linked):
    found = Message()
    for url in urls:
        found["Project-URL"] = url
    monkeypatch.setattr(linear_classifier, "metadata", lambda name: found)
    expected = f"https://docs.example/reference/generated/skxent.{estimator.__name__}.html"
    for model in (estimator(), clone(estimator()), make_pipeline(StandardScaler(), estimator())):
        html = model._repr_html_()
        assert ("https://docs.example" in html) == linked
        assert (expected in links(html)) == linked


def test_a_source_tree_that_is_not_installed(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(linear_classifier, "metadata", missing)
    assert links(SoftmaxClassifier()._repr_html_()) == []


def test_a_fitted_estimator():
    clf = SoftmaxClassifier().fit(*load_iris(return_X_y=True))
    assert "SoftmaxClassifier" in clf._repr_html_()
