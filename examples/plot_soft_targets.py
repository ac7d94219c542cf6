"""
Soft targets: when annotators disagree
======================================

Five annotators label each digit, and some digits are easy to mistake. A majority vote throws their
disagreement away; a soft target, the share of votes for each class, keeps it.
:class:`skxent.SoftmaxClassifier` fits either.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import skxent

# %%
# The annotators are made up: each names a class that a rough classifier, one with a strong penalty,
# finds likely.

rng = np.random.default_rng(0)
X, y = load_digits(return_X_y=True)
likely = skxent.SoftmaxClassifier(C=1e-4).fit(X, y).predict_proba(X)
votes = np.array([rng.multinomial(5, p) for p in likely])
shares = votes / votes.sum(axis=1, keepdims=True)
print(f"all five agree on {np.mean(votes.max(axis=1) == 5):.0%} of the digits")

# %%
# Both fits are judged by the votes on digits that were held out: their cross-entropy with the
# predictions. It can be no smaller than the entropy of the votes themselves.

train, test = train_test_split(np.arange(len(y)), random_state=0)
majority = votes.argmax(axis=1)
Cs = np.logspace(-6, -1, 11)
costs = {"majority votes": [], "soft targets": []}
for C in Cs:
    for name, target in (("majority votes", majority), ("soft targets", shares)):
        clf = skxent.SoftmaxClassifier(C=C).fit(X[train], target[train])
        Z = clf.decision_function(X[test])
        costs[name].append(skxent.categorical_cross_entropy(shares[test], Z, from_logits=True))
floor = skxent.entropy(shares[test]).mean()
for name, values in costs.items():
    print(
        f"{name}: {min(values):.2f} nats per digit at the best C, {values[-1]:.2f} at the largest"
    )

# %%
# Trained on majorities, a model becomes sure of what five people were not, and only a strong
# penalty hides that. With soft targets there is less to hide.

fig, ax = plt.subplots(layout="constrained")
for name, values in costs.items():
    ax.semilogx(Cs, values, "o-", label=name)
ax.axhline(floor, color="black", linestyle=":", label="entropy of the votes")
ax.set(xlabel="C", ylabel="held-out cross-entropy, nats per digit")
ax.legend()
plt.show()
