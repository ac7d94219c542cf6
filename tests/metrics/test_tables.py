"""Results as they print: whole tables, and numbers at the limits between two ways to write them."""

import numpy as np
import pytest

from skxent import compare, cross_entropy_report, decompose_cross_entropy
from skxent.metrics.short_names import cut, distinct
from skxent.metrics.tables import (
    WIDTH,
    Table,
    count,
    line_width,
    number,
    percent,
    significant,
    unit_name,
)

Y = np.array(["ant", "bee", "bee", "ant", "bee", "bee", "ant", "bee"])
P = np.array([0.25, 0.875, 0.75, 0.5, 0.625, 0.75, 0.25, 0.875])

REPORT = """\
Cross-entropy by class, in nats

class  n  weight     sum    share    mean    s.e.  normalised
-------------------------------------------------------------
ant    3       3  1.2685   49.1 %  0.4228  0.1352      0.6391
bee    5       5  1.3124   50.9 %  0.2625  0.0623      0.3968
-------------------------------------------------------------
total  8       8  2.5809  100.0 %  0.3226  0.0648      0.4877

normalised: mean / 0.6616, the entropy of the base rates.
Costliest samples: 3 (ant, 0.6931), 4 (bee, 0.4700), 0 (ant, 0.2877), 6 (ant,
0.2877), 2 (bee, 0.2877)"""

GROUPS = """\
Cross-entropy by group, in bits

group  n  weight     sum    share    mean    s.e.  normalised
-------------------------------------------------------------
N      4       4  1.9232   51.6 %  0.4808  0.0658      0.5037
S      4       4  1.8003   48.4 %  0.4501  0.1907      0.4716
-------------------------------------------------------------
total  8       8  3.7235  100.0 %  0.4654  0.0935      0.4877

normalised: mean / 0.9544, the entropy of the base rates."""

COMPARISON = """\
Difference in mean loss from 'coin' (0.6931 nats), n = 8

model    mean  difference    s.e.      low     high        p  p (holm)
----------------------------------------------------------------------
model  0.3226     -0.3705  0.0648  -0.5238  -0.2172  0.00072   0.00072
sharp  0.1495     -0.5436  0.0216  -0.5946  -0.4927  3.9e-08   7.9e-08

A negative difference is better than the baseline.
Paired t-test, 7 degrees of freedom; 95 % intervals.
p: how probable a difference at least as large would be by chance alone, if
model and baseline were equally good."""

DECOMPOSITION = """\
Cross-entropy in nats, n = 8

part                 mean  of uncertainty
-----------------------------------------
miscalibration     0.3226          48.8 %
- discrimination  -0.6616        -100.0 %
+ uncertainty      0.6616         100.0 %
-----------------------------------------
= loss             0.3226          48.8 %

Recalibrated by isotonic regression on the second class, on these samples."""

SCALING = """\
Cross-entropy in bits, n = 8

part                 mean  of uncertainty
-----------------------------------------
miscalibration     0.4654          48.8 %
- discrimination  -0.9544        -100.0 %
+ uncertainty      0.9544         100.0 %
-----------------------------------------
= loss             0.4654          48.8 %

Recalibrated by bias-corrected temperature scaling, on these samples."""


def comparison():
    sharp = np.where(P > 0.5, 0.9, 0.2)
    return compare(Y, {"coin": np.full(8, 0.5), "model": P, "sharp": sharp}, baseline="coin")


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (lambda: cross_entropy_report(Y, P), REPORT),
        (lambda: cross_entropy_report(Y, P, by=["N", "S"] * 4, base=2, n_worst=0), GROUPS),
        (comparison, COMPARISON),
        (lambda: decompose_cross_entropy(Y, P), DECOMPOSITION),
        (lambda: decompose_cross_entropy(Y, P, calibration="scaling", base=2), SCALING),
    ],
)
def test_printed(result, text):
    assert str(result()) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0000"),
        (-0.0, "0.0000"),
        (1e-3, "0.0010"),
        (-1e-3, "-0.0010"),
        (0.0009999, "1.00e-03"),
        (99999.0, "99999.0000"),
        (1e5, "1.00e+05"),
        (-1e5, "-1.00e+05"),
        (np.inf, "inf"),
        (-np.inf, "-inf"),
        (np.nan, "n/a"),
    ],
)
def test_numbers_at_their_limits(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (999999999999999.0, "999999999999999"),
        (1e15, "1e+15"),
        (-1e15, "-1e+15"),
        (0.1234567, "0.123457"),
        (2.5, "2.5"),
    ],
)
def test_counts_at_their_limits(value, text):
    assert count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1234, "12.3 %"),
        (-0.0, "0.0 %"),
        (999.0, "99900.0 %"),
        (1e3, "1.0e+05 %"),
        (-1e3, "-1.0e+05 %"),
        (np.nan, "n/a"),
    ],
)
def test_percentages_at_their_limits(value, text):
    assert percent(value) == text


def test_units_have_names():
    names = [unit_name(base) for base in (None, 2, 10.0, 3, 2.5)]
    assert names == ["nats", "bits", "bans", "units of log 3", "units of log 2.5"]


def test_texts_are_cut_to_the_width():
    assert [cut("abcd", width) for width in (5, 4, 3, 1)] == ["abcd", "abcd", "ab…", "…"]


@pytest.mark.parametrize(
    ("names", "width", "short"),
    [
        (["abcdefgh", "ab"], 8, ["abcdefgh", "ab"]),
        (["abcdefghi", "ab"], 8, ["abcd…ghi", "ab"]),
        (["abcdefghij", "abcdeXghij"], 5, ["ab…#0", "ab…#1"]),
        (["aaaaaaaaXa", "aaaaaaaaYa"], 6, ["aaa…Xa", "aaa…Ya"]),
        (["aaaaXaaaaaaa", "aaaaYaaaaaaa"], 6, ["aaaaX…", "aaaaY…"]),
        (["aaaaaaaXaaa", "aaaaaaaYaaa"], 6, ["a…Xaaa", "a…Yaaa"]),
        (["aaaaaaXaaaaa", "aaaaaaXaaaaa"], 6, ["aaa…aa", "aaa…aa"]),
        (
            ["b", "aaaaaaXaaaaaa", "aaaaaaYaaaaaa", "aaXaaaaaaaaaa"],
            6,
            ["b", "aaa…#1", "aaa…#2", "aaX…aa"],
        ),
    ],
)
def test_long_names_lose_their_middle_and_stay_apart(names, width, short):
    assert distinct(names, width) == short


def test_columns_are_as_wide_as_their_widest_cell():
    table = Table("title", ("name", "x"), [("a", "1.25"), ("bc", "10")], ("all", "11.25"), ("end",))
    assert table.text().splitlines() == [
        "title",
        "",
        "name      x",
        "-----------",
        "a      1.25",
        "bc       10",
        "-----------",
        "all   11.25",
        "",
        "end",
    ]
    assert (
        Table("title", ("name", "x"), [("a", "1")]).text() == "title\n\nname  x\n-------\na     1"
    )


def test_names_leave_room_for_cells_and_keep_eight_characters():
    for cells, left in ((70, 8), (60, WIDTH - 62)):
        table = Table("title", ("name", "x"), [("n" * 90, "1" * cells)])
        line = table.text().splitlines()[-1]
        name, cell = line.split()
        assert (len(name), len(cell), len(line)) == (left, cells, left + 2 + cells)


def test_lines_are_as_wide_as_the_terminal(monkeypatch):
    name = "n" * 150
    table = Table("title", ("name", "x"), [(name, "1"), ("m", "2")])
    for columns, width in (("", 80), ("10", 80), ("81", 81), ("100", 100), ("154", 153)):
        monkeypatch.setenv("COLUMNS", columns)
        assert line_width() == max(int(columns or 0), WIDTH)
        assert max(map(len, table.text().splitlines())) == width
        assert (name in table.text()) == (width == 153)


def test_sections_and_several_columns_of_names():
    rows = [("one < two",), ("a", "slope", "1.25"), ("bc", "0 to 1", "10"), ("three",)]
    table = Table("title", ("term", "comparison", "x"), [*rows, ("a", "slope", "2")], n_names=2)
    assert table.text().splitlines()[2:] == [
        "  term  comparison     x",
        "------------------------",
        "one < two",
        "  a     slope       1.25",
        "  bc    0 to 1        10",
        "three",
        "  a     slope          2",
    ]
    assert '<tr><th colspan="3">one &lt; two</th></tr>' in table.html()
    assert "<tr><th>bc</th><th>0 to 1</th><td>10</td></tr>" in table.html()


def test_the_widest_names_are_shortened_first():
    rows = [("a" * 70, "b" * 30, "1"), ("a" * 69 + "b", "c", "2")]
    lines = Table("title", ("x", "y", "z"), rows, n_names=2).text().splitlines()
    assert set(map(len, lines[2:])) == {9 + 71, 80}
    first, second = lines[-2:]
    assert first.split()[1] == "b" * 30
    assert len(first.split()[0]) == 80 - 30 - 1 - 4 == len(second.split()[0])
    assert first.split()[0] != second.split()[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.23456, "1.235"),
        (-123456.0, "-1.23e+05"),
        (1.2345e-120, "1.23e-120"),
        (-1.2345e-120, "-1.2e-120"),
        (np.inf, "inf"),
        (np.nan, "n/a"),
    ],
)
def test_significant_digits_in_nine_characters(value, text):
    assert significant(value) == text


def test_html_is_one_table():
    table = Table("a < b", ("name", "x"), [("r&s", "1")], ("all", "2"), ("n > 0",))
    assert table.html() == (
        "<div><table><caption>a &lt; b</caption><thead><tr><th>name</th><th>x</th></tr></thead>"
        "<tbody><tr><th>r&amp;s</th><td>1</td></tr></tbody>"
        "<tfoot><tr><th>all</th><td>2</td></tr></tfoot></table><p>n &gt; 0</p></div>"
    )
