"""Results with tidy columns, as they print."""

import re
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
from inferences import inference_of

from skxent import ChiSquareTest, IntervalEstimates
from skxent.inference.tidy import AT_ENDS, MOST_ROWS, TidyResult, crossed

ODDS = """\
Odds ratios, 90 % intervals

  term  estimate  std err    z  P(>|z|)  5 %  95 %
--------------------------------------------------
b
  age          2     0.25  1.5      0.1  1.5   2.5
  sex          1      0.5    0        1  0.5   1.5
c
  age          3        1    2     0.05    2     4
  sex       1.25        1    1      0.3    1     2

Names are shown without the prefixes of transformers: num__, cat__."""

PROBABILITIES = """\
Estimates

sample  class  estimate  std err  2.5 %  97.5 %
-----------------------------------------------
0       no          0.5      0.1    0.3     0.7
0       yes         0.5      0.1    0.3     0.7"""


def odds_ratios():
    values = [
        [[2, 1], [3, 1.25]],
        [[0.25, 0.5], [1, 1]],
        [[1.5, 0.5], [2, 1]],
        [[2.5, 1.5], [4, 2]],
        [[1.5, 0], [2, 1]],
        [[0.1, 1], [0.05, 0.3]],
    ]
    *four, z, p = map(np.array, values)
    return IntervalEstimates(
        *four,
        0.9,
        ["b", "c"],
        ["num__age", "cat__sex"],
        z=z,
        p_values=p,
        title="Odds ratios, 90 % intervals",
    )


def probabilities(n):
    half = np.full((n, 2), 0.5)
    low, high = half - 0.2, half + 0.2
    classes = ["no", "yes"]
    return IntervalEstimates(
        half, half / 5, low, high, 0.95, range(n), classes, names=("sample", "class")
    )


def test_printed():
    assert str(odds_ratios()) == ODDS
    assert repr(odds_ratios()) == odds_ratios().summary() == ODDS
    assert str(probabilities(1)) == PROBABILITIES


def test_comparisons_are_named_beside_terms():
    found = odds_ratios()
    effects = IntervalEstimates(
        found.estimate,
        *(found.standard_errors, found.low, found.high),
        *(0.9, found.rows, found.columns, ["slope", "0 to 1"]),
    )
    assert effects.to_frame()["comparison"].tolist() == ["slope", "0 to 1"] * 2
    lines = str(effects).splitlines()
    assert lines[2].split()[:2] == ["term", "comparison"]
    assert lines[5].split()[:2] == ["age", "slope"]
    assert lines[6].split()[:4] == ["sex", "0", "to", "1"]


def test_columns_that_say_little_are_not_printed():
    """Comparisons that are all slopes, and z beside p-values if names need the room."""
    found = odds_ratios()
    for comparisons, printed in (
        (["slope", "slope"], ["term", "estimate", "std err", "z", "P(>|z|)", "5 %", "95 %"]),
        (
            ["slope", "a to b"],
            ["term", "comparison", "estimate", "std err", "P(>|z|)", "5 %", "95 %"],
        ),
    ):
        effects = replace(found, comparisons=comparisons)
        assert re.split("  +", str(effects).splitlines()[2].strip()) == printed
        assert len(effects.to_frame().columns) == 9


def test_tests_print_in_one_line_and_as_a_table():
    test = ChiSquareTest.of(5.991464547, 2, "Wald")
    assert repr(test) == "ChiSquareTest(statistic=5.9914645, df=2, p_value=0.05, name='Wald')"
    assert test.summary().splitlines() == [
        "Wald test",
        "",
        "test   chi2  df  P(>chi2)",
        "-------------------------",
        "Wald  5.991   2      0.05",
    ]
    assert "<caption>Wald test</caption>" in test._repr_html_()
    assert "<th>Wald</th><td>5.991</td><td>2</td><td>0.05</td>" in test._repr_html_()


@dataclass(frozen=True)
class Terms(TidyResult):
    """A result of another module, with one name in a row."""

    n: int

    def _title(self):
        return "Tests of terms"

    def _tidy(self):
        rows = np.arange(self.n)
        return {
            "term": [f"x{i}" for i in rows],
            "statistic": rows + 0.5,
            "df": rows,
            "p_value": rows,
        }

    __repr__ = TidyResult.__repr__


def test_a_result_of_one_name_in_a_row():
    text = str(Terms(2))
    assert text.splitlines()[2:] == [
        "term  statistic  df  p",
        "----------------------",
        "x0          0.5   0  0",
        "x1          1.5   1  1",
    ]
    assert Terms(2).to_frame().columns.tolist() == ["term", "statistic", "df", "p_value"]
    assert Terms(2).to_frame().index.tolist() == [0, 1]


def test_long_tables_lack_their_middle():
    assert "left out" not in str(Terms(MOST_ROWS))
    for result, n in ((Terms(MOST_ROWS + 1), MOST_ROWS + 1), (probabilities(700), 1400)):
        lines = str(result).splitlines()
        assert len(lines) == 4 + 2 * AT_ENDS + 1 + 2
        assert lines[4 + AT_ENDS].split()[0] == "…"
        assert lines[-1] == f"{n - 2 * AT_ENDS:,} rows are left out; to_frame() has all of them."
        assert len(result.to_frame()) == n
        assert result._repr_html_().count("<tr>") == 2 * AT_ENDS + 2
    assert lines[4].split()[:2] == ["0", "no"]
    assert lines[-3].split()[:2] == ["699", "yes"]


def test_long_tables_with_sections():
    names = [f"x{i}" for i in range(35)]
    values = np.zeros((3, 35))
    found = IntervalEstimates(*[values] * 4, 0.95, ["a", "b", "c"], names)
    lines = str(found).splitlines()
    assert [line for line in lines if line in ("a", "b", "c")] == ["a", "c"]
    assert lines[25].split() == ["…"]


@pytest.mark.parametrize("columns", ["80", "120"])
def test_tables_fit_into_the_line(named_data, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    X, y = named_data[3]
    names = [
        f"{i} a name that is much too long for a table, even of 120 columns {'-' * 60}"
        for i in "abc"
    ]
    wide = (X * [1e120, 1e-9, 1]).set_axis(names, axis=1)
    found = inference_of(wide, np.array([label * 40 for label in y]))
    for result in (
        found.odds_ratios(),
        found.marginal_effects(),
        found.predict_proba_interval(wide),
    ):
        lines = str(result).splitlines()
        assert max(map(len, lines)) <= int(columns)
        if "term" in lines[2]:
            shown = [line.split("  ")[1] for line in lines if "…" in line and line[:2] == "  "]
            assert len(set(shown)) == 3


def test_text_of_others_is_escaped():
    found = IntervalEstimates(*[np.ones((1, 1))] * 4, 0.95, ["<b>"], ["a & b"], title="<i>")
    html = found._repr_html_()
    assert "&lt;b&gt;" in html
    assert "a &amp; b" in html
    assert "<caption>&lt;i&gt;</caption>" in html


@pytest.mark.parametrize(
    ("level", "ends"),
    [(0.95, "2.5 %  97.5 %"), (0.9, "5 %  95 %"), (0.999, "0.05 %  99.95 %"), (0.5, "25 %  75 %")],
)
def test_ends_are_named_by_the_level(level, ends):
    found = IntervalEstimates(*[np.full((1, 1), 0.123456)] * 4, level, ["a"], ["b"])
    assert str(found).splitlines()[2].split("  ", 4)[-1].split() == ends.split()


def test_crossed_names_are_in_row_major_order():
    assert crossed(["a", "b"], [1, 2, 3], ("row", "column")) == {
        "row": ["a", "a", "a", "b", "b", "b"],
        "column": [1, 2, 3, 1, 2, 3],
    }


def test_frames_need_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    for result in (Terms(2), odds_ratios(), ChiSquareTest.of(1.0, 1)):
        with pytest.raises(ImportError, match="to_frame needs pandas, which is not installed"):
            result.to_frame()
