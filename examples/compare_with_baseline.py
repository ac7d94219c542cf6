"""
Is it better than the baseline, where, and why?
===============================================

Four models of the same tumours, from ten raw features of their cell nuclei, and softmax regression
is the baseline of the others. A difference in mean loss comes with its standard error; a report
says which samples pay, and a decomposition whether it is probabilities or their order that cost.
"""

# sphinx_gallery_thumbnail_path = "thumbnails/compare_with_baseline.svg"

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB

import skxent

data = load_breast_cancer()
X, y = data.data[:, :10], data.target_names[data.target]
models = {
    "base rates": DummyClassifier(),
    "naive Bayes": GaussianNB(),
    "boosted trees": HistGradientBoostingClassifier(max_iter=30, random_state=0),
    "softmax": skxent.SoftmaxClassifier(),
}

# %%
# On one test set
# ---------------
# All models predict the same tumours, and each is compared with the baseline tumour by tumour. What
# is hard for both cancels, so that the difference is known better than either mean.

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
# The loss is a sum, and here it is split by class, and by the size of the nuclei. The rows of
# either table add up to the same total.

P = predictions["naive Bayes"]
size = np.select([X_test[:, 0] < 12, X_test[:, 0] < 16], ["small", "medium"], "large")
print(skxent.cross_entropy_report(y_test, P))
print()
print(skxent.cross_entropy_report(y_test, P, by=size))

# %%
# Why
# ---
# Naive Bayes counts the same evidence several times, since radius, perimeter and area say nearly
# the same. It puts tumours in a good order, but is far too sure of itself: most of its loss is
# miscalibration, which recalibration would take away.

for name in ("naive Bayes", "softmax"):
    print(f"\n{name}\n{skxent.decompose_cross_entropy(y_test, predictions[name])}")

# %%
# And with other training samples?
# --------------------------------
# One test set speaks of these four fits. Cross-validation repeats the fits, here on 15 random
# splits, and its test allows for the training samples that they have in common.

print(skxent.compare_cv(models, X, y, baseline="softmax"))
