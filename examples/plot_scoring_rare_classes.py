"""
Scoring folds that lack a class
===============================

With a rare class, some folds of a cross-validation lack it. scikit-learn's ``neg_log_loss`` names
columns by the labels it finds in the fold and gives NaN there; ``cce_scorer`` aligns them by the
estimator's ``classes_``.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skxent import ZeroProbabilityWarning, cce_scorer, cce_sum_scorer

# %%
# Wines of three growers, but only six bottles of the third, in ten folds
# -----------------------------------------------------------------------

X, y = load_wine(return_X_y=True)
keep = (y != 2) | (np.cumsum(y == 2) <= 6)
X, y = X[keep], np.array(["Barolo", "Grignolino", "Barbera"])[y[keep]]
folds = KFold(10, shuffle=True, random_state=0)
lacking = sum("Barbera" not in y[test] for _, test in folds.split(X))
print(f"{lacking} of 10 test folds have no Barbera")

models = {
    "naive Bayes": GaussianNB(),
    "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
    "random forest": RandomForestClassifier(200, random_state=0),
}
scoring = {"mean": cce_scorer, "sum": cce_sum_scorer, "sklearn": "neg_log_loss"}
results = {}
for name, model in models.items():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results[name] = cross_validate(model, X, y, cv=folds, scoring=scoring)
    floored = sum(issubclass(warning.category, ZeroProbabilityWarning) for warning in caught)
    result = results[name]
    print(
        f"{name:20} log-likelihood {result['test_sum'].sum():7.2f} nats, "
        f"{-result['test_sum'].sum() / len(y):.3f} a bottle; neg_log_loss is NaN in "
        f"{np.isnan(result['test_sklearn']).sum()} folds; {floored} folds met the floor"
    )

# %% Where both are defined they agree. Sums of folds add up to the log-likelihood of all bottles,
# each predicted by a model that has not seen it.

for name, result in results.items():
    defined = ~np.isnan(result["test_sklearn"])
    difference = np.abs(result["test_mean"] - result["test_sklearn"])[defined].max(initial=0)
    print(f"{name:20} largest difference from neg_log_loss {difference:.1e}")

figure, axes = plt.subplots(figsize=(5.5, 4), layout="constrained")
for shift, (name, result) in zip((-0.25, 0.0, 0.25), results.items(), strict=True):
    axes.bar(np.arange(10) + shift, -result["test_mean"], width=0.22, label=name)
axes.set(xlabel="fold", ylabel="cross-entropy, nats a bottle", xticks=range(10))
axes.legend()
plt.show()
