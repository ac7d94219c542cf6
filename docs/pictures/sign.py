"""Loss and log-likelihood of one sample."""

import numpy as np


def draw(figure):
    axes = figure.subplots()
    q = np.linspace(0.02, 1, 300)
    axes.axhline(0, color="C4", linewidth=1)
    axes.plot(q, -np.log(q), color="C1")
    axes.plot(q, np.log(q), "--", color="C0")
    axes.text(0.2, 1.95, "loss −log q: minimise", color="C1")
    axes.text(0.2, -2.15, "log-likelihood log q: maximise", color="C0")
    axes.set(
        xlabel="probability q of the true class", ylabel="nats", xlim=(0, 1.01), ylim=(-3.5, 3.5)
    )
