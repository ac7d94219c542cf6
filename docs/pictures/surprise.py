"""The surprise of an event, and the entropy of a coin."""

import numpy as np

import skxent


def draw(figure):
    left, right = figure.subplots(1, 2)
    p = np.linspace(0.002, 1, 400)
    left.plot(p, -np.log(p))
    left.plot(0.5, np.log(2), "o", color="C1")
    left.annotate("1 bit = 0.693 nats", (0.5, np.log(2)), (0.5, 1.2))
    left.set(xlabel="probability p", ylabel="surprise −log p, in nats", ylim=(0, 5), xlim=(0, 1))
    p = np.linspace(0, 1, 400)
    right.plot(p, skxent.entropy(np.column_stack([p, 1 - p])))
    right.plot(0.5, np.log(2), "o", color="C1")
    right.set(xlabel="probability of heads", ylabel="entropy, in nats", ylim=(0, 0.75), xlim=(0, 1))
