"""
Watch a fit with callbacks
==========================

A long fit should show that it is alive. scikit-learn 1.9 and newer have callbacks for this, and
:class:`skxent.SoftmaxClassifier` calls them in every iteration. This example shows a progress bar,
and a callback of our own that measures the loss on held-out digits during the fit.
"""

from importlib.util import find_spec

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import skxent

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
clf = skxent.SoftmaxClassifier(solver="lbfgs")

# %%
# A callback of our own
# ---------------------
# A callback is a class with four methods. At the end of an iteration it gets `fitted_estimator`,
# the classifier as it would be if the fit had stopped there. If the method returns
# True, the fit stops.


class HeldOutLoss:
    """Record the losses of held-out samples after each iteration."""

    def __init__(self, X, y):
        self.X, self.y = X, y
        self.losses = []

    def setup(self, estimator, context):
        self.losses.clear()

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "iteration" and fitted_estimator is not None:
            Z = fitted_estimator.decision_function(self.X)
            self.losses.append(
                skxent.categorical_cross_entropy(self.y, Z, from_logits=True, reduction="none")
            )
        return False

    def teardown(self, estimator, context):
        pass


# %%
# The fit
# -------
# Older releases of scikit-learn have no callbacks, and the progress bar needs the package rich. The
# fit is the same without them.

held_out = HeldOutLoss(X_test, y_test)
try:
    from sklearn.callback import ProgressBar
except ImportError:
    print("This release of scikit-learn has no callbacks.")
else:
    if find_spec("rich"):
        clf.set_callbacks(held_out, ProgressBar())
    else:
        print("No progress bar: the package rich is not installed.")
        clf.set_callbacks(held_out)

clf.fit(X_train, y_train)
print(f"{clf.n_iter_} iterations, {clf.optimality_gap_:.0e} nats from the optimum")

# %%
# Is it better to stop early?
# ---------------------------
# The held-out loss is smallest before the end of the fit. But this iteration was chosen on the same
# digits on which it is compared. This flatters it, and even so the interval of the difference
# contains zero. Another solver would take another path and give another classifier. The penalty is
# the better choice: its value can be reported, and :class:`skxent.SoftmaxClassifierCV` finds it.

if held_out.losses:
    best = int(np.argmin(np.mean(held_out.losses, axis=1)))
    losses = {"optimum": held_out.losses[-1], f"iteration {best + 1}": held_out.losses[best]}
    print(skxent.compare_losses(losses, baseline="optimum"))

# %%
# The upper panel shows the distance from the optimum after each iteration. The fit keeps this
# record itself. The lower panel shows by how much the held-out loss differs from that of the
# optimum.

fig, (upper, lower) = plt.subplots(2, 1, figsize=(5.5, 7.5), layout="constrained")
skxent.ConvergenceDisplay.from_estimator(clf, ax=upper)
for passes, losses in zip(clf.objective_curve_[:, 0], held_out.losses, strict=False):
    found = skxent.mean_loss_interval(losses - held_out.losses[-1])
    lower.errorbar(passes, found.mean, found.mean - found.low, fmt="C0o", markersize=3)
lower.axhline(0, color="grey", linewidth=0.8)
lower.set(
    xlabel="passes over X", ylabel="held-out loss minus that of\nthe optimum, nats, 95 % intervals"
)
plt.show()
