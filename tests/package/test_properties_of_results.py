"""Reports, intervals, comparisons, decompositions and scorers against slow references."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

hypothesis = pytest.importorskip("hypothesis")
from fixed_predictions import Fixed  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from skxent.metrics import (  # noqa: E402
    bce_scorer,
    categorical_cross_entropy,
    cce_scorer,
    cce_sum_scorer,
    compare,
    cross_entropy_report,
    decompose_cross_entropy,
    discrimination_scorer,
    mean_loss_interval,
    miscalibration_scorer,
)

few = settings(deadline=None, derandomize=True, max_examples=60)
LABELS = {
    "numbers": np.arange(6),
    "far": np.array([-7, -1, 0, 3, 1000, 10**12]),
    "text": np.array(["a", "b", "cc", "d", "ä", "Ω"]),
    "objects": np.array(["x", "y", "z", "zz", "zzz", "zzzz"], dtype=object),
}


@st.composite
def problems(draw, most_classes=5):
    """Truth, probabilities, labels and weights of any form, with rows in any order."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, K = draw(st.integers(2, 30)), draw(st.integers(2, most_classes))
    names = LABELS[draw(st.sampled_from(sorted(LABELS)))][:K]
    P = rng.dirichlet(np.full(K, draw(st.sampled_from([0.05, 1.0, 30.0]))), size=n)
    P = np.maximum(P, 1e-12)
    P /= P.sum(axis=1, keepdims=True)
    codes = rng.integers(K, size=n)
    soft = draw(st.booleans())
    Y = rng.dirichlet(np.full(K, 0.5), size=n) if soft else np.eye(K)[codes]
    kind = draw(st.sampled_from(["none", "counts", "shares", "orders", "zeros"]))
    w = {
        "none": np.ones(n),
        "counts": rng.integers(1, 6, size=n).astype(float),
        "shares": rng.uniform(0.1, 3, size=n),
        "orders": 10.0 ** rng.uniform(-8, 8, size=n),
        "zeros": np.append([2.0, 1.0], rng.integers(0, 2, size=n - 2)),
    }[kind]
    order = draw(st.sampled_from("CF"))
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    given_P = np.asarray(P, dtype=dtype, order=order)
    y = Y if soft else names[codes]
    if not soft and draw(st.booleans()):
        y = pd.Series(y, index=rng.permutation(n))
    return {
        "y": y,
        "P": given_P,
        "names": names,
        "w": None if kind == "none" else w,
        "weight": w,
        "Y": Y,
        "losses": [
            math.fsum(-Y[i, k] * math.log(given_P[i, k]) for k in range(K) if Y[i, k])
            for i in range(n)
        ],
        "rng": rng,
    }


def pieces_of(losses, w, groups=None):
    """Mean, standard error, n and df by the formula in the documentation, in plain Python."""
    whole = all(float(x).is_integer() for x in w) and sum(w) <= 2**53
    kept = [i for i, x in enumerate(w) if x > 0]
    total = math.fsum(w)
    exact_total = sum(map(Fraction, w))
    exact_mean = sum(Fraction(w[i]) * Fraction(losses[i]) for i in kept) / exact_total
    moved = [float(Fraction(loss) - exact_mean) for loss in losses]
    mean = float(exact_mean)
    n = int(sum(w)) if whole else len(kept)
    if groups is not None:
        members = [[i for i in kept if groups[i] == g] for g in sorted({groups[i] for i in kept})]
        parts = [math.fsum(w[i] * moved[i] for i in own) for own in members]
        weights = [math.fsum(w[i] for i in own) for own in members]
    elif whole:
        parts = [moved[i] for i in kept for _ in range(int(w[i]))]
        weights = [1.0] * len(parts)
    else:
        parts = [w[i] * moved[i] for i in kept]
        weights = [w[i] for i in kept]
    G = len(parts)
    if G < 2:
        return mean, math.nan, n, G - 1
    share = np.array(weights) / total
    rest = [math.fsum(weights[:g] + weights[g + 1 :]) / total for g in range(G)]
    error = math.hypot(*(part / math.sqrt(r) for part, r in zip(parts, rest, strict=True))) / total
    df = math.fsum(
        ((share[g] * rest[g] if g == k else share[g] * share[k]) ** 2) / (rest[g] * rest[k])
        for g in range(G)
        for k in range(G)
    )
    return mean, error, n, 1 / df


def near(value, rtol=1e-9, atol=1e-14):
    return pytest.approx(value, rel=rtol, abs=atol, nan_ok=True)


@few
@given(problems(), st.booleans())
def test_intervals(problem, grouped):
    n = len(problem["losses"])
    groups = problem["rng"].integers(4, size=n) if grouped else None
    mean, error, count, df = pieces_of(problem["losses"], problem["weight"].tolist(), groups)
    call = {"sample_weight": problem["w"], "groups": groups}
    if math.isnan(error):
        with pytest.raises(ValueError, match="has no standard error"):
            mean_loss_interval(problem["losses"], **call)
        return
    found = mean_loss_interval(problem["losses"], **call)
    size = max(problem["losses"])  # deviations within the rounding of the losses are none
    assert (found.mean, found.standard_error) == (near(mean), near(error, atol=1e-13 * size))
    assert (found.n, found.df) == (count, near(df))
    assert found.low <= found.mean <= found.high


@few
@given(problems(), st.booleans())
def test_reports(problem, by_group):
    y, P, names, w = (problem[key] for key in ("y", "P", "names", "w"))
    n = len(P)
    groups = problem["rng"].integers(3, size=n) if by_group else "class"
    report = cross_entropy_report(y, P, labels=names, sample_weight=w, by=groups)
    losses, weight, Y = problem["losses"], problem["weight"].tolist(), problem["Y"]
    assert math.fsum(report.sum) == report.total_sum
    mean, error, count, _ = pieces_of(losses, weight)
    assert report.total_mean == near(mean) and report.total_n == count
    assert report.total_standard_error == near(error, atol=1e-13 * max(losses))
    for j, name in enumerate(report.names.tolist()):
        if by_group:
            parts = [losses[i] if groups[i] == name else 0.0 for i in range(n)]
        else:
            parts = [-Y[i, j] * math.log(P[i, j]) if Y[i, j] else 0.0 for i in range(n)]
        expected = math.fsum(w * l for w, l in zip(weight, parts, strict=True))
        assert report.sum[j] == near(expected, atol=1e-14 * max(weight))
        worst = report.worst[j].tolist()
        costs = [parts[i] for i in worst]
        assert costs == sorted(costs, reverse=True)
        np.testing.assert_allclose(report.worst_losses[j], costs, rtol=1e-9)
        assert all(weight[i] > 0 for i in worst)
    str(report)
    assert len(report.to_frame()) >= len(report.names)


@few
@given(problems(), st.booleans())
def test_comparisons(problem, grouped):
    y, P, names, w = (problem[key] for key in ("y", "P", "names", "w"))
    n, K = P.shape
    rng = problem["rng"]
    Q = rng.dirichlet(np.ones(K), size=n)
    Q = np.maximum(Q, 1e-12) / np.maximum(Q, 1e-12).sum(axis=1, keepdims=True)
    Y, weight = problem["Y"], problem["weight"].tolist()
    other = [math.fsum(-Y[i, k] * math.log(Q[i, k]) for k in range(K) if Y[i, k]) for i in range(n)]
    groups = rng.integers(4, size=n) if grouped else None
    differences = [a - b for a, b in zip(problem["losses"], other, strict=True)]
    mean, error, count, df = pieces_of(differences, weight, groups)
    models = {"q": Q, "p": P} if rng.random() < 0.5 else {"p": P, "q": Q}
    call = {"labels": names, "sample_weight": w, "groups": groups}
    if math.isnan(error):
        with pytest.raises(ValueError, match="has no standard error"):
            compare(y, models, baseline="q", **call)
        return
    found = compare(y, models, baseline="q", **call)
    size = max(max(other), max(problem["losses"]))
    assert found.difference[0] == near(mean, 1e-8, 1e-13 * size)
    assert found.standard_error[0] == near(error, 1e-8, 1e-13 * size)
    assert (found.n, found.df) == (count, near(df))
    swapped = compare(y, models, baseline="p", **call)
    assert swapped.difference[0] == near(-found.difference[0], 1e-8, 1e-13 * size)
    assert swapped.p_value[0] == near(found.p_value[0], 1e-6, 1e-9)


@few
@given(problems())
def test_decompositions(problem):
    y, P, names, w = (problem[key] for key in ("y", "P", "names", "w"))
    Y, weight = problem["Y"], problem["weight"]
    rates = [
        math.fsum(weight[i] * Y[i, k] for i in range(len(Y))) / math.fsum(weight * Y.sum(axis=1))
        for k in range(P.shape[1])
    ]
    uncertainty = -math.fsum(p * math.log(p) for p in rates if p)
    loss = pieces_of(problem["losses"], weight.tolist())[0]
    for calibration in (None, "scaling"):
        found = decompose_cross_entropy(
            y, P, labels=names, sample_weight=w, calibration=calibration
        )
        assert found.loss == near(loss) and found.uncertainty == near(uncertainty, atol=1e-12)
        assert found.miscalibration >= 0 and found.discrimination >= 0
        parts = found.miscalibration - found.discrimination + found.uncertainty
        assert parts == near(found.loss, atol=1e-12)
        np.testing.assert_allclose(found.recalibrated.sum(axis=1), 1.0, rtol=1e-12)
        # recalibrated predictions are calibrated; as logits, which have no floor
        logits = np.log(np.maximum(found.recalibrated, 1e-300))
        options = {"labels": names, "sample_weight": w, "calibration": calibration}
        again = decompose_cross_entropy(y, logits, from_logits=True, **options)
        assert again.miscalibration <= 1e-7 * max(1.0, found.loss)


@few
@given(problems(), st.integers(0, 2**32 - 1))
def test_scorers(problem, seed):
    y, P, names, w = (problem[key] for key in ("y", "P", "names", "w"))
    order = np.random.default_rng(seed).permutation(len(names))
    mean, _, _, _ = pieces_of(problem["losses"], problem["weight"].tolist())
    soft = np.ndim(y) == 2
    # labels are aligned whatever the order of the columns, soft rows by place
    model = Fixed(P, names) if soft else Fixed(P[:, order], names[order])
    assert cce_scorer(model, None, y, w) == near(-mean)
    total = problem["weight"].sum()
    assert cce_sum_scorer(model, None, y, w) == near(-mean * total, atol=1e-14 * total)
    if len(names) == 2 and not soft:
        assert bce_scorer(model, None, y, w) == near(-mean)
    found = decompose_cross_entropy(y, P, labels=names, sample_weight=w)
    if not soft:
        score = miscalibration_scorer(model, None, y, w)
        assert score == near(-found.miscalibration, 1e-6, 1e-9)
        score = discrimination_scorer(model, None, y, w)
        assert score == near(found.discrimination, 1e-6, 1e-9)


@few
@given(problems(), st.lists(st.integers(0, 12), min_size=1, max_size=6))
def test_dask_partitions_of_any_size(problem, cuts):
    dask = pytest.importorskip("dask")
    da = pytest.importorskip("dask.array")
    y, P, names, w = (problem[key] for key in ("y", "P", "names", "w"))
    n = len(P)
    ends = np.minimum(np.cumsum(cuts), n)
    chunks = tuple(np.diff([0, *ends, n]).tolist())
    rows = np.asarray(y)
    if rows.dtype == object:
        rows = rows.astype(str)
    lazy_y = da.from_array(rows, chunks=(chunks, *rows.shape[1:]))
    lazy_P = da.from_array(P, chunks=(chunks, P.shape[1]))
    known = da.from_array(np.ones(n, dtype=bool), chunks=(chunks,))
    with dask.config.set(scheduler="synchronous"):
        expected = categorical_cross_entropy(rows, P, labels=names, sample_weight=w)
        for p, t in ((lazy_P, lazy_y), (lazy_P[known], lazy_y[known]), (P, lazy_y)):
            found = categorical_cross_entropy(t, p, labels=names, sample_weight=w)
            assert found == near(expected, 1e-12)
        report = cross_entropy_report(lazy_y, lazy_P[known], labels=names, sample_weight=w)
        assert report.total_mean == near(expected, 1e-12)
