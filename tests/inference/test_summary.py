"""The summary of an inference as text and as HTML."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from inferences import inference_of

from skxent import InferenceWarning, SoftmaxClassifier, infer


def numbers_of(line):
    return [float(word) for word in line.split()[-6:]]


@pytest.mark.parametrize("K", [2, 3])
def test_summary(named_data, K):
    X, y = named_data[K]
    found = inference_of(X, y)
    text = found.summary()
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    row = next(
        i for i, line in enumerate(lines) if line == "yes against no" or line == "no against may"
    )
    table = np.array([numbers_of(line) for line in lines[row + 1 : row + 5]])
    j = found.contrasts.index(lines[row].split()[0])
    expected = [found.coef, found.standard_errors, found.z, found.p_values]
    expected += list(np.moveaxis(found.confint(), -1, 0))
    np.testing.assert_allclose(
        table, np.stack([column[j] for column in expected], axis=1), rtol=6e-3
    )
    assert [line.split("  ")[1].strip() for line in lines[row + 1 : row + 5]] == found.terms
    for value in (found.log_likelihood, found.aic, found.bic, found.null_log_likelihood):
        assert f"{value:.8g}" in text
    assert f"{found.likelihood_ratio_test().statistic:.6g}" in text
    assert "observed" in text


def test_summary_of_extremes(named_data):
    """Long names, numbers of any size."""
    X, y = named_data[3]
    names = ["a name that is much too long for a table of eighty columns", "b", "c"]
    frame = pd.DataFrame(X.to_numpy() * [1e120, 1e-9, 1], columns=names)
    labels = np.array([label * 40 for label in y])
    text = inference_of(frame, labels).summary()
    assert max(map(len, text.splitlines())) <= 80
    assert "e-120" in text
    assert "  a name th… columns" in text
    for line in text.splitlines():
        if line.startswith(("  b ", "  c ")):
            assert np.isfinite(numbers_of(line)).all()


def test_summary_in_a_wide_terminal(named_data, monkeypatch):
    """Names get more room, and no more than they need."""
    X, y = named_data[2]
    long = "a name that is much too long for a table of eighty columns"
    found = inference_of(X.set_axis([long, "b", "c"], axis=1), y)
    narrow = found.summary()
    assert long not in narrow
    for columns, wide in (("60", narrow), ("100", None), ("130", None), ("300", None)):
        monkeypatch.setenv("COLUMNS", columns)
        text = found.summary()
        assert wide in (None, text)
        lines = text.splitlines()
        assert (long in text) == (int(columns) > 60 + len(long) + 2)
        assert {len(line) for line in lines if line[0] in "=-"} == {
            min(max(80, int(columns)), 60 + 2 + len(long) + 1)
        }


def test_prefixes_of_transformers_are_explained_once(named_data):
    X, y = named_data[3]
    found = inference_of(X.set_axis(["num__age", "num__income", "cat__a"], axis=1), y)
    note = "Names are shown without the prefixes of transformers: num__, cat__."
    for text in (found.summary(), str(found.odds_ratios()), str(found.marginal_effects())):
        assert text.count("__") == 2
        assert text.splitlines()[-1] == note
        assert [line[:6] for line in text.splitlines()].count("  age ") in (2, 3)
    for result in (found, found.odds_ratios(), found.marginal_effects()):
        assert result._repr_html_().count("__") == 2
        assert note in result._repr_html_()
    assert found.terms == ["num__age", "num__income", "cat__a", "intercept"]
    assert set(found.to_frame()["term"]) == set(found.terms)


def test_summary_of_a_penalised_fit(named_data):
    X, y = named_data[3]
    clf = SoftmaxClassifier(C=0.5).fit(X, y)
    for covariance, match in (
        ("observed", "Intervals are posterior intervals for the prior N(0, C). No p-values."),
        ("robust", "Intervals are for the expectation of shrunk coefficients. No p-values."),
    ):
        with pytest.warns(InferenceWarning):
            text = infer(clf, X, y, covariance=covariance).summary()
        assert "Penalised likelihood, C = 0.5" in text
        assert "Effective parameters" in text
        assert match in text
        assert "P(>" not in text
        assert max(map(len, text.splitlines())) <= 80


def test_summary_of_class_weights(named_data):
    X, y = named_data[3]
    clf = SoftmaxClassifier(C=np.inf, class_weight="balanced").fit(X, y)
    text = infer(clf, X, y, covariance="robust").summary()
    assert "Likelihoods, AIC and BIC are of data weighted by class" in text
    assert "chi2" not in text


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data.strip())


@pytest.mark.parametrize("K", [2, 3])
def test_html(named_data, K):
    X, y = named_data[K]
    found = inference_of(X, np.where(y == "no", "<b>no</b>", y))
    html = found._repr_html_()
    parser = Tags()
    parser.feed(html)
    assert parser.open == []
    assert "a &amp; b" in html
    assert "<b>no" not in html
    assert "intercept" in parser.text
    assert f"{found.coef[0, 0]:.4g}" in parser.text
    assert f"{found.aic:.8g}" in parser.text
