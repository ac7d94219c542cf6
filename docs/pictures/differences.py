"""Mean losses of two models on the same digits, and the mean of their difference."""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import skxent

PANELS = 2


def draw(figure, rows, columns):
    X, X_test, y, y_test = train_test_split(
        *load_digits(return_X_y=True), test_size=0.5, random_state=0
    )
    losses = {}
    for C in (0.1, 0.01):
        P = skxent.SoftmaxClassifier(C=C).fit(X, y).predict_proba(X_test)
        losses[f"C = {C:g}"] = skxent.categorical_cross_entropy(y_test, P, reduction="none")
    first, second = figure.subplots(rows, columns, sharey=True)
    for row, loss in enumerate(losses.values()):
        found = skxent.mean_loss_interval(loss)
        draw_interval(first, row, found.mean, found.low, found.high, "C0")
    found = skxent.compare_losses(losses, baseline="C = 0.1")
    draw_interval(second, 1, found.difference[0], found.low[0], found.high[0], "C1")
    second.axvline(0, color="C4", linestyle="--", linewidth=1)
    first.set_yticks([0, 1], losses)
    first.set_ylim(1.5, -0.5)
    first.set_xlabel("mean loss, in nats")
    second.set_xlabel("difference from C = 0.1, in nats")


def draw_interval(axes, row, middle, low, high, colour):
    axes.plot([low, high], [row, row], "|-", color=colour, markersize=9)
    axes.plot(middle, row, "o", color=colour)
