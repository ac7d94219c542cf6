"""The log-likelihood of a coin that showed heads in 7 of 10 tosses."""

import numpy as np
from scipy.special import xlogy


def draw(figure):
    axes = figure.subplots()
    q = np.linspace(0.1, 0.99, 400)
    axes.plot(q, xlogy(7, q) + xlogy(3, 1 - q))
    best, fair = (xlogy(7, q) + xlogy(3, 1 - q) for q in (0.7, 0.5))
    axes.plot(0.7, best, "o", color="C1")
    axes.annotate("q = 0.7, the frequency of heads", (0.7, best), (0.7, best + 0.35), ha="center")
    axes.plot([0.5, 0.5], [-16, fair], ":", color="C4")
    axes.plot(0.5, fair, "o", color="C4")
    axes.set(
        xlabel="probability q of heads",
        ylabel="log-likelihood, in nats",
        xlim=(0.1, 1),
        ylim=(-16, -5),
    )
