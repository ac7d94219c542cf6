"""The sigmoid, and the loss of a sample as a function of its logit."""

import numpy as np
from scipy.special import expit

import skxent

PANELS = 2


def draw(figure, rows, columns):
    first, second = figure.subplots(rows, columns)
    z = np.linspace(-6, 6, 200)
    first.plot(z, expit(z))
    first.plot(0, 0.5, "o", color="C1")
    first.set(xlabel="logit z", ylabel="sigmoid(z)", ylim=(0, 1.02), xlim=(-6, 6))
    for label, colour, style in ((1, "C0", "-"), (0, "C3", "--")):
        losses = skxent.binary_cross_entropy(
            np.full(200, label), z, from_logits=True, reduction="none", pos_label=1
        )
        second.plot(z, losses, style, color=colour)
        side = -1 if label else 1
        second.text(
            3.7 * side, 4.8, f"class {label}", color=colour, ha="left" if label else "right"
        )
    second.set(xlabel="logit z", ylabel="loss, in nats", ylim=(0, 6.2), xlim=(-6, 6))
