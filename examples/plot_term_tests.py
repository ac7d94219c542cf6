"""
Tests of terms, and profiles of coefficients
============================================

Does a factor matter, whatever its number of coefficients? And which values of a coefficient agree
with the data? The likelihood of models that are fitted again answers both questions: without the
factor, or with the coefficient held at a value. The data are 178 wines of three varieties of
grapes.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import skxent

data = load_wine(as_frame=True)
X = data.data[["alcohol", "malic_acid", "ash"]].assign(
    hue=np.array(["low", "medium", "high"])[np.digitize(data.data["hue"], [0.8, 1.1])]
)
y = np.array(["Barolo", "Grignolino", "Barbera"])[data.target]

# %%
# No Barolo has a low hue, and no Barbera a high one. The likelihood therefore has no maximum: the
# coefficients of the hue grow without bound. The fit warns of it. With ``separation="limit"``
# :func:`skxent.infer` gives the limit, in which these coefficients are infinite.

hue = OneHotEncoder(categories=[["medium", "low", "high"]], drop="first")
columns = make_column_transformer((hue, ["hue"]), remainder="passthrough")
pipe = make_pipeline(columns, skxent.SoftmaxClassifier(C=np.inf))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    pipe.fit(X, y)
print(caught[0].message)
inference = skxent.infer(pipe, X, y, reference="Barolo", separation="limit")
print(inference.summary())

# %%
# ``term_tests`` tests all coefficients of a column of X at once, in the model with all other
# columns. The hue has four coefficients: two levels, and two classes against the reference.
# Likelihood ratios need no finite coefficients. Score tests need only the model without the term.

print(inference.term_tests())
print(inference.term_tests("score"))

# %%
# Wald intervals need standard errors, which infinite coefficients do not have. Profile intervals
# consist of the values that a likelihood-ratio test does not reject. That of an infinite
# coefficient has one end: the data exclude all values below it, or above it.

table = inference.to_frame(method="profile")
print(table[["class", "term", "estimate", "conf_low", "conf_high"]].round(2).to_string(index=False))

# %%
# The curves show why. The interval ends where the signed root of the likelihood ratio crosses the
# dotted lines. The curve of malic acid is bent, so that the interval is not symmetric. The curve of
# the low hue approaches zero and never reaches it: the likelihood rises for ever.

figure, axes = plt.subplots(2, 1, figsize=(5.5, 9), layout="constrained")
for ax, term in zip(axes, ["remainder__malic_acid", "onehotencoder__hue_low"], strict=True):
    skxent.ProfileDisplay.from_inference(inference, term, "Barbera", ax=ax)
plt.show()
