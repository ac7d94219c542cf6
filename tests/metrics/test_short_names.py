"""Names that are too long for a table stay distinguishable."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skxent import SoftmaxClassifier, cross_entropy_report, infer
from skxent.metrics.short_names import distinct, prefix_note, without_prefixes

FAMILIES = {
    "tails differ": [f"onehotencoder__cut_{kind}" for kind in ("Fair", "Good", "Very Good")],
    "heads differ": [f"{i} of many names that end alike" for i in range(12)],
    "middles differ": [f"a common beginning {i} and a common end" for i in range(12)],
    "two places differ": [f"{'a' * 20}{i}{'b' * 20}{j}{'c' * 20}" for i in range(4) for j in "xyz"],
    "lengths differ": ["x" * n for n in range(1, 50)],
    "some repeat": ["a name that is there twice"] * 2 + ["a name that is there once"],
}


@pytest.mark.parametrize("width", [8, 16, 36])
@pytest.mark.parametrize("names", FAMILIES.values(), ids=FAMILIES)
def test_shortened_names_are_as_distinct_as_names(names, width):
    short = distinct(names, width)
    assert len(set(short)) >= len(set(names))
    for name, text in zip(names, short, strict=True):
        assert len(text) <= width
        assert text == name if len(name) <= width else "…" in text
        assert text[:1] == name[:1] or text[-1] == name[-1]


def names_of(lines):
    return [line.split("  ")[1].strip() for line in lines if line.startswith("  ")]


@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("K", [2, 3])
def test_columns_of_a_column_transformer(K, C, recwarn):
    rng = np.random.default_rng(0)
    kinds = ["Fair", "Good", "Very Good", "Premium", "Ideal"]
    frame = pd.DataFrame(
        {"quality_of_the_cut": rng.choice(kinds, 200), "carat": rng.normal(size=200)}
    )
    transformer = make_column_transformer(
        (OneHotEncoder(drop="first", sparse_output=False), ["quality_of_the_cut"]),
        (StandardScaler(), ["carat"]),
    ).set_output(transform="pandas")
    X, y = transformer.fit_transform(frame), rng.integers(0, K, 200)
    text = infer(SoftmaxClassifier(C=C).fit(X, y), X, y).summary()
    assert max(map(len, text.split("\n"))) <= 80
    tables = text.split("\n===")[2].split("\n")[2:]
    names = names_of(tables)
    assert len(names) == (K - 1) * 6
    assert len(set(names)) == 6
    assert any(name.endswith("y Good") for name in names)


def test_rows_of_a_report():
    groups = np.repeat(
        [f"the group of the number {i} among many others{'.' * 60}" for i in "abc"], 4
    )
    p = np.tile([0.2, 0.7, 0.6, 0.4], 3)
    text = cross_entropy_report(np.tile([0, 1], 6), p, by=groups).summary()
    rows = [line for line in text.split("\n") if line.startswith("the group")]
    assert len({row.split("  ")[0] for row in rows}) == 3
    assert max(map(len, text.split("\n"))) <= 80


@pytest.mark.parametrize(
    ("names", "short", "prefixes"),
    [
        (["num__age", "cat__sex_m"], ["age", "sex_m"], ["num__", "cat__"]),
        (["num__age", "num__b", "intercept"], ["age", "b", "intercept"], ["num__"]),
        (["num__a", "num__b", "num__a num__b"], ["a", "b", "a b"], ["num__"]),
        (["all__num__a", "all__cat__b"], ["num__a", "cat__b"], ["all__"]),
        (["num__a", "num__a"], ["a", "a"], ["num__"]),  # a term of two classes
        # A feature without a prefix, names that would be equal, and no names at all.
        (["num__age", "sex"], ["num__age", "sex"], []),
        (["num__age", "cat__age"], ["num__age", "cat__age"], []),
        (["num__intercept", "intercept"], ["num__intercept", "intercept"], []),
        (["num__", "__b"], ["num__", "__b"], []),
        (["intercept"], ["intercept"], []),
        ([], [], []),
    ],
)
def test_prefixes_of_transformers(names, short, prefixes):
    assert without_prefixes(names) == (short, prefixes)


def test_names_keep_words_that_only_contain_a_prefix():
    names = ["num__b", "a__my_num__a"]
    assert without_prefixes(names) == (["b", "my_num__a"], ["num__", "a__"])


def test_the_note_on_prefixes_names_them():
    assert prefix_note([]) == []
    (note,) = prefix_note(["num__", "cat__"])
    assert note == "Names are shown without the prefixes of transformers: num__, cat__."
