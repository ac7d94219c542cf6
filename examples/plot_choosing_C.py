"""
Choosing C without folds
========================

How strong a penalty should be is a question about samples that a fit has not seen. Folds answer it
with several fits for each value of C, and differently each time they are drawn.
:class:`skxent.SoftmaxClassifierCV` leaves out every sample in turn and takes one fit for each
value: from the curvature at its minimum follows what a sample would cost a fit without it.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold

import skxent

X, y = load_breast_cancer(return_X_y=True)
Cs = np.logspace(-4, 5, 19)

# %%
# The last fit is kept: the classifier is ready to predict.

begin = time.perf_counter()
clf = skxent.SoftmaxClassifierCV(Cs).fit(X, y)
seconds = time.perf_counter() - begin
print(f"C = {clf.C_:.3g}, {clf.loo_loss_.min():.4f} nats a sample, in {seconds:.2f} seconds")
print(f"{clf.n_refits_.sum()} fits without a sample, of {len(Cs)} times {clf.n_left_out_}")

# %%
# The loss by five folds depends on how they are drawn, here in four ways to shuffle, even where the
# choice does not.

by_folds = []
for seed in range(4):
    cv = StratifiedKFold(5, shuffle=True, random_state=seed)
    by_folds.append(skxent.SoftmaxClassifierCV(Cs, cv=cv).fit(X, y))
    print(f"five folds: C = {by_folds[-1].C_:.3g}, {by_folds[-1].mean_loss_.min():.4f} nats")

# %%
# The smallest loss is uncertain as well, by its standard error. The rule of one standard error
# takes the strongest penalty that is no worse than that.

careful = skxent.SoftmaxClassifierCV(Cs, one_standard_error=True).fit(X, y)
print(f"C by the rule of one standard error: {careful.C_:.3g}")

# %%
# For a few samples one Newton step is not enough, where weak penalties let them hold the boundary
# between the classes alone. They are fitted without, which is what makes the curve exact on the
# right.

trained = [skxent.SoftmaxClassifier(C).fit(X, y) for C in Cs]
fig, ax = plt.subplots(layout="constrained")
ax.fill_between(
    Cs,
    clf.loo_loss_ - clf.loss_standard_error_,
    clf.loo_loss_ + clf.loss_standard_error_,
    alpha=0.2,
)
ax.semilogx(Cs, clf.loo_loss_, "o-", label="each sample left out")
for other in by_folds:
    ax.semilogx(Cs, other.mean_loss_, color="grey", lw=1)
ax.plot([], [], color="grey", lw=1, label="five folds, shuffled differently")
ax.semilogx(Cs, [-m.log_likelihood_ / len(y) for m in trained], "--", label="training samples")
ax.axvline(clf.C_, color="C0", linestyle=":")
ax.axvline(careful.C_, color="C3", linestyle=":", label="one standard error")
ax.set(xlabel="C", ylabel="nats a sample", ylim=(0, 0.3))
ax.legend()
plt.show()
