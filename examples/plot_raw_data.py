"""
Raw data: how far from the optimum
==================================

The breast cancer data as they come: thirty columns, from 0.001 to 4,000. Logistic regression on
them has one optimum, and the question is how fast a solver gets there. Distance from the optimum is
in nats, as is everything here: the sum of the cross-entropies of the samples, plus the penalty.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

import skxent

X, y = load_breast_cancer(return_X_y=True)

# %%
# :class:`skxent.SoftmaxClassifier` keeps its way: passes over the data, and the objective after
# each iteration. The last estimate of its distance from the optimum is ``optimality_gap_``.

clf = skxent.SoftmaxClassifier().fit(X, y)
print(f"{clf.n_passes_:.0f} passes, about {clf.optimality_gap_:.0e} nats from the optimum")

# %%
# LogisticRegression at its defaults stops after 100 iterations, with a warning that is silenced
# here. It keeps no such record, so it is fitted anew for each number of iterations.


def objective(model):
    """What both minimise: the sum of losses and the penalty."""
    Z = model.decision_function(X)
    loss = skxent.binary_cross_entropy(y, Z, from_logits=True, reduction="sum")
    return loss + np.sum(model.coef_**2) / (2 * model.C)


iterations = np.array([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000])
rival = []
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    for max_iter in iterations:
        rival.append(objective(LogisticRegression(max_iter=max_iter).fit(X, y)))
print(f"LogisticRegression, at its defaults: {rival[6] - clf.objective_:.1f} nats")

# %%
# What lies below 1e-11 is rounding, and not drawn.

floor = 1e-11
passes, values = clf.objective_curve_.T
fig, ax = plt.subplots(layout="constrained")
ax.loglog(passes, np.maximum(values - clf.objective_, floor), "o-", label="SoftmaxClassifier")
ax.loglog(iterations, np.array(rival) - clf.objective_, "s-", label="LogisticRegression")
ax.axvline(100, color="C1", linestyle=":", label="its default max_iter")
ax.set(
    xlabel="passes over the data, iterations", ylabel="nats above the optimum", ylim=(floor, None)
)
ax.legend()
plt.show()
