"""Masked arrays: hidden values are never used, wherever they are passed."""

import numpy as np
import pytest

from skxent import (
    CrossEntropySum,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
    compare,
    compare_losses,
    cross_entropy,
    cross_entropy_report,
    decompose_cross_entropy,
    entropy,
    infer,
    kl_divergence,
    mean_loss_interval,
)

N, K = 60, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 2))
P = RNG.dirichlet(np.ones(K), size=N)
Y = np.append(np.arange(K), RNG.integers(K, size=N - K))
YES = (P[:, 0] > 0.3).astype(int)
ONES = np.ones(N)
CLF = SoftmaxClassifier().fit(X, Y)
FREE = SoftmaxClassifier(C=np.inf).fit(X, Y)

# argument -> its values, and what is called with them
METRICS = {
    "y_true": (Y, lambda a: categorical_cross_entropy(a, P)),
    "y_true soft": (P, lambda a: categorical_cross_entropy(a, P)),
    "y_true binary": (YES, lambda a: binary_cross_entropy(a, P[:, 0])),
    "y_pred": (P, lambda a: categorical_cross_entropy(Y, a)),
    "y_pred binary": (P[:, 0].copy(), lambda a: binary_cross_entropy(YES, a)),
    "sample_weight": (ONES, lambda a: categorical_cross_entropy(Y, P, sample_weight=a)),
    "labels": (np.arange(K), lambda a: categorical_cross_entropy(Y, P, labels=a)),
    "y_preds": (P, lambda a: compare(Y, {"a": P, "b": a}, baseline="a")),
    "groups": (Y, lambda a: compare(Y, {"a": P, "b": P[::-1]}, baseline="a", groups=a)),
    "by": (Y, lambda a: cross_entropy_report(Y, P, by=a)),
    "sample_weight report": (ONES, lambda a: cross_entropy_report(Y, P, sample_weight=a)),
    "y_pred decomposed": (P, lambda a: decompose_cross_entropy(Y, a)),
    "losses": (ONES, lambda a: mean_loss_interval(a)),
    "losses of models": (ONES, lambda a: compare_losses({"a": ONES, "b": a}, baseline="a")),
    "losses of a sum": (ONES, lambda a: CrossEntropySum.of_losses(a)),
    "weight of a sum": (ONES, lambda a: CrossEntropySum.of_losses(ONES, weight=a)),
    "units": (ONES, lambda a: mean_loss_interval(ONES, units=a)),
    "sample_weight interval": (ONES, lambda a: mean_loss_interval(ONES, sample_weight=a)),
    "p": (P, lambda a: entropy(a)),
    "p crossed": (P, lambda a: cross_entropy(a, P)),
    "q": (P, lambda a: kl_divergence(P, a)),
    "y_true scored": (Y, lambda a: cce_scorer(CLF, X, a)),
    "sample_weight scored": (ONES, lambda a: cce_scorer(CLF, X, Y, sample_weight=a)),
}
ESTIMATORS = {
    "X": (X, lambda a: SoftmaxClassifier().fit(a, Y)),
    "X chosen": (X, lambda a: SoftmaxClassifierCV(Cs=[1.0]).fit(a, Y)),
    "y": (Y, lambda a: SoftmaxClassifier().fit(X, a)),
    "y soft": (P, lambda a: SoftmaxClassifier().fit(X, a)),
    "sample_weight": (ONES, lambda a: SoftmaxClassifier().fit(X, Y, a)),
    "classes": (np.arange(K), lambda a: SoftmaxClassifier().fit(X, P, classes=a)),
    "X predict": (X, CLF.predict),
    "X decision": (X, CLF.decision_function),
    "X proba": (X, CLF.predict_proba),
    "X log": (X, CLF.predict_log_proba),
    "X score": (X, lambda a: CLF.score(a, Y)),
    "y score": (Y, lambda a: CLF.score(X, a)),
    "sample_weight score": (ONES, lambda a: CLF.score(X, Y, a)),
    "X likelihood": (X, lambda a: CLF.log_likelihood(a, Y)),
    "y_true likelihood": (Y, lambda a: CLF.log_likelihood(X, a)),
    "X scored": (X, lambda a: cce_scorer(CLF, a, Y)),
    "X infer": (X, lambda a: infer(FREE, a, Y)),
    "y infer": (Y, lambda a: infer(FREE, X, a)),
    "sample_weight infer": (ONES, lambda a: infer(FREE, X, Y, a)),
    "groups infer": (Y, lambda a: infer(FREE, X, Y, covariance="cluster", groups=a)),
}
CASES = {**METRICS, **{f"{name} of a classifier": case for name, case in ESTIMATORS.items()}}


def masked(values, seed):
    mask = np.zeros(values.shape, dtype=bool)
    mask[tuple(np.random.default_rng(seed).integers(values.shape))] = True
    hidden = np.ma.masked_array(values.copy(), mask=mask)
    return hidden, np.argwhere(mask)[0]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", range(2))
def test_hidden_values_are_refused_with_their_place(name, seed):
    values, call = CASES[name]
    hidden, place = masked(values, seed)
    where = ", ".join(map(str, place))
    argument = name.split()[0]
    with pytest.raises(ValueError, match=rf"{argument}.*\[{where}\] is masked: leave out.*filled"):
        call(hidden)


@pytest.mark.parametrize("name", CASES)
def test_masked_arrays_that_hide_nothing_are_arrays(name):
    values, call = CASES[name]
    for mask in (False, np.zeros(values.shape, dtype=bool)):
        call(np.ma.masked_array(values, mask=mask))


def test_lists_of_masked_rows():
    rows = list(np.ma.masked_array(P, mask=P[4].max() == P))
    with pytest.raises(ValueError, match=rf"y_pred\[4\]\[{P[4].argmax()}\] is masked"):
        categorical_cross_entropy(Y, rows)
    expected = categorical_cross_entropy(Y, P)
    assert categorical_cross_entropy(Y, list(np.ma.masked_array(P))) == expected


@pytest.mark.parametrize("argument", ["X", "y", "sample_weight"])
def test_hidden_values_in_partitions(argument):
    array = pytest.importorskip("dask.array")
    data = {"X": X, "y": Y, "sample_weight": ONES}
    data[argument], _ = masked(data[argument], 0)
    lazy = {name: array.from_array(values, chunks=20) for name, values in data.items()}
    lazy["X"] = lazy["X"].rechunk((20, -1))
    with pytest.raises(ValueError, match=rf"{argument}\[.*\] is masked"):
        SoftmaxClassifier().fit(**lazy)
    if argument == "X":
        with pytest.raises(ValueError, match=r"X\[.*\] is masked"):
            CLF.predict(lazy["X"]).compute()
