"""Every public metric against a slow reference, over whatever may be passed to it.

Valid arguments of every kind give the number that Python floats give, one sample after the other.
"""

import decimal
import inspect
import math
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from fixed_predictions import Fixed
from hypothesis import strategies as st

from skxent import metrics

EPS = float(np.finfo(np.float64).eps)


# ------------------------------------------------------------------ what is passed


LABELS = {
    "int8": np.array([-100, -3, 0, 7, 100], dtype="int8"),
    "uint64": np.arange(5, dtype="uint64") + np.uint64(2**63),
    "wide": np.array([-(2**62), -1, 0, 1, 2**62]),
    "codes": np.arange(5),
    "float32": np.arange(5, dtype="float32"),
    "text": np.array(["", "10", "2", "a b", "ü"]),
    "objects": np.array(["a", "b", "c", "d", "e"], dtype=object),
    "StringDType": np.array(["a", "b", "c", "d", "e"]).astype(np.dtypes.StringDType()),
    "bytes": np.array([b"1", b"2", b"a", b"b", b"c"]),
    "days": np.datetime64("2020-02-28", "D") + np.arange(5),
    "times": np.datetime64("2020-02-28", "ns") + np.arange(5).astype("timedelta64[h]"),
    "great": np.array([10**30 + k for k in range(5)], dtype=object),
}


def strided(values):
    return np.repeat(values, 2, axis=0)[::2]


def read_only(values):
    values = np.array(values)
    values.flags.writeable = False
    return values


def of_objects(values):
    return values.astype(object) if values.dtype.kind in "T" else values


INDICES = [
    lambda n: pd.RangeIndex(n, 0, -1),
    lambda n: pd.MultiIndex.from_arrays([["r"] * n, range(n)]),
    lambda n: pd.date_range("2020", periods=n),
    lambda n: pd.Index([7] * n),
]
WRAPPERS_OF_LABELS = {
    "array": np.asarray,
    "list": list,
    "strided": strided,
    "read-only": read_only,
    "column": lambda y: y[:, None],
    "objects": lambda y: np.array([*y, None], dtype=object)[:-1],
    "series": lambda y: pd.Series(of_objects(y), index=INDICES[1](len(y))),
    "categorical": lambda y: pd.Categorical(of_objects(y)),
}
WRAPPERS_OF_NUMBERS = {
    "array": np.asarray,
    "list": lambda a: a.tolist(),
    "Fortran": np.asfortranarray,
    "strided": strided,
    "reversed": lambda a: a[::-1].copy()[::-1],
    "read-only": read_only,
    "big-endian": lambda a: a.astype(">f8"),
    "objects": lambda a: a.astype(object),
    "decimals": lambda a: np.vectorize(decimal.Decimal, otypes=[object])(a),
    "masked": np.ma.masked_array,
    "pandas": lambda a: pandas_of(a),
    "nullable": lambda a: pandas_of(a).astype("Float64"),
    "arrow": lambda a: pandas_of(a).astype("double[pyarrow]"),
    "polars": lambda a: pl.Series(a) if a.ndim == 1 else pl.DataFrame(a),
}


def pandas_of(a):
    index = INDICES[len(a) % len(INDICES)](len(a))
    return pd.Series(a, index) if a.ndim == 1 else pd.DataFrame(a, index)


WEIGHTS = st.one_of(
    st.just(0.0), st.integers(-20, 20).map(lambda e: 10.0**e), st.integers(1, 3).map(float)
)


class Case:
    """Arguments, and what they say in plain arrays: P and Y (n, K), w (n,)."""

    def __init__(self, **values):
        self.__dict__.update(values)

    def __repr__(self):
        return f"Case({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


@st.composite
def rows(draw, n, K, zeros=True):
    """Distributions: counts divided by their sums."""
    counts = st.lists(st.integers(0 if zeros else 1, 1000), min_size=K, max_size=K)
    drawn = draw(st.lists(counts.filter(any), min_size=n, max_size=n))
    table = np.array(drawn, dtype=float)
    return table / table.sum(axis=1, keepdims=True)


@st.composite
def cases(draw, min_n=1, max_K=5, forms=("labels", "one-hot", "soft"), logits=None):
    n, K = draw(st.integers(min_n, 6)), draw(st.integers(2, max_K))
    names = LABELS[draw(st.sampled_from(sorted(LABELS)))][:K]
    codes = np.array(draw(st.lists(st.integers(0, K - 1), min_size=n, max_size=n)))
    from_logits = draw(st.booleans()) if logits is None else logits
    if from_logits:
        numbers = st.one_of(st.floats(-40, 40), st.floats(-1e6, 1e6), st.just(0.0))
        P = np.array(draw(st.lists(numbers, min_size=n * K, max_size=n * K))).reshape(n, K)
    else:
        P = draw(rows(n, K))
    order = np.array(draw(st.permutations(range(K))))
    form = draw(st.sampled_from(forms))
    Y = draw(rows(n, K)) if form == "soft" else np.eye(K)[codes]
    number = WRAPPERS_OF_NUMBERS[draw(st.sampled_from(sorted(WRAPPERS_OF_NUMBERS)))]
    if form == "labels":
        wrap = WRAPPERS_OF_LABELS[draw(st.sampled_from(sorted(WRAPPERS_OF_LABELS)))]
        y_true = wrap(names[codes])
    else:
        y_true = number(Y[:, order])
    w = np.array(draw(st.lists(WEIGHTS, min_size=n, max_size=n).filter(any)))
    weighted = draw(st.booleans())
    return Case(
        y_true=y_true,
        y_pred=number(P[:, order]),
        labels=names[order],
        names=names,
        codes=codes,
        form=form,
        P=P,
        Y=Y,
        from_logits=from_logits,
        sample_weight=number(w) if weighted else None,
        w=w if weighted else np.ones(n),
        base=draw(st.sampled_from([None, 2, 10, 2.5])),
        eps=draw(st.sampled_from([None, 0, 1e-3])),
        groups=np.array(draw(st.lists(st.sampled_from("ab"), min_size=n, max_size=n))),
    )


# ------------------------------------------------------------------ the slow reference


def reference(P, Y, from_logits=False, eps=None):
    """Cross-entropy of each sample, one after the other."""
    floor = EPS if eps is None else eps
    cap = -math.log(floor) if floor else math.inf
    return np.array(
        [_loss(p, y, from_logits, cap) for p, y in zip(P.tolist(), Y.tolist(), strict=True)]
    )


def _loss(p, y, from_logits, cap):
    if not from_logits:
        costs = [min(-math.log(q), cap) if q > 0 else cap for q in p]
        return math.fsum(t * max(c, 0.0) for t, c in zip(y, costs, strict=True) if t > 0)
    top = max(p)
    others = p[: p.index(top)] + p[p.index(top) + 1 :]
    rest = math.log1p(math.fsum(math.exp(z - top) for z in others))
    return math.fsum(t * ((top - z) + rest) for t, z in zip(y, p, strict=True) if t > 0)


def weighted_sum(losses, w):
    kept = w > 0
    return (
        math.fsum((w * np.where(kept, losses, 0.0))[kept])
        if np.isfinite(losses[kept]).all()
        else math.inf
    )


def options_of(case, *names):
    return {name: getattr(case, name) for name in names}


def near(found, expected, rtol=1e-11, atol=1e-300):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


# ------------------------------------------------------------------ right numbers


def test_categorical_losses(for_all):
    def check(case):
        unit = math.log(case.base) if case.base else 1.0
        losses = reference(case.P, case.Y, case.from_logits, case.eps) / unit
        options = options_of(case, "from_logits", "labels", "base", "eps", "sample_weight")
        arguments = case.y_true, case.y_pred
        found = metrics.categorical_cross_entropy(*arguments, reduction="none", **options)
        near(found, losses)
        total, weight = weighted_sum(losses, case.w), case.w.sum()
        near(metrics.categorical_cross_entropy(*arguments, **options), total / weight)
        near(metrics.categorical_cross_entropy(*arguments, reduction="sum", **options), total)
        pair = metrics.CrossEntropySum.of(*arguments, **options)
        near([pair.total, pair.weight, pair.mean], [total, weight, total / weight])

    for_all(cases(), check)


def test_binary_losses(for_all):
    def check(case):
        unit = math.log(case.base) if case.base else 1.0
        yes = case.names[1]
        pos_label = {"pos_label": yes} if case.form == "labels" else {}
        options = options_of(case, "from_logits", "base", "eps", "sample_weight")
        P = case.P if not case.from_logits else np.column_stack([0 * case.P[:, 1], case.P[:, 1]])
        losses = reference(P, case.Y, case.from_logits, case.eps) / unit
        arguments = (case.y_true if pos_label else case.Y[:, 1]), P[:, 1]
        found = metrics.binary_cross_entropy(*arguments, reduction="none", **options, **pos_label)
        near(found, losses, rtol=1e-10, atol=1e-15)
        mean = metrics.binary_cross_entropy(*arguments, **options, **pos_label)
        near(mean, weighted_sum(losses, case.w) / case.w.sum(), rtol=1e-10, atol=1e-15)

    for_all(cases(max_K=2, forms=("labels", "soft")), check)


def test_multilabel_losses(for_all):
    def check(case):
        Y, p = case.Y.round(), case.P  # m independent outcomes
        pairs = [
            (np.column_stack([1 - q, q]), np.column_stack([1 - t, t]))
            for q, t in zip(p.T, Y.T, strict=True)
        ]
        losses = sum(reference(P, T) for P, T in pairs)
        near(metrics.binary_cross_entropy(Y, p, reduction="none"), losses, rtol=1e-9, atol=1e-14)

    for_all(cases(logits=False), check)


def test_distributions(for_all):
    def check(case):
        unit = math.log(case.base) if case.base else 1.0
        cross = reference(case.P, case.Y, eps=0) / unit
        own = reference(case.Y, case.Y, eps=0) / unit
        near(metrics.entropy(case.y_true, base=case.base), own, atol=1e-14)
        near(metrics.cross_entropy(case.y_true, case.y_pred, base=case.base), cross, atol=1e-14)
        found = metrics.kl_divergence(case.y_true, case.y_pred, base=case.base)
        near(found, cross - own, atol=1e-13)
        assert (found >= 0).all()

    for_all(cases(forms=("soft", "one-hot"), logits=False), check)


def test_reports(for_all):
    def check(case):
        unit = math.log(case.base) if case.base else 1.0
        losses = reference(case.P, case.Y, case.from_logits) / unit
        options = options_of(case, "from_logits", "labels", "base", "sample_weight")
        report = metrics.cross_entropy_report(case.y_true, case.y_pred, **options)
        total = weighted_sum(losses, case.w)
        near([report.total_sum, report.total_mean], [total, total / case.w.sum()])
        assert math.fsum(report.sum) == report.total_sum
        if case.form == "labels":
            codes = np.argsort(np.argsort(case.labels.tolist()))  # the class of each row
            near(
                report.sum,
                [weighted_sum(losses[case.codes == k], case.w[case.codes == k]) for k in codes],
            )
        groups = metrics.cross_entropy_report(case.y_true, case.y_pred, by=case.groups, **options)
        for name, found in zip(groups.names, groups.sum, strict=True):
            inside = case.groups == name
            near(found, weighted_sum(losses[inside], case.w[inside]))

    for_all(cases(), check)


def standard_error(losses, w, groups):
    """Of independent groups, by the formula of the docstring."""
    exact = [(Fraction(a), Fraction(b)) for a, b in zip(w.tolist(), losses.tolist(), strict=True)]
    total = sum(a for a, _ in exact)
    mean = sum(a * b for a, b in exact) / total
    variance = Fraction(0)
    for name in np.unique(groups[w > 0]):
        own = [pair for pair, group in zip(exact, groups, strict=True) if group == name]
        piece = sum(a * (b - mean) for a, b in own)
        variance += piece**2 / (1 - sum(a for a, _ in own) / total)
    return math.sqrt(variance / total**2)


def test_intervals_and_comparisons(for_all):
    def check(case):
        losses = reference(case.P, case.Y, case.from_logits)
        even = reference(np.full_like(case.P, 1 / case.P.shape[1]), case.Y)
        mean = weighted_sum(losses, case.w) / case.w.sum()
        options = {"sample_weight": case.sample_weight, "groups": case.groups}
        level = (
            np.zeros_like(case.P) if case.from_logits else np.full_like(case.P, 1 / case.P.shape[1])
        )
        models = {"model": case.y_pred, "even": level}
        more = options_of(case, "from_logits", "labels")
        if len(set(case.groups[case.w > 0])) < 2:
            with pytest.raises(ValueError, match="has no standard error"):
                metrics.mean_loss_interval(losses, **options)
            with pytest.raises(ValueError, match="has no standard error"):
                metrics.compare(case.y_true, models, baseline="even", **more, **options)
            return
        found = metrics.mean_loss_interval(losses, **options)
        near(found.mean, mean)
        size = np.abs(losses).max()
        error = standard_error(losses, case.w, case.groups)
        near(found.standard_error, error, rtol=1e-6, atol=1e-13 * size)
        assert found.low <= found.mean <= found.high
        compared = metrics.compare(case.y_true, models, baseline="even", **more, **options)
        near(compared.mean, [mean])
        given = {"model": losses, "even": even}
        from_losses = metrics.compare_losses(given, baseline="even", **options)
        near(from_losses.difference, compared.difference, rtol=1e-9, atol=1e-13 * size)
        assert from_losses.df == compared.df
        difference = weighted_sum(losses - even, case.w) / case.w.sum()
        near(compared.difference, [difference], rtol=1e-9, atol=1e-13 * max(size, even.max()))

    for_all(cases(min_n=2), check)


def test_decompositions(for_all):
    def check(case):
        options = options_of(case, "from_logits", "labels", "sample_weight")
        parts = metrics.decompose_cross_entropy(case.y_true, case.y_pred, **options)
        losses = reference(case.P, case.Y, case.from_logits)
        rates = (case.w / case.w.max()) @ case.Y
        uncertainty = reference(rates[None] / rates.sum(), rates[None] / rates.sum(), eps=0)[0]
        near(parts.loss, weighted_sum(losses, case.w) / case.w.sum())
        near(parts.uncertainty, uncertainty, rtol=1e-9, atol=1e-14)
        whole = parts.miscalibration - parts.discrimination + parts.uncertainty
        near(whole, parts.loss, rtol=1e-9, atol=1e-13 * max(1.0, parts.loss))
        assert parts.miscalibration >= 0
        assert parts.discrimination >= 0
        near(parts.recalibrated.sum(axis=1), 1.0)

    for_all(cases(), check)


def test_scorers(for_all):
    def check(case):
        model, w = Fixed(np.asarray(case.y_pred, dtype=float), case.labels), case.sample_weight
        losses = reference(case.P, case.Y)
        total, weight = weighted_sum(losses, case.w), case.w.sum()
        # default names of columns do not tell which class is where, and are refused
        truth = case.y_true if case.form == "labels" else np.asarray(case.y_true, dtype=float)
        arguments = model, None, truth, w
        near(metrics.cce_scorer(*arguments), -total / weight)
        near(metrics.cce_sum_scorer(*arguments), -total)
        if case.P.shape[1] == 2 and case.form == "labels":
            near(metrics.bce_scorer(*arguments), -total / weight)
            near(metrics.bce_sum_scorer(*arguments), -total)
        exact = metrics.make_cross_entropy_scorer(base=case.base, eps=case.eps)
        unit = math.log(case.base) if case.base else 1.0
        total = weighted_sum(reference(case.P, case.Y, eps=case.eps) / unit, case.w)
        near(exact(*arguments), -total / weight)
        assert metrics.miscalibration_scorer(*arguments) <= 0
        assert metrics.discrimination_scorer(*arguments) >= 0

    for_all(cases(logits=False), check)


def test_every_public_function_has_a_property():
    """The names of all public functions and scorers are in the tests above."""
    source = inspect.getsource(inspect.getmodule(cases))
    callables = [name for name in metrics.__all__ if not inspect.isclass(getattr(metrics, name))]
    assert {name for name in callables if f"metrics.{name}(" not in source} == {"compare_cv"}
