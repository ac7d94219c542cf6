"""
Is it better than the baseline, where, and why?
===============================================

Before a new classifier is worth a report, it should be better than a simple one that was fitted
well. Here softmax regression is the baseline of three other models. All predict which tumours are
malignant, from ten features of their cell nuclei. A difference in mean loss comes with its
interval, a report splits a loss by class and group, and a decomposition says why a loss is large.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB

import skxent

data = load_breast_cancer()
X, y = data.data[:, :10], data.target_names[data.target]
models = {
    "base rates": DummyClassifier(),
    "naive Bayes": GaussianNB(),
    "boosted trees": GradientBoostingClassifier(n_estimators=50, random_state=0),
    "softmax": skxent.SoftmaxClassifier(),
}

# %%
# On one test set
# ---------------
# All models predict the same tumours, and each is compared with the baseline tumour by tumour.
# Tumours that are hard for both models cancel in the difference. Its standard error is therefore
# smaller than that of two test sets.

X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)
predictions = {
    name: model.fit(X_train, y_train).predict_proba(X_test) for name, model in models.items()
}
print(skxent.compare(y_test, predictions, baseline="softmax"))

losses = {
    name: skxent.categorical_cross_entropy(y_test, P, reduction="none")
    for name, P in predictions.items()
}
trees, softmax = losses["boosted trees"], losses["softmax"]
of_trees, of_softmax, of_both = (
    skxent.mean_loss_interval(values).standard_error for values in (trees, softmax, trees - softmax)
)
print(f"\nStandard errors: boosted trees {of_trees:.4f}, softmax {of_softmax:.4f},")
print(
    f"their difference {of_both:.4f}; of two other test sets {np.hypot(of_trees, of_softmax):.4f}"
)

# %%
# Losses by class and by group
# ----------------------------
# The loss is a sum over tumours. The first table splits it by class, the second by the size of the
# nuclei. The rows of both tables add up to the same total.

P = predictions["naive Bayes"]
size = np.select([X_test[:, 0] < 12, X_test[:, 0] < 16], ["small", "medium"], "large")
print(skxent.cross_entropy_report(y_test, P))
print()
print(skxent.cross_entropy_report(y_test, P, by=size))

# %%
# Why
# ---
# Naive Bayes counts the same evidence several times, because radius, perimeter and area are nearly
# the same feature. It puts the tumours in a good order, but it is far too sure. Most of its loss is
# miscalibration, which recalibration would remove.

for name in ("naive Bayes", "softmax"):
    print(f"\n{name}\n{skxent.decompose_cross_entropy(y_test, predictions[name])}")

# %%
# And with other training samples?
# --------------------------------
# One test set judges four fitted models. Cross-validation judges how they are fitted: it repeats
# the fits, here on 15 random splits. Its test takes into account that the splits share
# training samples.

found = skxent.compare_cv(models, X, y, baseline="softmax")
print(found)

# %%
# A model whose interval is on the left of the line would be better than the baseline.

fig, ax = plt.subplots(figsize=(5.5, 2.8), layout="constrained")
half = (found.high - found.low) / 2
ax.errorbar(found.difference, found.names, xerr=half, fmt="o", capsize=4)
ax.axvline(0, color="black", linestyle="--")
ax.margins(y=0.3)
ax.set(xlabel="mean loss minus that of softmax\nregression, nats, 95 % intervals")
plt.show()
