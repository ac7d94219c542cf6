"""Options are checked, and errors name the option."""

import numpy as np
import pytest
from metric_samples import MODEL, N, P, X, Y

from skxent.metrics import (
    binary_cross_entropy,
    categorical_cross_entropy,
    compare,
    compare_cv,
    cross_entropy_report,
    decompose_cross_entropy,
    entropy,
    kl_divergence,
    make_cross_entropy_scorer,
    mean_loss_interval,
)

OPTIONS = {
    categorical_cross_entropy: ((Y, P), {}, ["reduction", "from_logits", "base", "eps", "labels"]),
    binary_cross_entropy: (
        (Y > 0, P[:, 0]),
        {},
        ["reduction", "from_logits", "base", "eps", "pos_label"],
    ),
    compare: (
        (Y, {"a": P, "b": P}),
        {"baseline": "a"},
        ["baseline", "correction", "level", "base", "from_logits"],
    ),
    cross_entropy_report: ((Y, P), {}, ["by", "n_worst", "base", "from_logits"]),
    decompose_cross_entropy: ((Y, P), {}, ["calibration", "base", "from_logits"]),
    mean_loss_interval: ((np.ones(N),), {}, ["level"]),
    make_cross_entropy_scorer: ((), {}, ["loss", "reduction", "base", "eps"]),
    entropy: ((P,), {}, ["base"]),
    kl_divergence: ((P, P), {}, ["base"]),
    compare_cv: (
        ({"a": MODEL, "b": MODEL}, X, Y),
        {"baseline": "a"},
        ["baseline", "correction", "level", "base"],
    ),
}


@pytest.mark.parametrize(
    "function, name",
    [(function, name) for function, (_, _, names) in OPTIONS.items() for name in names],
)
@pytest.mark.parametrize(
    "value", [np.array([1, 2]), [0.5, 0.5], np.array(["mean", "sum"])], ids=str
)
def test_options_that_are_arrays_are_named(function, name, value):
    arguments, options, _ = OPTIONS[function]
    with pytest.raises(ValueError, match=name):
        function(*arguments, **(options | {name: value}))


@pytest.mark.parametrize("none", [None, np.array(["mean"]), 0, ["mean"]])
def test_options_without_none_do_not_take_it(none):
    y, p = [0, 1], [0.5, 0.5]
    with pytest.raises(ValueError, match="reduction="):
        categorical_cross_entropy(y, p, reduction=none)
    with pytest.raises(ValueError, match="reduction="):
        make_cross_entropy_scorer(reduction=none)
    with pytest.raises(ValueError, match="loss="):
        make_cross_entropy_scorer(none)
