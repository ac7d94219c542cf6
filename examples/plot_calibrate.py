"""
Calibrate a forest and naive Bayes
==================================

Two classifiers of handwritten digits with wrong probabilities: a random forest is not confident
enough, naive Bayes is far too confident. :class:`skxent.CalibratedClassifier` corrects both, and
tells what was gained.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_predict, train_test_split
from sklearn.naive_bayes import GaussianNB

import skxent

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, test_size=0.4, stratify=y, random_state=0)
models = {"forest": RandomForestClassifier(random_state=0), "naive Bayes": GaussianNB()}

# %%
# How much of the forest's loss is miscalibration? The decomposition of held-out predictions tells,
# before anything is calibrated.

P = cross_val_predict(models["forest"], X, y, method="predict_proba")
print(skxent.decompose_cross_entropy(y, P))

# %%
# A temperature is one number, by which the logarithms of the probabilities are multiplied. It is
# above 1 for the forest and far below 1 for naive Bayes. The change of the held-out loss comes with
# its confidence interval.

calibrated = {name: skxent.CalibratedClassifier(model).fit(X, y) for name, model in models.items()}
for name, clf in calibrated.items():
    found = clf.held_out_comparison_
    print(f"{name}: a = {clf.calibrator_.slope_[0]:.2f}")
    print(f"  {clf.held_out_loss_before_:.2f} nats before, {clf.held_out_loss_after_:.2f} after")
    print(f"  difference {found.difference[0]:.2f}, between {found.low[0]:.2f} and", end=" ")
    print(f"{found.high[0]:.2f} (95 % interval)")

# %%
# New digits, before and after. One panel for each digit: the dashed curve of the forest is steeper
# than the diagonal, because a digit of probability 0.5 is nearly always what it seems to be. After
# calibration most curves are within the range of calibrated predictions.

skxent.ReliabilityDisplay.from_calibrated(calibrated["forest"], X_test, y_test)
plt.show()

# %%
# Naive Bayes with a temperature, for one digit. It still predicts an 8 too often, and one number
# for all digits cannot change that.

skxent.ReliabilityDisplay.from_calibrated(calibrated["naive Bayes"], X_test, y_test, pos_label=8)
plt.show()

# %%
# An intercept for each digit can. The held-out loss says that it is worth its ten parameters, and
# new digits confirm it.

for method in ("temperature", "bias"):
    clf = skxent.CalibratedClassifier(models["naive Bayes"], method=method).fit(X, y)
    loss = skxent.categorical_cross_entropy(y_test, clf.predict_proba(X_test))
    print(f"{method}: held out {clf.held_out_loss_after_:.2f} nats, new digits {loss:.2f} nats")

skxent.ReliabilityDisplay.from_calibrated(clf, X_test, y_test, pos_label=8)
plt.show()
