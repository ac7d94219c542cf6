"""Terms of features: names, columns and the terms that contain them."""

import numpy as np
import pandas as pd
import pytest
from formulaic import model_matrix

from skxent.inference.terms import Term, read_terms

NAMES = ["a", "b", "c1", "c2", "ab"]
ORIGINS = [("a",), ("b",), ("c",), ("c",), ("a", "b")]


def test_terms_of_columns():
    assert read_terms(None, NAMES, ORIGINS) == [
        Term("a", (0,), (4,)),
        Term("b", (1,), (4,)),
        Term("c", (2, 3), ()),
        Term("a:b", (4,), ()),
    ]


def test_terms_of_a_dict():
    terms = {"c": ["c2", "c1"], "a": "a", "a:b": 4, "all": np.arange(5)}
    assert read_terms(terms, NAMES, ORIGINS) == [
        Term("c", (2, 3), ()),
        Term("a", (0,), (4,)),
        Term("a:b", (4,), ()),
        Term("all", (0, 1, 2, 3, 4), ()),
    ]


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_terms_of_a_formula(constant, named):
    """With and without the column of the intercept; names tell an order, else it is that of X."""
    data = pd.DataFrame({"a": [1.0, 2, 3], "g": ["u", "v", "w"]})
    matrix = model_matrix("a*C(g) + np.log(a)", data, context={"np": np})
    columns = list(matrix.columns) if constant else list(matrix.columns[1:])
    found = read_terms(matrix, columns if named else [f"x{j}" for j in range(len(columns))], [])
    names = {term.name: [columns[j] for j in term.columns] for term in found}
    above = {term.name: [columns[j] for j in term.above] for term in found}
    product = ["a:C(g)[T.v]", "a:C(g)[T.w]"]
    assert names == {
        "a": ["a"],
        "C(g)": ["C(g)[T.v]", "C(g)[T.w]"],
        "np.log(a)": ["np.log(a)"],
        "a:C(g)": product,
    }
    assert above == {"a": product, "C(g)": product, "np.log(a)": [], "a:C(g)": []}
    if named:
        back = read_terms(matrix, columns[::-1], [])
        assert back[0].columns == (len(columns) - 1 - found[0].columns[0],)


@pytest.mark.parametrize(
    ("terms", "error", "match"),
    [
        ({"t": "d"}, ValueError, r"terms\['t'\] has 'd': pass names of features, or indices"),
        ({"t": [5]}, ValueError, "has 5: pass names of features, or indices from 0 to 4"),
        ({"t": [-1]}, ValueError, "has -1"),
        ({"t": [True]}, ValueError, "has True"),
        ({"t": 1.5}, ValueError, r"has 1\.5"),
        ({"t": []}, ValueError, "pass some features, each of them once"),
        ({"t": ["a", 0]}, ValueError, "pass some features, each of them once"),
        ({1: "a"}, TypeError, "terms has the key 1: pass names of terms"),
        ({}, ValueError, "terms has no terms"),
        (["a"], TypeError, "terms is a list: pass a dict"),
    ],
)
def test_wrong_terms(terms, error, match):
    with pytest.raises(error, match=match):
        read_terms(terms, NAMES, ORIGINS)


def test_model_matrix_of_another_width():
    matrix = model_matrix("a", pd.DataFrame({"a": [1.0, 2.0]}))
    with pytest.raises(ValueError, match="terms has 2 columns, but the classifier was fitted with"):
        read_terms(matrix, NAMES, ORIGINS)
