"""
Separation: when no maximum exists
==================================

Without penalty the likelihood may have no finite maximum: coefficients run away, and where they
stop says more about the solver than about the data. :class:`skxent.SoftmaxClassifier` finds out,
and names what separates the classes.
"""

# sphinx_gallery_thumbnail_path = "thumbnails/separation.svg"

import warnings

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

import skxent

# %%
# A trial of three doses, with a side effect that was seen in some patients. All who had it dropped
# out, so that it separates them from those who stayed; nothing else does.

rng = np.random.default_rng(0)
n = 150
trial = pd.DataFrame(
    {
        "age": rng.normal(50, 12, size=n).round(),
        "dose": rng.choice([10.0, 20.0, 40.0], size=n),
        "side_effect": (rng.random(n) < 0.08).astype(int),
    }
)
dropped = rng.random(n) < 1 / (1 + np.exp(2 - trial["dose"] / 20))
outcome = np.where(dropped | (trial["side_effect"] == 1), "dropped out", "stayed")
print(pd.crosstab(trial["side_effect"], outcome))

# %%
# The cell with the zero has no finite log-odds. scikit-learn goes as far as its tolerance says, and
# raises no warning.

for tol in (1e-2, 1e-4, 1e-6, 1e-8):
    rival = LogisticRegression(C=np.inf, tol=tol, solver="newton-cholesky").fit(trial, outcome)
    print(f"tol={tol:g}: coefficient of side_effect {rival.coef_[0, 2]:.1f}")

# %%
# SoftmaxClassifier looks for a direction that separates wherever a fit without penalty does not end
# in a maximum. The warning names the classes and the features that take part.


def warning_of(X, y):
    """Fit without penalty, and return the warning if there is one."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        skxent.SoftmaxClassifier(C=np.inf).fit(X, y)
    return caught[0].message if caught else "a finite maximum"


print(warning_of(trial, outcome))

# %%
# Remedies: leave the feature out, knowing that the question of its effect is left out too, or say
# with a penalty how large coefficients may be.

print("without it:", warning_of(trial[["age", "dose"]], outcome))
for C in (1.0, 10.0):
    clf = skxent.SoftmaxClassifier(C=C).fit(trial, outcome)
    print(f"C={C:g}: coefficient of side_effect {clf.coef_[0, 2]:.2f}")

# %%
# With more classes it may be some of them only, and a combination of features instead of one.

rng = np.random.default_rng(1)
X = pd.DataFrame(rng.normal(size=(300, 4)), columns=["north", "east", "height", "slope"])
score = X["north"] + X["east"] + 0.5 * rng.normal(size=300)
y = np.where(score > 0, "meadow", "scree")
y[X["north"] - 2 * X["height"] > 2.5] = "snow"
print(warning_of(X, y))
