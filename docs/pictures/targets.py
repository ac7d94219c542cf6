"""One prediction, a one-hot target and a soft target."""

import numpy as np
from scipy.special import xlogy

P = np.array([0.1, 0.8, 0.1])

PANELS = 2


def draw(figure, rows, columns):
    both = figure.subplots(rows, columns, sharey=True)
    for axes, Y in zip(both, ([0, 1, 0], [0.2, 0.8, 0]), strict=True):
        k = np.arange(3)
        axes.bar(k - 0.18, Y, 0.34, color="C2", label="target")
        axes.bar(k + 0.18, P, 0.34, color="C0", label="prediction")
        terms = -xlogy(Y, P)
        parts = " + ".join(f"{term:.2f}" for term in terms if term)
        total = f" = {terms.sum():.2f}" if np.count_nonzero(terms) > 1 else ""
        axes.set_title(f"loss {parts}{total} nats")
        axes.set_xticks(k, ["ant", "bee", "cow"])
        axes.set_ylim(0, 1.05)
        axes.set_ylabel("probability")
    both[1].label_outer()
    both[1].legend(loc="upper right")
