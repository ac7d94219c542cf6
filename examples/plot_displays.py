"""
Displays: pictures with units
=============================

Losses by class, calibration, convergence of fits, the strength of the penalty, and coefficients.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import cross_val_predict

import skxent

digits = load_digits()
X, y = digits.data, digits.target
clf = skxent.SoftmaxClassifier(C=0.01)
P = cross_val_predict(clf, X, y, cv=3, method="predict_proba")

# %%
# The held-out loss of all images, by digit. The mark in each bar is what the digit would cost if
# all images cost the same.

share = skxent.LossShareDisplay.from_predictions(y, P)
worst = share.order_[0]
print(f"{worst} takes {100 * share.report.share[worst]:.0f} % of {share.report.total_sum:.0f} nats")
plt.show()

# %%
# The losses of single images. Most cost next to nothing, and the mean is far to the right of the
# box: few images make most of the sum. Their indices are on the right, to be looked at.

distribution = skxent.LossDistributionDisplay.from_predictions(y, P)
plt.show()

fig, axes = plt.subplots(1, 5, figsize=(8, 2), layout="constrained")
for ax, i in zip(axes, distribution.worst_, strict=True):
    ax.imshow(digits.images[i], cmap="gray_r")
    ax.set_title(f"{i}: {y[i]},\nseen as {P[i].argmax()}", fontsize="small")
    ax.set_axis_off()
plt.show()

# %%
# Reliability of each digit against the others, with the loss decomposed, and of one digit alone.

skxent.ReliabilityDisplay.from_predictions(y, P)
skxent.ReliabilityDisplay.from_predictions(y, P, pos_label=8)
plt.show()

# %%
# How fits got to their minima.

fits = {f"C = {C:g}": skxent.SoftmaxClassifier(C=C).fit(X, y) for C in (1e-4, 1e-2, 1.0)}
skxent.ConvergenceDisplay.from_estimators(fits)
plt.show()

# %%
# The penalty chosen by what held-out samples cost.

cancer = load_breast_cancer(as_frame=True)
A, b = cancer.data, cancer.target_names[cancer.target]
chosen = skxent.SoftmaxClassifierCV(np.logspace(-3, 3, 13)).fit(A, b)
skxent.RegularizationDisplay.from_estimator(chosen)
print(f"C = {chosen.C_:.3g}: {chosen.mean_loss_.min():.3f} nats a sample")
plt.show()

# %%
# Coefficients of a model of five measurements, without penalty, for one standard deviation more of
# each, as odds ratios.

some = A[["mean texture", "mean area", "mean smoothness", "mean concavity", "mean symmetry"]]
logistic = skxent.LogisticClassifier(C=np.inf).fit(some, b)
skxent.CoefficientDisplay.from_estimator(logistic, some, b, units=some.std(), odds_ratios=True)
plt.show()
