"""The surprise of an event, and the entropy of a coin."""

import numpy as np

import skxent

PANELS = 2


def draw(figure, rows, columns):
    first, second = figure.subplots(rows, columns)
    p = np.linspace(0.002, 1, 400)
    first.plot(p, -np.log(p))
    first.plot(0.5, np.log(2), "o", color="C1")
    first.annotate("1 bit = 0.693 nats", (0.5, np.log(2)), (0.5, 1.2))
    first.set(xlabel="probability p", ylabel="surprise −log p, in nats", ylim=(0, 5), xlim=(0, 1))
    p = np.linspace(0, 1, 400)
    second.plot(p, skxent.entropy(np.column_stack([p, 1 - p])))
    second.plot(0.5, np.log(2), "o", color="C1")
    second.set(
        xlabel="probability of heads", ylabel="entropy, in nats", ylim=(0, 0.75), xlim=(0, 1)
    )
