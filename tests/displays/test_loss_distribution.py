"""Losses by class: quantiles, means, points and names of the worst are those of the losses."""

import numpy as np
import pandas as pd
import pytest

from skxent import (
    LossDistributionDisplay,
    SoftmaxClassifier,
    ZeroProbabilityWarning,
    categorical_cross_entropy,
)


@pytest.fixture
def drawn(iris, axes):
    """What is drawn of held-out iris, its labels and losses."""
    clf, X, y = iris
    losses = categorical_cross_entropy(
        y, clf.predict_proba(X), labels=clf.classes_, reduction="none"
    )
    display = LossDistributionDisplay.from_estimator(clf, X, y, ax=axes())
    return display, y, losses


def medians(display):
    return [line.get_xdata()[0] for line in display.boxes_["medians"]]


def means(display):
    return [line.get_xdata()[0] for line in display.boxes_["means"]]


def row_names(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def test_boxes_are_quantiles_and_means(drawn):
    display, y, losses = drawn
    for k, name in enumerate(np.unique(y)):
        own = losses[y == name]
        box = display.boxes_["boxes"][k].get_xdata()
        whiskers = [line.get_xdata()[1] for line in display.boxes_["whiskers"][2 * k : 2 * k + 2]]
        numbers = [whiskers[0], box.min(), medians(display)[k], box.max(), whiskers[1]]
        wanted = np.quantile(own, [0.05, 0.25, 0.5, 0.75, 0.95], method="inverted_cdf")
        assert np.array_equal(numbers, wanted)
        assert means(display)[k] == pytest.approx(own.mean(), rel=1e-14)


def test_points_are_the_losses(drawn):
    display, y, losses = drawn
    for k, name in enumerate(np.unique(y)):
        x, height = np.asarray(display.points_[k].get_offsets()).T
        assert np.array_equal(np.sort(x), np.sort(losses[y == name]))
        assert (np.abs(height - k) < 0.351).all()
        assert row_names(display)[k] == f"{name}  (n = 20)"


def test_the_worst_are_ringed_and_named(drawn):
    display, y, losses = drawn
    order = np.argsort(-losses)[:5]
    assert np.array_equal(display.worst_, order)
    assert np.array_equal(display.worst_points_.get_offsets()[:, 0], losses[order])
    texts = [text.get_text() for text in display.ax_.texts][1:]
    assert texts == [", ".join(str(i) for i in order if y[i] == name) for name in np.unique(y)]


def test_number_of_names(iris, axes):
    assert len(LossDistributionDisplay.from_estimator(*iris, n_worst=2, ax=axes()).worst_) == 2
    assert len(LossDistributionDisplay.from_estimator(*iris, n_worst=0, ax=axes()).worst_) == 0
    assert len(LossDistributionDisplay.from_estimator(*iris, n_worst=999, ax=axes()).worst_) == 60
    with pytest.raises(ValueError, match=r"n_worst is -1"):
        LossDistributionDisplay.from_estimator(*iris, n_worst=-1, ax=axes())


def test_bits(drawn, iris, axes):
    clf, X, y = iris
    bits = LossDistributionDisplay.from_estimator(clf, X, y, base=2, ax=axes())
    assert np.allclose(medians(bits), np.array(medians(drawn[0])) / np.log(2), rtol=1e-14)
    assert bits.ax_.get_xlabel().startswith("loss of a sample, bits")
    assert drawn[0].ax_.get_xlabel().startswith("loss of a sample, nats")


@pytest.mark.parametrize("base", [None, 2, 10])
def test_probabilities_stand_at_their_losses(iris, axes, base):
    display = LossDistributionDisplay.from_estimator(*iris, base=base, ax=axes())
    axis = display.probability_axis_.xaxis
    p = np.array([float(label.get_text()) for label in axis.get_ticklabels()])
    assert len(p) >= 2
    assert np.allclose(axis.get_ticklocs(), -np.log(p) / np.log(base or np.e), rtol=1e-12)


def test_weights_count_as_copies(iris, axes):
    clf, X, y = iris
    weight = np.arange(len(y)) % 3
    one = LossDistributionDisplay.from_estimator(clf, X, y, weight, ax=axes())
    copies = np.repeat(np.arange(len(y)), weight)
    other = LossDistributionDisplay.from_estimator(clf, X[copies], y[copies], ax=axes())
    assert medians(one) == medians(other)
    assert np.allclose(means(one), means(other), rtol=1e-14)
    assert (weight[one.worst_] > 0).all()
    assert sum(len(points.get_offsets()) for points in one.points_) == np.count_nonzero(weight)


def test_forms_of_truth_and_prediction_draw_the_same(drawn, iris, axes):
    clf, X, y = iris
    frame = pd.DataFrame(clf.predict_proba(X), columns=clf.classes_)
    Z = clf.decision_function(X)
    rows = pd.get_dummies(pd.Series(y)).astype(float)
    for prediction, truth, options in [
        (frame, pd.Series(y), {}),
        (Z, y, {"from_logits": True, "labels": clf.classes_}),
        (Z.astype(np.float32), list(y), {"from_logits": True}),
        (frame, rows, {}),
    ]:
        display = LossDistributionDisplay.from_predictions(truth, prediction, ax=axes(), **options)
        assert np.allclose(medians(display), medians(drawn[0]), rtol=1e-4)
        assert np.array_equal(display.worst_, drawn[0].worst_)
        assert row_names(display) == row_names(drawn[0])


def test_soft_rows_have_no_true_probability(axes):
    Y = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    display = LossDistributionDisplay.from_predictions(Y, [[0.5, 0.5]] * 3, ax=axes())
    assert not hasattr(display, "probability_axis_")
    assert row_names(display) == ["0  (n = 1)", "1  (n = 2)"]
    assert np.allclose(medians(display), np.log(2))


def test_two_classes_from_one_column(axes):
    display = LossDistributionDisplay.from_predictions(["b", "a", "b"], [0.5, 0.5, 0.25], ax=axes())
    assert row_names(display) == ["a  (n = 1)", "b  (n = 2)"]
    assert np.allclose(means(display), [np.log(2), np.log(8) / 2])


def test_many_samples_are_thinned_evenly(axes):
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 1.0, 5000)
    display = LossDistributionDisplay.from_predictions(
        np.ones(5000, dtype=int), p, labels=[0, 1], ax=axes()
    )
    x = np.asarray(display.points_[0].get_offsets())[:, 0]
    assert len(x) == 300
    assert (x.min(), x.max()) == (-np.log(p.max()), -np.log(p.min()))
    for q in (0.1, 0.5, 0.9):
        assert np.quantile(x, q) == pytest.approx(np.quantile(-np.log(p), q), rel=0.02)
    assert row_names(display) == ["0  (n = 0)", "1  (n = 5000)"]
    assert len(display.boxes_["medians"]) == 1


def test_losses_too_small_for_the_axis_are_counted(axes):
    p = [1.0, 1.0, 1 - 1e-9, 0.9, 0.5]
    display = LossDistributionDisplay.from_predictions([1] * 5, p, labels=[0, 1], ax=axes())
    assert "3 below 1e-06 not shown" in display.ax_.get_xlabel()
    assert display.ax_.get_xlim()[0] == 1e-6
    assert medians(display) == pytest.approx([1e-9], rel=1e-6)
    display.figure_.canvas.draw()


def test_perfect_predictions(axes):
    display = LossDistributionDisplay.from_predictions([0, 1], [[1.0, 0.0], [0.0, 1.0]], ax=axes())
    assert "2 below 1e-06 not shown" in display.ax_.get_xlabel()
    assert medians(display) == means(display) == [0.0, 0.0]
    display.figure_.canvas.draw()


def test_infinite_losses_are_at_the_edge(axes):
    Z = [[-np.inf, 0.0], [0.0, 1.0], [1.0, 0.0], [2.0, 0.0]]
    display = LossDistributionDisplay.from_predictions([0, 1, 0, 0], Z, from_logits=True, ax=axes())
    edge = 3.0 * display.losses[2]
    assert display.ax_.get_xlim()[1] > edge > display.losses[1:].max()
    assert "1 infinite at the right edge" in display.ax_.get_xlabel()
    assert display.worst_[0] == 0
    assert display.worst_points_.get_offsets()[0, 0] == edge
    assert means(display)[0] == edge
    display.figure_.canvas.draw()


def test_floor_warns_once_and_a_class_never_seen_costs_it(iris, axes):
    clf, X, y = iris
    y = np.where(np.arange(len(y)) == 7, "other", y)
    with pytest.warns(ZeroProbabilityWarning, match="1 of 60") as caught:
        display = LossDistributionDisplay.from_estimator(clf, X, y, ax=axes())
    assert len(caught) == 1
    assert display.worst_[0] == 7
    assert row_names(display)[-1] == "other  (n = 1)"
    assert means(display)[-1] == pytest.approx(-np.log(np.finfo(float).eps))


def test_fifty_classes_are_legible(fifty, assert_legible):
    y, Z, names = fifty
    display = LossDistributionDisplay.from_predictions(y, Z, labels=names, from_logits=True)
    assert len(display.boxes_["medians"]) == 50
    assert_legible(display.figure_)


@pytest.mark.parametrize("base", [None, 2])
@pytest.mark.parametrize("C", [1e-3, 1.0])
def test_ticks_leave_room_for_each_other(cancer, assert_legible, base, C):
    _, X, y = cancer
    clf = SoftmaxClassifier(C=C).fit(X, y)
    display = LossDistributionDisplay.from_estimator(clf, X, y, base=base)
    assert len(display.probability_axis_.get_xticks()) >= 3
    assert_legible(display.figure_)


def test_losses_that_others_have_computed(drawn, axes):
    display, y, losses = drawn
    again = LossDistributionDisplay.from_losses(losses, by=y, hard=True, ax=axes())
    np.testing.assert_array_equal(again.worst_, display.worst_)
    np.testing.assert_allclose(means(again), means(display), rtol=1e-12)
    assert row_names(again) == row_names(display)
    assert hasattr(again, "probability_axis_")
    bits = LossDistributionDisplay.from_losses(losses, base=2, ax=axes())
    np.testing.assert_allclose(means(bits), [losses.mean() / np.log(2)], rtol=1e-12)
    assert row_names(bits) == [f"all losses  (n = {len(y)})"]
    assert not hasattr(bits, "probability_axis_")


def test_tokens_of_documents_are_named_by_their_places(drawn, axes):
    losses = drawn[2]
    documents = [np.append(part, np.nan) for part in np.split(losses, [7, 20])]
    masks = [np.isfinite(part) for part in documents]
    display = LossDistributionDisplay.from_losses(
        documents, by=["a", "b", "a"], sample_weight=masks, n_worst=2, ax=axes()
    )
    first = int(np.nanargmax(np.concatenate(documents)))
    ends = np.cumsum([len(part) for part in documents])
    document = int(np.searchsorted(ends, first, side="right"))
    place = f"[{document}][{first - ends[document] + len(documents[document])}]"
    assert any(place in text.get_text() for text in display.ax_.texts)
    series = pd.Series(losses, index=[f"token {i}" for i in range(len(losses))])
    named = LossDistributionDisplay.from_losses(series, n_worst=1, ax=axes())
    assert any(series.idxmax() in text.get_text() for text in named.ax_.texts)
