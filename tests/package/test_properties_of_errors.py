"""Wrong arguments of every public metric: a ValueError or TypeError that names one of them."""

import inspect
import math

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import strategies as st

from skxent import metrics

N = 3
ODD = [
    *(
        None,
        True,
        0,
        1,
        -1,
        0.5,
        math.nan,
        math.inf,
        10**400,
        1j,
        "a",
        b"a",
        "",
        object(),
        len,
        ...,
    ),
    *([], [[]], {}, set(), (), [1, [2]], [None] * N, [math.nan] * N, ["a", 1, "a"], [{}] * N),
    *(
        [0, 1, 0],
        [0.5] * N,
        ["a", "b", "a"],
        [1.5] * N,
        [10**400] * N,
        [-1] * N,
        [1j] * N,
        range(N),
    ),
    *(
        np.empty(0),
        np.empty((0, 2)),
        np.empty((N, 0)),
        np.zeros((N, 2)),
        np.eye(N),
        np.ones((N, 1, 2)),
    ),
    *(np.array(0.5), np.full((N, 2), math.nan), np.full((N, 2), -math.inf), np.full((N, 2), 0.5)),
    *(
        np.full(N, 1e308),
        np.full((N, 2), 1e308),
        np.full(N, 5e-324),
        np.full(N, "NaT", dtype="M8[s]"),
    ),
    np.ma.masked_array([1.0, 2.0, 3.0], mask=[0, 1, 0]),
    np.rec.fromarrays([[0, 1, 0], [1, 0, 1]], names="a,b"),
    np.array(["a", "b", "a"]).astype(np.dtypes.StringDType()),
    *(
        pd.Series([None, "a", "a"]),
        pd.Series([pd.NA] * N, dtype="Int64"),
        pd.Categorical([None] * N),
    ),
    pd.DataFrame({"a": ["x"] * N, "b": [1] * N}),
    pd.DataFrame([[0.5, 0.5]] * N, columns=["a", "a"]),
    pd.MultiIndex.from_arrays([range(N), range(N)]),
    *(
        pl.Series([None] * N),
        pl.Series([[1, 2]] * N),
        pl.DataFrame({"1": [0.5] * N, "0": [0.5] * N}),
    ),
    pl.DataFrame({"a": [0.5] * N}).lazy(),
]
PROBABILITIES = np.array([[0.5, 0.5], [0.25, 0.75], [0.125, 0.875]])
GOOD = {
    "y_true": np.array([0, 1, 0]),
    "y_pred": PROBABILITIES,
    "y_preds": {"one": PROBABILITIES, "other": PROBABILITIES[::-1]},
    "baseline": "one",
    "losses": np.array([0.5, 1.0, 2.0]),
    **{"p": PROBABILITIES, "q": PROBABILITIES[::-1]},
}
FUNCTIONS = {
    name: getattr(metrics, name)
    for name in metrics.__all__
    if inspect.isfunction(getattr(metrics, name)) and name != "compare_cv"  # that one fits
} | {"CrossEntropySum": metrics.CrossEntropySum.of}


@st.composite
def wrong(draw):
    """A function, and arguments of which one or two are odd."""
    name = draw(st.sampled_from(sorted(FUNCTIONS)))
    parameters = inspect.signature(FUNCTIONS[name]).parameters
    takes = [p for p in parameters if p not in ("loss", "options")]
    given = {p: GOOD[p] for p in takes if p in GOOD}
    for spoiled in draw(st.lists(st.sampled_from(takes), min_size=1, max_size=2, unique=True)):
        odd = draw(st.sampled_from(range(len(ODD))))
        given[spoiled] = (
            {"one": PROBABILITIES, "odd": ODD[odd]} if spoiled == "y_preds" else ODD[odd]
        )
    return name, given


def test_wrong_arguments_are_named(for_all):
    def check(case):
        name, given = case
        try:
            result = FUNCTIONS[name](**given)
        except (TypeError, ValueError) as error:
            assert any(argument in str(error) for argument in (*given, "standard error")), error
        else:
            found = [result, *getattr(result, "__dict__", {}).values()]
            numbers = [x for x in found if isinstance(x, float | np.ndarray)]
            numbers = [x for x in map(np.asarray, numbers) if x.dtype.kind == "f"]
            may_be_nan = name in ("compare", "cross_entropy_report")  # no error to estimate
            assert may_be_nan or not any(np.isnan(x).any() for x in numbers)

    for_all(wrong(), check, times=8)
