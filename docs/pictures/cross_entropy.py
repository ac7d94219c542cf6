"""The cross-entropy of predictions of a coin, above its entropy."""

import numpy as np

import skxent


def draw(figure):
    axes = figure.subplots()
    p = [0.7, 0.3]
    q = np.linspace(0.002, 0.998, 400)
    entropy = skxent.entropy(p)
    cost = skxent.cross_entropy(np.broadcast_to(p, (400, 2)), np.column_stack([q, 1 - q]))
    axes.fill_between(q, entropy, cost, color="C0", alpha=0.15, linewidth=0)
    axes.plot(q, cost)
    axes.axhline(entropy, color="C2")
    axes.plot(0.7, entropy, "o", color="C1")
    axes.text(0.22, entropy - 0.14, "H(p) = 0.611 nats", color="C2", ha="center")
    axes.text(0.13, 0.95, "D(p‖q)", color="C0")
    axes.text(0.215, 1.3, "H(p, q)", color="C0")
    axes.annotate("q = p", (0.7, entropy), (0.7, entropy - 0.14), ha="center")
    axes.set(xlabel="predicted probability q of heads", ylabel="nats", xlim=(0, 1), ylim=(0.3, 1.9))
