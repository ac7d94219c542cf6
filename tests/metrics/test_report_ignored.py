"""Reports and comparisons leave out samples whose label does not count."""

import numpy as np
import pytest
from ignored_samples import K, problem
from scipy.special import softmax

from skxent.metrics import compare, cross_entropy_report


def test_reports_and_comparisons_leave_them_out():
    Z, codes, w = problem(200)
    P, Q, kept = softmax(Z, axis=1), softmax(Z / 2, axis=1), codes >= 0
    groups = np.arange(200) % 7
    for weight in (None, np.round(w), w):
        rest = None if weight is None else weight[kept]
        for by in ("class", groups):
            found = cross_entropy_report(codes, P, by=by, sample_weight=weight, ignore_label=-100)
            of = by if isinstance(by, str) else by[kept]
            expected = cross_entropy_report(codes[kept], P[kept], by=of, sample_weight=rest)
            assert str(found).split("Costliest")[0] == str(expected).split("Costliest")[0]
            for name in ("n", "weight", "sum", "mean", "standard_error", "total_mean", "total_n"):
                np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
            for ours, theirs in zip(found.worst, expected.worst, strict=True):
                np.testing.assert_array_equal(ours, np.flatnonzero(kept)[theirs])
        for given in (None, groups):
            found = compare(
                codes, {"P": P, "Q": Q}, baseline="P", sample_weight=weight, groups=given,
                ignore_label=-100,
            )  # fmt: skip
            expected = compare(
                codes[kept],
                {"P": P[kept], "Q": Q[kept]},
                baseline="P",
                sample_weight=rest,
                groups=None if given is None else given[kept],
            )
            assert str(found) == str(expected)
            assert found.p_value == expected.p_value
    for call in (
        lambda y: cross_entropy_report(y, P, ignore_label=-100),
        lambda y: compare(y, {"P": P, "Q": Q}, baseline="P", labels=range(K), ignore_label=-100),
    ):
        with pytest.raises(ValueError, match="every label in y_true is ignore_label"):
            call(np.full(200, -100))
