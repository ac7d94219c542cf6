"""
A neural network that is too sure
=================================

A network that has learned its training data by heart is often right, and too sure when it is
wrong. This example trains a small network on images of handwritten digits, and measures what one
number, the temperature, improves (C. Guo et al., "On Calibration of Modern Neural Networks", 2017).
The network itself stays as it is.
"""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import binomtest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import skxent

# %%
# Three parts: digits to train the network, to fit the temperature, and to test both.

X, y = load_digits(return_X_y=True)
X_train, X_rest, y_train, y_rest = train_test_split(
    X / 16, y, train_size=300, stratify=y, random_state=0
)
X_cal, X_test, y_cal, y_test = train_test_split(
    X_rest, y_rest, train_size=500, stratify=y_rest, random_state=0
)
network = MLPClassifier((64,), alpha=0, tol=1e-6, max_iter=2000, random_state=0)
network.fit(X_train, y_train)
for name, images, digits in (("training", X_train, y_train), ("test", X_test, y_test)):
    P = network.predict_proba(images)
    loss = skxent.categorical_cross_entropy(digits, P)
    print(f"{name}: {network.score(images, digits):.1%} right, loss {loss:.4f} nats")

# %%
# Before and after
# ----------------
# :class:`skxent.LogitCalibrator` takes the predictions of any classifier. It multiplies all logits
# by one slope, the inverse of the temperature. A slope below 1 makes the predictions less sure.

calibrator = skxent.LogitCalibrator().fit(network.predict_proba(X_cal), y_cal)
before = network.predict_proba(X_test)
after = calibrator.predict_proba(before)
print(f"slope of the logits {calibrator.slope_[0]:.2f}")
print(skxent.compare(y_test, {"before": before, "after": after}, baseline="before"))

# %%
# A temperature changes no decision, because the most probable digit stays the same. The
# decomposition shows that only miscalibration became smaller.

print(f"decisions that changed: {np.sum(before.argmax(axis=1) != after.argmax(axis=1))}")
for name, P in (("before", before), ("after", after)):
    found = skxent.decompose_cross_entropy(y_test, P)
    print(f"\n{name}\n{found}")

# %%
# When the network is this sure, how often is it right? Digits are grouped by their largest
# probability. Before, all groups are below the diagonal: the network is less often right than
# it says. The bars are 95 % intervals.

edges = [0, 0.6, 0.8, 0.95, 0.99, 1]
fig, ax = plt.subplots(layout="constrained")
for name, P, marker in (("before", before, "s"), ("after", after, "o")):
    sure, right = P.max(axis=1), P.argmax(axis=1) == y_test
    groups = [(sure > low) & (sure <= high) for low, high in pairwise(edges)]
    means = np.array([sure[group].mean() for group in groups])
    found = [binomtest(right[group].sum(), group.sum()) for group in groups]
    shares = np.array([test.statistic for test in found])
    ends = np.array([test.proportion_ci(method="wilson") for test in found]).T
    ax.errorbar(means, shares, np.abs(ends - shares), fmt=marker, capsize=3, label=name)
ax.plot([0.4, 1], [0.4, 1], "k:", label="calibrated")
ax.set(xlabel="largest probability, mean of a group", ylabel="share of right decisions")
ax.legend()
plt.show()
