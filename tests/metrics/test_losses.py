"""Identities, invariances, limits and oracles of the losses."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax
from sklearn.metrics import log_loss

from skxent.metrics import (
    CrossEntropySum,
    ZeroProbabilityWarning,
    binary_cross_entropy,
    categorical_cross_entropy,
)

EPS = np.finfo(np.float64).eps


@pytest.fixture(params=[2, 3, 7])
def problem(request):
    """Logits, probabilities, codes that hold every class, and weights."""
    K, n = request.param, 60
    rng = np.random.default_rng(K)
    Z = rng.normal(scale=3, size=(n, K))
    codes = np.concatenate([np.arange(K), rng.integers(K, size=n - K)])
    return Z, softmax(Z, axis=1), codes, rng.uniform(0.1, 3, size=n)


# ------------------------------------------------------------------ oracles and equivalences


def test_equals_the_formula(problem):
    Z, P, codes, w = problem
    losses = -log_softmax(Z, axis=1)[np.arange(len(codes)), codes]
    for options in ({"y_pred": P}, {"y_pred": Z, "from_logits": True}):
        loss = categorical_cross_entropy(codes, **options, reduction="none")
        np.testing.assert_allclose(loss, losses, rtol=1e-13, atol=1e-15)
        mean = categorical_cross_entropy(codes, **options, sample_weight=w)
        np.testing.assert_allclose(mean, (w @ losses) / w.sum(), rtol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_log_loss(problem, weighted):
    _, P, codes, w = problem
    weight = w if weighted else None
    ours = categorical_cross_entropy(codes, P, sample_weight=weight)
    np.testing.assert_allclose(ours, log_loss(codes, P, sample_weight=weight), rtol=1e-14)


def test_equals_log_loss_on_an_impossible_event():
    P = np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5]])
    with pytest.warns(ZeroProbabilityWarning, match="1 of 3 samples"):
        ours = categorical_cross_entropy([0, 1, 1], P)
    np.testing.assert_allclose(ours, log_loss([0, 1, 1], P), rtol=1e-14)


@pytest.mark.parametrize("from_logits", [False, True])
def test_labels_are_one_hot_rows_are_soft_rows(problem, from_logits):
    Z, P, codes, w = problem
    prediction, one_hot = Z if from_logits else P, np.eye(Z.shape[1])[codes]
    options = {"from_logits": from_logits, "sample_weight": w, "reduction": "none"}
    losses = categorical_cross_entropy(codes, prediction, **options)
    for rows in (one_hot, one_hot.astype(int), one_hot.astype(bool), one_hot.astype(np.float32)):
        np.testing.assert_array_equal(
            categorical_cross_entropy(rows, prediction, **options), losses
        )


@pytest.mark.parametrize("n", [1, 2, (1 << 15) // 3 + 1])
@pytest.mark.parametrize("from_logits", [False, True])
def test_arguments_stay_as_they_are(n, from_logits):
    """Single rows above all, also those that are left over by the cut into blocks."""
    Y, prediction = np.random.default_rng(n).dirichlet(np.ones(3), size=(2, n))
    before = Y.copy(), prediction.copy()
    categorical_cross_entropy(Y, prediction, from_logits=from_logits)
    binary_cross_entropy(Y, prediction, from_logits=from_logits)
    np.testing.assert_array_equal((Y, prediction), before)


@pytest.mark.parametrize("from_logits", [False, True])
def test_soft_rows_mix_the_losses_of_labels(problem, from_logits):
    Z, P, codes, _ = problem
    prediction, K = Z if from_logits else P, Z.shape[1]
    Y = np.random.default_rng(1).dirichlet(np.ones(K), size=len(codes))
    options = {"from_logits": from_logits, "reduction": "none"}
    mixed = sum(
        Y[:, k]
        * categorical_cross_entropy(np.full(len(Y), k), prediction, labels=np.arange(K), **options)
        for k in range(K)
    )
    np.testing.assert_allclose(
        categorical_cross_entropy(Y, prediction, **options), mixed, rtol=1e-13
    )


def test_two_classes_are_binary():
    rng = np.random.default_rng(0)
    z, y = rng.normal(scale=5, size=200), rng.integers(2, size=200)
    p, soft = expit(z), rng.random(200)
    two = np.column_stack
    pairs = [
        (binary_cross_entropy(y, p), categorical_cross_entropy(y, p)),
        (binary_cross_entropy(y, p), categorical_cross_entropy(y, two([1 - p, p]))),
        (binary_cross_entropy(y, p), binary_cross_entropy(y, two([1 - p, p]))),
        (
            binary_cross_entropy(soft, p),
            categorical_cross_entropy(two([1 - soft, soft]), two([1 - p, p])),
        ),
        (binary_cross_entropy(soft, p), categorical_cross_entropy(two([1 - soft, soft]), p)),
        (binary_cross_entropy(soft, p), binary_cross_entropy(soft, two([1 - p, p]))),
        (binary_cross_entropy(y, z, from_logits=True), binary_cross_entropy(y, p)),
        (
            binary_cross_entropy(soft, z, from_logits=True),
            categorical_cross_entropy(two([1 - soft, soft]), two([0 * z, z]), from_logits=True),
        ),
        (
            binary_cross_entropy(y, z, from_logits=True),
            categorical_cross_entropy(y, z, from_logits=True),
        ),
    ]
    for left, right in pairs:
        np.testing.assert_allclose(left, right, rtol=1e-12)


@pytest.mark.parametrize("from_logits", [False, True])
def test_multilabel_is_the_sum_over_outcomes(from_logits):
    rng = np.random.default_rng(3)
    Z, Y = rng.normal(size=(50, 4)), rng.integers(2, size=(50, 4))
    prediction = Z if from_logits else expit(Z)
    options = {"from_logits": from_logits, "reduction": "none"}
    columns = [binary_cross_entropy(Y[:, j], prediction[:, j], **options) for j in range(4)]
    np.testing.assert_allclose(
        binary_cross_entropy(Y, prediction, **options), np.sum(columns, axis=0), rtol=1e-14
    )


def test_sum_is_weight_times_mean(problem):
    _, P, codes, w = problem
    for weight, total in ((None, len(codes)), (w, w.sum())):
        mean = categorical_cross_entropy(codes, P, sample_weight=weight)
        whole = categorical_cross_entropy(codes, P, sample_weight=weight, reduction="sum")
        np.testing.assert_allclose(whole, total * mean, rtol=1e-14)


@pytest.mark.parametrize("form", ["labels", "one-hot", "soft"])
def test_weight_k_is_k_copies(problem, form):
    _, P, codes, _ = problem
    K = P.shape[1]
    counts = np.random.default_rng(5).integers(0, 4, size=len(codes))
    soft = np.random.default_rng(6).dirichlet(np.ones(K), size=len(codes))
    y = {"labels": codes, "one-hot": np.eye(K)[codes], "soft": soft}[form]
    options = {"labels": np.arange(K)}
    for reduction in ("mean", "sum"):
        copies = categorical_cross_entropy(
            np.repeat(y, counts, axis=0),
            np.repeat(P, counts, axis=0),
            reduction=reduction,
            **options,
        )
        weighted = categorical_cross_entropy(
            y, P, sample_weight=counts, reduction=reduction, **options
        )
        np.testing.assert_allclose(weighted, copies, rtol=1e-13)


def test_weight_zero_is_absent_even_at_infinite_loss():
    P = [[1.0, 0.0], [0.5, 0.5]]
    loss = categorical_cross_entropy([1, 0], P, sample_weight=[0, 1], eps=0)
    assert loss == np.log(2)


def test_base_is_the_unit(problem):
    _, P, codes, w = problem
    for reduction in ("mean", "sum", "none"):
        options = {"sample_weight": w, "reduction": reduction}
        nats = categorical_cross_entropy(codes, P, **options)
        bits = categorical_cross_entropy(codes, P, base=2, **options)
        np.testing.assert_allclose(np.log(2) * bits, nats, rtol=1e-15)
    y, p = codes == 0, P[:, 0]
    np.testing.assert_allclose(
        binary_cross_entropy(y, p, base=10) * np.log(10), binary_cross_entropy(y, p), rtol=1e-15
    )


def test_none_ignores_weights(problem):
    _, P, codes, w = problem
    np.testing.assert_array_equal(
        categorical_cross_entropy(codes, P, sample_weight=w, reduction="none"),
        categorical_cross_entropy(codes, P, reduction="none"),
    )


# ------------------------------------------------------------------ invariances


@pytest.mark.parametrize("from_logits", [False, True])
def test_order_of_classes_does_not_matter(problem, from_logits):
    Z, P, codes, _ = problem
    K, prediction = Z.shape[1], Z if from_logits else P
    names = np.array([f"class {k}" for k in range(K)])
    order = np.random.default_rng(2).permutation(K)
    straight = categorical_cross_entropy(
        names[codes], prediction, from_logits=from_logits, reduction="none"
    )
    shuffled = categorical_cross_entropy(
        names[codes],
        prediction[:, order],
        labels=names[order],
        from_logits=from_logits,
        reduction="none",
    )
    np.testing.assert_allclose(shuffled, straight, rtol=1e-14)


def test_shift_of_logits_does_not_matter(problem):
    Z, _, codes, _ = problem
    Z = np.round(Z * 2**20) / 2**20  # so that the shift is exact
    plain = categorical_cross_entropy(codes, Z, from_logits=True, reduction="none")
    moved = categorical_cross_entropy(codes, Z + 1024, from_logits=True, reduction="none")
    np.testing.assert_array_equal(plain, moved)


def test_order_of_samples_does_not_matter(problem):
    _, P, codes, w = problem
    order = np.random.default_rng(4).permutation(len(codes))
    np.testing.assert_allclose(
        categorical_cross_entropy(codes, P, sample_weight=w),
        categorical_cross_entropy(codes[order], P[order], sample_weight=w[order]),
        rtol=1e-14,
    )


def test_blocks_are_seamless():
    """More rows than a block, and a check in every block."""
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(3), size=40_000)
    y = rng.integers(3, size=len(P))
    np.testing.assert_array_equal(
        categorical_cross_entropy(y, P, reduction="none"),
        -np.log(P[np.arange(len(y)), y]),
    )
    P[39_999, 1] += 0.1
    with pytest.raises(ValueError, match="does not sum to 1 in row 39999"):
        categorical_cross_entropy(y, P)


def test_gradient_in_the_logits_is_the_residual(problem):
    Z, P, codes, _ = problem
    i, K, step = 3, Z.shape[1], 1e-6
    for k in range(K):
        up, down = Z.copy(), Z.copy()
        up[i, k] += step
        down[i, k] -= step
        slope = (
            categorical_cross_entropy(codes, up, from_logits=True, reduction="none")[i]
            - categorical_cross_entropy(codes, down, from_logits=True, reduction="none")[i]
        ) / (2 * step)
        np.testing.assert_allclose(slope, P[i, k] - (codes[i] == k), atol=1e-9)


# ------------------------------------------------------------------ limits and the floor


@pytest.mark.parametrize("eps", [None, 0, 1e-3])
def test_perfect_prediction_costs_exactly_zero(eps):
    for loss in (
        categorical_cross_entropy([0, 1, 2], np.eye(3), eps=eps),
        categorical_cross_entropy(np.eye(3), np.eye(3), eps=eps),
        categorical_cross_entropy([0, 1], [0.0, 1.0], eps=eps),
        binary_cross_entropy([0, 1], [0.0, 1.0], eps=eps),
    ):
        assert loss == 0
        assert not np.signbit(loss)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floor_does_not_depend_on_dtype(dtype):
    P = np.array([[1, 0], [0, 1], [1, 0]], dtype=dtype)
    with pytest.warns(ZeroProbabilityWarning, match="1 of 3 samples"):
        losses = categorical_cross_entropy([0, 1, 1], P, reduction="none")
    np.testing.assert_array_equal(losses, [0, 0, -np.log(EPS)])


@pytest.mark.parametrize("eps", [1e-15, 1e-3])
def test_floor_of_every_form(eps):
    options = {"eps": eps, "reduction": "none"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZeroProbabilityWarning)
        for losses in (
            categorical_cross_entropy([0, 1], [[0.0, 1.0], [1.0, 0.0]], **options),
            categorical_cross_entropy(np.eye(2), [[0.0, 1.0], [1.0, 0.0]], **options),
            categorical_cross_entropy([0, 1], [1.0, 0.0], **options),
            binary_cross_entropy([0, 1], [1.0, 0.0], **options),
            binary_cross_entropy([[0, 0], [1, 1]], [[1.0, 0.0], [0.0, 1.0]], **options),
        ):
            np.testing.assert_allclose(losses, -np.log(eps), rtol=1e-15)


def test_eps_zero_is_exact():
    assert categorical_cross_entropy([0, 1], [[0.0, 1.0], [0.0, 1.0]], eps=0) == np.inf
    assert binary_cross_entropy([0, 0], [1.0, 0.0], eps=0) == np.inf
    tiny = 1e-300
    np.testing.assert_allclose(
        categorical_cross_entropy([0, 1], [[tiny, 1.0], [tiny, 1.0]], eps=0), -np.log(tiny) / 2
    )


def test_impossible_class_that_is_not_asked_for_costs_nothing():
    assert categorical_cross_entropy([[1.0, 0.0]], [[1.0, 0.0]], eps=0) == 0
    assert binary_cross_entropy([[0.0, 1.0]], [[0.0, 1.0]], eps=0) == 0


def test_probability_above_one_by_rounding_counts_as_one():
    above = np.nextafter(1.0, 2.0)
    assert categorical_cross_entropy([0, 1], [[above, 0.0], [0.0, above]]) == 0
    assert binary_cross_entropy([1], [above]) == 0
    assert categorical_cross_entropy([[1.0, 0.0]], [[above, 0.0]]) == 0


def test_warning_counts_samples_and_points_here():
    P = np.array([[0.0, 1.0, 0.0]] * 5)
    with pytest.warns(ZeroProbabilityWarning, match=r"3 of 5 samples .*eps=0") as caught:
        categorical_cross_entropy([0, 1, 2, 0, 1], P)
    assert caught[0].filename == __file__
    with pytest.warns(ZeroProbabilityWarning, match="1 of 1 samples"):
        categorical_cross_entropy([[0.5, 0.0, 0.5]], P[:1])  # two classes floored, one sample
    with pytest.warns(ZeroProbabilityWarning, match="1 of 2 samples"):
        binary_cross_entropy([[1, 1], [0, 1]], [[0.0, 0.0], [0.0, 1.0]])


def test_logits_are_never_floored():
    loss = categorical_cross_entropy([1], [[1e4, 0.0]], from_logits=True, labels=[0, 1])
    assert loss == 1e4


def test_float32_agrees_with_float64(problem):
    _, P, codes, _ = problem
    single = P.astype(np.float32)
    losses = categorical_cross_entropy(codes, single, reduction="none")
    assert losses.dtype == np.float64
    np.testing.assert_array_equal(
        losses, -np.log(single.astype(float)[np.arange(len(codes)), codes])
    )


# ------------------------------------------------------------------ CrossEntropySum


@pytest.mark.parametrize("weighted", [False, True])
def test_chunks_add_up_to_the_whole(problem, weighted):
    _, P, codes, w = problem
    K, cuts = P.shape[1], [0, 1, 14, 14, 40, len(codes)]
    w = w if weighted else np.ones(len(codes))
    parts = [
        CrossEntropySum.of(
            codes[a:b], P[a:b], sample_weight=w[a:b] if weighted else None, labels=np.arange(K)
        )
        for a, b in pairwise(cuts)
    ]
    whole = CrossEntropySum.of(codes, P, sample_weight=w)
    for added in (sum(parts), sum(parts, CrossEntropySum())):
        np.testing.assert_allclose(added.total, whole.total, rtol=1e-14)
        np.testing.assert_allclose(added.weight, w.sum(), rtol=1e-14)
        np.testing.assert_allclose(
            added.mean, categorical_cross_entropy(codes, P, sample_weight=w), rtol=1e-14
        )


def test_sum_of_a_chunk_without_weight():
    part = CrossEntropySum.of([0, 1], [0.5, 0.5], sample_weight=[0, 0])
    assert part == CrossEntropySum(0.0, 0.0)
    with pytest.raises(ValueError, match="weight of this sum is 0"):
        _ = part.mean


def test_sum_takes_another_loss_and_its_options():
    part = CrossEntropySum.of([[1, 0]], [[0.5, 0.5]], loss=binary_cross_entropy, base=2)
    assert part == CrossEntropySum(2.0, 1.0, base=2)


def test_sum_is_frozen_and_adds_its_kind_only():
    part = CrossEntropySum(1.0, 2.0)
    with pytest.raises(AttributeError):
        part.total = 3.0
    with pytest.raises(TypeError):
        _ = part + 1.0
    with pytest.raises(TypeError):
        _ = 1.0 + part


def test_sum_warns_of_the_floor():
    with pytest.warns(ZeroProbabilityWarning, match="1 of 1 samples"):
        CrossEntropySum.of([1], [0.0], labels=[0, 1])
