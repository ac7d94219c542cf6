"""
What moves the odds, and how surely
===================================

How diabetes goes on within a year, in thirds of its measure, from age, sex, body mass index, blood
pressure and a blood serum of 442 patients, all in their own units. A fit without penalty is the
maximum of a likelihood, and :func:`skxent.infer` says how well that determines it.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes

import skxent

data = load_diabetes(as_frame=True, scaled=False)
X = data.data[["age", "sex", "bmi", "bp", "s5"]].rename(columns={"bp": "blood pressure"})
thirds = np.quantile(data.target, [1 / 3, 2 / 3])
y = np.array(["1 mild", "2 middling", "3 severe"])[np.digitize(data.target, thirds)]

# %%
# Coefficients are the log-odds of a class against the reference, per unit of a feature.

clf = skxent.SoftmaxClassifier(C=np.inf).fit(X, y)
inference = skxent.infer(clf, X, y, reference="1 mild")
print(inference.summary())

# %%
# Do age and sex matter at all? Two coefficients each, tested together: by the likelihood of the
# model without them, and by Wald's test.

without = X.drop(columns=["age", "sex"])
smaller = skxent.infer(skxent.SoftmaxClassifier(C=np.inf).fit(without, y), without, y)
print("likelihood ratio", inference.likelihood_ratio_test(smaller))
R = np.eye(inference.coef.size)[[0, 1, 6, 7]]
print("Wald            ", inference.wald_test(R))

# %%
# Both take the model for right. Wald's test need not, with a covariance that does not: the sandwich
# of Huber and White, which tells nearly the same here.

robust = skxent.infer(clf, X, y, reference="1 mild", covariance="robust")
print("Wald, robust    ", robust.wald_test(R))
ratio = robust.standard_errors / inference.standard_errors
print(f"standard errors, robust to observed: {ratio.min():.2f} to {ratio.max():.2f}")

# %%
# Effects on probabilities are easier to read than odds. On average over the patients, what does one
# standard deviation more of a feature change, in points of a hundred? And how well are the chances
# of patients known who have the median of everything but the body mass index?

effects = inference.marginal_effects()
points = 100 * X.std().to_numpy()
bmi = np.linspace(X["bmi"].min(), X["bmi"].max(), 100)
typical = pd.DataFrame([X.median()] * len(bmi)).assign(bmi=bmi)
P = inference.predict_proba_interval(typical)

fig, (upper, lower) = plt.subplots(2, 1, figsize=(5.5, 8), layout="constrained")
for k, (label, marker) in enumerate(zip(inference.classes, "os^", strict=True)):
    middle = effects.estimate[k] * points
    half = (effects.high[k] - effects.low[k]) * points / 2
    rows = np.arange(X.shape[1]) + 0.2 * (k - 1)
    upper.errorbar(middle, rows, xerr=half, fmt=marker, label=label)
    lower.plot(bmi, P.estimate[:, k], f"C{k}", marker=marker, markevery=(10 * k, 30))
    lower.fill_between(bmi, P.low[:, k], P.high[:, k], color=f"C{k}", alpha=0.25)
upper.axvline(0, color="grey", linewidth=0.8)
upper.set_yticks(range(X.shape[1]), X.columns)
upper.invert_yaxis()
upper.set(xlabel="percentage points for one standard\ndeviation, with 95 % intervals")
lower.set(xlabel="body mass index", ylabel="probability, with 95 % intervals", ylim=(0, 1))
upper.legend()
plt.show()

# %%
# A penalty shrinks, and a shrunk coefficient has no p-value. Its intervals are those of a
# posterior, under the prior that the penalty is; a warning says so, and the summary too.

penalised = skxent.SoftmaxClassifier(C=0.01).fit(X, y)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", skxent.InferenceWarning)
    posterior = skxent.infer(penalised, X, y, reference="1 mild")
print(caught[0].message)
print(f"{posterior.df:.1f} effective parameters of {inference.df:.0f}")
