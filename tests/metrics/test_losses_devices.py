"""The public functions take arrays on a device, and say so where they cannot."""

from functools import partial

import numpy as np
import pytest
from array_libraries import Strict, Torch
from extreme_samples import K, N, problem
from fixed_predictions import Fixed
from sklearn import config_context

from skxent import (
    CrossEntropySum,
    ZeroProbabilityWarning,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
    compare,
    cross_entropy_report,
    decompose_cross_entropy,
    discrimination_scorer,
    entropy,
    mean_loss_interval,
)
from skxent.inputs.namespaces import to_numpy


def test_warning_counts_and_points_here(library):
    y, _, _, P, _ = problem()
    with pytest.warns(ZeroProbabilityWarning, match="^1 of 60 samples") as caught:
        categorical_cross_entropy(library.array(y), library.array(P))
    assert caught[0].filename == __file__


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
def test_sum_over_chunks(library):
    y, Y, _, P, w = problem()
    for target in (y, Y):
        expected = CrossEntropySum.of(target, P, sample_weight=w, labels=range(K))
        t, p = library.array(target), library.array(P)
        parts = [
            CrossEntropySum.of(
                t[i : i + 20, ...],
                p[i : i + 20, ...],
                sample_weight=weight[i : i + 20],
                labels=range(K),
            )
            for i, weight in ((0, w), (20, library.array(w)), (40, w))
        ]
        assert sum(parts).mean == pytest.approx(expected.mean, rel=1e-14)
        assert type(parts[1].total) is type(parts[1].weight) is float
    assert CrossEntropySum.of(t[:0, ...], p[:0, ...]) == CrossEntropySum()
    none = CrossEntropySum.of(y[:4], p[:4, ...], sample_weight=library.array(np.zeros(4)))
    assert none == CrossEntropySum(0.0, 0.0)
    yes = CrossEntropySum.of(library.array(y % 2), p[:, 0], loss=binary_cross_entropy)
    assert yes.mean == pytest.approx(binary_cross_entropy(y % 2, P[:, 0]), rel=1e-14)


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
def test_other_metrics_bring_their_arguments_to_the_host(library):
    y, Y, Z, P, w = problem()
    group = np.arange(N) % 7
    a = library.array
    for target in (y, Y):
        t, p, weight = a(target), a(P), a(w)
        assert str(cross_entropy_report(t, p, sample_weight=weight)) == str(
            cross_entropy_report(target, P, sample_weight=w)
        )
        assert str(decompose_cross_entropy(t, p)) == str(decompose_cross_entropy(target, P))
    losses = categorical_cross_entropy(a(y), a(Z), from_logits=True, reduction="none")
    expected = mean_loss_interval(to_numpy(losses), groups=group)
    assert mean_loss_interval(losses, groups=a(group)) == expected
    predictions = {"one": P, "other": P[:, ::-1]}
    theirs = {name: a(x) for name, x in predictions.items()}
    options = {"baseline": "one"}
    assert str(compare(a(y), theirs, sample_weight=a(w), **options)) == str(
        compare(y, predictions, sample_weight=w, **options)
    )
    model = Fixed(P, np.arange(K))
    score = discrimination_scorer(Fixed(a(P), a(np.arange(K))), None, a(y), a(w))
    assert score == discrimination_scorer(model, None, y, w)


def test_without_dispatch_numpy_decides():
    torch = pytest.importorskip("torch")
    y, _, Z, _, _ = problem()
    options = {"from_logits": True, "reduction": "none"}
    found = categorical_cross_entropy(torch.tensor(y), torch.tensor(Z), **options)
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, categorical_cross_entropy(y, Z, **options))


@pytest.mark.parametrize(
    "library", [Strict, partial(Torch, gradients=True)], ids=["Strict", "Torch"]
)
def test_without_dispatch_the_error_names_argument_and_cure(library):
    y, _, _, P, w = problem()
    a = library().array
    cure = r"\. Turn the array API on, .*set_config\(array_api_dispatch=True\), or .*\.cpu\(\)"
    for name, call in {
        "y_pred": lambda: categorical_cross_entropy(y, a(P)),
        "y_true": lambda: binary_cross_entropy(a(P), P),
        "sample_weight": lambda: categorical_cross_entropy(y, P, sample_weight=a(w), eps=0),
        "p": lambda: entropy(a(P)),
        r"Fixed\.predict_proba\(X\)": lambda: cce_scorer(Fixed(a(P), np.arange(K)), None, y),
    }.items():
        with pytest.raises(TypeError, match=f"^{name} cannot be read as a NumPy array: .*{cure}"):
            call()


def test_a_device_beside_dask():
    """Threads of Dask do not know of the switch."""
    da = pytest.importorskip("dask.array")
    xp = pytest.importorskip("array_api_strict")
    y = xp.asarray([0, 1, 1], device=xp.Device("device1"))
    P = da.from_array(np.array([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]]), chunks=(2, 2))
    expected = categorical_cross_entropy([0, 1, 1], P.compute())
    with config_context(array_api_dispatch=True):
        assert categorical_cross_entropy(y, P) == pytest.approx(expected, rel=1e-15)
